"""Each way a metagraph can be nonsense is told, all of them at once, and good ones pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from metagraph.agents import Absence, Agent, Breakdowns, Queue
from metagraph.batches import Batch
from metagraph.blocks import Choice, Leaf, Loop, Parallel, Sequence
from metagraph.calendars import WEEK_S, Calendar, CalendarException
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.errors import DataError
from metagraph.model import Approval, ClosingFact, Ending, Metagraph, Provenance
from metagraph.nodes import DelayTable, DurationRow, DurationTable, End, Flow, Start, Task
from metagraph.orders import ArrivalLevel, Arrivals, OrderClass, OrderModel, PastOrder, Sample
from metagraph.paces import Pace
from metagraph.routing import BusinessRule, Level, Routing, RoutingRow
from metagraph.validate import check, validate
from tests.metagraph.strategies import metagraphs, plain_metagraph

GOOD = plain_metagraph(
    Sequence(
        (
            Leaf("a", "A"),
            Choice("x", "x_end", (Leaf("b", "B"), Leaf("c", "C"))),
            Loop("l", "l_end", Leaf("d", "D"), (Leaf("e", "E"),)),
            Parallel("p", "p_end", (Leaf("f", "F"), Leaf("g", "G"))),
            Parallel("o", "o_end", (Leaf("h", "H"), Leaf("i", "I")), some=True),
        )
    )
)
NAN = float("nan")
Edit = Callable[[Metagraph], Metagraph]


def with_(**changes: Any) -> Edit:
    return lambda m: replace(m, **changes)


def task(**changes: Any) -> Edit:
    """Task a, changed."""
    return lambda m: replace(
        m, nodes=tuple(replace(n, **changes) if isinstance(n, Task) and n.id == "a" else n for n in m.nodes)
    )


def agent(**changes: Any) -> Edit:
    return with_(agents=(replace(GOOD.agents[0], **changes),))


def inclusive(subsets: tuple[tuple[str, ...], ...]) -> Edit:
    """The joint choice o, with two weights for these subsets."""
    rows = (RoutingRow(0, (), (0.5, 0.5), 0),)
    return lambda m: replace(
        m, routing=tuple(replace(r, subsets=subsets, rows=rows) if r.node == "o" else r for r in m.routing)
    )


def batch(**changes: Any) -> Edit:
    """Task a collects work."""
    plain = Batch("simultaneous", wait_s=3600.0)
    return task(preemptible=False, batch=replace(plain, **changes))


def law(law: Distribution) -> Edit:
    return task(durations=DurationTable((DurationRow(Fitted(law, 1, "task")),)))


def row(
    *changes: tuple[int, tuple[str, ...], tuple[float, ...]], levels: tuple[Level, ...] = (Level(),)
) -> Edit:
    """The routing of x, with these rows."""
    rows = tuple(RoutingRow(*change, n=1) for change in changes)
    return routing(levels=levels, rows=rows)


def routing(**changes: Any) -> Edit:
    return lambda m: replace(
        m, routing=tuple(replace(r, **changes) if r.node == "x" else r for r in m.routing)
    )


def weights_of(node: str, weights: tuple[float, ...]) -> Edit:
    return lambda m: replace(
        m,
        routing=tuple(
            replace(r, rows=(replace(r.rows[0], weights=weights),)) if r.node == node else r
            for r in m.routing
        ),
    )


def hours(*spans: tuple[float, float]) -> Edit:
    return with_(calendars=(Calendar("always", spans),))


def flows(*, without: str = "", plus: tuple[Flow, ...] = ()) -> Edit:
    return lambda m: replace(m, flows=tuple(f for f in m.flows if f.id != without) + plus)


def cls(**changes: Any) -> Edit:
    return with_(
        orders=OrderModel((OrderClass(**{"cls": "k", "segment": "", "share": 1.0, "n": 1, **changes}),))
    )


def past(**changes: Any) -> Edit:
    return cls(sample=Sample((), (PastOrder((), **changes),)))


def level(**changes: Any) -> Edit:
    return with_(arrivals=Arrivals(EVEN, level=ArrivalLevel(**{"since": WHEN, **changes})))


EVEN = (1.0,) * 168
FITTED_BELOW = Fitted(Constant(-1.0), 1, "task")
NAIVE = datetime(2024, 1, 1)  # noqa: DTZ001
WHEN = datetime(2024, 1, 1, tzinfo=UTC)
LATER = datetime(2024, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = DurationRow(Fitted(Constant(1.0), 1, "task"))

FAULTS: list[tuple[Edit, str]] = [
    (with_(schema_version=0), "schema_version: 0; expected 1"),
    (with_(agents=GOOD.agents * 2), 'agents: the id "ann" is used 2 times; ids must differ'),
    (lambda m: replace(m, nodes=(*m.nodes, m.nodes[1])), 'nodes: the id "a" is used 2 times'),
    (flows(plus=(Flow("f0", "x", "x_end"),)), 'flows: the id "f0" is used 2 times'),
    (lambda m: replace(m, nodes=(*m.nodes, Start("go"))), "nodes: 2 of kind start (start, go); exactly one"),
    (
        lambda m: replace(m, nodes=tuple(n for n in m.nodes if not isinstance(n, End))),
        "nodes: 0 of kind end (none)",
    ),
    (flows(plus=(Flow("z", "a", "nowhere"),)), 'flow z: "nowhere" is no node'),
    (flows(plus=(Flow("z", "", "a"),)), 'flow z: "" is no node'),
    (flows(plus=(Flow("z", "a", "b"),)), "task a: 2 outgoing flows; task has exactly 1"),
    (flows(plus=(Flow("z", "a", "start"),)), "start start: 1 incoming flows; start has exactly 0"),
    (flows(without="f1"), "gateway x: 0 incoming flows; xor_split has exactly 1"),
    (flows(without="f1"), "gateway x: it can't be reached from the start"),
    (flows(without="f1"), "task a: the end can't be reached from it"),
    (flows(without="f4"), "gateway x: 1 outgoing flows; xor_split has at least 2"),
    (flows(without="f5"), "gateway x_end: 1 incoming flows; xor_merge has at least 2"),
    (with_(routing=()), "gateway l_end: no routing; a loop_end needs weights"),
    (with_(routing=GOOD.routing * 2), "routing of x: given 2 times"),
    (routing(node="p"), 'routing of p: "p" is no gateway that chooses'),
    (routing(flows=("f2", "f99")), "routing of x, flows: f2, f99; the flows that leave it are f2, f4"),
    (row((0, (), (1.2, -0.2))), "weights [1.2, -0.2]; none may be negative"),
    (row((0, (), (0.5, 0.4))), "weights [0.5, 0.4] sum to 0.9; they must sum to 1"),
    (row((0, (), (0.5, 0.25, 0.25))), "row 0 (context []): 3 weights for 2 flows"),
    (
        row((0, ("A",), (0.5, 0.5)), levels=(Level(history=1), Level())),
        "routing of x, rows: no row without context",
    ),
    (
        row((0, (), (0.5, 0.5)), levels=(Level(history=1),)),
        "levels: the last level must be the one without context",
    ),
    (
        row((0, (), (0.5, 0.5)), levels=(Level(), Level())),
        "level 0: a level without context; only the last one is",
    ),
    (row((0, (), (0.5, 0.5)), levels=(Level(history=-1), Level())), "level 0: history -1"),
    (row((1, (), (0.5, 0.5))), "row 0 (context []): level 1 doesn't exist; there are 1"),
    (
        row((0, (), (0.5, 0.5)), (0, ("A",), (0.5, 0.5))),
        "row 1 (context ['A']): 1 parts of context; level 0 has 0",
    ),
    (routing(subsets=(("f2",), ())), "routing of x, subsets: only an or_split has them"),
    (inclusive(()), "routing of o, subsets: none; an or_split needs those that can be taken together"),
    (inclusive((("f17",), ("f17",))), "routing of o, subsets: f17 is given 2 times"),
    (inclusive((("f17", "f17"), ())), "routing of o, subset 0: a flow comes twice"),
    (inclusive((("f17", "f1"), ())), 'routing of o, subset 0: "f1" is no flow of this routing'),
    (inclusive((("f17",), ("f19",), ())), "row 0 (context []): 2 weights for 3 subsets"),
    (routing(rules=(BusinessRule("amount >"),)), "routing of x, rule 1: position 1:"),
    (
        routing(rules=(BusinessRule("amount > 5", -1),)),
        "routing of x, rule 1: n = -1; a count can't be negative",
    ),
    (routing(rules=(BusinessRule("amount > 5"),) * 256), "routing of x, rules: 256 of them; at most 255"),
    (
        row((0, ("2",), (0.5, 0.5)), (1, (), (0.5, 0.5)), levels=(Level(rule=True), Level())),
        "routing of x, context ['2']: \"2\" is no rule; expected the number of one, from 1 to 0",
    ),
    (row((0, (), (0.5, 0.5)), (0, (), (0.1, 0.9))), "routing of x, level 0, context []: given 2 times"),
    (row((0, (), (NAN, 1.0))), 'routing, "x", rows, item 0, weights, item 0: nan is no finite number'),
    (weights_of("l_end", (1.0, 0.0)), "gateway l_end: its weights never let an order leave towards the end"),
    (with_(agents=(Agent("ann", "nights"),)), 'agent ann, calendar: "nights" is no calendar'),
    (
        with_(agents=(Agent("ann", "always", capacity=0),)),
        "agent ann, capacity: 0; an agent works on at least 1",
    ),
    (with_(agents=(Agent("ann", "always", cost_per_h=-1),)), "agent ann, cost_per_h: -1 is negative"),
    (with_(queues=(Queue("q", ()),)), "queue q, agents: none; work in it would wait for ever"),
    (with_(queues=(Queue("q", ("bob",)),)), 'queue q, agents: "bob" is no agent'),
    (with_(queues=(Queue("q", ("ann", "ann")),)), 'queue q, agents: "ann" is listed 2 times'),
    (with_(queues=(Queue("q", ("ann",), (0.5, 0.5)),)), "queue q, weights: 2 weights for 1 agents"),
    (with_(queues=(Queue("q", ("ann",), (0.5,)),)), "queue q: weights [0.5] sum to 0.5"),
    (
        with_(queues=(Queue("q", ("ann",), priority="LILO"),)),
        'queue q, priority: "LILO"; expected one of FIFO, ',
    ),
    (
        with_(queues=(Queue("q", ("ann",), priority="RANK"),)),
        "queue q, priority: RANK belongs to policies; expected one of FIFO, LIFO, HP, SDD, SERPT, ",
    ),
    (
        with_(queues=(Queue("q", ("ann",), priority="RULE"),)),
        "queue q, priority: RULE, but no rule is given: say in 'orders', 'rule' what goes first",
    ),
    (with_(orders=OrderModel(rule="value >")), """orders, rule, position 1: "value >" can't be read"""),
    (
        with_(queues=(Queue("q", ("ann",), only="segment = 'gold'"),)),
        """queue q, only, position 9: "segment = 'gold'" can't be read""",
    ),
    (agent(hired=NAIVE), "agent ann, hired: 2024-01-01T00:00:00 has no time zone"),
    (agent(absences=(Absence(NAIVE),)), "agent ann, absences, item 0: 2024-01-01T00:00:00 has no time zone"),
    (agent(absences=(Absence(WHEN, NAIVE),)), "agent ann, absences, item 0: 2024-01-01T00:00:00 has no"),
    (
        agent(absences=(Absence(WHEN, WHEN),)),
        "agent ann, absences, item 0: 2024-01-01 00:00:00+00:00 to 2024-",
    ),
    (
        agent(absences=(Absence(WHEN), Absence(LATER))),
        "agent ann, absences, item 1: it follows an absence for good",
    ),
    (
        agent(absences=(Absence(WHEN, LATER + HOUR), Absence(LATER))),
        "item 1: it begins at 2024-01-02 00:00:00+00:00, before the one before it ends at 2024-01-02 01:00",
    ),
    (
        agent(hired=LATER, absences=(Absence(WHEN, LATER),)),
        "item 0: it begins at 2024-01-01 00:00:00+00:00, before",
    ),
    (
        agent(breakdowns=Breakdowns(FITTED_BELOW, ALL.fitted)),
        "agent ann, breakdowns, between, law: the constant -1.0 is negative",
    ),
    (
        agent(breakdowns=Breakdowns(ALL.fitted, FITTED_BELOW)),
        "agent ann, breakdowns, repair, law: the constant -1.0 is negative",
    ),
    (
        agent(breakdowns=Breakdowns(Fitted(Constant(0.0), 1, "human"), ALL.fitted)),
        "agent ann, breakdowns, between: always 0; the agent would never work",
    ),
    (task(eta_error=Fitted(Constant(1.0), -1, "human")), "task a, eta_error, n: -1 observations"),
    (
        task(eta_error=Fitted(Parametric("norm", (0.0, 60.0)), 1, "human")),
        "task a, eta_error, law: norm reaches below 0, where a family counts as 0; use an empirical law",
    ),
    (task(queues=("r",)), 'task a, queues: "r" is no queue'),
    (task(queues=("q", "q")), 'task a, queues: "q" is listed 2 times'),
    (task(label=""), "task a, label: empty"),
    (task(cost=-1.0), "task a, cost: -1.0 is negative"),
    (task(durations=DurationTable(())), "task a, durations: no row that matches all orders and agents"),
    (
        task(durations=DurationTable((ALL, ALL))),
        "task a, durations: 2 rows for all orders and agents; expected one",
    ),
    (
        task(durations=DurationTable((ALL, replace(ALL, agent="bob")))),
        'task a, durations, row 1, agent: "bob" is no',
    ),
    (
        task(delay=DelayTable(ALL.fitted, {"B": FITTED_BELOW})),
        'task a, delay after "B", law: the constant -1.0 is',
    ),
    (law(Constant(-1.0)), "task a, durations, row 0, law: the constant -1.0 is negative"),
    (law(Constant(NAN)), 'nodes, "a", durations, rows, item 0, fitted, law, value: nan is no finite number'),
    (law(Empirical((1.0,))), "law, quantiles: 1 given; at least two are needed"),
    (law(Empirical((1.0, 3.0, 2.0))), "law, quantiles: 2.0 follows 3.0; quantiles must ascend"),
    (law(Empirical((-1.0, 3.0))), "law, quantiles: the first is -1.0; none may be negative"),
    (
        law(Parametric("gama", (1.0, 0.0, 1.0))),
        'law, family: "gama" is no continuous distribution of scipy.stats',
    ),
    (law(Parametric("poisson", (1.0, 0.0))), 'law, family: "poisson" is no continuous distribution'),
    (law(Parametric("gamma", (0.0, 1.0))), "law, params: 2 given; gamma takes 3: a, loc, scale"),
    (law(Parametric("gamma", (1.0, 0.0, 0.0))), "law, params: the scale (the last one) is 0.0"),
    (law(Parametric("gamma", (-1.0, 0.0, 1.0))), "law, params: gamma isn't defined for [-1.0, 0.0, 1.0]"),
    (law(Parametric("gamma", (1.0, 0.0, 1.0), 0.0)), "law, upper: gamma has no values below 0.0"),
    (law(ZeroInflated(1.1, Constant(1.0))), "law, p_zero: 1.1 is no probability"),
    (law(ZeroInflated(0.1, Constant(-1.0))), "law, positive: the constant -1.0 is negative"),
    (hours(), "calendar always, hours: none; whoever has it would never work"),
    (hours((5.0, 3.0)), "calendar always, hours: 5.0 to 3.0 seconds ends before it begins"),
    (hours((0.0, 5.0), (3.0, 9.0)), "hours: 3.0 to 9.0 seconds overlaps the interval before"),
    (hours((0.0, WEEK_S + 1)), "hours: 0.0 to 604801.0 seconds lies outside the week"),
    (
        with_(calendars=(Calendar("always", time_zone="Mars"),)),
        'calendar always, time_zone: "Mars" is no time zone',
    ),
    (with_(calendars=(Calendar("always", time_zone="/etc"),)), '"/etc" is no time zone'),
    (
        with_(calendars=(Calendar("always", exceptions=(CalendarException(WHEN, WHEN, True),)),)),
        "calendar always, exceptions: 2024-01-01 00:00:00+00:00 to 2024-01-01 00:00:00+00:00 ends before",
    ),
    (
        with_(calendars=(Calendar("always", exceptions=(CalendarException(NAIVE, WHEN, True),)),)),
        "calendar always, exceptions: 2024-01-01T00:00:00 has no time zone",
    ),
    (with_(arrivals=Arrivals((1.0,) * 167)), "arrivals, rates_per_h: 167 rates; expected 168"),
    (with_(arrivals=Arrivals((1.0,) * 167 + (-1.0,))), "arrivals, rates_per_h, hour 167: -1.0 is negative"),
    (with_(arrivals=Arrivals((1.0,) * 168, dispersion=-0.5)), "arrivals, dispersion: -0.5 is negative"),
    (with_(arrivals=Arrivals(EVEN, batches=(0.5, 0.4))), "arrivals, batches: shares [0.5, 0.4] sum to 0.9"),
    (level(memory=1.0), "arrivals, level, memory: 1.0; expected 0 or more and less than 1"),
    (level(settles=0.0), "arrivals, level, settles: 0.0 is no level; expected more than 0"),
    (level(since=NAIVE), "arrivals, level, since: 2024-01-01T00:00:00 has no time zone"),
    (level(week_sd=-0.1), "arrivals, level, week_sd: -0.1 is negative"),
    (cls(share=0.5), "orders, classes: shares [0.5] sum to 0.5; they must sum to 1"),
    (
        cls(due_after=FITTED_BELOW),
        'orders, class "k" in segment "", due_after, law: the constant -1.0 is negative',
    ),
    (cls(due_after=ALL.fitted, due_working_days=3), "both due_after and due_working_days"),
    (
        cls(patience=ALL.fitted, grace=ALL.fitted, due_after=ALL.fitted),
        "both patience and grace; only one can",
    ),
    (cls(grace=ALL.fitted), 'in segment "", grace: it counts from the due date, and there is none'),
    (cls(early_after=FITTED_BELOW), 'in segment "", early_after, law: the constant -1.0 is negative'),
    (cls(grace=FITTED_BELOW, due_working_days=1), 'in segment "", grace, law: the constant -1.0 is negative'),
    (past(came_s=604_800.0), "row 0: came_s 604800.0; expected 0 to below 604800"),
    (past(due_days=3), "row 0: only one of due_days and due_at_s; expected both or none"),
    (past(due_days=-1, due_at_s=60.0), "row 0: due_days -1; expected 0 to 36525"),
    (past(due_days=1, due_at_s=0.0), "row 0: due_at_s 0.0; expected above 0 up to 86400"),
    (
        with_(orders=OrderModel(segment_priority={"gold": -1.0})),
        'orders, segment_priority, "gold": -1.0 is negative; expected 0 or more',
    ),
    (
        with_(orders=OrderModel((OrderClass("", "silver", 1.0, 1),), segment_priority={"gold": 1.0})),
        'orders, segment_priority, "gold": no order class has this segment; there are "silver"',
    ),
    (with_(closing=ClosingFact({"B": 1.5}, 0.5, 1.0)), 'closing, end_activities, "B": 1.5 is no share'),
    (with_(closing=ClosingFact({}, 0.5, -1.0)), "closing, idle_s: -1.0 is negative"),
    (
        with_(closing=ClosingFact({}, 0.5, 1.0, {"B": -2.0})),
        'closing, idle_after_s, "B": -2.0 is negative',
    ),
    (
        with_(closing=ClosingFact({}, 0.5, 1.0, {}, (Ending(("A", "B"), 3.0),))),
        'closing, endings, "A" > "B": 3.0 is no share',
    ),
    (batch(wait_s=None), "task a, batch: without wait_s or times an order could wait in it for ever"),
    (batch(wait_s=-1.0), "task a, batch, wait_s: -1.0 is negative"),
    (batch(size=FITTED_BELOW), "task a, batch, size, law: the constant -1.0 is negative"),
    (batch(times=(8.5,)), "task a, batch, times: 8.5; expected whole seconds since Monday 00:00"),
    (batch(times=(604800.0,)), "task a, batch, times: 604800.0; expected whole seconds"),
    (batch(times=(9.0, 8.0)), "task a, batch, times: they don't ascend"),
    (batch(time_zone="Mars"), 'task a, batch, time_zone: "Mars" is no time zone'),
    (batch(per_item=1.5), "task a, batch, per_item: 1.5; expected 0 to 1"),
    (batch(kind="sequential", per_item=0.5), "only simultaneous batches have it"),
    (batch(batches=-1), "task a, batch, batches: -1 is negative"),
    (task(batch=Batch("simultaneous", wait_s=1.0), preemptible=True), "can't be preemptible; forbid one"),
    (
        task(batch=Batch("sequential", wait_s=1.0), eta_error=Fitted(Constant(0.0))),
        "ends of work that is collected can't be announced",
    ),
    (
        task(delay=DelayTable(Fitted(Constant(9.0)), {}, "p", "release")),
        'task a, delay, pace: "p", but a delay since the release runs by the wall clock',
    ),
    (with_(paces=(Pace("p", (1.0,)),)), "pace p, rates: 1 rates; expected 168"),
    (with_(paces=(Pace("p", (0.0,) * 168),)), "pace p, rates: no rate is above 0"),
    (with_(paces=(Pace("p", (1.0,) * 167 + (-1.0,)),)), "pace p, rates, hour 167: -1.0 is negative"),
    (with_(approvals=(Approval("eve", NAIVE),)), "approval of eve: 2024-01-01T00:00:00 has no time zone"),
    (with_(provenance=Provenance("l", "h", WHEN, WHEN, -1, 0, 0, 0)), "provenance, cases: -1 is negative"),
]


