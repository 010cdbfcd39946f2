"""How real is a twin? Simulate a period it has not seen and measure the distance to what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import Metagraph
from twin.distances import distances
from twin.frames import frame_of_snapshot
from twin.observed import Cut, cut_of, simulated_log
from twin.progress import Progress
from twin.quick_distances import columns, quick_distances
from twin.reference import CHANCE, LAST_PERIOD, RESAMPLED, last_period, resampled
from twin.renames import in_twin_words, unshared
from twin.task_checks import agent_checks, task_checks
from twin.validation import METRICS, Validation
from twin.words import few

if TYPE_CHECKING:
    import pandas as pd

    from eventlogs.snapshot import Snapshot

RESAMPLINGS = 3


def validate(
    metagraph: Metagraph,
    test: Snapshot,
    train: Snapshot | None = None,
    *,
    runs: int = 10,
    seed: int = 0,
    cut: Cut | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Simulate as many orders as `test` has cases, `runs` times, from the first arrival in `test`.

    That instant and the number of cases are all the twin is told of the test period; arrivals are drawn
    anew in each run. Where unfinished cases were left out of the twin's own log, as they will be of `test`,
    the simulated ones are cut as `cut` says (see observed.py; None: unknown). With `train`, references
    are measured beside it (see reference.py). Raises DataError for a log without finished executions or
    without any of the twin's activities, or a twin without arrivals.
    """
    progress = progress or Progress()
    cut = cut or cut_of(metagraph)
    observed = _finished(metagraph, test)
    one_sided(metagraph, test)
    history = _finished(metagraph, train) if train else None
    cases = observed["case_id"].nunique()
    start = observed["start_time"].min().to_pydatetime()
    measured: dict[str, list[float]] = {metric: [] for metric in METRICS}
    logs = []
    for i in range(runs):
        progress.step(f"simulated log {i + 1} of {runs}", i / (runs + 1))
        simulated = simulated_log(metagraph, cut, start=start, cases=cases, seed=seed, replication=i)
        logs.append(simulated.frame)
        for metric, value in distances(observed, logs[-1]).items():
            measured[metric].append(value)
    progress.step("references", runs / (runs + 1))
    return Validation(
        log=test.name,
        cases=cases,
        events=len(observed),
        runs=runs,
        distances={metric: tuple(values) for metric, values in measured.items()},
        references={} if history is None else _references(history, observed, seed),
        tasks=task_checks(observed, logs),
        agents=agent_checks(observed, logs),
        engine=simulated.engine,
        cut=cut,
    )


def one_sided(metagraph: Metagraph, test: Snapshot) -> str:
    """A sentence on the activities that only the log or only the twin has; '' where both have the same.

    Raises DataError if they have none in common: the log is of another process.
    """
    log_only, twin_only = unshared(metagraph, test)
    parts = [
        f"only {side} has {few(names)}"
        for side, names in (("the log", log_only), ("the twin", twin_only))
        if names
    ]
    return " and ".join(parts)


def _finished(metagraph: Metagraph, snapshot: Snapshot) -> pd.DataFrame:
    """The executions that distances are measured on, with the twin's names of activities."""
    frame = frame_of_snapshot(in_twin_words(metagraph, snapshot))
    if frame.empty:
        raise DataError(
            f"log {snapshot.name!r} has no finished execution, so nothing can be compared with it; "
            "give a log with end times"
        )
    return frame


def _references(
    history: pd.DataFrame, observed: pd.DataFrame, seed: int
) -> dict[str, dict[str, tuple[float, ...]]]:
    copied = distances(observed, last_period(history, observed))
    drawn = [resampled(history, observed, seed + k) for k in range(RESAMPLINGS)]
    apart = [distances(observed, log) for log in drawn]
    chance = [quick_distances(columns(drawn[k - 1]), columns(drawn[k])) for k in range(RESAMPLINGS)]
    return {
        LAST_PERIOD: {metric: (value,) for metric, value in copied.items()},
        RESAMPLED: {metric: tuple(one[metric] for one in apart) for metric in METRICS},
        CHANCE: {metric: tuple(one[metric] for one in chance) for metric in METRICS},
    }
