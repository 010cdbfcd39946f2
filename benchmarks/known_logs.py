"""Logs that known processes leave: from an empty start until a cut, as a user would hand them in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.model import Metagraph

if TYPE_CHECKING:
    import pandas as pd

START = datetime(2025, 1, 6, tzinfo=UTC)
"""A Monday."""


def log_of(
    twin: Metagraph,
    cases: int,
    seed: int,
    replication: int = 0,
    *,
    cut: bool = True,
    start: datetime = START,
) -> pd.DataFrame:
    """COLUMNS of twin/frames.py, whole seconds. `cut`: as known when the last order arrives, so that what is
    being worked on has no end and the orders before it may be open."""
    from twin.frames import frame_of_run
    from twin.simulate import simulate

    run = simulate(twin, start=start, cases=cases, seed=seed, replication=replication, engine="auto")
    log = frame_of_run(run)
    log["start_time"], log["end_time"] = (log[c].dt.floor("s") for c in ("start_time", "end_time"))
    if cut:
        known = run.origin + timedelta(seconds=float(run.release_s.max()))
        log = log[log["start_time"] <= known]
        log["end_time"] = log["end_time"].where(log["end_time"] <= known)
    return log.sort_values(["start_time", "case_id"], kind="stable").reset_index(drop=True)


def seen_ready(twin: Metagraph, cases: int, seed: int) -> dict[str, float]:
    """By activity: the share of executions that began the moment they were ready. Of the others the log tells
    only between which instants that was."""
    from twin.simulate import simulate

    run = simulate(twin, start=START, cases=cases, seed=seed)
    rows = run.executions
    at_once = rows.start_s - rows.ready_s < 1.0
    return {
        label: float(at_once[run.task == i].mean())
        for i, label in enumerate(run.labels)
        if (run.task == i).any()
    }


def write_log(path: Path, log: pd.DataFrame) -> Path:
    """As CSV; compressed if the name says so."""
    log.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    return path
