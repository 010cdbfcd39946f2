"""What the analyst sets holds, is marked, and is held against the data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.calibrate import calibrate
from calibration.overrides import (
    Drop,
    OverrideSpec,
    Rename,
    SetAgents,
    SetDuration,
    SetHours,
    SetPreemptible,
    SetRouting,
    apply_overrides,
)
from calibration.scaling import scaled
from calibration.settings import Settings
from metagraph.batches import Batch
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.calendars import CalendarException
from metagraph.distributions import Constant, Distribution, Empirical, Parametric, ZeroInflated
from metagraph.errors import DataError
from metagraph.json_io import from_json, to_json
from metagraph.model import ClosingFact, Metagraph
from metagraph.nodes import Task
from metagraph.routing import Context
from metagraph.shifts import Shift
from metagraph.validate import validate
from tests.calibration.builders import DAY, HOUR, Row, known, snapshot

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)
BLOCK = Sequence(
    (
        Leaf("take", "Take"),
        Choice("x", "x_end", (Leaf("check", "Check"), Leaf("call", "Call"), Empty())),
        Loop("l", "l_end", Leaf("pack", "Pack"), (Leaf("fix", "Fix"),)),
        Parallel("p", "p_end", (Leaf("ship", "Ship"), Leaf("bill", "Bill"))),
    )
)
TRACES = (
    ["Take Check Pack Ship Bill"] * 30
    + ["Take Call Pack Fix Pack Bill Ship"] * 30
    + ["Take Pack Ship Bill"] * 40
)


@pytest.fixture(scope="module")
def twin() -> Metagraph:
    """Check takes 31 min; ann does three quarters of everything, bob the rest."""
    rows: list[Row] = []
    for i, trace in enumerate(TRACES):
        for k, activity in enumerate(trace.split()):
            t = i * DAY + k * HOUR
            rows.append((str(i), activity, "bob" if i % 4 == 0 else "ann", t, t + 31 * 60))
    made = known(snapshot(rows), BLOCK)
    settings = Settings(fast=True, use_calendars=False)
    return calibrate(made.snapshot, made.skeleton, made.replayed, settings, name="t", seed=0)


def task(graph: Metagraph, label: str) -> Task:
    return next(t for t in graph.tasks() if t.label == label)


def after(*history: str) -> Context:
    return Context("", "", 1, history)


def test_the_made_twin_is_valid(twin: Metagraph) -> None:
    assert validate(twin) == ()


def test_a_constant_duration_contradicts_what_was_seen(twin: Metagraph) -> None:
    graph = apply_overrides(twin, [SetDuration("Check", law=Constant(600.0))])
    assert task(graph, "Check").durations.default.law == Constant(600.0)
    assert task(graph, "Check").durations.default.level == "human"
    (note,) = graph.overrides
    assert (note.target, note.field, note.value) == ("activity Check", "duration", "constant 10 min")
    assert note.contradiction == "the log's mean is 31 min over n = 30, not 10 min"


def test_a_mean_scales_every_law(twin: Metagraph) -> None:
    graph = apply_overrides(twin, [SetDuration("Check", mean_s=1900.0)])
    assert task(graph, "Check").durations.default.law.mean() == pytest.approx(1900)
    assert graph.overrides[0].contradiction == "", "32 minutes are not far from 31"


@pytest.mark.parametrize(
    "law",
    [
        Constant(60.0),
        Empirical((10.0, 20.0, 90.0)),
        Parametric("gamma", (2.0, 5.0, 30.0), upper=300.0),
        Parametric("lognorm", (0.5, 0.0, 40.0)),
        ZeroInflated(0.25, Parametric("expon", (0.0, 40.0))),
    ],
)
def test_a_scaled_law_is_the_law_of_the_scaled_value(law: Distribution) -> None:
    u = np.linspace(0.01, 0.99, 25)
    assert scaled(law, 2.5).ppf(u) == pytest.approx(2.5 * law.ppf(u))
    assert scaled(law, 2.5).mean() == pytest.approx(2.5 * law.mean(), rel=1e-6)


def test_a_family_with_its_parameters(twin: Metagraph) -> None:
    law = Parametric("gamma", (2.0, 0.0, 930.0))
    graph = apply_overrides(twin, [SetDuration("Check", law=law)])
    assert task(graph, "Check").durations.default.law == law
    assert validate(graph) == ()


def test_eligible_agents(twin: Metagraph) -> None:
    graph = apply_overrides(twin, [SetAgents("Pack", ("bob",))])
    (queue,) = [q for q in graph.queues if q.id in task(graph, "Pack").queues]
    assert (queue.agents, queue.weights) == (("bob",), (1.0,))
    assert graph.overrides[0].contradiction == "75% of it was done by others in the log, most by ann"
    assert validate(graph) == ()


def test_hours_of_an_agent(twin: Metagraph) -> None:
    office = tuple((d * DAY + 9 * HOUR, d * DAY + 17 * HOUR) for d in range(5))
    graph = apply_overrides(twin, [SetHours("ann", office)])
    ann = next(a for a in graph.agents if a.id == "ann")
    assert next(c for c in graph.calendars if c.id == ann.calendar).hours == office
    assert next(a for a in graph.agents if a.id == "bob").calendar != ann.calendar
    shorter = apply_overrides(graph, [SetHours("ann", office[:4])])
    assert "8.0 hours of the week" in shorter.overrides[1].contradiction
    assert validate(shorter) == ()


def test_other_agents_keep_the_order_of_work(twin: Metagraph) -> None:
    ruled = replace(twin, queues=tuple(replace(queue, priority="SERPT") for queue in twin.queues))
    graph = apply_overrides(ruled, [SetAgents("Pack", ("bob",))])
    assert [q.priority for q in graph.queues if q.id in task(graph, "Pack").queues] == ["SERPT"]


def test_hours_by_hand_leave_holidays_and_draw_no_days(twin: Metagraph) -> None:
    """A calendar of drawn days says how often somebody comes; hours by hand say when."""
    free, extra = (date(2026, 12, 25),), (CalendarException(AT, AT + timedelta(hours=2), working=True),)
    drawn = ((Shift(8 * HOUR, 12 * HOUR, 0.5),),) * 5 + ((), ())
    known = replace(
        twin,
        calendars=tuple(replace(c, holidays=free, exceptions=extra, shifts=drawn) for c in twin.calendars),
        agents=tuple(replace(agent, presence=0.4) for agent in twin.agents),
    )
    graph = apply_overrides(known, [SetHours("ann", ((9 * HOUR, 17 * HOUR),))])
    ann, bob = (next(a for a in graph.agents if a.id == who) for who in ("ann", "bob"))
    hers = next(c for c in graph.calendars if c.id == ann.calendar)
    assert (hers.holidays, hers.exceptions, hers.shifts, ann.presence) == (free, extra, (), 1.0)
    assert bob.presence == 0.4
    assert validate(graph) == ()


def test_routing_by_what_a_branch_leads_to(twin: Metagraph) -> None:
    graph = apply_overrides(twin, [SetRouting("x", (("Check", 0.6),))])
    routing = next(r for r in graph.routing if r.node == "x")
    assert routing.weights(after("Take")) == pytest.approx((0.6, 0.4 * 3 / 7, 0.4 * 4 / 7))
    assert graph.overrides[0].contradiction == "Check was taken in 30% of n = 100 decisions"
    everything = [SetRouting("x", (("Check", 0.3), ("call", 0.3), ("x_end", 0.4)))]
    assert apply_overrides(twin, everything).overrides[0].contradiction == ""


def test_what_may_be_interrupted_isn_t_done_together(twin: Metagraph) -> None:
    """Both can't be; what a person says wins."""
    pack = task(twin, "Pack")
    together = replace(pack, preemptible=False, batch=Batch("simultaneous", wait_s=60.0))
    collected = replace(twin, nodes=tuple(together if n is pack else n for n in twin.nodes))
    graph = apply_overrides(collected, (SetPreemptible("Pack", True),))
    assert task(graph, "Pack").batch is None
    assert task(apply_overrides(collected, ()), "Pack").batch == together.batch
    assert task(apply_overrides(collected, (SetPreemptible("Pack", False),)), "Pack").batch == together.batch
    turns = replace(together, batch=Batch("sequential", wait_s=60.0))
    by_turns = replace(twin, nodes=tuple(turns if n is pack else n for n in twin.nodes))
    assert task(apply_overrides(by_turns, (SetPreemptible("Pack", True),)), "Pack").batch == turns.batch


