"""What part of a log is meant: conditions on cases, on their executions and on variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from metagraph.errors import UsageError

Window = Literal["contained", "intersecting", "started", "ended", "events"]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Conditions that must all hold; one left at its default asks nothing.

    First whole cases are chosen, judged by all their executions; then executions of them; then variants of
    what is left. Several filters in a row are applied each to what the one before left, so any other order
    can be had. A case begins with its first start and ends with its last end (a running execution counts by
    its start).
    """

    after: datetime | None = None
    before: datetime | None = None
    window: Window = "contained"
    """What must lie between `after` and `before`, both included: a case as a whole, its begin (`started`),
    its end (`ended`), or each execution's end (`events`; of a running one its start). `intersecting` cases
    have begun before `before` and end after `after`."""
    cases: tuple[str, ...] = ()
    """Ids of cases."""
    case_attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Cases whose attribute has one of these values."""
    with_activities: tuple[str, ...] = ()
    """Cases with at least one of these."""
    without_activities: tuple[str, ...] = ()
    """Cases with none of these."""
    with_resources: tuple[str, ...] = ()
    """Cases at which at least one of these worked."""
    with_attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Cases with an execution whose attribute has one of these values."""
    starts: tuple[str, ...] = ()
    """Cases whose first activity, by end, is one of these."""
    ends: tuple[str, ...] = ()
    """Cases whose last activity, by end, is one of these."""
    rework: tuple[str, ...] = ()
    """Cases in which one of these is repeated."""
    path: tuple[str, ...] = ()
    """Cases in which these activities follow each other directly, by end."""
    min_cycle_s: float | None = None
    max_cycle_s: float | None = None
    activities: tuple[str, ...] = ()
    """Executions of these."""
    resources: tuple[str, ...] = ()
    """Executions by these."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Executions whose attribute has one of these values."""
    top_variants: int | None = None
    """Cases of the most frequent variants; of equally frequent ones those first by name."""
    variant_share: float | None = None
    """Cases of the fewest variants that together cover this share of cases."""
    min_variant_share: float | None = None
    """Cases of variants that have at least this share of cases each."""

    def __post_init__(self) -> None:
        for name in ("after", "before"):
            instant = getattr(self, name)
            if instant is not None and instant.tzinfo is None:
                raise UsageError(f"filter {name}: {instant.isoformat()} has no time zone; append Z for UTC")
        if self.after and self.before and self.after > self.before:
            raise UsageError("filter after: the window ends before it begins; exchange after and before")
        if self.window not in get_args(Window):
            raise UsageError(f"filter window: {self.window!r} is none of {', '.join(get_args(Window))}")
        for name in ("variant_share", "min_variant_share"):
            share = getattr(self, name)
            if share is not None and not 0 < share <= 1:
                raise UsageError(f"filter {name}: {share} is no share; expected above 0, up to 1")
        if self.top_variants is not None and self.top_variants < 1:
            raise UsageError(f"filter top_variants: {self.top_variants}; expected at least 1")
        for name in ("min_cycle_s", "max_cycle_s"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds < float("inf"):
                raise UsageError(f"filter {name}: {seconds}; expected seconds, 0 or more")
        if len(self.path) == 1:
            raise UsageError(f"filter path: one activity ({self.path[0]!r}) is no path; name two or more")
