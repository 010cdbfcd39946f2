"""What a recalibration found and did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from metagraph.errors import TwinError
from twin.drift import DriftReport
from twin.gate import Gate
from twin.sanity import Check

Verdict = Literal["nothing new", "no drift", "too early", "rejected", "asks", "promoted"]
MEANINGS: dict[Verdict, str] = {
    "nothing new": "the log holds nothing that the champion doesn't know",
    "no drift": "nothing has changed that tests can tell: the champion stays",
    "too early": "too few orders have come since the champion was learnt to judge a new twin",
    "rejected": "a new twin was built and isn't better, or isn't fit to be used: the champion stays",
    "asks": "a new twin is better and waits to be promoted",
    "promoted": "a new twin is better and is the champion now",
}
"""Every verdict in words."""


class RejectedError(TwinError):
    """The gate let no challenger through (exit code 4); the report says why."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Recalibration:
    """One run: what was looked at, found, built, measured and decided."""

    twin: str
    champion: int
    """The version that was champion when it began."""
    log: str
    as_of: datetime
    """The log as it was known then."""
    verdict: Verdict
    words: str
    """The verdict as a sentence, with its reason."""
    drift: DriftReport | None = None
    gates: tuple[Gate, ...] = ()
    """Of each way to build a challenger, the best first."""
    checks: tuple[Check, ...] = ()
    challenger: int | None = None
    """The version that it is kept as."""
    again: bool = False
    """The same was asked before: this is what was found then, and nothing was done now."""

    @property
    def reference(self) -> str:
        """The challenger as `name@version`."""
        return f"{self.twin}@{self.challenger}"
