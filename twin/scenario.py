"""A scenario file: what would be different, as TOML, read and checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from metagraph.errors import DataError
from twin.scenario_sections import Moment, Scenario
from twin.toml_checked import checked, read_text
from twin.toml_checked import known_keys as keys_of

_WHAT = "a scenario, see docs/whatif.md"
_EXPECTED = "expected a table such as [[hire]], [[duration]] or [policy], see docs/whatif.md"


def load_scenario(path: Path | str) -> Scenario:
    """Read a scenario file; without a name of its own it is called as the file is.

    Raises DataError naming file, line and key for a file that can't be read, isn't TOML, has an unknown key
    or a value that can't be meant.
    """
    path = Path(path)
    return parse_scenario(read_text(path, _WHAT), str(path), path.stem)


def parse_scenario(text: str, source: str, name: str) -> Scenario:
    """The scenario that a text holds, called `name` if it doesn't say. Raises DataError as load_scenario."""
    found = checked(text, source, Scenario)
    if found.model_fields_set <= {"name", "note"}:
        raise DataError(f"{source}: it says nothing that would be different; {_EXPECTED}")
    return found if "name" in found.model_fields_set else found.model_copy(update={"name": name})


def scenario_keys(path: tuple[str | int, ...] = ()) -> tuple[str, ...]:
    """The keys of the table at a path of a scenario file."""
    return keys_of(Scenario, path)


def instant_of(moment: Moment | None, begin: datetime | None, where: str) -> datetime | None:
    """The instant that is meant; None where none was given.

    Raises DataError for a time after the beginning where nobody says when that is.
    """
    if moment is None or isinstance(moment, datetime):
        return moment
    if begin is None:
        raise DataError(
            f"{where}: {moment / 3600:g} h after the beginning, which isn't known here; give an instant with "
            "a zone, such as 2024-03-01T09:00:00Z"
        )
    return begin + timedelta(seconds=moment)
