"""What a build chooses among: one choice after the other, each with its candidates, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibration.settings import Settings
    from eventlogs.snapshot import Snapshot

Options = Sequence[tuple[str, "Settings"]]


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that is chosen."""

    what: str
    weights: Mapping[str, float]
    """By which distances: those that it moves. Absolute times and arrivals (AEDD, CADD) are moved by the
    model of arrivals; elsewhere they would reward a delay that makes up for orders that come too early."""
    found: bool = False
    """Whether the second candidate is something that tests of its own found in the log: it is taken if it is
    no worse on average, and nothing is said where nothing was found."""
    certain: bool = False
    """Whether that is beyond doubt, as the log holds instances of it or as it is told from chance by far: it
    is taken unless it is worse by more than any candidate's margin. What is too rare for the part that judges
    can't win there."""
    tolerance: float = 0.0
    """By how much what is certain may be worse, if that is more than the margin."""
    why: str = "what the log shows"
    """Why something certain is taken."""


CONTROL_FLOW = Matter("control flow", {"NGD": 3.0, "REDD": 1.0, "CTDD": 1.0})
_ALL_TIMES = {"NGD": 1.0, "circadian": 1.0, "REDD": 1.0, "CTDD": 1.0}
TIME_MODEL = Matter("time model", _ALL_TIMES)
UNATTENDED = Matter("tasks that need nobody", _ALL_TIMES, found=True)
TIMEOUTS = Matter("what delays are counted from", _ALL_TIMES, found=True, certain=True, tolerance=0.15)
"""The test is told from chance by far. A sharp peak of cycle times is further from a few weeks in which
another share of the orders lapsed than one that is smeared (the same margin as for the order of work)."""
PRESENCE = Matter("presence of agents", {"CEDD": 1.0, "circadian": 1.0, "REDD": 1.0, "CTDD": 1.0})
CHANGED_HOURS = Matter("hours that changed", _ALL_TIMES, found=True, certain=True)
_OUTSIDE = {"circadian": 1.0, "REDD": 1.0, "CTDD": 1.0}
EXTRA_HOURS = Matter("hours outside the usual ones", _OUTSIDE, found=True, certain=True)
"""Without CEDD, in which one stamp on a Sunday costs 3.3 hours if the other log has none."""
RARE = Matter("rare agents", _ALL_TIMES, found=True, certain=True, why="simpler")
RESOURCES = Matter("resources", _ALL_TIMES)
TURNOVER = Matter(
    "agents who left or came", {"NGD": 1.0, "circadian": 1.0, "REDD": 1.0, "CTDD": 1.0}, True, True
)
WINDOW = Matter("calibration window", _ALL_TIMES)
ARRIVALS = Matter("arrivals", {"AEDD": 1.0, "CADD": 1.0})
_PATHS = {"NGD": 2.0, "REDD": 1.0, "CTDD": 1.0}
ROUTING = Matter("routing context", _PATHS)
TOGETHER = Matter("branches taken together", _PATHS, found=True)
RULES = Matter("business rules", _ALL_TIMES, found=True)
BATCHES = Matter("batches", _ALL_TIMES, found=True)
PRIORITIES = Matter("order of work", _ALL_TIMES, found=True, certain=True, tolerance=0.15)
"""Distances don't see which orders wait, only how long all of them do, and that of a few weeks under load is
mostly chance; without the order a twin can't say who waits, as without busy agents it can't say that anybody
does (the same margin)."""

_TIME_MODELS = (
    ("calendars and busy agents", False, False, True, True),
    ("calendars, busy agents and a remaining delay", True, False, True, True),
    ("calendars, busy agents and a delay paced by the hour of the week", True, True, True, True),
    ("calendars and delays", True, False, False, True),
    ("calendars and delays paced by the hour of the week", True, True, False, True),
    ("delays only", True, False, False, False),
    ("delays only, paced by the hour of the week", True, True, False, False),
)
"""Name, remaining delay, its pace, busy agents, calendars."""
_CONTEXTS = ((3, True), (2, True), (1, True), (4, True), (3, False))


def structured(base: Settings) -> Settings:
    """What is compared first: all that may make tasks late, cases as they were seen."""
    return replace(base, use_delay=True, use_contention=True, weighted=False)


def time_models(base: Settings) -> Options:
    """What makes tasks late."""
    return [
        (name, replace(base, use_delay=delay, use_pace=pace, use_contention=busy, use_calendars=calendars))
        for name, delay, pace, busy, calendars in _TIME_MODELS
    ]


def unattended(base: Settings) -> Options:
    """When tasks begin that need nobody; twins without any that are late are those of the first."""
    if not base.use_delay:
        return [("at once", base)]
    usual = "when other work begins" if base.use_pace else "at any hour"
    return [(usual, base), ("each in the hours in which it began", replace(base, own_hours=True))]


