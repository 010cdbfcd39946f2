"""Batches: work that is collected before any of it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from metagraph.distributions import Fitted

BatchKind = Literal["sequential", "simultaneous"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What makes work on a task wait for other orders, and what becomes of it then.

    Released are all that were collected, at the first of: `size` of them are there; the first of them has
    waited `wait_s`; one of `times` comes. One of the last two is needed, or an order could wait for ever.
    """

    kind: BatchKind
    """sequential: all get ready at one instant, then each is worked on by itself (and at once with others
    only where agents do several things at once). simultaneous: one agent does all of them as one piece of
    work, with one beginning and one end."""
    size: Fitted | None = None
    """Orders that release it, rounded to a whole number, at least 1; drawn anew for each batch."""
    wait_s: float | None = None
    """The longest that the first of them waits."""
    times: tuple[float, ...] = ()
    """Instants of the week: whole seconds since Monday 00:00 local time, ascending."""
    time_zone: str = "UTC"
    per_item: float = 0.0
    """simultaneous: how much each further order adds to the work on a single one; 0: nothing, 1: as much
    as if it were done alone."""
    executions: int = 0
    """Observed ones behind it; 0 if it was set by hand."""
    batches: int = 0
    """Observed."""
    note: str = ""
    """How it was found."""

    def scale(self, items: int) -> float:
        """Work on so many at once, over work on a single one."""
        return 1.0 + self.per_item * (items - 1) if self.kind == "simultaneous" else 1.0
