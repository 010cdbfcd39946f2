"""Ends that live events announced reach the forecast of the log that received them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox
from tests.eventlogs.live.feeding import Clock, event, feed
from tests.eventlogs.logs import T0, stamp
from tests.twin.small import HOUR, deterministic
from twin.forecasting import ForecastRequest, forecast_command
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
