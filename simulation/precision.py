"""When there are replications enough: an interval that is as narrow as was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from metagraph.errors import UsageError
from simulation.kpis import Interval, figures, interval, pair_means

_GROWTH = 1.25


@dataclass(frozen=True, slots=True)
class Precision:
    """Replicate until the interval of a figure's mean is narrow enough, or `at_most` is reached.

    The interval is looked at after `at_least` replications and then each time that there are a quarter more:
    the replications counted depend on their results, and on nothing else (Chow and Robbins, On the asymptotic
    theory of fixed-width sequential confidence intervals, 1965). Stopping at an interval because it is narrow
    favours samples whose spread came out small, so an interval found this way covers the true mean somewhat
    less often than `confidence` says, by a few points in a hundred where `at_least` is small; the bias goes
    to 0 with the width. With `at_least` 30 it is hardly seen.
    """

    figure: str | Callable[[Any], float]
    """A key of `kpis.figures`, such as "profit"; or what finds the number in a result."""
    half_width: float
    """Of the interval: a share of the mean's size, or in the figure's unit."""
    relative: bool = True
    confidence: float = 0.95
    at_least: int = 10
    at_most: int = 10_000

    def __post_init__(self) -> None:
        if not self.half_width > 0:
            raise UsageError(f"the precision asked for is {self.half_width:g}: it must be above 0")
        if not 0 < self.confidence < 1:
            raise UsageError(f"the confidence is {self.confidence:g}: it must be between 0 and 1")
        if not 2 <= self.at_least <= self.at_most:
            raise UsageError(
                f"at least {self.at_least} and at most {self.at_most} replications were asked for: "
                "it takes 2 for an interval, and the first number can't be above the second"
            )

    @staticmethod
    def parse(text: str) -> Precision:
        """`FIGURE=5%` or `FIGURE=600`. Raises UsageError for anything else."""
        figure, _, width = text.partition("=")
        share = width.strip().endswith("%")
        try:
            number = float(width.strip().removesuffix("%"))
            if not figure.strip() or not isfinite(number):
                raise ValueError
        except ValueError:
            raise UsageError(
                f"precision {text!r}: expected FIGURE=NUMBER, with % for a share of the mean, "
                "such as cycle_mean_s=5%"
            ) from None
        if not number > 0:
            raise UsageError(f"precision {text!r}: {width.strip()} must be above 0")
        return Precision(figure.strip(), number / 100 if share else number, share)

    def interval(self, results: Sequence[Any], antithetic: bool = False) -> Interval:
        """The figure's, over the results; antithetic ones count by pairs.

        Raises UsageError for a figure that the results don't have.
        """
        values = [self._value(result) for result in results]
        return interval(pair_means(values) if antithetic else values, self.confidence)

    def met(self, results: Sequence[Any], antithetic: bool = False) -> bool:
        """Whether the interval is narrow enough; never with fewer than two values."""
        found = self.interval(results, antithetic)
        allowed = self.half_width * (abs(found.mean) if self.relative else 1.0)
        return found.n >= 2 and found.high - found.mean <= allowed

    def looks(self, antithetic: bool = False) -> Iterator[int]:
        """Numbers of replications after which the interval is looked at, ascending; whole pairs."""
        n, last = self.at_least, self.last(antithetic)
        while (n := n + n % 2 if antithetic else n) < last:
            yield n
            n = max(int(n * _GROWTH), n + 1)
        yield last

    def last(self, antithetic: bool = False) -> int:
        """`at_most`, in whole pairs."""
        return self.at_most - (self.at_most % 2 if antithetic else 0)

    def _value(self, result: Any) -> float:
        if not isinstance(self.figure, str):
            return self.figure(result)
        known = figures(result)
        if self.figure not in known:
            raise UsageError(f"figure {self.figure!r} is unknown: choose one of {', '.join(known)}")
        return known[self.figure]
