"""States of known processes: runs from an empty start, as known at an instant, and what came of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.run import Run

Floats = NDArray[np.float64]


def known_at(run: Run, at_s: float, *, last_s: float | None = None, without: int = -1) -> Snapshot:
    """What a log of this run holds at an instant: executions begun by `at_s`, with the ends by then.

    Orders are open that had begun and weren't gone. `last_s`: executions begun later are left out even where
    they began at `at_s`. `without`: an order that is left out. Classes and segments, where any, are columns.
    """
    from eventlogs.snapshot import Snapshot, sealed

    log = run.executions
    seen = (log.start_s <= (at_s if last_s is None else last_s)) & (log.order != without)
    rows = np.flatnonzero(seen)
    end_s = np.where(log.end_s[rows] <= at_s, log.end_s[rows], np.nan)
    first = np.full(len(run.order_ids), np.inf)
    np.minimum.at(first, log.order[rows], log.start_s[rows])
    rank = np.argsort(np.argsort(first, kind="stable"))[log.order[rows]]
    order = np.lexsort((rows, log.start_s[rows], np.where(np.isnan(end_s), np.inf, end_s), rank))
    rows, end_s, rank = rows[order], end_s[order], rank[order]
    cases = np.unique(rank, return_index=True)[1]
    orders = log.order[rows][cases]
    gone_s = np.fmin(run.completed_s, run.lost_s)
    return sealed(
        Snapshot(
            name="known",
            origin=run.origin,
            until_s=at_s,
            cases=tuple(run.order_ids[i] for i in orders.tolist()),
            activities=run.labels,
            resources=run.agents,
            offsets=np.append(cases, len(rows)).astype(np.int64),
            activity=run.task[rows].astype(np.int32),
            resource=log.agent[rows].astype(np.int32),
            start_s=log.start_s[rows],
            end_s=end_s,
            is_open=~(gone_s[orders] <= at_s),
            attributes=_kinds(run, orders),
            single_timestamp=False,
            content_hash="",
        )
    )


def _kinds(run: Run, orders: NDArray[np.int32]) -> dict[str, tuple[str | None, ...]]:
    """Columns class, segment, value and due, where any order has one."""
    network, table = run.program.network, run.program.orders.table[orders]
    found: dict[str, tuple[str | None, ...]] = {}
    for column, codes in (("cls", network.classes), ("segment", network.segments)):
        names = {code: name for name, code in codes.items()}
        texts = tuple(names.get(code) for code in table[column].tolist())
        if any(texts):
            found["class" if column == "cls" else column] = texts
    if table["value"].any():
        found["value"] = tuple(f"{value:.2f}" for value in table["value"].tolist())
    if np.isfinite(table["due_s"]).any():
        found["due_date"] = tuple(
            None if not np.isfinite(due) else _text(run.origin, due) for due in table["due_s"].tolist()
        )
    return found


def _text(origin: datetime, seconds: float) -> str:
    from datetime import timedelta

    return (origin + timedelta(seconds=seconds)).isoformat()
