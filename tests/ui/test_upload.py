"""Sentences of commands in the words of the page."""

from pathlib import Path

import pytest

from eventlogs.taking.looking import LookOptions, look
from ui.page_upload import _on_page


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
    told = _on_page(fault, log)
    assert told.startswith("odd.csv")
    assert told.endswith(says) or says in told
    assert (str(tmp_path) in told, "--" in told) == (False, False)
