"""Task by task and agent by agent: a log beside simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from twin.validation import AgentCheck, TaskCheck

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

PERIODS = 20
"""Equal parts of a log's time, over which means are compared to tell how sure the whole log's mean is."""


def task_checks(observed: pd.DataFrame, logs: Sequence[pd.DataFrame]) -> tuple[TaskCheck, ...]:
    """Counts per case, work and waiting of each activity; simulated values are means over the runs."""
    ours, counted = _times(observed), _counts(observed)
    runs, counts = [_times(log) for log in logs], [_counts(log) for log in logs]
    nothing = (np.empty(0), np.empty(0), np.empty(0))
    checks = []
    for activity in sorted(set(ours).union(*runs)):
        at, work, gap = ours.get(activity, nothing)
        theirs = [run.get(activity, nothing) for run in runs]
        seen = [_seen(values, at) for values in (work, gap)]
        simulated = [_simulated([run[k] for run in theirs], [run[0] for run in theirs]) for k in (1, 2)]
        often, per_run = counted(activity), [count(activity) for count in counts]
        share = _seen(*often)
        twins = _simulated([values for values, _ in per_run], [when for _, when in per_run])
        checks.append(
            TaskCheck(
                activity,
                share[0] or 0.0,
                twins[0] or 0.0,
                *(seen[0][0], simulated[0][0], seen[1][0], simulated[1][0]),
                *(seen[0][1], simulated[0][1], seen[1][1], simulated[1][1]),
                *(share[1], twins[1]),
            )
        )
    return tuple(checks)


def agent_checks(observed: pd.DataFrame, logs: Sequence[pd.DataFrame]) -> tuple[AgentCheck, ...]:
    """Each agent's share of all executions."""
    import pandas as pd

    ours = observed["resource"].value_counts(normalize=True)
    theirs = pd.concat(logs)["resource"].value_counts(normalize=True)
    names = sorted((set(ours.index) | set(theirs.index)) - {""})
    return tuple(AgentCheck(str(a), float(ours.get(a, 0.0)), float(theirs.get(a, 0.0))) for a in names)


Times = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
Mean = tuple[float | None, float | None]
"""And half of its 95 % interval."""


def _times(log: pd.DataFrame) -> dict[str, Times]:
    """Activity -> start, time from start to end, and gap since the case's last completion (0 for its first
    execution), in s, one an execution."""
    log = log.sort_values(["case_id", "start_time", "end_time"], kind="stable")
    latest = log.groupby("case_id")["end_time"].cummax().groupby(log["case_id"]).shift()
    gap = (log["start_time"] - latest).dt.total_seconds().clip(lower=0).fillna(0.0)
    table = log.assign(
        gap=gap,
        work=(log["end_time"] - log["start_time"]).dt.total_seconds(),
        at=(log["start_time"] - log["start_time"].min()).dt.total_seconds(),
    )
    return {
        str(activity): (rows["at"].to_numpy(), rows["work"].to_numpy(), rows["gap"].to_numpy())
        for activity, rows in table.groupby("activity")
    }


def _counts(log: pd.DataFrame) -> Callable[[str], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Of an activity: executions in each case, and when the cases begin, in s."""
    import pandas as pd

    starts = log.groupby("case_id")["start_time"].min()
    table = pd.crosstab(log["case_id"], log["activity"]).reindex(starts.index)
    begin = (starts - starts.min()).dt.total_seconds().to_numpy()

    def of(activity: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = table[activity].to_numpy(np.float64) if activity in table else np.zeros(len(begin))
        return found, begin

    return of


def _seen(values: NDArray[np.float64], at: NDArray[np.float64]) -> Mean:
    """Mean of one log's values and half of its 95 % interval, None where too little was seen to tell.

    What happens at about the same time shares its causes, so the error is that of sums over PERIODS equal
    periods (batch means, clustered by time), not that of single executions.
    """
    if not len(values):
        return None, None
    mean = float(values.mean())
    width = float(np.ptp(at)) / PERIODS
    if not width:
        return mean, None
    period = np.minimum((at - at.min()) / width, PERIODS - 1).astype(np.int64)
    sums = np.bincount(period, values - mean)[np.bincount(period) > 0]
    error = sqrt(len(sums) / (len(sums) - 1) * float((sums**2).sum())) / len(values)
    return mean, _factor(len(sums) - 1) * error


def _simulated(runs: Sequence[NDArray[np.float64]], at: Sequence[NDArray[np.float64]]) -> Mean:
    """Mean over all runs, and half of its 95 % interval from the means of each."""
    values = np.concatenate(runs)
    if not len(values):
        return None, None
    if len(runs) == 1:
        return _seen(runs[0], at[0])
    means = np.array([run.mean() for run in runs if len(run)])
    if len(means) < 2:
        return float(values.mean()), None
    half = _factor(len(means) - 1) * float(means.std(ddof=1)) / sqrt(len(means))
    return float(values.mean()), half


def _factor(freedom: int) -> float:
    """Of the standard error, for a 95 % interval (Student's t)."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
