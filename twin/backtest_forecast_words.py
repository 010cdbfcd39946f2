"""What a backtest of forecasts says in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from twin.words import few, number, percent

if TYPE_CHECKING:
    from metagraph.model import Metagraph
    from twin.backtest_forecast_result import ForecastBacktest, Forecaster
    from twin.backtest_forecasts import Made
    from twin.forecast_scores import Figure
    from twin.source import LogSource


def notes_on(
    twin: Metagraph | None, source: LogSource, instants: Sequence[datetime], made: Sequence[Made]
) -> list[str]:
    """What stands in place of knowledge."""
    notes = [
        "an order counted as open at an instant by a rule learnt from what was known then; what came of it "
        f"is told by the whole log: {source.open_rule}"
    ]
    over, n = sum(int(one.asked.over.sum()) for one in made), sum(len(one.asked.ids) for one in made)
    missed = sum(one.asked.missed for one in made)
    if over or missed:
        notes.append(
            f"{over} of {n} forecasts were of orders of which nothing more came: they are not scored; and "
            f"{missed} times an order was taken for finished that went on: nothing was forecast for it"
        )
    cut = sum(int((~one.asked.ended & ~one.asked.over).sum()) for one in made)
    if cut:
        notes.append(
            f"{cut} forecasts are of orders that are still open when the log stops: forecast and outcome are "
            "compared up to there, for all forecasters alike"
        )
    record = twin.provenance.record if twin and twin.provenance else None
    if record and record.selected_until > instants[0]:
        notes.append(
            "the twin's choices (structure, window, time model) were made on the log up to "
            f"{record.selected_until:%Y-%m-%d}, after the first instant; only its parameters come from what "
            "was known at each. With --build the choices do, too"
        )
    if source.snapshot.attributes:
        notes.append(
            f"attributes of orders that came with a file ({few(sorted(source.snapshot.attributes))}) count "
            "as known from an order's first event on"
        )
    if np.isnan([value for one in made for value in one.wip_came]).any():
        notes.append("orders in process are compared only where the log reaches the horizon")
    return notes


def figure(value: Figure, share: bool = False) -> str:
    """A figure with its interval."""
    told = percent if share else number
    return f"{told(value.value)} [{told(value.low)}, {told(value.high)}]"


def verdicts(found: ForecastBacktest) -> Iterator[str]:
    """What to make of it: coverage, promises, and each rival."""
    ours = found.forecasters[0]
    held = ours.scores.cover90
    yield (
        f"{ours.scores.n} forecasts of {ours.scores.orders} orders: intervals meant to hold 90 % held "
        f"{figure(held, True)}, those meant to hold 50 % {figure(ours.scores.cover50, True)}; "
        + _calibrated(held)
    )
    for other in found.forecasters[1:]:
        if other.twin_over_this is not None:
            yield _against(other, other.twin_over_this)


def _calibrated(held: Figure) -> str:
    if held.high < 0.9:
        return "they are too narrow"
    return (
        "they are wider than need be"
        if held.low > 0.9
        else "that is what was promised, as far as can be told"
    )


def _against(other: Forecaster, value: Figure) -> str:
    if value.high < 1:
        verdict = "the twin is better"
    elif value.low > 1:
        verdict = "the twin is worse"
    else:
        verdict = "which is better can't be told"
    return (
        f"the twin's score (CRPS) is {figure(value)} times that of '{other.name}', order by order: {verdict}"
    )