def timeouts(base: Settings) -> Options:
    """Whether tasks wait for an age of the order; twins in which none is found are those of the first."""
    ways = [("the end of what came before", base)]
    if base.use_delay:
        ways.append(("the order's release, where found", replace(base, use_timeouts=True)))
    return ways


def rare_agents(base: Settings) -> Options:
    """Whether agents who were seen too rarely to tell anything of each are merged: a twin easier to read."""
    from calibration.settings import RARE_MERGED

    return [("each by itself", base), ("merged into roles", replace(base, resources=RARE_MERGED))]


def resources(base: Settings) -> Options:
    """Whom the agents stand for; without calendars and busy agents it makes no difference that matters."""
    from calibration.settings import ROLES

    ways = [("agents by themselves", base)]
    if base.use_contention:
        ways.append(("roles as pools", replace(base, resources=ROLES)))
    return ways


def presence(base: Settings) -> Options:
    """When agents are there."""
    if not base.use_calendars:
        return [("around the clock", base)]
    return [
        ("the same hours every week", base),
        ("days drawn from the past", replace(base, drawn_shifts=True)),
    ]


def turnover(base: Settings) -> Options:
    """Whether some agents are no longer there, or were not at first."""
    return [("all were there all along", base), ("as found in the log", replace(base, turnover=True))]


def changed_hours(base: Settings) -> Options:
    """Whether some agents have other hours than before."""
    ways = [("the hours of the whole window", base)]
    if base.use_calendars:
        ways.append(("the newest hours, where they changed", replace(base, changed_hours=True)))
    return ways


def extra_hours(base: Settings) -> Options:
    """Whether agents are now and then there outside their usual hours."""
    ways = [("none", base)]
    if base.use_calendars:
        ways.append(("now and then, as in the log", replace(base, extra_hours=True)))
    return ways


def windows(base: Settings, snapshot: Snapshot, fewest: int, unfinished_missing: bool) -> Options:
    """From which part of the log the parameters are learnt (fixed shares, and from change points on), and
    what its cases count."""
    from calibration import drift

    shares = [
        (name, share)
        for name, share in drift.windows(snapshot, base)
        if share == 1.0 or snapshot.n_cases * share >= fewest
    ]
    if not unfinished_missing:
        return [(name, replace(base, window_share=share)) for name, share in shares]
    return [
        (f"{name}, {words}", replace(base, window_share=share, weighted=weighted))
        for name, share in shares
        for words, weighted in (("cases as seen", False), ("long cases counting for those left out", True))
    ]


def arrivals(base: Settings, snapshot: Snapshot) -> Options:
    """When orders come."""
    from calibration.arrivals import models

    return [(name, replace(base, arrivals=name)) for name in models(snapshot, base.half_life_weeks)]


def rules(base: Settings, snapshot: Snapshot) -> Options:
    """Whether gateways look at the orders' attributes; only for a log that has any."""
    from calibration.features import features_of

    ways = [("history alone", base)]
    if features_of(snapshot, base.orders):
        ways.append(("history and orders' attributes", replace(base, use_rules=True)))
    return ways


def contexts(base: Settings) -> Options:
    """What gateways look at: first as asked for, which all other choices were made with."""
    ways = [(base.history, base.visits)]
    ways += [(k, v) for k, v in _CONTEXTS if (k, v) != ways[0] and k <= max(base.history + 1, 1)]
    return [(_context(k, visits), replace(base, history=k, visits=visits)) for k, visits in ways]


def _context(history: int, visits: bool) -> str:
    last = {0: "", 1: "last activity"}.get(history, f"last {history} activities")
    return " and ".join(part for part in (last, "visits" if visits else "") if part) or "nothing"


def batches(base: Settings) -> Options:
    """Whether work is collected; twins that then collect nothing are those of the first."""
    return [("each order by itself", base), ("collected where found", replace(base, use_batching=True))]


def priorities(base: Settings) -> Options:
    """What is taken first; twins in which nothing else is found are those of the first."""
    return [("first come, first served", base), ("as found in the log", replace(base, use_priorities=True))]


def together(base: Settings) -> Options:
    """Whether parallel branches that may be left out are chosen among jointly."""
    return [("each by itself", base), ("jointly where they depend", replace(base, use_inclusive=True))]


AFTER_STRUCTURE: Sequence[tuple[Matter, Callable[[Settings], Options]]] = (
    (TIME_MODEL, time_models),
    (UNATTENDED, unattended),
    (TIMEOUTS, timeouts),
    (RARE, rare_agents),
    (RESOURCES, resources),
    (TURNOVER, turnover),
    (CHANGED_HOURS, changed_hours),
    (PRESENCE, presence),
    (EXTRA_HOURS, extra_hours),
    (PRIORITIES, priorities),
    (ROUTING, contexts),
    (TOGETHER, together),
)
"""What is chosen once arrivals, window and structure are, in this order, and among what."""
