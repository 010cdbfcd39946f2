"""What has changed since a twin was learnt, in words, with sizes, intervals, tests and corrected p values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import Metagraph

if TYPE_CHECKING:
    from calibration.drift_since import Finding, Looked
    from eventlogs.snapshot import Snapshot

MONTHLY = 0.05
"""Chance of any false alarm in a month of looks, however often it is looked."""
MONTH = timedelta(days=30)
FEWEST_BEFORE = 40
"""Cases of the time that the twin was learnt from, without which nothing can be compared."""
STRUCTURE = "structure"


@dataclass(frozen=True, slots=True)
class Drift:
    """One test's outcome on one thing that is watched."""

    kind: str
    """arrivals, routing, durations, waits, structure or agents."""
    what: str
    """The task, the way at a gateway, the activity, the agent; empty for arrivals."""
    words: str
    """A whole sentence."""
    unit: str
    """Of before and after: orders a week, s (geometric mean), share, days."""
    before: float
    after: float
    size: float
    """after / before; of shares after - before; of agents the days of silence."""
    low: float
    high: float
    """The 95 % interval of `size`, not corrected for the number of tests."""
    test: str
    p: float
    corrected_p: float
    """For all tests of the look: at or below its allowed chance it counts."""
    n_before: int
    n_after: int
    begun: datetime
    """Since when, as far as can be told."""
    found: bool
    """Whether it is drift: significant, and large enough to matter."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """One look for drift."""

    since: datetime
    """What the twin knows ends here."""
    until: datetime
    """What is judged ends here."""
    cases_before: int
    cases: int
    """Begun since."""
    alpha: float
    """Chance of any false alarm that this look was allowed."""
    tests: int
    watched: tuple[Drift, ...]
    """The clearest of each thing, the smallest corrected p first."""
    note: str = ""

    @property
    def found(self) -> tuple[Drift, ...]:
        """What has changed."""
        return tuple(one for one in self.watched if one.found)

    @property
    def structural(self) -> bool:
        """Whether cases do what the twin has no place for."""
        return any(one.kind == STRUCTURE for one in self.found)


def allowed(last_look: datetime, now: datetime) -> float:
    """The chance of a false alarm that a look may take: a month's, in proportion to the time since the look
    before, so that any number of looks in a month take no more than MONTHLY together (Bonferroni over time);
    0 if no time has passed."""
    return MONTHLY * min(max((now - last_look) / MONTH, 0.0), 1.0)


def watch(
    model: Metagraph,
    snapshot: Snapshot,
    last_look: datetime | None = None,
    known_drift: Collection[tuple[str, str]] = (),
) -> DriftReport:
    """Compare what came since the twin was learnt with what it was learnt from, in the same log.

        `last_look`: when drift was last looked for with this twin (None: never, so since it was learnt).
    `known_drift`: kind and what of drift that was found then; if it is still there it needs no share of what
    this look is allowed, for no alarm is raised anew. Raises DataError for a twin without provenance, or a
    log that doesn't hold the time it was learnt from.
    """
    from calibration.drift_since import look, notable
    from calibration.drift_streams import Watched
    from calibration.inclusion import judge_end
    from discovery.inclusive import as_optional
    from discovery.replay_log import replay_log
    from metagraph.parse_blocks import parse_blocks
    from twin.renames import in_twin_words

    known = model.provenance
    if known is None:
        raise DataError(f"{model.name} doesn't say what it was learnt from: build it from a log")
    log = in_twin_words(model, snapshot)
    first = known.first_event
    if known.record is not None and known.record.window_since is not None:
        first = max(first, known.record.window_since)
    arrivals = model.arrivals
    watched = Watched(
        log,
        (first - log.origin).total_seconds(),
        (known.until - log.origin).total_seconds(),
        judge_end(log, None),
        arrivals.time_zone if arrivals else "UTC",
        frozenset(arrivals.holidays) if arrivals else frozenset(),
    )
    replayed = replay_log(log, as_optional(parse_blocks(model)))
    labels = {task.id: task.label for task in model.tasks()}
    looked = look(watched, replayed, labels)
    if looked.cases_before < FEWEST_BEFORE:
        raise DataError(
            f"log {snapshot.name!r} holds {looked.cases_before} cases that began from {first:%Y-%m-%d} to "
            f"{known.until:%Y-%m-%d %H:%M} UTC, when {model.name} was learnt, and {FEWEST_BEFORE} are "
            "needed to compare with: give the log that the twin was built from, with what came since"
        )
    until = log.origin + timedelta(seconds=looked.until_s)
    alpha = allowed(last_look or known.until, log.origin + timedelta(seconds=log.until_s))
    seen = [(one, _what(model, one)) for one in looked.findings]
    found = {
        id(one)
        for one, what in seen
        if one.p <= (MONTHLY if (one.kind, what) in known_drift else alpha) and notable(one)
    }
    return DriftReport(
        since=known.until,
        until=until,
        cases_before=looked.cases_before,
        cases=looked.cases,
        alpha=alpha,
        tests=looked.tests,
        watched=tuple(_told(one, what, log, id(one) in found) for one, what in seen),
        note=_note(looked, log),
    )


def _note(looked: Looked, log: Snapshot) -> str:
    if not looked.windows:
        return (
            f"{looked.cases} orders began since, too few to compare (at least a day and 20 orders are needed)"
        )
    if looked.arrivals_until_s >= looked.until_s:
        return ""
    last = log.origin + timedelta(seconds=looked.arrivals_until_s)
    return (
        f"No order has begun since {last:%Y-%m-%d %H:%M} UTC, and many would be expected: the log seems to "
        "hold those that began till then, so arrivals are judged up to then"
    )


def _told(one: Finding, what: str, log: Snapshot, found: bool) -> Drift:
    begun = log.origin + timedelta(seconds=one.begun_s)
    t = one.tested
    return Drift(
        kind=one.kind,
        what=what,
        words=_words(one, what, begun),
        unit=UNITS[one.kind],
        before=t.before,
        after=t.after,
        size=t.size,
        low=t.low,
        high=t.high,
        test=t.test,
        p=t.p,
        corrected_p=one.p,
        n_before=t.n_before,
        n_after=t.n_after,
        begun=begun,
        found=found,
    )


UNITS: Mapping[str, str] = {
    "arrivals": "orders a week",
    "routing": "share",
    "durations": "s, geometric mean",
    "waits": "s, geometric mean",
    "structure": "share of the cases",
    "agents": "days",
}


def _what(model: Metagraph, one: Finding) -> str:
    from twin.model_words import gateway_names
    from twin.words import branch_text

    if one.kind != "routing":
        return one.what
    flows = model.outgoing().get(one.what, ())
    where = gateway_names(model).get(one.what, "where branches are chosen")
    to = branch_text(model, flows[one.way].id) if one.way < len(flows) else f"way {one.way + 1}"
    return f"{where}: to {to}"


def _words(one: Finding, what: str, begun: datetime) -> str:
    from twin.words import span

    t, day = one.tested, f"since about {begun:%Y-%m-%d}"
    if one.kind == "agents":
        return (
            f"{what} has begun or ended nothing on {t.after:.0f} days on which others did the same (last "
            f"seen before {begun:%Y-%m-%d}; never on more than {t.before:.0f} such days before)"
        )
    if one.kind == "arrivals":
        return (
            f"{t.after:.3g} orders a week came, where {t.before:.3g} were usual: × {t.size:.2f} "
            f"({t.low:.2f} to {t.high:.2f}) {day}"
        )
    if one.kind in ("durations", "waits"):
        noun = "work on" if one.kind == "durations" else "the wait before"
        way = "longer" if t.size >= 1 else "shorter"
        return (
            f"{noun} {what} takes {way}: × {t.size:.2f} ({t.low:.2f} to {t.high:.2f}), from "
            f"{span(t.before)} to {span(t.after)} (geometric means) {day}"
        )
    points = f"{100 * t.low:+.1f} to {100 * t.high:+.1f} points"
    if one.kind == "routing":
        return f"{what} goes {t.after:.1%} of what went {t.before:.1%} before ({points}) {day}"
    if what:
        return f"{what}, which the twin has no task for, is in {t.after:.1%} of the cases ({points}) {day}"
    return (
        f"{t.after:.1%} of the cases do something that the twin has no place for, {t.before:.1%} did before "
        f"({points}) {day}"
    )
