"""What replaying a log on a block structure found, as columns beside the snapshot's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MISFIT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Every choice that the replay saw at a choice or at the end of a loop, as equally long columns.

    Rows are sorted by case; within a case they are in the order in which they became known.
    """

    case: NDArray[np.int32]
    gateway: NDArray[np.int32]
    """Index into `Replayed.gateways`."""
    flow: NDArray[np.int32]
    """Which outgoing flow, in the order of the branches; at a loop's end the redos, then the exit."""
    visit: NDArray[np.int32]
    """1 for the first time this case reached this gateway."""
    position: NDArray[np.int32]
    """How many of the case's executions were completed when it got there: its history is the activities of
    the first `position` rows of the case."""


@dataclass(frozen=True, slots=True)
class VariantFit:
    """One distinct sequence of activities against the structure."""

    activities: tuple[str, ...]
    cases: int
    misfits: tuple[int, ...]
    """Positions of the executions that found no place."""
    skipped: tuple[str, ...]
    """Labels of the tasks that the structure demands and the cases left out."""
    exact: bool = True
    """Whether no replay deviates less: it fits, or its alignment is known to be optimal."""

    @property
    def fits(self) -> bool:
        """Neither a misfit nor a skipped task."""
        return not self.misfits and not self.skipped


@dataclass(frozen=True, slots=True)
class Deviation:
    """How often cases did an activity where the structure has no place for it, or left it out."""

    activity: str
    misfit_cases: int
    skipped_cases: int


@dataclass(frozen=True, slots=True)
class Fitness:
    """How much of the log the structure explains; running executions are not counted."""

    cases: int
    fitting_cases: int
    events: int
    placed_events: int
    skipped_tasks: int
    """Over all cases."""
    variants: int
    fitting_variants: int
    deviating: tuple[VariantFit, ...]
    """The most frequent variants that don't fit, most frequent first."""
    unreplayed_cases: int
    """Left out because a limit was reached."""
    exact_cases: int
    """Replayed with the least deviations possible; the others may deviate less than was found."""
    exact_events: int
    deviations: tuple[Deviation, ...]
    """Per activity that deviates in some case; in most cases first."""

    @property
    def case_share(self) -> float:
        """Share of the replayed cases that fit perfectly."""
        return self.fitting_cases / self.cases if self.cases else 1.0

    @property
    def event_share(self) -> float:
        """Share of the replayed executions that found a place."""
        return self.placed_events / self.events if self.events else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A log replayed on a block structure. Columns are aligned with the rows of the snapshot."""

    tasks: tuple[str, ...]
    """Node ids of the tasks, in the order of `Skeleton.tasks`."""
    gateways: tuple[str, ...]
    """Node ids of choice splits and loop ends, in reading order."""
    task: NDArray[np.int32]
    """Index into `tasks`; MISFIT where the structure had no place for the execution."""
    enabled_s: NDArray[np.float64]
    """When the execution was enabled: the end of the one that enabled it, or the first start of the case.
    May lie after the start where executions overlap. NaN for misfits."""
    previous: NDArray[np.int32]
    """Activity index of the execution that enabled this one; -1 at the start of the case and for misfits."""
    decisions: Decisions
    fitness: Fitness
    subsets: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    """Per joint choice of several branches: the branches behind each number in the column `flow`."""

    @property
    def nbytes(self) -> int:
        """Of the columns."""
        d = self.decisions
        columns = (self.task, self.enabled_s, self.previous, d.case, d.gateway, d.flow, d.visit, d.position)
        return sum(column.nbytes for column in columns)
