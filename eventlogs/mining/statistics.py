"""Columns that summarise times, the same in every table."""

from __future__ import annotations

from collections.abc import Mapping

_SHORT = {"median": 0.5, "p90": 0.9}
_LONG = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95}


def seconds(us: str, name: str) -> str:
    """Mean, median, 90 % quantile, least and greatest of microseconds, in seconds: `mean_{name}_s`, …

    Quantiles interpolate linearly. Rows where `us` is NULL are passed over.
    """
    return f"avg({us}) / 1e6 AS mean_{name}_s, {_quantiles(us, name, _SHORT)}, {_extremes(us, name)}"


def spread(us: str, name: str) -> str:
    """As `seconds`, with the standard deviation (of a sample), more quantiles and the sum."""
    return (
        f"avg({us}) / 1e6 AS mean_{name}_s, stddev_samp({us}) / 1e6 AS sd_{name}_s, "
        f"{_quantiles(us, name, _LONG)}, {_extremes(us, name)}, sum({us}) / 1e6 AS total_{name}_s"
    )


def _quantiles(us: str, name: str, levels: Mapping[str, float]) -> str:
    # One aggregate for all levels: each would keep all values of its group in memory.
    every = f"quantile_cont({us}, {list(levels.values())})"
    return ", ".join(
        f"{every}[{place}] / 1e6 AS {level}_{name}_s" for place, level in enumerate(levels, start=1)
    )


def _extremes(us: str, name: str) -> str:
    return f"min({us}) / 1e6 AS min_{name}_s, max({us}) / 1e6 AS max_{name}_s"
