"""Words for what forecasts and quotes say."""

from __future__ import annotations

from twin.outlook import Alternative, Expected
from twin.words import mean_span, number, span


def plus_minus(figure: Expected, scale: float = 1.0) -> str:
    """A mean and the half width of its interval, where it has one; both times `scale`."""
    if figure.high is None:
        return number(scale * figure.mean)
    return f"{number(scale * figure.mean)} ± {number(scale * (figure.high - figure.mean))}"


def alternative_text(one: Alternative) -> str:
    """What something else would change for the quoted order, and for the others."""
    return f"{one.text}; the other open orders {_shift(one.others_h)}"


def _shift(change: Expected) -> str:
    """What becomes of the others."""
    if change.low is None or change.high is None:
        return f"move by {span(3600 * abs(change.mean))} on average"
    if change.low <= 0 <= change.high:
        return "stay about as they are"
    word = "later" if change.mean > 0 else "earlier"
    return (
        f"are done {mean_span(3600 * abs(change.mean), 3600 * (change.high - change.mean))} {word} on average"
    )