def test_preemptible(twin: Metagraph) -> None:
    graph = apply_overrides(twin, [SetPreemptible("Pack", True)])
    assert task(graph, "Pack").preemptible
    assert not task(graph, "Ship").preemptible


def test_a_renamed_activity_is_renamed_wherever_it_is_remembered(twin: Metagraph) -> None:
    twin = replace(twin, closing=ClosingFact({"Bill": 0.6, "Ship": 0.4}, 0.5, DAY))
    routing = next(r for r in twin.routing if r.node == "l_end")
    assert routing.weights(after("Take", "Call", "Pack")) == (1.0, 0.0)
    graph = apply_overrides(twin, [Rename("Call", "Ring"), Rename("Bill", "Invoice")])
    routing = next(r for r in graph.routing if r.node == "l_end")
    assert routing.weights(after("Take", "Ring", "Pack")) == (1.0, 0.0)
    assert routing.weights(after("Take", "Call", "Pack")) != (1.0, 0.0)
    assert graph.closing is not None
    assert dict(graph.closing.end_activities) == {"Invoice": 0.6, "Ship": 0.4}
    assert task(graph, "Ring").id == "call"


def test_names_are_those_before_renaming_in_any_order(twin: Metagraph) -> None:
    a: OverrideSpec = Rename("Check", "Look")
    b: OverrideSpec = SetDuration("Check", law=Constant(60.0))
    assert apply_overrides(twin, [a, b]) == apply_overrides(twin, [b, a])


