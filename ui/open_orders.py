"""What the command `state` prints: the open orders, those that wait longest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twin.open_orders import of_longest_wait, rows_of
from twin.words import span
from ui.console import MOST_ROWS, as_json, say, show_table

if TYPE_CHECKING:
    from eventlogs.live.state import LogState, OpenCase


def show_state(state: LogState, json_wanted: bool, written: Path | None) -> None:
    """The first orders as a table; all of them as JSON."""
    if json_wanted:
        as_json(
            {
                "log": state.log,
                "at": state.at,
                "recorded_by": state.recorded_by,
                "orders": list(rows_of(state)),
            }
        )
        return
    orders = of_longest_wait(list(state.cases()), state.at)
    columns = ("order", "done", "last done", "in progress", "by", "for", "waiting", "expected")
    rows = [_row(order, state) for order in orders[:MOST_ROWS]]
    title = f"{state.log} at {state.at:%Y-%m-%d %H:%M} UTC: {len(orders):,} open orders"
    show_table(title, columns, rows, (0, 2, 3, 4, 7))
    if len(orders) > MOST_ROWS:
        say(f"… and {len(orders) - MOST_ROWS:,} more orders (--out writes all)")
    if written:
        say(f"{len(orders):,} orders written to {written}.")


def _row(order: OpenCase, state: LogState) -> tuple[str, ...]:
    waiting = order.waiting_since
    return (
        order.case,
        str(len(order.done)),
        order.done[-1].activity if order.done else "–",
        ", ".join(work.activity for work in order.in_progress),
        ", ".join(work.resource or "–" for work in order.in_progress),
        ", ".join(span(elapsed) for elapsed in order.elapsed_s),
        "" if waiting is None else span((state.at - waiting).total_seconds()),
        ", ".join(f"{eta.activity} {eta.eta:%Y-%m-%d %H:%M}" for eta in order.etas),
    )
