"""Ends that live events announced reach the forecast of the log that received them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from eventlogs.historian import Historian
from eventlogs.live.announcements import Kept
from eventlogs.live.inbox import Inbox
from eventlogs.live.state import Eta
from tests.eventlogs.live.feeding import Clock, event, feed
from tests.eventlogs.logs import T0, stamp
from tests.twin.small import HOUR, deterministic
from twin.announced import with_errors
from twin.forecasting import ForecastRequest, forecast_command
from twin.planning import of_log
from twin.progress import Progress
from twin.requests import log_request
from twin.source import announced


def test_an_announced_end_is_the_end(tmp_path: Path) -> None:
    """C takes three hours, unless told otherwise; D and F one each follow."""
    with Inbox(tmp_path / "inbox", Clock()) as inbox, Historian(tmp_path / "x.duckdb") as historian:
        feed(historian, inbox, [
            event(1, 0, case="1", activity="A", lifecycle="start"),
            event(2, HOUR, case="1", activity="A", lifecycle="complete"),
            event(3, HOUR, case="1", activity="B", lifecycle="start"),
            event(4, HOUR, case="1", activity="C", lifecycle="start"),
            event(5, 1.5 * HOUR, case="1", activity="C", eta=stamp(10 * HOUR)),
        ])  # fmt: skip
    (tmp_path / "open.txt").write_text("1")
    for hours, end in ((1.75, 12.0), (1.25, 6.0)):
        at = T0 + timedelta(hours=hours)
        request = log_request("live", str(tmp_path / "x.duckdb"), until=at, open_file=tmp_path / "open.txt")
        assert bool(announced(request)) == (end == 12.0), "told by then"
        wanted = ForecastRequest(as_of=at, replications=2)
        (order,) = forecast_command(deterministic(), request, wanted, Progress()).orders
        assert {round((q - T0) / timedelta(hours=1), 6) for q in order.quantiles} == {end}
    assert announced(replace(request, log="snapshot:abc")) == {}


def test_announced_ends_come_with_the_error_they_had(tmp_path: Path) -> None:
    """C was announced for an hour less than it took in twelve orders, and for an hour more in four."""
    with Inbox(tmp_path / "inbox", Clock()) as inbox, Historian(tmp_path / "x.duckdb") as historian:
        told = [event("a", 0, case="now", activity="A", lifecycle="start")]
        for i in range(16):
            begin, late = 40 * HOUR * i, HOUR if i < 12 else -HOUR
            eta = stamp(begin + 3 * HOUR - late)
            told += [
                event(f"{i} start", begin, case=f"past {i}", activity="C", lifecycle="start"),
                event(f"{i} eta", begin + HOUR, case=f"past {i}", activity="C", eta=eta),
                event(f"{i} end", begin + 3 * HOUR, case=f"past {i}", activity="C", lifecycle="complete"),
            ]
        begun = 640 * HOUR
        told += [
            event("b", begun, case="now", activity="A", lifecycle="complete"),
            event("c", begun, case="now", activity="B", lifecycle="start"),
            event("d", begun, case="now", activity="C", lifecycle="start"),
            event("e", begun + HOUR, case="now", activity="C", eta=stamp(begun + 10 * HOUR)),
        ]
        feed(historian, inbox, told)
        kept = historian.announcements("live", T0 + timedelta(seconds=begun))
        assert [round((one.ended - one.eta) / timedelta(hours=1)) for one in kept] == [1] * 12 + [-1] * 4
        assert len(historian.announcements("live", T0 + timedelta(hours=100))) == 3
    (tmp_path / "open.txt").write_text("now")
    ends = {}
    for hours in (641.5, 650.5):
        at = T0 + timedelta(hours=hours)
        request = log_request("live", str(tmp_path / "x.duckdb"), until=at, open_file=tmp_path / "open.txt")
        found = forecast_command(deterministic(), request, ForecastRequest(at, replications=200), Progress())
        assert "announced ends of C are taken with the error of 16 of C" in found.notes[0]
        (order,) = found.orders
        (task,) = (task for task in order.tasks if task.activity == "C")
        ends[hours] = [round((end - T0) / timedelta(hours=1), 1) for end in task.end]
        standing = of_log(deterministic(), request, Progress())
        assert standing.state is not None
        (eta_s,) = (p.eta_s for o in standing.state.orders for p in o.positions if p.eta_s is not None)
        instant = standing.origin + timedelta(seconds=eta_s)
        assert round((instant - T0) / timedelta(hours=1), 1) == 650.5
        assert any("with the error of 16 of C" in note for note in standing.notes)
    assert ends[641.5] == [649.0, 651.0, 651.0]
    low, _, high = ends[650.5]
    assert 650.5 <= low <= high <= 651.0, "it is late already, and never was by more than an hour"


def test_few_announcements_are_taken_at_their_word() -> None:
    kept = [Kept(str(i), "B", T0, T0 + timedelta(hours=2), T0 + timedelta(hours=3)) for i in range(12)]
    etas = {"1": (Eta("C", T0 + timedelta(hours=9), T0),)}
    twin, notes = with_errors(deterministic(), etas, kept[:3])
    assert "taken to be exact: only 3 announcements have come true" in notes[0]
    assert all(task.eta_error is None for task in twin.tasks())
    twin, notes = with_errors(deterministic(), etas, kept)
    assert "with the error of 12 of all activities: they came 60 min late" in notes[0]
    (error,) = (task.eta_error for task in twin.tasks() if task.eta_error is not None)
    assert (error.n, error.level, error.law.mean()) == (12, "all tasks", 3600.0)
    assert with_errors(deterministic(), {}, kept) == (deterministic(), ())