@pytest.mark.parametrize(("edit", "told"), FAULTS, ids=[told[:60] for _, told in FAULTS])
def test_nonsense_is_told(edit: Edit, told: str) -> None:
    found = [str(fault) for fault in validate(edit(GOOD))]
    assert any(told in fault for fault in found), found


def test_all_faults_are_told_at_once() -> None:
    edits = [
        law(Constant(-1.0)),
        with_(queues=(Queue("q", ()),)),
        weights_of("x", (0.5, 0.6)),
        cls(share=0.5),
    ]
    bad = GOOD
    for edit in edits:
        bad = edit(bad)
    assert len(validate(bad)) == 4
    with pytest.raises(DataError, match=r"twin\.json can't be used; mend these 4 faults:") as caught:
        check(bad, "twin.json")
    assert caught.value.exit_code == 3


def test_a_branch_that_is_never_taken_is_no_fault() -> None:
    assert validate(weights_of("x", (1.0, 0.0))(GOOD)) == ()


def test_a_routing_that_is_not_the_gateways_is_told_once() -> None:
    bad = replace(
        GOOD, routing=(*GOOD.routing, Routing("a", ("f1",), (Level(),), (RoutingRow(0, (), (1.0,), 0),)))
    )
    assert [str(fault) for fault in validate(bad)] == [
        'routing of a: "a" is no gateway that chooses (xor_split, or_split or loop_end)'
    ]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(metagraphs())
def test_metagraphs_that_make_sense_have_no_faults(metagraph: Metagraph) -> None:
    assert validate(metagraph) == ()


def test_an_eta_may_be_missed_on_both_sides() -> None:
    early = Fitted(Empirical((-60.0, 0.0, 90.0)), 1, "human")
    assert validate(task(eta_error=early)(GOOD)) == ()


def test_absences_that_follow_each_other_are_no_fault() -> None:
    found = (Absence(WHEN, LATER), Absence(LATER, LATER + HOUR), Absence(LATER + 2 * HOUR))
    assert validate(agent(hired=WHEN, absences=found)(GOOD)) == ()
