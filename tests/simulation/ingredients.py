"""What random programs are made of: structures, laws, clocks, people, orders; small, full of ties in time.

Everything is drawn by a `Dice`, so that Hypothesis and a plain seeded generator make the same kind of
programs; the first option is the simplest one, to which Hypothesis shrinks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Protocol, TypeVar

from metagraph.agents import Absence, Agent, Breakdowns, Queue
from metagraph.batches import Batch
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel
from metagraph.blocks import Sequence as Row
from metagraph.calendars import Calendar, CalendarException
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.nodes import DelaySince, DelayTable, DurationRow, DurationTable
from metagraph.orders import Order, ProfitShape
from metagraph.paces import Pace
from metagraph.routing import BusinessRule, Level, Routing, RoutingRow
from metagraph.shifts import Shift

HOUR = 3600.0
DAY = 24 * HOUR
T = TypeVar("T")


class Dice(Protocol):
    """Where random whole numbers come from."""

    def integer(self, low: int, high: int) -> int: ...


def pick(dice: Dice, options: Sequence[T]) -> T:
    return options[dice.integer(0, len(options) - 1)]


def chance(dice: Dice, percent: int) -> bool:
    return dice.integer(0, 99) >= 100 - percent


def several(dice: Dice, low: int, high: int, make: Callable[[], T]) -> list[T]:
    return [make() for _ in range(dice.integer(low, high))]


def some(dice: Dice, options: Sequence[T], most: int) -> tuple[T, ...]:
    """Between one and `most` different ones, in any order."""
    left = list(options)
    number = dice.integer(1, min(most, len(left)))
    return tuple(left.pop(dice.integer(0, len(left) - 1)) for _ in range(number))


# Structures


@dataclass
class Names:
    """Hands out names, each once; an activity's name may come twice."""

    dice: Dice
    numbers: count[int] = field(default_factory=lambda: count(1))
    labels: list[str] = field(default_factory=list)

    def node(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers)}"

    def leaf(self) -> Leaf:
        name = self.node("t")
        again = bool(self.labels) and chance(self.dice, 15)
        label = pick(self.dice, self.labels) if again else name.upper()
        self.labels.append(label)
        return Leaf(name, label)


def structure(dice: Dice, names: Names, depth: int) -> Block:
    """Block-structured processes: sequences, choices with ways past everything, parallels, loops, nested."""
    kind = pick(dice, ["leaf", "sequence", "xor", "and", "loop", "sequence", "or"] if depth else ["leaf"])
    if kind == "leaf":
        return names.leaf()
    if kind == "loop":
        redos = tuple(several(dice, 1, 2, lambda: pick(dice, [Empty(), None]) or names.leaf()))
        return Loop(names.node("loop"), names.node("back"), structure(dice, names, depth - 1), redos)
    parts = tuple(several(dice, 2, 3, lambda: structure(dice, names, depth - 1)))
    if kind == "sequence":
        return Row(parts)
    split, merge = names.node(kind), names.node(kind + "_end")
    if kind in ("and", "or"):
        return Parallel(split, merge, parts, kind == "or")
    return Choice(split, merge, (*parts, Empty()) if chance(dice, 25) else parts)


CLASSES = ("", "a", "b", "elsewhere unknown")
SEGMENTS = ("", "north", "south")
_LEVELS = (
    (),
    (Level(visit=True),),
    (Level(cls=True),),
    (Level(segment=True, history=1),),
    (Level(cls=True, segment=True, visit=True, history=2), Level(cls=True, visit=True)),
    (Level(rule=True),),
    (Level(cls=True, visit=True, rule=True, history=1), Level(segment=True, rule=True), Level(history=1)),
)
RULES = (
    "size > 1",
    "colour == 'red'",
    "colour in ['red', 'blue'] and not size > 2",
    "has(colour) and cls == 'a'",
    "release_h < 4 or value > 100",
    "segment == 'north'",
)


def shares(dice: Dice, n: int, last: bool) -> tuple[float, ...]:
    """n weights, some of them 0; `last`: not the last one, so that loops are left."""
    counts = [pick(dice, [1, 0, 3, 1]) for _ in range(n)]
    counts[-1] += last or not any(counts)
    return tuple(k / sum(counts) for k in counts)


