"""The open orders of a log at an instant, as a table and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.files import check_writable
from twin.mine import check_table_name, write_table
from twin.progress import Progress
from twin.source import LogRequest, opened

if TYPE_CHECKING:
    from eventlogs.live.state import LogState, OpenCase


def state_command(
    request: LogRequest, recorded_by: datetime | None, out: Path | None, progress: Progress
) -> LogState:
    """The open orders at `request.until` (default: the log's last event), also written to `out` if given.

    Raises DataError for an unknown log or an instant before it, UsageError for the ending of `out`.
    """
    check_table_name(out)
    check_writable(out)
    with opened(request, progress.step, lambda text: progress.step(text, 0.0)) as (historian, name):
        progress.step("looking at the open orders", 0.5)
        state = historian.state_at(name, request.until, recorded_by=recorded_by)
    if out is not None:
        import pyarrow as pa

        write_table(out, pa.Table.from_pylist([_flat(row) for row in rows_of(state)], schema=_schema()))
    return state


def rows_of(state: LogState) -> Iterator[dict[str, Any]]:
    """One row an open order: what was done last, what is in progress and by whom, since when it waits, and
    what is expected. Times are instants (UTC), or seconds where the name ends in _s."""
    for order in state.cases():
        yield {
            "case": order.case,
            "done": [work.activity for work in order.done],
            "in_progress": [work.activity for work in order.in_progress],
            "resources": [work.resource for work in order.in_progress],
            "elapsed_s": list(order.elapsed_s),
            "waiting_since": order.waiting_since,
            "waiting_s": _seconds(state.at, order.waiting_since),
            "etas": {eta.activity: eta.eta for eta in order.etas},
            "attributes": dict(order.attributes),
        }


def _seconds(at: datetime, since: datetime | None) -> float | None:
    return None if since is None else (at - since).total_seconds()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    texts = ("done", "in_progress", "resources")
    flat = {**row, **{name: " > ".join(value or "–" for value in row[name]) for name in texts}}
    flat["elapsed_s"] = max(row["elapsed_s"], default=None)
    flat["etas"] = "; ".join(f"{activity} {eta.isoformat()}" for activity, eta in row["etas"].items())
    del flat["attributes"]
    return flat


def _schema() -> Any:
    import pyarrow as pa

    instant = pa.timestamp("us", "UTC")
    kinds = {"elapsed_s": pa.float64(), "waiting_since": instant, "waiting_s": pa.float64()}
    names = ("case", "done", "in_progress", "resources", "elapsed_s", "waiting_since", "waiting_s", "etas")
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])


def of_longest_wait(orders: Sequence[OpenCase], at: datetime) -> list[OpenCase]:
    """Orders that wait before those being worked on, the longest wait first."""
    return sorted(orders, key=lambda order: (order.waiting_since is None, order.waiting_since or at))
