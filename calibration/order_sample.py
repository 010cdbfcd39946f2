"""Orders of the past, kept whole, after which new orders take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.due_days import DueDays
from calibration.local_time import Floats
from calibration.window import ENOUGH
from eventlogs.snapshot import Snapshot
from metagraph.expression_values import number_in
from metagraph.model import Default
from metagraph.orders import PastOrder, Sample

MOST_ROWS = 300
"""Different orders that are kept of a class."""
MOST_IN_ALL = 3000
UNIQUE = 0.5
"""Texts that differ in more than this share of the orders tell who or which one an order is, not what."""
FEW = 20
"""Among so few orders nothing is nearly unique."""


def usable_attributes(
    snapshot: Snapshot, dates: Sequence[str | None]
) -> tuple[tuple[str, ...], tuple[Default, ...]]:
    """Names of the case columns that new orders may have, and what is left out instead: names and numbers
    that point to single orders are for nobody else. `dates`: columns that are kept as times after release."""
    names: list[str] = []
    left_out: list[str] = []
    for name in sorted(snapshot.attributes):
        values = [(value or "").strip() for value in snapshot.attributes[name]]
        if name in dates or not any(values):
            continue
        (left_out if _points_at_orders([value for value in values if value]) else names).append(name)
    if not left_out:
        return tuple(names), ()
    told = Default(
        f"attributes {', '.join(left_out)}" if len(left_out) > 1 else f"attribute {left_out[0]}",
        "anything that orders have in common (nearly every order has its own value)",
        "simulated orders go without",
    )
    return tuple(names), (told,)


def _points_at_orders(values: list[str]) -> bool:
    """Whether the values are ids or names: nearly all differ, and they are no amounts.

    Whole numbers that all have the same many digits, a leading zero, or only ever rise from order to order
    are taken to be ids.
    """
    if len(values) <= FEW or len(set(values)) <= UNIQUE * len(values):
        return False
    numbers = [number_in(value) for value in values]
    found = np.array([np.nan if number is None else number for number in numbers])
    if np.isnan(found).any():
        return True
    if (found != np.round(found)).any():
        return False
    alike = len({len(value) for value in values}) == 1 and len(values[0]) > 4
    return alike or any(v.startswith("0") and len(v) > 1 for v in values) or bool((np.diff(found) > 0).all())


def sample_of(
    snapshot: Snapshot,
    mine: NDArray[np.bool_],
    names: tuple[str, ...],
    numbers: tuple[Floats, Floats, Floats],
    share: float,
    due: DueDays,
) -> Sample | None:
    """Orders of a class as they were: attributes with the value, due date and lost-sale date (seconds after
    release) that went with them; where there are dates, also when the orders came.

    All that differ if they are few; else MOST_ROWS, or as many as the class's `share` allows of MOST_IN_ALL,
    at equal steps through the orders sorted by attributes (those with the fewest values first), so that each
    stratum keeps its share. Value and lost-sale date are left to the laws where fewer than ENOUGH orders of
    the class have them. None where there would be nothing to keep together.
    """
    cases = np.flatnonzero(mine)
    enough = (ENOUGH, 1, ENOUGH)
    told = [c if (~np.isnan(c[cases])).sum() >= n else None for c, n in zip(numbers, enough, strict=True)]
    dated = [column is not None for column in told[1:]]
    if not len(cases) or not (names or any(dated)):
        return None
    told.append(due.came_s if any(dated) else None)
    told += [column if dated[0] else None for column in (due.days, due.at_s)]
    texts = {name: snapshot.attributes[name] for name in names}
    rows = [
        (
            tuple((texts[name][case] or "").strip() for name in names),
            tuple(None if c is None or np.isnan(c[case]) else float(c[case]) for c in told),
        )
        for case in cases.tolist()
    ]
    counts = Counter(rows)
    most = max(min(MOST_ROWS, round(share * MOST_IN_ALL)), FEW)
    if len(counts) > most:
        counts = _stratified(rows, most)
    kept = sorted(counts.items(), key=lambda item: (item[0][0], *_ranked(item[0][1])))
    rows_kept = tuple(_past(has, float(weight), numbers) for (has, numbers), weight in kept)
    return Sample(names, rows_kept, due.working and any(row.due_days is not None for row in rows_kept))


def _past(has: tuple[str, ...], weight: float, numbers: tuple[float | None, ...]) -> PastOrder:
    value, due, lost, came, days, at = numbers
    return PastOrder(has, weight, value, due, lost, came, None if days is None else int(days), at)


Row = tuple[tuple[str, ...], tuple[float | None, ...]]


def _stratified(rows: list[Row], most: int) -> Counter[Row]:
    """Systematic sample: every n/most-th row in the order of the strata."""
    width = len(rows[0][0])
    by_variety = sorted(range(width), key=lambda i: len({row[0][i] for row in rows}))

    def stratum(row: Row) -> tuple[object, ...]:
        return (*(_text(row[0][i]) for i in by_variety), *_ranked(row[1]))

    ordered = sorted(rows, key=stratum)
    steps = ((np.arange(most) + 0.5) * len(rows) / most).astype(np.int64)
    return Counter(ordered[i] for i in steps.tolist())


def _text(text: str) -> tuple[bool, float, str]:
    """Numbers by size, before texts."""
    number = number_in(text) if text else None
    return (number is None, number or 0.0, text)


def _ranked(numbers: tuple[float | None, ...]) -> tuple[tuple[bool, float], ...]:
    return tuple((number is None, number or 0.0) for number in numbers)
