"""Sentences of commands in the words of the page."""

from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.quality.found import Found
from eventlogs.quality.words import TITLES, consequence
from eventlogs.taking.looking import LookOptions, look
from ui.page_words import on_page


@pytest.mark.parametrize(
    ("text", "mapping", "says"),
    [
        ("Vorgang,x,start,end\n1,a,2026-01-01,2026-01-02\n", None, "choose them above"),
        ("case,activity,end\n1,a,01/02/2026\n", None, "choose their order above"),
        ("case,activity,end\n1,a,soon\n", None, "choose another column above"),
    ],
)
def test_faults_name_the_file_and_no_option(
    tmp_path: Path, text: str, mapping: dict[str, str] | None, says: str
) -> None:
    log = tmp_path / "odd.csv"
    log.write_text(text, encoding="utf-8")
    fault = look(log, LookOptions(mapping)).to_settle
    assert fault is not None
    told = on_page(fault, log)
    assert told.startswith("odd.csv")
    assert told.endswith(says) or says in told
    assert (str(tmp_path) in told, "--" in told) == (False, False)


@pytest.mark.parametrize("key", TITLES)
def test_what_a_twin_makes_of_a_doubt_names_no_option_or_command(key: str) -> None:
    told = on_page(consequence(key, Found(1, 2), False), Path("log.csv"))
    assert not any(word in told for word in ("--", "tracetwin", "twin.toml")), told
    assert told.endswith(".")


def test_how_a_log_was_read_names_no_option(tmp_path: Path) -> None:
    log = tmp_path / "odd.csv"
    log.write_text("case,activity,end\n1,a,2026-01-02 08:00\n1,b,soon\n", encoding="utf-8")
    with Historian(":memory:") as historian:
        told = [
            on_page(said, log) for said in historian.import_log(log, on_bad_rows="quarantine").sentences()
        ]
    assert any("choose their zone above" in said for said in told)
    assert not any("--" in said or str(tmp_path) in said for said in told), told
