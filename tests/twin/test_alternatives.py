"""Of several plans the one that holds best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Leaf
from metagraph.blocks import Sequence as Row
from metagraph.distributions import Constant, Parametric
from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.overtime import Overtime
from metagraph.policies import Policy
from optimization.checks import check
from optimization.settings import Preemption, Settings, SolveOptions
from simulation.kpis import interval
from tests.simulation.builders import ORIGIN, process
from tests.simulation.small import HOUR, single
from twin.alternatives import PLAN, Held, lasting, notes_of, robust
from twin.progress import Progress
from twin.robust import Candidate, Robust, Scored

QUICK = SolveOptions(time_limit_s=20.0, gap=0.0)


def uncertain() -> Metagraph:
    """A, then B or C by lot; one agent for A, another for B and C; work varies much."""
    model = process(
        Row((Leaf("a", "A"), Choice("x", "m", (Leaf("b", "B"), Leaf("c", "C"))))),
        Parametric("gamma", (1.0, 0.0, HOUR)),
        queues=[Queue("q", ("u",)), Queue("r", ("v",))],
        serves={"a": ["q"], "b": ["r"], "c": ["r"]},
        agents=[Agent("u", "always"), Agent("v", "always")],
        weights={"x": (0.6, 0.4)},
    )
    return replace(model, orders=OrderModel(profit=ProfitShape()))


def some(n: int) -> list[Order]:
    return [
        Order(f"o{i}", 0.0, value=100.0 + 40 * i, due_s=3 * HOUR, lost_s=(6 + i) * HOUR) for i in range(n)
    ]


def held(model: Metagraph, orders: list[Order], settings: Settings, **how: object) -> Held:
    return robust(model, None, orders, ORIGIN, settings, QUICK, **how)  # type: ignore[arg-type]


def test_the_schedule_that_holds_best_is_taken_and_says_what_it_was_compared_with() -> None:
    told: list[str] = []
    progress = Progress(lambda name, share: told.append(name))
    found = held(uncertain(), some(4), Settings(HOUR / 2), scenarios=20, progress=progress)
    means = {one.name: one.mean.mean for one in found.robust.scored}
    plans = [name for name in means if not name.startswith("rule ")]
    assert PLAN in plans
    assert "plan for drawn ways 1" in means or "plan for drawn ways 2" in means
    assert "rule PD" in means
    best = max(plans, key=lambda name: means[name])
    assert found.notes[0].startswith(f"of {len(plans)} schedules {best} holds best: mean profit")
    assert check(found.outcome.problem, found.outcome.result.plan).values == found.outcome.result.values
    assert any(name.startswith("the plan: ") for name in told)
    again = held(uncertain(), some(4), Settings(HOUR / 2), scenarios=20)
    assert again.outcome.schedule == found.outcome.schedule
    assert again.robust.scored == found.robust.scored


def test_without_anything_uncertain_the_plan_is_what_it_says() -> None:
    model = replace(single(Constant(HOUR)), orders=OrderModel(profit=ProfitShape()))
    found = held(model, some(3), Settings(HOUR), scenarios=2)
    best = found.robust.scored[0]
    assert best.mean.mean == pytest.approx(found.outcome.result.objective)
    assert best.mean.low == best.mean.high
    assert not any("ways" in one.name for one in found.robust.scored)


def test_bought_hours_are_worked_and_paid_for() -> None:
    closed = single(Constant(HOUR), calendar="office")
    closed = replace(closed, orders=OrderModel(profit=ProfitShape(lost=0.0)))
    bought = Overtime("x", 0.0, 2 * HOUR, 30.0)
    order = Order("1", 0.0, value=100.0, due_s=2 * HOUR, lost_s=2 * HOUR)
    found = held(closed, [order], Settings(HOUR, overtime=(bought,)), scenarios=2)
    assert found.outcome.result.objective == 70.0
    assert found.robust.scored[0].mean.mean == 70.0


def test_interruptions_are_paid_for() -> None:
    """The dearer order comes when the other one has been begun."""
    late = [
        Order("1", 0.0, value=1.0, lost_s=HOUR * 9),
        Order("2", HOUR, value=9.0, due_s=5 * HOUR, lost_s=HOUR * 5),
    ]
    wanted = Settings(HOUR, preemption=Preemption(penalty=0.5))
    found = held(single(Constant(3 * HOUR)), late, wanted, scenarios=2)
    means = {one.name: one.mean.mean for one in found.robust.scored}
    assert (means["rule P"], means[PLAN]) == (9.5, 9.5)


def test_notes_tell_chance_from_more_than_that() -> None:
    def told(plan: tuple[float, ...], other: tuple[float, ...], rule: tuple[float, ...]) -> str:
        values = {PLAN: plan, "search 1": other, "rule PD": rule}
        ranked = sorted(values, key=lambda name: -sum(values[name]))
        scored = tuple(Scored(name, interval(values[name]), None, None, values[name]) for name in ranked)
        best = next(name for name in ranked if not name.startswith("rule"))
        found = Robust(Candidate(best, Policy()), "profit", "money", len(plan), scored, (), "")
        return "; ".join(notes_of(found, best, 2))

    chance = told((1.0, 2.0, 3.0), (2.0, 1.0, 3.5), (1.0, 2.0, 4.0))
    assert "better by 0.1667" in chance
    assert "which may be chance" in chance
    assert "followed" not in chance
    sure = told((1.0, 2.0, 3.0), (2.0, 3.0, 4.1), (5.0, 6.0, 7.3))
    assert "better by 1.033" in sure
    assert "chance" not in sure
    assert "rule PD, followed as orders come, does better than every schedule, by 3.067" in sure


def test_what_is_to_be_compared_must_count_first() -> None:
    settings = Settings(HOUR, levels=("preemptions", "profit"), preemption=Preemption())
    with pytest.raises(UsageError, match="name one of them first"):
        held(uncertain(), some(2), settings, scenarios=2)


def test_lasting_fixes_all_work_at_its_quantile() -> None:
    (law, *_) = {task.durations.default.law for task in lasting(uncertain(), 0.5).tasks()}
    assert isinstance(law, Constant)
    assert law.value == pytest.approx(HOUR * 0.6931, rel=1e-3)
