"""Words for what forecasts and quotes say."""

from __future__ import annotations

from twin.outlook import Expected
from twin.words import number


def plus_minus(figure: Expected, scale: float = 1.0) -> str:
    """A mean and the half width of its interval, where it has one; both times `scale`."""
    if figure.high is None:
        return number(scale * figure.mean)
    return f"{number(scale * figure.mean)} ± {number(scale * (figure.high - figure.mean))}"
