"""Is a twin fit to be used at all? Checks that no score can stand in for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from metagraph.errors import TwinError
from metagraph.model import Metagraph

if TYPE_CHECKING:
    import pandas as pd

    from eventlogs.snapshot import Snapshot

MOST_ORDERS = 2000
FEWEST_ORDERS = 200
GROWTH = 3.0
"""Orders that arrive in the last quarter of a long run may take so many times as long as those of the first
half: more means that they pile up."""
KNOWN_SHARE = 0.95
"""Of the newest executions the twin must have a task for."""
APART = 2.0
"""Simulated orders have between a half and twice as many executions as the newest ones."""
SLOWER = 5.0
"""And take between a fifth and five times as long on average."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    passed: bool
    words: str


def sanity(model: Metagraph, snapshot: Snapshot, *, seed: int) -> tuple[Check, ...]:
    """All checks of a twin that was fitted to the snapshot; what can't be run any more is left out."""
    found: list[Check] = []
    for check in (_loads(model), _known(model, snapshot), *_simulated(model, snapshot, seed)):
        found.append(check)
    return tuple(found)


def _loads(model: Metagraph) -> Check:
    from metagraph.json_io import from_json, to_json
    from metagraph.validate import check

    name = "loads and validates"
    try:
        check(model, model.name)
        same = to_json(from_json(to_json(model), model.name)) == to_json(model)
    except TwinError as error:
        return Check(name, False, str(error))
    return Check(name, same, "read back as written" if same else "reads back as another one than was written")


def _known(model: Metagraph, snapshot: Snapshot) -> Check:
    import numpy as np

    from twin.renames import in_twin_words

    labels = {task.label for task in model.tasks()}
    log = in_twin_words(model, snapshot)
    newest = snapshot.start_s >= np.quantile(snapshot.start_s, 0.8)
    known = np.array([activity in labels for activity in log.activities])
    share = float(known[snapshot.activity[newest]].mean())
    words = f"has a task for {share:.1%} of the newest executions (at least {KNOWN_SHARE:.0%})"
    return Check("knows the activities", share >= KNOWN_SHARE, words)


def _simulated(model: Metagraph, snapshot: Snapshot, seed: int) -> Iterator[Check]:
    """A long run: does it end, do orders pile up, and do they look like orders?"""
    from twin.frames import frame_of_snapshot
    from twin.observed import simulated_log
    from twin.renames import in_twin_words

    orders = min(max(snapshot.n_cases, FEWEST_ORDERS), MOST_ORDERS)
    start = snapshot.origin + timedelta(seconds=snapshot.until_s)
    try:
        frame = simulated_log(model, "none", start=start, cases=orders, seed=seed).frame
    except TwinError as error:
        yield Check("simulates", False, str(error))
        return
    ours, theirs = _cases(frame), _cases(frame_of_snapshot(in_twin_words(model, _newest(snapshot))))
    early, late = ours["cycle_h"][: orders // 2].mean(), ours["cycle_h"][-orders // 4 :].mean()
    ratio = late / max(early, 1e-9)
    yield Check(
        "is stable",
        bool(ratio <= GROWTH),
        f"over {orders} orders those of the last quarter take {ratio:.2f} times as long as those of the "
        f"first half (at most {GROWTH:g})",
    )
    for name, what, most in (("n", "executions an order", APART), ("cycle_h", "hours an order", SLOWER)):
        a, b = float(ours[name].mean()), float(theirs[name].mean())
        apart = max(a, 1e-9) / max(b, 1e-9)
        yield Check(
            f"plausible {what}",
            1 / most <= apart <= most,
            f"{a:.3g} {what}, the newest finished ones have {b:.3g} (a factor of {most:g} at most)",
        )


def _newest(snapshot: Snapshot) -> Snapshot:
    """The last half of the finished cases."""
    import numpy as np

    from eventlogs.split import subset

    closed = np.flatnonzero(~snapshot.is_open)
    chosen = np.zeros(snapshot.n_cases, np.bool_)
    chosen[closed[len(closed) // 2 :]] = True
    return subset(snapshot, chosen)


def _cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Executions and hours of each case, by its first start."""
    by = frame.groupby("case_id")
    first, last = by["start_time"].min(), by["end_time"].max()
    found = by.size().to_frame("n")
    found["cycle_h"] = (last - first).dt.total_seconds() / 3600
    return found.loc[first.sort_values(kind="stable").index]
