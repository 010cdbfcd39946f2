"""Durations of some orders and agents, times a factor; all others as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from calibration.scaling import scaled
from metagraph.distributions import Fitted
from metagraph.nodes import DurationRow, DurationTable

Names = Sequence[str] | None
"""None: all."""


def scaled_rows(
    table: DurationTable,
    factor: float,
    *,
    classes: Names = None,
    segments: Names = None,
    agents: Names = None,
) -> DurationTable:
    """The table in which work of these classes, segments and agents takes `factor` times as long.

    Rows are added for what had none of its own, so that the back-off gives everybody else what it gave.
    """
    rows = {(row.cls, row.segment, row.agent): row.fitted for row in table.rows}
    keys = product(
        _range(classes, [row.cls for row in table.rows]),
        _range(segments, [row.segment for row in table.rows]),
        _range(agents, [row.agent for row in table.rows]),
    )
    new: dict[tuple[str | None, str | None, str | None], Fitted] = {}
    for key in keys:
        whole = classes is segments is agents is None
        if whole and key not in rows:
            continue
        fitted = table.lookup(*key)
        told = replace(fitted, law=scaled(fitted.law, factor), n=0, level="human", ks=None)
        new[key] = replace(told, candidates=None, note=f"what-if: times {factor:g}")
    rows |= new
    return DurationTable(tuple(DurationRow(fitted, *key) for key, fitted in rows.items()))


def _range(wanted: Names, there: Sequence[str | None]) -> list[str | None]:
    """What this part of a row's key goes through."""
    return list(dict.fromkeys([None, *there])) if wanted is None else list(wanted)
