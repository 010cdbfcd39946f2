"""Random blocks, and metagraphs that make sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from metagraph.agents import Absence, Agent, Breakdowns, Queue
from metagraph.batches import Batch, BatchKind
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence, skeleton
from metagraph.calendars import ALWAYS, Calendar, CalendarException
from metagraph.check_agents import OWN_RULES
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.model import (
    Approval,
    BuildRecord,
    Candidate,
    ClosingFact,
    Default,
    Metagraph,
    Override,
    Provenance,
)
from metagraph.model import Choice as Decision
from metagraph.nodes import DelayTable, DurationRow, DurationTable, End, Gateway, Start, Task, WaitBreakdown
from metagraph.orders import (
    MOST_DAYS,
    ArrivalLevel,
    Arrivals,
    GroupRule,
    OrderClass,
    OrderModel,
    PastOrder,
    ProfitShape,
    Sample,
)
from metagraph.paces import Pace
from metagraph.routing import BusinessRule, Level, Routing, RoutingRow
from metagraph.shifts import Shift

labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
amounts = st.floats(0, 1e9, allow_subnormal=True)
finite = st.floats(allow_nan=False, allow_infinity=False)
OFTEN = Fitted(Parametric("expon", (0.0, 3600.0)), 0, "human")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=47000)).map(lambda since: EPOCH + since)


def blocks(max_leaves: int = 12, *, some: bool = False) -> st.SearchStrategy[Block]:
    """Normalised blocks with unique labels and ids; `some`: also those of which some branches are taken."""
    return _shapes(max_leaves, some).map(normalised).filter(lambda block: block != Empty()).map(_numbered)


def _shapes(max_leaves: int, some: bool = False) -> st.SearchStrategy[Block]:
    def larger(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
        several = st.lists(inner, min_size=2, max_size=4).map(tuple)
        return st.one_of(
            several.map(Sequence),
            several.map(lambda items: Choice("", "", items)),
            several.map(lambda items: Parallel("", "", items)),
            *([several.map(lambda items: Parallel("", "", items, True))] if some else []),
            st.builds(lambda body, redos: Loop("", "", body, redos), inner, several.map(lambda x: x[1:])),
        )

    smallest: st.SearchStrategy[Block] = st.just(Leaf("", "")) | st.just(Leaf("", "")) | st.just(Empty())
    return st.recursive(smallest, larger, max_leaves=max_leaves)


def rough_blocks(max_leaves: int = 12) -> st.SearchStrategy[Block]:
    """Blocks with unique labels and ids, and with needless sequences and empty parts."""
    return _shapes(max_leaves).map(_numbered)


def joined(items: Iterable[Block]) -> Block:
    """The items one after the other, with nothing that leaves no trace in the graph."""
    flat: list[Block] = []
    for item in items:
        flat += item.items if isinstance(item, Sequence) else [] if item == Empty() else [item]
    return Sequence(tuple(flat)) if len(flat) > 1 else flat[0] if flat else Empty()


def flattened(block: Block) -> Block:
    """The same graph as a block whose sequences hold at least two things, none of them a sequence."""
    match block:
        case Sequence(items):
            return joined(map(flattened, items))
        case Choice(split, merge, branches):
            return Choice(split, merge, tuple(map(flattened, branches)))
        case Parallel(split, merge, branches, some):
            return Parallel(split, merge, tuple(map(flattened, branches)), some)
        case Loop(start, end, body, redos):
            return Loop(start, end, flattened(body), tuple(map(flattened, redos)))
        case _:
            return block


def normalised(block: Block) -> Block:
    """The same process without parts that mean nothing: doubled or useless empty ones."""
    match block:
        case Sequence(items):
            return joined(map(normalised, items))
        case Choice(split, merge, branches):
            inner = [normalised(branch) for branch in branches]
            full = [branch for branch in inner if branch != Empty()]
            kept = (*full, Empty()) if len(full) < len(inner) else tuple(full)
            return Choice(split, merge, kept) if full else Empty()
        case Parallel(split, merge, branches, some):
            kept = tuple(b for b in map(normalised, branches) if b != Empty())
            return Parallel(split, merge, kept, some) if len(kept) > 1 else kept[0] if kept else Empty()
        case Loop(start, end, body, redos):
            body = normalised(body)
            return Loop(start, end, body, tuple(map(normalised, redos))) if body != Empty() else Empty()
        case _:
            return block


def _numbered(block: Block) -> Block:
    number = count(1)

    def visit(block: Block) -> Block:
        n = next(number)
        match block:
            case Leaf():
                return Leaf(f"t{n}", f"Task {n}")
            case Sequence(items):
                return Sequence(tuple(map(visit, items)))
            case Choice(_, _, branches):
                return Choice(f"xor{n}", f"xor{n}_end", tuple(map(visit, branches)))
            case Parallel(_, _, branches, some):
                kind = "or" if some else "and"
                return Parallel(f"{kind}{n}", f"{kind}{n}_end", tuple(map(visit, branches)), some)
            case Loop(_, _, body, redos):
                return Loop(f"loop{n}", f"loop{n}_end", visit(body), tuple(map(visit, redos)))
            case _:
                return block

    return visit(block)


def plain_metagraph(
    block: Block, weights: Mapping[str, tuple[float, ...]] | None = None, work_s: float = 60.0
) -> Metagraph:
    """The block with even weights (or those given by gateway), one agent and constant work."""
    shape = skeleton(block)
    work = DurationTable((DurationRow(Fitted(Constant(work_s), 1, "task")),))
    tasks = tuple(Task(node, label, work, ("q",)) for node, label in shape.tasks)
    routing = tuple(_routing(g, shape.flows, (weights or {}).get(g.id)) for g in shape.gateways if g.routes)
    return Metagraph(
        name="plain",
        nodes=(Start("start"), *tasks, *shape.gateways, End("end")),
        flows=shape.flows,
        routing=routing,
        agents=(Agent("ann", "always"),),
        queues=(Queue("q", ("ann",)),),
        calendars=(Calendar("always"),),
    )


def _routing(gateway: Gateway, flows: tuple, weights: tuple[float, ...] | None) -> Routing:  # type: ignore[type-arg]
    leaving = tuple(flow.id for flow in flows if flow.source == gateway.id)
    if gateway.kind == "or_split":
        subsets = (leaving, leaving[:1], ())
        return Routing(
            gateway.id, leaving, (Level(),), (RoutingRow(0, (), (0.5, 0.25, 0.25), 0),), subsets=subsets
        )
    even = weights or (1 / len(leaving),) * len(leaving)
    return Routing(gateway.id, leaving, (Level(),), (RoutingRow(0, (), even, 0),))


def laws() -> st.SearchStrategy[Distribution]:
    """Distributions of every kind, without negative values."""
    positive = st.one_of(
        st.builds(Constant, amounts),
        st.builds(Empirical, st.lists(amounts, min_size=2, max_size=9).map(lambda x: tuple(sorted(x)))),
        st.builds(
            Parametric,
            st.just("gamma"),
            st.tuples(st.floats(0.1, 50), st.just(0.0), st.floats(1e-3, 1e6)),
            st.none() | st.floats(1e8, 1e9),
        ),
    )
    return positive | st.builds(ZeroInflated, st.floats(0, 1), positive)


def fits() -> st.SearchStrategy[Fitted]:
    return st.builds(
        Fitted,
        laws(),
        st.integers(0, 10**12),
        labels,
        st.none() | st.floats(0, 1),
        st.none() | st.dictionaries(labels, finite, max_size=3),
        st.lists(finite, max_size=5).map(lambda x: tuple(sorted(x))),
        labels,
    )


@st.composite
def metagraphs(draw: st.DrawFn) -> Metagraph:
    """Metagraphs without a fault, with something in every field."""
    plain = plain_metagraph(draw(blocks(6, some=True)))
    agents = draw(st.lists(labels, min_size=1, max_size=3, unique=True))
    calendars = tuple(
        draw(calendar(name)) for name in draw(st.lists(labels, min_size=1, max_size=2, unique=True))
    )
    names = st.sampled_from([c.id for c in calendars])
    priority = draw(st.sampled_from(OWN_RULES))
    return replace(
        plain,
        name=draw(labels),
        nodes=tuple(draw(task(node, agents)) if isinstance(node, Task) else node for node in plain.nodes),
        routing=tuple(draw(contexts(routing)) for routing in plain.routing),
        agents=tuple(draw(agent(name, names)) for name in agents),
        queues=(
            Queue(
                "q",
                tuple(agents),
                draw(shares(len(agents))),
                priority,
                draw(st.sampled_from(["", "segment == 'gold' and value > 1000"])),
            ),
        ),
        calendars=calendars,
        paces=(Pace("office hours", draw(st.tuples(*[st.floats(0.1, 9)] * 3).map(lambda x: x * 56))),),
        arrivals=draw(st.none() | arrivals()),
        orders=draw(order_models(ruled=priority == "RULE")),
        closing=draw(
            st.none()
            | st.builds(ClosingFact, st.dictionaries(labels, st.floats(0, 1)), st.floats(0, 1), amounts)
        ),
        provenance=draw(st.none() | provenances()),
        overrides=tuple(draw(st.lists(st.builds(Override, labels, labels, labels, labels), max_size=2))),
        approvals=tuple(draw(st.lists(st.builds(Approval, labels, instants, labels), max_size=2))),
    )


def arrivals() -> st.SearchStrategy[Arrivals]:
    sds = st.floats(0, 2)
    return st.builds(
        Arrivals,
        st.tuples(*[amounts] * 3).map(lambda x: x * 56),
        level=st.none()
        | st.builds(
            ArrivalLevel,
            instants,
            st.floats(0.01, 10),
            st.floats(0, 0.99),
            sds,
            sds,
            sds,
            sds,
            st.floats(-1, 1),
        ),
        batches=st.just(()) | st.integers(1, 4).flatmap(shares),
    )


@st.composite
def agent(draw: st.DrawFn, name: str, calendars: st.SearchStrategy[str]) -> Agent:
    hired = draw(st.none() | instants)
    edges = draw(st.lists(st.integers(0, 9999), max_size=4, unique=True).map(sorted))
    times = [(hired or EPOCH) + timedelta(hours=h) for h in edges]
    # The last absence may be for good.
    ends = [*times[1::2], *([None] if len(times) % 2 else [])]
    absences = tuple(
        Absence(start, end, draw(st.booleans()), draw(labels))
        for start, end in zip(times[::2], ends, strict=True)
    )
    return Agent(
        name,
        draw(calendars),
        draw(labels),
        draw(st.integers(1, 9)),
        draw(st.sampled_from(["parallel", "shared"])),
        draw(amounts),
        hired=hired,
        absences=absences,
        breakdowns=draw(st.none() | st.builds(Breakdowns, st.just(OFTEN), fits())),
        presence=draw(st.floats(0.01, 1.0)),
        members=draw(st.sampled_from([(), (f"{name} 1", f"{name} 2")])),
    )


def shares(n: int) -> st.SearchStrategy[tuple[float, ...]]:
    """n non-negative numbers that sum to 1."""
    counts = st.lists(st.integers(0, 1000), min_size=n, max_size=n).filter(any)
    return counts.map(lambda found: tuple(k / sum(found) for k in found))


@st.composite
def task(draw: st.DrawFn, plain: Task, agents: list[str]) -> Task:
    rows = [DurationRow(draw(fits()))]
    if draw(st.booleans()):
        rows.append(
            DurationRow(draw(fits()), draw(labels), draw(st.none() | labels), draw(st.sampled_from(agents)))
        )
    batch = draw(st.none() | batches())
    return replace(
        plain,
        label=draw(labels),
        durations=DurationTable(tuple(rows)),
        queues=draw(st.sampled_from([(), ("q",)])),
        delay=draw(
            st.none()
            | st.builds(
                DelayTable,
                fits(),
                st.dictionaries(labels, fits(), max_size=2),
                st.sampled_from([None, "office hours"]),
            )
            | st.builds(DelayTable, fits(), since=st.just("release"), after=st.just({}))
        ),
        preemptible=draw(st.booleans()) and (batch is None or batch.kind == "sequential"),
        cost=draw(amounts),
        waits=draw(
            st.none()
            | st.builds(
                WaitBreakdown, st.integers(0, 99), *[finite] * 7, st.dictionaries(labels, finite, max_size=2)
            )
        ),
        eta_error=draw(st.none() | fits()) if batch is None else None,
        batch=batch,
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    kinds: tuple[BatchKind, ...] = ("sequential", "simultaneous")
    kind = draw(st.sampled_from(kinds))
    seconds = st.integers(0, 604799).map(float)
    times = tuple(sorted(draw(st.sets(seconds, max_size=3))))
    return Batch(
        kind,
        draw(st.none() | fits()),
        draw(amounts if not times else st.none() | amounts),
        times,
        draw(st.sampled_from(["UTC", "Europe/Vienna"])),
        draw(st.floats(0, 1)) if kind == "simultaneous" else 0.0,
        draw(st.integers(0, 99)),
        draw(st.integers(0, 99)),
        draw(labels),
    )


@st.composite
def contexts(draw: st.DrawFn, plain: Routing) -> Routing:
    levels = (Level(visit=True, rule=True, history=2), Level())
    texts = draw(st.lists(st.sampled_from(["amount > 5", "has(due_h) and cls != 'a'"]), max_size=2))
    rules = tuple(draw(st.builds(BusinessRule, st.just(t), st.integers(0, 99), st.booleans())) for t in texts)
    numbers = st.sampled_from(["", *(str(i + 1) for i in range(len(rules)))])
    keys = draw(
        st.lists(st.tuples(st.sampled_from("12345"), numbers, labels, labels), unique=True, max_size=3)
    )
    several = len(plain.outcomes())
    rows = [RoutingRow(0, key, draw(shares(several)), draw(st.integers(0, 99))) for key in keys]
    return replace(
        plain, levels=levels, rows=(*rows, RoutingRow(1, (), plain.rows[0].weights, 5)), rules=rules
    )


@st.composite
def calendar(draw: st.DrawFn, name: str) -> Calendar:
    edges = sorted(draw(st.lists(st.integers(0, 168), min_size=2, max_size=6, unique=True)))
    hours = tuple((a * 3600.0, b * 3600.0) for a, b in zip(edges[::2], edges[1::2], strict=False))
    start = draw(instants)
    absence = CalendarException(start, start + timedelta(hours=draw(st.integers(1, 99))), draw(st.booleans()))
    return Calendar(
        name,
        draw(st.sampled_from([hours, ALWAYS])),
        draw(st.sampled_from(["UTC", "Europe/Vienna", "Asia/Kathmandu"])),
        tuple(draw(st.lists(st.dates(date(1980, 1, 1), date(2100, 1, 1)), max_size=2))),
        draw(st.sampled_from([(), (absence,)])),
        draw(labels),
        draw(st.just(()) | drawn_weeks()),
    )


@st.composite
def drawn_weeks(draw: st.DrawFn) -> tuple[tuple[Shift, ...], ...]:
    """Up to three shifts a day, in one of which all hours lie."""
    whole = Shift(0.0, 86400.0, draw(st.floats(0.01, 0.25)))
    spans = st.tuples(st.integers(0, 23), st.integers(1, 24), st.floats(0, 0.25))
    return tuple(
        (whole, *(Shift(a * 3600.0, (a + n) * 3600.0, p) for a, n, p in draw(st.lists(spans, max_size=2))))
        for _ in range(7)
    )


@st.composite
def order_models(draw: st.DrawFn, *, ruled: bool) -> OrderModel:
    """`ruled`: queues go by the rule."""
    keys = draw(st.lists(st.tuples(labels, labels), max_size=3, unique=True))
    parts = draw(shares(len(keys))) if keys else ()
    maybe = st.none() | fits()
    classes = [
        OrderClass(
            cls,
            segment,
            share,
            draw(st.integers(0, 9)),
            draw(maybe),
            draw(fits()),
            None,
            *draw(st.tuples(maybe, maybe, st.none()) | st.tuples(st.none(), maybe, maybe)),
        )
        for (cls, segment), share in zip(keys, parts, strict=True)
    ]
    classes = [replace(c, sample=draw(st.none() | samples())) for c in classes]
    profit = draw(st.none() | st.builds(ProfitShape, finite, finite))
    priority = {segment: draw(amounts) for _, segment in keys}
    rule = draw(st.sampled_from(["value", "due_h - 2"] if ruled else ["", "value"]))
    columns = draw(st.dictionaries(labels, labels, max_size=2))
    groups = st.lists(st.builds(GroupRule, labels, st.dictionaries(labels, labels, max_size=2)), max_size=2)
    return OrderModel(
        tuple(classes), profit, columns, priority, rule, tuple(draw(groups)), tuple(draw(groups))
    )


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    names = draw(st.lists(labels, max_size=3, unique=True))
    weights = draw(st.lists(st.integers(0, 99), min_size=1, max_size=4).filter(any))
    maybe = st.none() | finite
    came = st.none() | st.floats(0, 604_799)
    days = st.just((None, None)) | st.tuples(st.integers(0, MOST_DAYS), st.floats(1, 86_400))
    return Sample(
        tuple(names),
        tuple(
            PastOrder(
                tuple(draw(labels) for _ in names),
                float(weight),
                *draw(st.tuples(maybe, maybe, maybe, came)),
                *draw(days),
            )
            for weight in weights
        ),
        draw(st.booleans()),
    )


def provenances() -> st.SearchStrategy[Provenance]:
    candidates = st.builds(
        Candidate, labels, st.dictionaries(labels, finite, max_size=2), st.booleans(), labels
    )
    decisions = st.builds(Decision, labels, st.lists(candidates, max_size=2).map(tuple), labels)
    counts = st.integers(0, 10**9)
    return st.builds(
        Provenance,
        log=labels,
        content_hash=labels,
        first_event=instants,
        until=instants,
        cases=counts,
        events=counts,
        open_cases=counts,
        seed=st.integers(),
        choices=st.lists(decisions, max_size=2).map(tuple),
        defaults=st.lists(st.builds(Default, labels, labels, labels), max_size=2).map(tuple),
        facts=st.dictionaries(labels, labels, max_size=2),
        libraries=st.dictionaries(labels, labels, max_size=2),
        cycle_s=st.none() | finite,
        record=st.none() | build_records(),
    )


def build_records() -> st.SearchStrategy[BuildRecord]:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | finite | labels,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(labels, inner, max_size=2),
        max_leaves=3,
    )
    told = st.dictionaries(labels, values, max_size=2)
    return st.builds(
        BuildRecord,
        recipe=told,
        settings=told,
        asked=told,
        noises=st.lists(finite, max_size=2).map(tuple),
        selected_on=labels,
        selected_until=instants,
        selection_seed=st.integers(),
        overrides=st.lists(told, max_size=2).map(tuple),
        window_since=st.none() | instants,
    )
