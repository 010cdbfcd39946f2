"""Orders that arrive now, as rows of what is learnt: as the newest orders stood when they came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventlogs.snapshot import Snapshot
from metagraph.model import Metagraph
from twin.learned_past import group_codes, rows_bounds
from twin.learned_rows import COLUMNS, Floats, Ints, Rows, rows_at

NEWEST = 40
"""So many of the newest orders stand for one that arrives."""
NEWEST_ALIKE = 15
"""And so many of each class and segment."""
MOST = 150
"""Orders that stand for all kinds together."""
_DAY = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The orders that stand for those that arrive, newest first."""

    cls: NDArray[np.str_]
    """'' where the log doesn't say."""
    segment: NDArray[np.str_]

    def alike(self, cls: str, segment: str) -> Ints:
        """Which of them stand for an order of these, '' being any: the newest ones where none is of them."""
        mine = np.ones(len(self.cls), bool)
        for names, wanted in ((self.cls, cls), (self.segment, segment)):
            if wanted:
                mine &= names == wanted
        found = np.flatnonzero(mine) if cls or segment else np.zeros(0, np.int64)
        return found if len(found) else np.arange(min(NEWEST, len(mine)))


def arrivals(metagraph: Metagraph, snapshot: Snapshot) -> tuple[Rows, Kinds]:
    """The newest orders a second after they came, with the clock and the load of now; without those that were
    over by then."""
    first, last = rows_bounds(snapshot)
    cls, segment = (_column(metagraph, snapshot, role) for role in ("class", "segment"))
    cases = _newest(first, cls, segment, (last > first + 1.0) & (first + 1.0 < snapshot.until_s))
    groups = group_codes(metagraph, snapshot)
    then = rows_at(snapshot, np.unique(first[cases] + 1.0), groups)
    own = np.flatnonzero(then.at_s == first[then.case] + 1.0)
    row = dict(zip(then.case[own].tolist(), own.tolist(), strict=True))
    x = then.x[[row[case] for case in cases.tolist()]]
    for name, value in _now(snapshot, first, last).items():
        x[:, COLUMNS.index(name)] = value
    n, now = len(cases), snapshot.until_s
    unknown = np.full(n, np.inf)
    return Rows(x, unknown, np.zeros(n), cases, np.full(n, now)), Kinds(cls[cases], segment[cases])


def _newest(
    first: Floats, cls: NDArray[np.str_], segment: NDArray[np.str_], known: NDArray[np.bool_]
) -> Ints:
    seen: dict[tuple[str, str], int] = {}
    kept: list[int] = []
    for case in np.argsort(-first, kind="stable").tolist():
        kind = str(cls[case]), str(segment[case])
        if not known[case] or len(kept) == MOST:
            continue
        seen[kind] = seen.get(kind, 0) + 1
        if sum(seen.values()) <= NEWEST or seen[kind] <= NEWEST_ALIKE:
            kept.append(case)
    return np.array(kept, np.int64)


def _now(snapshot: Snapshot, first: Floats, last: Floats) -> dict[str, float]:
    """What is the same for all orders that are open now, the one that arrives among them."""
    now = snapshot.until_s
    events = np.concatenate([snapshot.start_s, snapshot.end_s])
    return {
        "half hour of the day": now % _DAY // 1800,
        "day of the week": now // _DAY % 7,
        "orders open": float(((first <= now) & (last > now)).sum()) + 1.0,
        "events of the last day": float(((events > now - _DAY) & (events <= now)).sum()) + 1.0,
    }


def _column(metagraph: Metagraph, snapshot: Snapshot, role: str) -> NDArray[np.str_]:
    values = snapshot.attributes.get(metagraph.orders.columns.get(role, ""))
    return np.array([value or "" for value in values] if values else [""] * snapshot.n_cases, np.str_)
