from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from metagraph.errors import DataError
from twin.scenario import load_scenario, parse_scenario, scenario_keys

ROOT = Path(__file__).resolve().parents[2]


def refused(text: str) -> str:
    with pytest.raises(DataError) as error:
        parse_scenario(text, "s.toml", "s")
    return str(error.value)


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    assert "line 1: the file has no key 'hyre'; did you mean 'hire'?" in refused('[[hyre]]\nlike = "A"')
    assert "line 3: [hire[1]] has no key 'form'; did you mean 'from'?" in refused(
        '[[hire]]\nlike = "A"\nform = "2d"'
    )
    # What a table is called in the program is no key of the file.
    assert "has no key 'since'" in refused('[[hire]]\nlike = "A"\nsince = "2d"')


def test_a_file_that_changes_nothing_is_refused() -> None:
    for text in ("", 'name = "hire"\nnote = "two more"'):
        assert refused(text).startswith(
            "s.toml: it says nothing that would be different; expected a table such"
        )


def test_a_key_that_is_missing_is_named() -> None:
    assert "lacks the key 'like'" in refused("[[hire]]\ncount = 2")


@pytest.mark.parametrize(
    "said", ['"yesterday"', "2024-01-03T00:00:00", '"2024-01-03T00:00:00"', "48", '"-2 d"']
)
def test_an_instant_that_nobody_can_place_is_refused(said: str) -> None:
    assert "from" in refused(f'[[hire]]\nlike = "A"\nfrom = {said}')


def test_instants_and_times_after_the_beginning_are_read() -> None:
    text = '[[lose]]\nagents = ["A"]\nfrom = "2d"\nuntil = 2024-01-05T12:00:00+02:00'
    lost = parse_scenario(text, "s.toml", "s").lose[0]
    assert lost.since == 2 * 86400.0
    assert lost.until == datetime(2024, 1, 5, 10, tzinfo=UTC)


def test_a_scenario_is_called_as_its_file_unless_it_says(tmp_path: Path) -> None:
    path = tmp_path / "restore.toml"
    path.write_text("[policy]\npolicy = 'P'\n")
    assert load_scenario(path).name == "restore"
    path.write_text("name = 'Invest'\n[policy]\npolicy = 'P'\n")
    assert load_scenario(path).name == "Invest"


def keys() -> set[str]:
    return {*scenario_keys(), *(key for table in scenario_keys() for key in scenario_keys((table,)))}


def test_every_key_is_documented() -> None:
    document = (ROOT / "docs" / "whatif.md").read_text()
    code = " ".join(re.findall(r"`[^`\n]+`", re.sub(r"```.*?```", "", document, flags=re.DOTALL)))
    assert {"hire", "pace", "per_execution", "resume_penalty_min"} <= keys()
    missing = [key for key in sorted(keys()) if not re.search(rf"\b{key}\b", code)]
    assert not missing, f"docs/whatif.md doesn't explain {missing}"
