"""Tasks that are held until the order has some age: what nobody answers lapses after 30 days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

FEWEST = 30
HELD = (0.5, 0.75)
"""Shares of the executions, of which one has to show it: some orders lapse in other ways, too."""
SHARPER = 0.5
"""So many ages are within an interval shorter than this times that of as many waits."""
MATTERS = 0.05
"""And shorter by at least this share of the mean wait."""
LATE = 0.1
"""Share of executions that may get there after the timeout, and of those that are repetitions."""
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Timeout:
    """When most of a task's executions begin."""

    age_s: float
    """Since the order's release: the middle of the shortest interval that holds half of them."""
    n: int

    def words(self) -> str:
        return f"{self.age_s / DAY_S:.1f} days after release ({self.n:,} executions)"


def find_timeouts(
    snapshot: Snapshot, usable: NDArray[np.bool_], enabled: Floats, since: Floats
) -> dict[str, Timeout]:
    """By label; columns aligned with the snapshot's rows. `usable`: executions that are looked at; `since`:
    when their batches were released, else as `enabled`. Tasks that are collected have none."""
    cases = snapshot.case_of_row()
    released = case_bounds(snapshot)[0][cases]
    collected = snapshot.activity[usable & (since != enabled)]
    usable = usable & ~np.isin(snapshot.activity, collected)
    again = np.ones(len(cases), np.bool_)
    again[np.unique(cases * len(snapshot.activities) + snapshot.activity, return_index=True)[1]] = False
    found: dict[str, Timeout] = {}
    for a, label in enumerate(snapshot.activities):
        rows = np.flatnonzero(usable & (snapshot.activity == a))
        timeout = find_timeout(released[rows], enabled[rows], snapshot.start_s[rows], again[rows])
        if timeout is not None:
            found[label] = timeout
    return found


def find_timeout(release: Floats, enabled: Floats, start: Floats, again: NDArray[np.bool_]) -> Timeout | None:
    """Whether the executions of a task wait for an age of their orders, rather than for a while.

    Columns of the executions, in seconds; `again`: not the order's first one. If the wait didn't depend on
    what came before, the age at the start, which is the sum of both, would be no more concentrated than the
    wait: the concentration function of a sum of independent variables is at most that of either (Lévy 1937).
    So no share of the ages would lie within a shorter interval than the same share of the waits; that they do
    by far, also in either half of the executions, tells a timeout.
    """
    later = enabled > release
    late = float(again.mean()) if len(again) else 1.0
    if later.sum() < FEWEST or late > LATE:
        return None
    release, enabled, start = release[later], enabled[later], np.maximum(start, enabled)[later]
    wait, age = start - enabled, start - release
    parts = (slice(None), slice(0, None, 2), slice(1, None, 2))
    if wait.mean() < DAY_S or not any(
        all(_sharper(age[part], wait[part], share) for part in parts) for share in HELD
    ):
        return None
    low, high = shortest(age, HELD[0])
    if (enabled - release > high).mean() > LATE:
        return None
    return Timeout((low + high) / 2, len(age))


def ages(release: Floats, enabled: Floats, ready: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Bounds of the age for which each execution was held: it was none if it was ready when it was enabled,
    which then says no more than that the order was old enough."""
    start = np.maximum(start, enabled)
    return np.where(ready > enabled, np.maximum(ready - release, 0.0), 0.0), start - release


def shortest(values: Floats, share: float) -> tuple[float, float]:
    """The shortest interval that holds a share of the values; of half of them it is the shorth (Andrews et
    al. 1972)."""
    found, k = np.sort(values), int(np.ceil(len(values) * share))
    first = int(np.argmin(found[k - 1 :] - found[: len(found) - k + 1]))
    return float(found[first]), float(found[first + k - 1])


def _sharper(age: Floats, wait: Floats, share: float) -> bool:
    a, w = (high - low for low, high in (shortest(age, share), shortest(wait, share)))
    return bool(a <= SHARPER * w and w - a >= MATTERS * wait.mean())
