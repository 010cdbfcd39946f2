"""How long work tells where it is, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from metagraph.errors import TwinError


class CancelledError(TwinError):
    """The user stopped the work; nothing was changed."""

    exit_code = 130


def _silent(step: str, share: float) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Progress:
    """Handed down through long work."""

    tell: Callable[[str, float], None] = _silent
    """Called with the step's name and the share done, 0..1."""
    cancelled: Callable[[], bool] = _never

    def step(self, name: str, share: float) -> None:
        """Say where the work is.

        Raises CancelledError if the user asked to stop.
        """
        if self.cancelled():
            raise CancelledError(f"stopped during '{name}': nothing was written")
        self.tell(name, share)

    def part(self, low: float, high: float) -> Progress:
        """The same listener for a part of the work that fills low..high of the whole."""
        return Progress(lambda name, share: self.tell(name, low + (high - low) * share), self.cancelled)
