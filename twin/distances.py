"""Distances between two event logs, by the library that the field uses (log-distance-measures)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin.validation import METRICS

if TYPE_CHECKING:
    import pandas as pd


def distances(
    observed: pd.DataFrame, simulated: pd.DataFrame, metrics: tuple[str, ...] = tuple(METRICS)
) -> dict[str, float]:
    """Wasserstein distances, unnormalised, lower is better; units as in validation.METRICS.

    Both frames have frames.COLUMNS. Raises KeyError for an unknown metric.
    """
    functions = _functions()
    return {name: float(functions[name](observed, simulated)) for name in metrics}


def _functions() -> Mapping[str, Any]:
    import pandas as pd
    from log_distance_measures.absolute_event_distribution import absolute_event_distribution_distance
    from log_distance_measures.case_arrival_distribution import case_arrival_distribution_distance
    from log_distance_measures.circadian_event_distribution import circadian_event_distribution_distance
    from log_distance_measures.config import AbsoluteTimestampType, EventLogIDs, discretize_to_hour
    from log_distance_measures.cycle_time_distribution import cycle_time_distribution_distance
    from log_distance_measures.n_gram_distribution import n_gram_distribution_distance
    from log_distance_measures.relative_event_distribution import relative_event_distribution_distance

    ids = EventLogIDs(
        case="case_id", activity="activity", start_time="start_time", end_time="end_time", resource="resource"
    )
    both = AbsoluteTimestampType.BOTH
    hour = pd.Timedelta(hours=1)
    return {
        "NGD": lambda a, b: n_gram_distribution_distance(a, ids, b, ids, n=3),
        "AEDD": lambda a, b: absolute_event_distribution_distance(
            a, ids, b, ids, discretize_type=both, discretize_event=discretize_to_hour
        ),
        "CADD": lambda a, b: case_arrival_distribution_distance(
            a, ids, b, ids, discretize_event=discretize_to_hour
        ),
        "CEDD": lambda a, b: circadian_event_distribution_distance(a, ids, b, ids, discretize_type=both),
        "REDD": lambda a, b: relative_event_distribution_distance(
            a, ids, b, ids, discretize_type=both, discretize_event=discretize_to_hour
        ),
        "CTDD": lambda a, b: cycle_time_distribution_distance(a, ids, b, ids, bin_size=hour),
    }
