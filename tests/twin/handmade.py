"""A small twin, validation, forecast and quote made by hand, for pictures, reports and pages."""

from datetime import UTC, datetime, timedelta

import numpy as np

from metagraph.agents import Agent, Queue
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.model import (
    Approval,
    Candidate,
    Choice,
    ClosingFact,
    Default,
    Metagraph,
    Override,
    Provenance,
)
from metagraph.nodes import (
    DelayTable,
    DurationRow,
    DurationTable,
    End,
    Flow,
    Gateway,
    Node,
    Start,
    Task,
    WaitBreakdown,
)
from metagraph.orders import Arrivals
from metagraph.routing import Level, Routing, RoutingRow
from twin.outlook import LEVELS, AgentLoad, Driver, Forecast, OrderOutlook, Quote, SystemOutlook, TaskOutlook
from twin.validation import METRICS, AgentCheck, TaskCheck, Validation

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
OFFICE = tuple((d * 86400.0 + 9 * 3600, d * 86400.0 + 17 * 3600) for d in range(5))
EVIL = "Check *credit* <b>now</b> & <script>alert(1)</script>"
"""An activity's name that must never reach a page as markup."""


def fitted(law: Parametric | ZeroInflated | Constant | Empirical, n: int = 400) -> Fitted:
    observed = tuple(float(q) for q in np.sort(law.ppf(np.linspace(0.001, 0.999, 101))))
    return Fitted(law, n, "task", 0.04, {"lognorm": 0.04, "gamma": 0.07}, observed)


def task(node: str, label: str, minutes: float, queue: str) -> Task:
    law = Parametric("lognorm", (0.6, 0.0, minutes * 60.0), upper=minutes * 600.0)
    waits = WaitBreakdown(
        400, 1800.0, 3600.0, 600.0, 900.0, 0.0, minutes * 60.0, 0.0, {EVIL: 3000.0, "Ship": 1500.0}
    )
    return Task(node, label, DurationTable((DurationRow(fitted(law)),)), (queue,), waits=waits)


def twin() -> Metagraph:
    """Create Order, then a loop around Credit Check with a rework, then Ship and Invoice in parallel."""
    delay = DelayTable(fitted(ZeroInflated(0.3, Parametric("expon", (0.0, 7200.0)))), {})
    law = fitted(Empirical((60.0, 300.0, 900.0, 4000.0)), 12)
    nodes: tuple[Node, ...] = (
        Start("start"),
        End("end"),
        task("t1", "Create Order", 12, "q1"),
        Task("t2", EVIL, DurationTable((DurationRow(law),)), ("q1",), delay),
        task("t3", "Correct Order", 30, "q1"),
        task("t4", "Ship", 240, "q2"),
        task("t5", "Invoice", 8, "q2"),
        Gateway("l1", "loop_start"),
        Gateway("l2", "loop_end"),
        Gateway("a1", "and_split"),
        Gateway("a2", "and_merge"),
    )
    arrows = (
        *(("start", "t1"), ("t1", "l1"), ("l1", "t2"), ("t2", "l2"), ("l2", "t3"), ("t3", "l1")),
        *(("l2", "a1"), ("a1", "t4"), ("a1", "t5"), ("t4", "a2"), ("t5", "a2"), ("a2", "end")),
    )
    return Metagraph(
        name="order-to-cash",
        nodes=nodes,
        flows=tuple(Flow(f"f{i}", a, b) for i, (a, b) in enumerate(arrows)),
        routing=(
            Routing(
                *("l2", ("f4", "f6"), (Level(history=1), Level())),
                (RoutingRow(0, ("Correct Order",), (0.05, 0.95), 48), RoutingRow(1, (), (0.12, 0.88), 400)),
            ),
        ),
        agents=(Agent("Ann", "office", "clerk"), Agent("Bob", "office", "clerk"), Agent("Robot", "always")),
        queues=(Queue("q1", ("Ann", "Bob")), Queue("q2", ("Robot",))),
        calendars=(Calendar("office", OFFICE, "Europe/Berlin", note="from stamps"), Calendar("always")),
        arrivals=Arrivals(tuple(2.0 if 9 <= h % 24 < 17 and h < 120 else 0.1 for h in range(168)), n=400),
        closing=ClosingFact({"Ship": 0.7, "Invoice": 0.3}, 0.5, 5 * 86400.0),
        provenance=provenance(),
        overrides=(Override("Ship", "duration", "4 h", "the log says 5.1 h over 400 executions"),),
        approvals=(Approval("Dora", MONDAY + timedelta(days=90)),),
    )


