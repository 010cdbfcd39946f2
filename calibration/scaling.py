"""Durations stretched to another mean."""

from __future__ import annotations

from dataclasses import replace

from metagraph.distributions import Constant, Distribution, Empirical, Parametric, ZeroInflated
from metagraph.nodes import DurationTable


def scaled_table(table: DurationTable, factor: float) -> DurationTable:
    """All laws of the table, times `factor`, marked as set by hand."""
    rows = []
    for row in table.rows:
        law = scaled(row.fitted.law, factor)
        told = replace(
            row.fitted, law=law, n=0, level="human", ks=None, candidates=None, note="scaled by hand"
        )
        rows.append(replace(row, fitted=told))
    return DurationTable(tuple(rows))


def scaled(law: Distribution, factor: float) -> Distribution:
    """The law of `factor` times the value."""
    if isinstance(law, ZeroInflated):
        return ZeroInflated(law.p_zero, _scaled(law.positive, factor))
    return _scaled(law, factor)


def _scaled(law: Constant | Parametric | Empirical, factor: float) -> Constant | Parametric | Empirical:
    match law:
        case Constant(value):
            return Constant(value * factor)
        case Empirical(quantiles):
            return Empirical(tuple(q * factor for q in quantiles))
        case Parametric(family, params, upper):
            *shapes, loc, scale = params
            top = None if upper is None else upper * factor
            return Parametric(family, (*shapes, loc * factor, scale * factor), top)
