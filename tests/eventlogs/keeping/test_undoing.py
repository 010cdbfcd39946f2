"""Every import can be undone, taken again, and dropped for good."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.report import ImportReport
from metagraph.errors import DataError
from tests.eventlogs.live.feeding import event, feed, live
from tests.eventlogs.logs import Row, write

FILES = [[Row(str(case), "A", "r", 60.0 * case, 60.0 * case + 30) for case in range(n)] for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for i, rows in enumerate(FILES):
        write(made / f"{i}.csv", rows)
    return made


def size(historian: Historian) -> int | None:
    """Cases of the log, None if there is no such log; every way to ask must agree."""
    infos = historian.logs()
    if not infos:
        with pytest.raises(DataError, match="there is no log"):
            historian.snapshot("log")
        return None
    assert [info.name for info in infos] == ["log"]
    assert historian.report("log") == infos[0].report
    assert historian.snapshot("log").n_cases == infos[0].report.cases
    return infos[0].report.cases


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(st.sampled_from([0, 1, 2, "undo", "drop"]), max_size=12))
def test_undoing_walks_back_through_what_was_taken(folder: Path, steps: list[int | str]) -> None:
    """The oracle is a stack: taking pushes unless it is on top already, undoing pops."""
    stack: list[int] = []
    with Historian(":memory:") as historian:
        taken: set[int] = set()
        for step in steps:
            if step == "undo" and stack:
                undone = historian.undo_import("log")
                popped = stack.pop()
                assert undone.undone.executions == popped + 1
                assert (undone.current is None) == (not stack)
            elif step == "undo":
                with pytest.raises(DataError, match=r"undone already|nothing was ever imported"):
                    historian.undo_import("log")
            elif step == "drop" and taken:
                top = stack[-1:]
                dropped = historian.drop_superseded("log")
                assert dropped.imports == len(taken - set(top))
                taken, stack = set(top), top
            elif isinstance(step, int):
                report = historian.import_log(folder / f"{step}.csv", "log")
                assert report.already_known == (stack[-1:] == [step])
                came_back = step in taken and not report.already_known
                assert any("taken before" in note for note in report.notes) == came_back
                taken.add(step)
                stack += [step] if stack[-1:] != [step] else []
            assert size(historian) == (stack[-1] + 1 if stack else None)
            if taken:
                states = [info.state for info in historian.imports("log")]
                assert states.count("current") == bool(stack)


def test_a_history_tells_what_was_taken_and_what_became_of_it(folder: Path) -> None:
    with Historian(":memory:") as historian:
        with pytest.raises(DataError, match="nothing was ever imported as log 'log'; imported logs: none"):
            historian.imports("log")
        for i in (0, 1, 2):
            historian.import_log(folder / f"{i}.csv", "log")
        historian.undo_import("log")
        history = historian.imports("log")
        assert [(i.source, i.rows, i.executions, i.state) for i in history] == [
            (str(folder / "2.csv"), 3, 3, "undone"),
            (str(folder / "1.csv"), 2, 2, "current"),
            (str(folder / "0.csv"), 1, 1, "superseded"),
        ]
        said = [historian.undo_import("log").sentence() for _ in range(2)]
        assert said[0].startswith(
            f"The import of {folder / '1.csv'} as log 'log' was undone; the log is the import of"
        )
        assert said[1].endswith("it was the only one, so there is no such log now.")


def test_what_was_dropped_takes_no_room(folder: Path, tmp_path: Path) -> None:
    with Historian(tmp_path / "x.duckdb") as historian:
        for i in (0, 1, 2, 1):
            historian.import_log(folder / f"{i}.csv", "log")
        historian.import_log(folder / "0.csv", "other")
        dropped = historian.drop_superseded("log")
        assert (dropped.imports, dropped.executions) == (2, 4)
        assert [info.state for info in historian.imports("log")] == ["current"]
        assert historian.undo_import("log").current is None
        assert [info.name for info in historian.logs()] == ["other"]


def test_live_events_stay_when_the_only_import_is_undone(folder: Path) -> None:
    with live() as (historian, inbox):
        historian.import_log(folder / "1.csv", "log")
        told = [event(1, 90_000, "log", case="9", activity="B"), event(2, 1, "alone", case="9", activity="B")]
        feed(historian, inbox, told)
        said = historian.undo_import("log").sentence()
        assert said.endswith("it was the only one, so the log now consists of its live events.")
        assert historian.snapshot("log").cases == ("9",)
        infos = {info.name: (info.live.events, info.live_executions) for info in historian.logs()}
        assert infos == {"log": (1, 1), "alone": (1, 1)}
        with pytest.raises(DataError, match="'alone' consists of its live events alone"):
            historian.undo_import("alone")


def test_a_report_says_what_the_import_replaces(folder: Path) -> None:
    def said(report: ImportReport) -> list[str]:
        return [note for note in report.notes if note.startswith("It replaces the import of")]

    first, second = folder / "0.csv", folder / "1.csv"
    with Historian(":memory:") as historian:
        assert said(historian.import_log(first, "log")) == []
        assert said(historian.import_log(first, "log")) == []
        (other,) = said(historian.import_log(second, "log"))
        assert str(first) in other
        assert "'tracetwin import undo log' brings that back" in other
        assert "--log" in other
        (mapped,) = said(historian.import_log(second, "log", mapping={"resource": ""}))
        assert str(second) in mapped
        assert "--log" not in mapped
        (back,) = said(historian.import_log(first, "log"))
        assert str(second) in back
        assert said(historian.report("log")) == []
        while historian.logs():
            historian.undo_import("log")
        assert said(historian.import_log(second, "log")) == []
