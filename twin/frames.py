"""Logs as pandas frames, the form in which the distance library and people's files take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from eventlogs.snapshot import Snapshot
    from simulation.run import Run

COLUMNS = ("case_id", "activity", "resource", "start_time", "end_time")


def frame_of_snapshot(snapshot: Snapshot) -> pd.DataFrame:
    """Finished executions of a snapshot: COLUMNS, times as UTC stamps, missing resources as ''."""
    import pandas as pd

    done = ~np.isnan(snapshot.end_s)
    cases = np.asarray(snapshot.cases, dtype=object)
    activities = np.asarray(snapshot.activities, dtype=object)
    resources = np.asarray((*snapshot.resources, ""), dtype=object)
    return pd.DataFrame(
        {
            "case_id": cases[snapshot.case_of_row()[done]],
            "activity": activities[snapshot.activity[done]],
            "resource": resources[snapshot.resource[done]],
            "start_time": _stamps(snapshot.origin, snapshot.start_s[done]),
            "end_time": _stamps(snapshot.origin, snapshot.end_s[done]),
        }
    )


def frame_of_run(run: Run) -> pd.DataFrame:
    """Finished executions of a simulated log, in the order in which their tasks were reached: COLUMNS, times
    as UTC stamps.

    Raises UsageError for a run without a log.
    """
    import pandas as pd

    log = run.executions
    done = ~np.isnan(log.end_s)
    return pd.DataFrame(
        {
            "case_id": np.asarray(run.order_ids, dtype=object)[log.order[done]],
            "activity": np.asarray(run.labels, dtype=object)[run.task[done]],
            "resource": np.asarray((*run.agents, ""), dtype=object)[log.agent[done]],
            "start_time": _stamps(run.origin, log.start_s[done]),
            "end_time": _stamps(run.origin, log.end_s[done]),
        }
    )


def frame_with_outcomes(run: Run) -> pd.DataFrame:
    """The same, a column `outcome`: what became of the row's order, one of OUTCOMES, and a column for every
    attribute of orders."""
    from simulation.orders import attribute_names
    from simulation.run import OUTCOMES

    log, frame = run.executions, frame_of_run(run)
    done = ~np.isnan(log.end_s)
    frame["outcome"] = np.asarray(OUTCOMES, dtype=object)[run.outcomes[log.order[done]]]
    orders = run.program.orders
    for name in attribute_names(orders, frame.columns):
        values = np.array([kind.get(name, "") for kind in orders.attributes or ()], dtype=object)
        frame[name] = values[log.order[done]]
    return frame


def _stamps(origin: object, seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pd.DatetimeIndex:
    import pandas as pd

    whole = np.round(seconds * 1000).astype("int64").astype("timedelta64[ms]")
    return pd.DatetimeIndex(pd.Timestamp(origin) + pd.TimedeltaIndex(whole))  # type: ignore[arg-type]