def subsets(dice: Dice, flows: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """What an or_split may take together: some of all subsets, often none of the flows among them."""
    every = [tuple(f for i, f in enumerate(flows) if mask >> i & 1) for mask in range(2 ** len(flows))]
    return some(dice, every[::-1], 5)


def routing(
    dice: Dice,
    node: str,
    flows: tuple[str, ...],
    labels: Sequence[str],
    leaves: bool,
    taken: tuple[tuple[str, ...], ...] = (),
) -> Routing:
    """A gateway's choice by class, segment, visit and history, backed off; `taken`: an or_split's subsets."""
    ways = len(taken or flows)
    levels = pick(dice, _LEVELS)
    rules = some(dice, RULES, 3) if any(level.rule for level in levels) or chance(dice, 10) else ()
    rows = {}
    for i, level in enumerate(levels):
        for _ in range(dice.integer(1, 4)):
            key = (
                *((pick(dice, CLASSES[:3]),) if level.cls else ()),
                *((pick(dice, SEGMENTS),) if level.segment else ()),
                *((pick(dice, "12345"),) if level.visit else ()),
                *((pick(dice, ("", *(str(i + 1) for i in range(len(rules))))),) if level.rule else ()),
                *(pick(dice, ("", *labels)) for _ in range(level.history)),
            )
            rows[i, key] = RoutingRow(i, key, shares(dice, ways, leaves), 10)
    overall = RoutingRow(len(levels), (), shares(dice, ways, leaves), 10)
    met = tuple(BusinessRule(when, 10) for when in rules)
    return Routing(node, flows, (*levels, Level()), (*rows.values(), overall), met, taken)


# Laws

LAWS: tuple[Distribution, ...] = (
    Constant(HOUR),
    Constant(2 * HOUR),
    Constant(0.0),
    Constant(HOUR / 2),
    Parametric("expon", (0.0, HOUR)),
    ZeroInflated(0.5, Constant(2 * HOUR)),
    Empirical((0.0, 600.0, HOUR, 9 * HOUR)),
    Empirical((HOUR, HOUR, 3 * HOUR)),
    Parametric("gamma", (0.5, 0.0, HOUR), 5 * HOUR),
)


def fitted(dice: Dice) -> Fitted:
    """Half of them are whole hours, so that much happens at once."""
    return Fitted(pick(dice, LAWS[:3] if chance(dice, 50) else LAWS), 10, "task")


def durations(dice: Dice, agents: Sequence[str]) -> DurationTable:
    rows: dict[tuple[str | None, ...], DurationRow] = {(None, None, None): DurationRow(fitted(dice))}
    for _ in range(dice.integer(0, 3) if chance(dice, 40) else 0):
        cls, segment = pick(dice, (None, *CLASSES[1:3])), pick(dice, (None, *SEGMENTS[1:]))
        agent = pick(dice, (None, *agents))
        rows.setdefault((cls, segment, agent), DurationRow(fitted(dice), cls, segment, agent))
    return DurationTable(tuple(rows.values()))


def delay(dice: Dice, labels: Sequence[str]) -> DelayTable | None:
    if not chance(dice, 35):
        return None
    after = {pick(dice, labels): fitted(dice) for _ in range(dice.integer(0, 2))}
    pace = pick(dice, (None, None, "office pace"))
    since: DelaySince = "release" if pace is None and chance(dice, 40) else "ready"
    return DelayTable(fitted(dice), after, pace, since)


_SIZES: tuple[Distribution, ...] = (Constant(2.0), Constant(3.0), Empirical((0.0, 2.0, 5.0)), Constant(1.0))


def batch(dice: Dice, preemptible: bool) -> Batch | None:
    """Some are released by all three: enough of them, the longest wait, and times of the week."""
    if not chance(dice, 20):
        return None
    kind = "sequential" if preemptible or chance(dice, 30) else "simultaneous"
    times = tuple(sorted({dice.integer(0, 60) * HOUR for _ in range(dice.integer(1, 4))}))
    given = chance(dice, 35)
    return Batch(
        kind,  # type: ignore[arg-type]
        Fitted(pick(dice, _SIZES), 10, "task") if chance(dice, 65) else None,
        None if given and chance(dice, 50) else pick(dice, (2 * HOUR, 0.0, HOUR / 2, 9 * HOUR)),
        times if given else (),
        pick(dice, ("UTC", "Europe/Berlin")),
        pick(dice, (0.0, 0.5, 1.0)) if kind == "simultaneous" else 0.0,
    )


# Clocks

ORIGINS = tuple(datetime(2024, month, day, tzinfo=UTC) for month, day in ((1, 1), (3, 25), (10, 21)))
"""Mondays; before two of them has passed a week, clocks in Berlin change."""
ORDINARY = tuple((d * DAY + 9 * HOUR, d * DAY + 17 * HOUR) for d in range(5))
HALVES = tuple((k * 4 * HOUR, k * 4 * HOUR + 2 * HOUR) for k in range(42))
NIGHTS = tuple((d * DAY, d * DAY + 6 * HOUR) for d in range(7))
_BUSY = tuple(4.2 * (h // 24 < 5 and 9 <= h % 24 < 17) for h in range(168))
WATCHES = tuple(
    (
        (Shift(20 * HOUR, 30 * HOUR, 0.5), Shift(8 * HOUR, 12.5 * HOUR, 0.25))
        if d % 2
        else (Shift(0.0, DAY, 0.3),)
        if d < 6
        else ()
    )
    for d in range(7)
)
"""Days drawn from the past: nights, short days, whole ones, and every Sunday off."""
CERTAIN = tuple((Shift(0.0, 12 * HOUR, 0.5), Shift(6 * HOUR, 15 * HOUR, 0.5)) for _ in range(7))
PACES = (
    Pace(
        "office pace",
        _BUSY,
        "Europe/Berlin",
        holidays=tuple(o.date() + timedelta(days=d) for o in ORIGINS for d in (0, 2, 3, 8)),
    ),
)


def calendars(origin: datetime) -> tuple[Calendar, ...]:
    def days(n: float) -> datetime:
        return origin + timedelta(days=n)

    absence = CalendarException(days(1), days(1.5), False)
    extra = CalendarException(days(0.25), days(0.375), True)
    return (
        Calendar("always"),
        Calendar("halves", HALVES),
        Calendar("office", ORDINARY, "Europe/Berlin"),
        Calendar("nights", NIGHTS, "Europe/Berlin"),
        Calendar("holidays", ORDINARY, "UTC", (date.fromordinal(days(1).toordinal()),)),
        Calendar("exceptions", ORDINARY, "UTC", (), (absence, extra)),
        Calendar("always but", exceptions=(absence,)),
        Calendar("once", (), "UTC", (), (CalendarException(days(0), days(0.5), True),)),
        Calendar("watches", shifts=WATCHES, time_zone="Europe/Berlin", holidays=(days(2).date(),)),
        Calendar("drawn", HALVES, "UTC", (), (absence, extra), shifts=CERTAIN),
    )


def agent(dice: Dice, name: str, origin: datetime, rough: bool) -> Agent:
    """`rough`: with absences, hiring and breakdowns."""

    def moment(low: int, high: int) -> datetime:
        return origin + timedelta(hours=dice.integer(low, high))

    # One whose hours come once only has few of them; the others shall be much more frequent.
    names = [c.id for c in calendars(origin)]
    calendar = pick(dice, names) if chance(dice, 40) else pick(dice, names[:3])
    capacity = pick(dice, (1, 1, 1, 2, 3))
    sharing = "shared" if capacity > 1 and chance(dice, 50) else "parallel"
    presence = pick(dice, (1.0, 0.5)) if calendar in ("watches", "drawn") else 1.0
    if not rough:
        return Agent(name, calendar, "", capacity, sharing, presence=presence)  # type: ignore[arg-type]
    absences = []
    for _ in range(dice.integer(0, 2)):
        start = moment(0, 30)
        end = None if chance(dice, 20) else start + timedelta(hours=dice.integer(1, 12))
        absences.append(Absence(start, end, chance(dice, 60)))
    hired = moment(0, 8) if chance(dice, 20) else None
    breakdowns = None
    if chance(dice, 25):
        between, repair = pick(dice, (LAWS[1], LAWS[4])), pick(dice, (LAWS[0], LAWS[4]))
        breakdowns = Breakdowns(Fitted(between, 10, "agent"), Fitted(repair, 10, "agent"))
    return Agent(
        name,
        calendar,
        "",
        capacity,
        sharing,  # type: ignore[arg-type]
        hired=hired,
        absences=tuple(sorted(absences, key=lambda a: a.start)),
        breakdowns=breakdowns,
        presence=presence,
    )


DESIGNATED = ("", "", "cls == 'a'", "segment in ['north', 'south']", "release_h < 4")
"""Orders that a queue is meant for."""


def queues(dice: Dice, agents: Sequence[str], rule: str) -> tuple[Queue, ...]:
    made = []
    for i in range(dice.integer(1, 4)):
        members = tuple(agents) if len(agents) > 9 else some(dice, agents, 3)
        weights = tuple(pick(dice, (1.0, 0.0, 3.0)) for _ in members) if chance(dice, 40) else ()
        total = sum(weights) or 1.0
        only = pick(dice, DESIGNATED)
        made.append(Queue(f"q{i}", members, tuple(w / total for w in weights), rule, only))
    return tuple(made)


# Orders

SHAPES = (None, ProfitShape(), ProfitShape(1.2, 1.0, 0.8, 0.3, -0.2), ProfitShape(1.0, 0.9, 0.9, 0.5, 0.0))


def attributes(dice: Dice) -> dict[str, str]:
    """A few, all as text; some orders have none."""
    found = {"size": pick(dice, ("", "1", "2", "3.5")), "colour": pick(dice, ("", "red", "blue", "7"))}
    return {name: value for name, value in found.items() if value}


def order(dice: Dice, name: str, can_be_lost: bool) -> Order:
    """Released on the half hour; many share theirs with others."""
    release = pick(dice, (0.0, 0.0, HOUR, 9 * HOUR)) if chance(dice, 60) else dice.integer(0, 60) * HOUR / 2

    def date_of(percent: int, high: int) -> float | None:
        return release + dice.integer(-1, high) * HOUR / 2 if chance(dice, percent) else None

    return Order(
        name,
        release,
        pick(dice, CLASSES),
        pick(dice, SEGMENTS),
        pick(dice, (100.0, 200.0, 0.0, -50.0, None)),
        date_of(30, 6),
        date_of(70, 20),
        date_of(60, 40) if can_be_lost else None,
        attributes(dice),
    )