@given(st.sets(st.sampled_from(["Take", "Check", "Call", "Fix", "Ship", "Bill"]), min_size=1))
def test_dropped_activities_leave_a_sound_graph(twin: Metagraph, dropped: set[str]) -> None:
    graph = apply_overrides(twin, [Drop(name) for name in sorted(dropped)])
    assert {t.label for t in graph.tasks()} == {t.label for t in twin.tasks()} - dropped
    assert validate(graph) == ()
    assert len(graph.overrides) == len(dropped)
    assert all("times in the log" in o.contradiction for o in graph.overrides)
    for routing in graph.routing:
        assert not any(set(row.key) & dropped for row in routing.rows)
    assert from_json(to_json(graph), "made") == graph


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (SetDuration("Chek", mean_s=60.0), ["activity", "'Chek'", "Check"]),
        (SetAgents("Check", ("anne",)), ["agent", "'anne'", "ann"]),
        (SetAgents("Check", ()), ["activity Check", "nobody"]),
        (SetHours("bobby", ((0.0, 1.0),)), ["agent", "bob"]),
        (SetHours("bob", ()), ["agent bob", "no hours"]),
        (SetRouting("xx", (("Check", 0.5),)), ["gateway", "'xx'", "x"]),
        (SetRouting("x", (("Chekc", 0.5),)), ["gateway x", "'Chekc'", "Check"]),
        (SetRouting("x", (("Check", 0.9), ("Call", 0.3))), ["gateway x", "1.2"]),
        (SetRouting("x", (("Check", 0.5), ("check", 0.5))), ["gateway x", "twice"]),
        (SetDuration("Check", law=Parametric("gama", (1.0, 0.0, 1.0))), ["Check", "gama"]),
        (SetDuration("Check", law=Parametric("norm", (-100.0, 1e-3), upper=None)), ["Check", "mean"]),
        (SetDuration("Check"), ["Check", "either"]),
        (Rename("Check", "Call"), ["Check", "Call", "another"]),
        (Drop("Nothing"), ["'Nothing'"]),
    ],
)
def test_what_cannot_be_meant_is_refused(twin: Metagraph, override: OverrideSpec, words: list[str]) -> None:
    with pytest.raises(DataError) as refusal:
        apply_overrides(twin, [override])
    for word in ["[overrides]", *words]:
        assert word in str(refusal.value)
