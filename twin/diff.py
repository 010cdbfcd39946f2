"""How two twins differ, and what of it chance can't explain.

Both twins say how much data is behind each of their numbers; tests compare these (`diff_tests`), all of them
corrected together by Holm's method, so that with twins of one unchanged process there is any false finding at
all in at most one of twenty comparisons. What people or the build decided needs no test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

_T = TypeVar("_T")
_U = TypeVar("_U")
ALPHA = 0.05
"""Chance of any finding at all where nothing changed."""
SMALL = 0.05
"""Relative changes of means and rates, and shifts of shares, that are certain and yet hardly matter."""

Kind = Literal[
    "structure",
    "routing",
    "durations",
    "delays",
    "arrivals",
    "agents",
    "calendars",
    "settings",
    "overrides",
    "shares",
    "waits",
]
KINDS: tuple[Kind, ...] = (
    *("structure", "routing", "durations", "delays", "arrivals"),
    *("agents", "calendars", "settings", "overrides", "shares", "waits"),
)
CONSEQUENCES: tuple[Kind, ...] = ("shares", "waits")
"""What also follows from other changes: who does what, and how long orders wait."""
Verdict = Literal["real", "small", "chance", "decided", "untested"]
"""`real`: more than chance explains; `small`: real, and less than SMALL; `chance`: tested, and chance may
explain it; `decided`: somebody or the build chose it; `untested`: the twins don't tell how sure it is."""
Scale = Literal["ratio", "share", "number"]


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a difference."""

    name: str
    n_before: float
    n_after: float
    p: float
    adjusted: float = 1.0
    """After Holm's correction for all tests of the comparison."""


@dataclass(frozen=True, slots=True)
class Change:
    """How large a difference is."""

    scale: Scale
    """`ratio`: now / was − 1; `share`: now − was, of shares; `number`: now − was in the unit."""
    was: float
    now: float
    unit: str
    size: float
    low: float | None = None
    high: float | None = None
    """95 % interval of the size; None where none can be told."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that isn't the same in both twins, or that was tested."""

    kind: Kind
    what: str
    """Task, gateway, agent or setting."""
    told: tuple[str, str]
    """Before and after, in words."""
    change: Change | None = None
    test: Test | None = None
    verdict: Verdict = "untested"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two twins held against each other."""

    before: str
    after: str
    basis: str
    """What the two were built from, and how the tests deal with it, in words."""
    differences: tuple[Difference, ...]
    """The kinds in their order; within each the surest first."""
    tests: int
    """How many were made."""
    notes: tuple[str, ...] = ()

    def found(self, *verdicts: Verdict) -> tuple[Difference, ...]:
        """Those with one of the verdicts."""
        return tuple(d for d in self.differences if d.verdict in verdicts)


def diff(
    before: Metagraph,
    after: Metagraph,
    snapshots: tuple[Snapshot, Snapshot] | None = None,
    names: tuple[str, str] | None = None,
) -> Compared:
    """How `after` differs from `before`.

    `snapshots`: what they were built from, in the same order: with them structure and hours are tested, too.
    """
    from twin import diff_graph, diff_people, diff_settings, diff_times, diff_waits
    from twin.diff_tests import Basis, Logs, basis_of

    basis: Basis = basis_of(before, after, snapshots)
    notes: list[str] = []
    found: list[Difference] = []
    if before != after:
        logs = Logs(*snapshots, basis_of(before, after, snapshots, whole=True)) if snapshots else None
        found += diff_graph.differences(before, after, basis, logs, notes.append)
        found += diff_times.differences(before, after, basis)
        found += diff_waits.differences(before, after, basis, logs)
        found += diff_people.differences(before, after, basis, logs)
        found += diff_settings.differences(before, after)
    if snapshots is None and not basis.same:
        notes.append(
            "Structure and working hours are not tested without the snapshots that the twins were built from."
        )
    tested = sum(d.test is not None for d in found)
    judged = tuple(sorted(_judged(found), key=_order))
    shown = names or (before.name, after.name)
    return Compared(*shown, basis.words, judged, tested, tuple(notes))


def _judged(found: Sequence[Difference]) -> Iterator[Difference]:
    """The differences with corrected tests and verdicts."""
    from twin.diff_tests import holm

    tests = [d.test for d in found if d.test is not None]
    adjusted = iter(holm([test.p for test in tests]))
    for one in found:
        if one.test is None:
            yield one
            continue
        test = replace(one.test, adjusted=next(adjusted))
        yield replace(one, test=test, verdict=_verdict(one, test))


def _verdict(one: Difference, test: Test) -> Verdict:
    if test.adjusted > ALPHA:
        return "chance"
    change = one.change
    small = change is not None and change.scale != "number" and abs(change.size) < SMALL
    return "small" if small else "real"


def both(of: Callable[..., _U], pair: tuple[_T, _T], *more: object) -> tuple[_U, _U]:
    """The same of what is before and of what is after; `more` arguments go to both."""
    return of(pair[0], *more), of(pair[1], *more)


def _order(one: Difference) -> tuple[int, int, float, str]:
    verdicts: tuple[Verdict, ...] = ("real", "decided", "small", "untested", "chance")
    p = one.test.p if one.test else 1.0
    return KINDS.index(one.kind), verdicts.index(one.verdict), p, one.what
