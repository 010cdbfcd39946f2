"""How the waiting before tasks differs: what two twins draw from the past, and what their logs show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metagraph.model import Metagraph
from metagraph.nodes import DelayTable
from twin.diff import SMALL, Change, Difference, Test, Verdict, both
from twin.diff_graph import tasks_of
from twin.diff_tests import DAY_MEDIANS, FEWEST, Basis, Floats, Logs, ratio_of_means
from twin.diff_times import NONE, SAME
from twin.words import span

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

REMAINDER = "a remainder of the fit: not tested"
SAME_DATA = Basis(True, False, False, None, "")
"""No interval is told of what isn't a mean of a sample."""
_SINCE = {"ready": "the end of what came before", "release": "the order's release"}


def differences(before: Metagraph, after: Metagraph, basis: Basis, logs: Logs | None) -> Iterator[Difference]:
    """Task by task."""
    old, new = tasks_of(before), tasks_of(after)
    parts = logs.disjoint() if logs is not None and not logs.basis.same else None
    for name in sorted(old.keys() & new.keys()):
        yield from _delay(name, old[name].delay, new[name].delay, basis)
        if parts is not None:
            yield from _waiting(name, parts)


def _delay(name: str, old: DelayTable | None, new: DelayTable | None, basis: Basis) -> Iterator[Difference]:
    """What is left of the waiting once shifts and busy agents are accounted for: a remainder of the fit.

    Its error is more than that of a sample, so that no test of samples holds for it.
    """
    verdict: Verdict = "decided" if basis.same else "untested"
    if old is not None and new is not None:
        if old.since != new.since:
            told = both(lambda delay: f"counted from {_SINCE[delay.since]}", (old, new))
            yield Difference("delays", name, told, verdict=verdict)
        change = ratio_of_means(old.default, new.default, SAME_DATA)
        if change is None or abs(change.size) >= (SAME if basis.same else SMALL):
            told = both(lambda delay: span(delay.default.law.mean()), (old, new))
            yield Difference(
                "delays", name, told, change, verdict=verdict, note="" if basis.same else REMAINDER
            )
    elif old is not new:
        told = both(lambda delay: NONE if delay is None else span(delay.default.law.mean()), (old, new))
        yield Difference("delays", name, told, verdict=verdict, note="" if basis.same else REMAINDER)


def _waiting(name: str, parts: tuple[Snapshot, Snapshot]) -> Iterator[Difference]:
    """From the end of what the order did before to the start, as the logs show it.

    Days are compared, not executions: those of one day wait for the same queue.
    """
    from scipy.stats import mannwhitneyu

    was, now = both(_daily_waits, parts, name)
    if min(len(was), len(now)) < FEWEST:
        return
    p = float(mannwhitneyu(was, now).pvalue)
    medians = float(np.median(was)), float(np.median(now))
    change = None
    if min(medians) > 0:
        change = Change("ratio", *medians, "s", medians[1] / medians[0] - 1)
    test = Test(DAY_MEDIANS, len(was), len(now), p)
    yield Difference("waits", name, both(span, medians), change, test)


def _daily_waits(log: Snapshot, activity: str) -> Floats:
    """The median waiting of each day, by the day on which it began, of executions that follow another one."""
    import pandas as pd

    if activity not in log.activities:
        return np.empty(0)
    rows = np.flatnonzero(log.activity == log.activities.index(activity))
    case = log.case_of_row()
    rows = rows[(rows > 0) & (case[rows] == case[np.maximum(rows - 1, 0)])]
    ready = log.end_s[rows - 1]
    waited = np.maximum(log.start_s[rows] - ready, 0.0)
    # What waits at the end of the log isn't in it: of its last days only short waits would be.
    seen = ready <= log.until_s - np.quantile(waited, 0.95, method="higher") if len(waited) else ready > 0
    by_day = pd.Series(waited[seen]).groupby(np.floor(ready[seen] / 86400.0)).median()
    return np.asarray(by_day.dropna(), float)
