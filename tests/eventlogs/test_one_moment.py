"""What is read in several statements is of one moment, whatever others write in between."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eventlogs import historian as historian_of
from eventlogs.historian import Historian
from eventlogs.live.state import state_at
from eventlogs.mining.filters import LogFilter
from tests.eventlogs.logs import lines, stamp

HEADER = "case_id,activity,resource,start_time,end_time,class"
READS: dict[str, Callable[[Historian, Path], Any]] = {
    "logs": lambda historian, out: historian.logs(),
    "report": lambda historian, out: historian.report("log"),
    "quarantined": lambda historian, out: historian.quarantined("log"),
    "export": lambda historian, out: (historian.export_quarantine("log", out), out.read_bytes()),
    "imports": lambda historian, out: historian.imports("log"),
    "quality": lambda historian, out: historian.quality("log"),
    "mine": lambda historian, out: historian.mine("log", "cycle_times", (LogFilter(starts=("A",)),), "class"),
    "snapshot": lambda historian, out: historian.snapshot("log").content_hash,
    "variants": lambda historian, out: historian.variants("log"),
    "state": lambda historian, out: list(historian.state_at("log").cases()),
}


class Interrupted:
    """A connection in which something happens elsewhere after so many statements."""

    def __init__(self, con: Any, statements: int, happens: Callable[[], object]) -> None:
        self._con, self._left, self._happens = con, statements, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def execute(self, *told: Any) -> Any:
        return self._passed(self._con.execute(*told))

    def sql(self, *told: Any, **named: Any) -> Any:
        return self._passed(self._con.sql(*told, **named))

    def _passed(self, found: Any) -> Any:
        self._left -= 1
        if not self._left:
            self._happens()
        return found


@pytest.mark.parametrize("name", READS)
def test_a_read_shows_what_was_before_a_write_or_after(name: str, tmp_path: Path) -> None:
    read, out = READS[name], tmp_path / "out.csv"
    with Historian(tmp_path / "x.duckdb") as historian, historian.session() as reader:
        files = [log(tmp_path, number) for number in (1, 2)]

        def taken(file: Path) -> object:
            return historian.import_log(file, "log", on_bad_rows="quarantine")

        for statements in (1, 2, 3, 4, 6, 9):
            taken(files[0])
            before = read(historian, out)
            con = reader._con
            reader._con = Interrupted(con, statements, lambda: taken(files[1]))  # type: ignore[assignment]
            seen = read(reader, out)
            reader._con = con
            assert seen in (before, read(historian, out)), statements


def test_a_state_that_is_overtaken_by_an_import_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its closing rule would be kept for a log that ends otherwise."""
    header = "case_id,activity,start_time,end_time"
    old, new = (
        lines(
            tmp_path / f"{end}.csv",
            header,
            *(f"{case},{end},{stamp(case * 86400.0)},{stamp(case * 86400.0 + 60)}" for case in range(20)),
        )
        for end in "YZ"
    )

    def overtaken(*told: Any) -> Any:
        found = state_at(*told)
        monkeypatch.undo()
        historian.import_log(new, "log")
        return found

    with Historian(tmp_path / "x.duckdb") as historian, historian.session() as reader:
        historian.import_log(old, "log")
        monkeypatch.setattr(historian_of, "state_at", overtaken)
        assert list(reader.state_at("log").closing.end_activities) == ["Y"]
        assert list(reader.state_at("log").closing.end_activities) == ["Z"]


def log(folder: Path, number: int) -> Path:
    rows = [
        f"{case},{activity},r{number},{stamp(100 * case + at)},{stamp(101 * case + at + number)},k{number}"
        for case in range(3 * number)
        for activity, at in (("A", 0.0), ("B", 50.0))
    ]
    bad = [f"x,A,r{number},{stamp(0)},never,k{number}"] * number
    return lines(folder / f"{number}.csv", HEADER, *rows, *bad)
