"""What a what-if found: figures of every scenario beside the baseline's, their differences, and courses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulation.kpis import Interval
from twin.edits import Change


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of a scenario beside the baseline's."""

    baseline: Interval
    """95 %, of this figure alone."""
    scenario: Interval
    difference: Interval
    """Scenario minus baseline, paired by replication; its interval holds together with those of all other
    figures and scenarios of its kind (Bonferroni)."""
    real: bool | None
    """Whether the interval of the difference is apart from 0; None: nothing can be said."""
    more_runs: int | None = None
    """Further replications after which a difference of the size seen would be told, about."""


@dataclass(frozen=True, slots=True)
class Course:
    """A number of orders or items over time, over the replications."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    """5 % of the replications are below."""
    high: tuple[float, ...]
    """5 % are above."""


@dataclass(frozen=True, slots=True)
class CourseCompared:
    """A course of a scenario, and its difference from the baseline's."""

    course: Course
    difference: tuple[float, ...]
    """Mean."""
    difference_low: tuple[float, ...]
    """95 % for all instants together (Bonferroni)."""
    difference_high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Recovery:
    """When a course left the baseline's, and when it was back; to the grid of instants."""

    series: str
    left: datetime | None
    """The first instant at which the difference is real; None: it never is."""
    largest: float
    """The mean difference of largest size."""
    largest_at: datetime
    back: datetime | None
    """The first instant after which it never is again; None: it still is shortly before the end, or never
    was."""


@dataclass(frozen=True, slots=True)
class ScenarioFound:
    """One scenario."""

    name: str
    note: str
    changes: tuple[Change, ...]
    figures: Mapping[str, Compared]
    """Those of HEADLINE first, then by agent and activity."""
    courses: Mapping[str, CourseCompared]
    recovery: tuple[Recovery, ...]
    dates: tuple[datetime, ...]
    """Instants at which something of it begins or ends, within the comparison."""
    verdict: tuple[str, ...]
    """What can be said of the difference, in sentences."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Scenarios beside the baseline."""

    twin: str
    begin: datetime
    end: datetime
    beginning: str
    """What it begins with, in words."""
    replications: int
    seed: int
    engine: str
    confidence: float
    """Of the interval of each difference of a headline figure, so that all hold together with 95 %."""
    figures: Mapping[str, Interval]
    """The baseline's."""
    at: tuple[datetime, ...]
    """Instants of the courses."""
    courses: Mapping[str, Course]
    """The baseline's."""
    scenarios: tuple[ScenarioFound, ...]
    notes: tuple[str, ...] = ()