def provenance() -> Provenance:
    candidates = (
        Candidate("noise 0.2, history 2", {"NGD": 0.12, "CTDD": 3.4}, True),
        Candidate("noise 0.0", {"NGD": 0.21, "CTDD": 5.0}, False, "too many loops"),
    )
    return Provenance(
        *("orders.csv", "c0ffee" * 8, MONDAY, MONDAY + timedelta(days=80), 400, 2400, 17, 0),
        choices=(Choice("structure", candidates, "lowest sum of ranks"),),
        defaults=(Default("Invoice", "a resource in 40 % of rows", "the agents seen elsewhere"),),
        facts={"fitness": "98 % of cases replayed without a deviation", "time zone": "UTC, not stated"},
        libraries={"pm4py": "2.7"},
        cycle_s=10 * 3600.0,
    )


def validation(*, ours: float = 1.0) -> Validation:
    """`ours` scales the twin's distances; the last period copied scores 1.5."""
    spread = (0.9, 1.0, 1.1)
    return Validation(
        *("orders_test.csv", 100, 600, 3),
        {m: tuple(ours * s for s in spread) for m in METRICS},
        {
            "last period copied": dict.fromkeys(METRICS, (1.5,)),
            "training cases resampled": {m: tuple(0.8 * s for s in spread) for m in METRICS},
        },
        (TaskCheck(EVIL, 1.1, 1.12, 900.0, 880.0, 4000.0, 4400.0),),
        (AgentCheck("Ann", 0.5, 0.48), AgentCheck("Bob", 0.5, 0.52)),
    )


def forecast(orders: int = 8) -> Forecast:
    now = MONDAY + timedelta(days=80, hours=11)
    horizons = (24.0, 72.0)
    system = tuple(
        SystemOutlook(h, m, tuple(base + h / 24 * 3 * level for level in LEVELS))
        for m, base in (("wip", orders), ("completions", 0), ("arrivals", 0))
        for h in horizons
    )
    made = tuple(order(f"SO-{1000 + i}", now, i) for i in range(orders))
    loads = (AgentLoad("Ann", (2.0, 3.5, 6.0)), AgentLoad("Robot", (8.0, 12.0, 20.0)))
    return Forecast(now, 200, "the model's closing rule", made, system, loads, ("SO-1003 did not fit",))


def order(case: str, now: datetime, i: int) -> OrderOutlook:
    hours = (4 + i, 6 + i, 9 + 1.5 * i)
    start = tuple(now + timedelta(hours=h / 2) for h in hours)
    end = tuple(now + timedelta(hours=h) for h in hours)
    tasks = (
        TaskOutlook("Create Order", 1.0, True, (now - timedelta(hours=1),) * 3, (start[0],) * 3),
        TaskOutlook(EVIL, 0.9, False, (start[0], start[1], start[2]), (end[0], end[1], end[2])),
    )
    quantiles = tuple(now + timedelta(hours=(4 + i) + level * (5 + i)) for level in LEVELS)
    due = now + timedelta(hours=8) if i % 2 else None
    return OrderOutlook(case, "Create Order running since 10:00", quantiles, tasks, due, 0.4 if due else None)


def quote() -> Quote:
    at = MONDAY + timedelta(days=81)
    dates = {level: at + timedelta(days=days) for level, days in (("50", 2), ("80", 3), ("95", 6))}
    drivers = (Driver("Ship", 5.0, 4.0, 0.5, 0.2), Driver(EVIL, 2.0, 0.5, 0.4, 0.1))
    return Quote(at, "", "standard", 200, dates, drivers, {"50": 50.0, "80": 70.0, "95": 140.0})
