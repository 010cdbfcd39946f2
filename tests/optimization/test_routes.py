"""What orders still have to do: against absorbing chains, against the simulator, and by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, skeleton
from metagraph.blocks import Sequence as Row
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.nodes import End, Start, Task
from metagraph.orders import Order
from metagraph.routing import BusinessRule, Level, Routing, RoutingRow
from metagraph.state import OpenOrder, Position, State
from optimization.routes import Route, representative, routes_of
from optimization.settings import Settings
from optimization.stn import build_problem
from simulation import reference
from simulation.lowering import lower
from simulation.replicate import replicate
from simulation.run import Run
from simulation.session import Options
from tests.simulation.builders import ORIGIN, always, expon, process, row
from tests.simulation.ingredients import HOUR, Names, order, structure
from tests.simulation.programs import Seeded, choices
from tests.simulation.small import single
from tests.simulation.states import state_of

WALKS, SEEDS = 500, 8
A, B, C, D = (Leaf(name, name.upper()) for name in "abcd")


def planned(model: Metagraph, found: OpenOrder | None = None, **how: int) -> Route:
    order = Order("1", 0.0) if found is None else found.order
    return routes_of(model, [(order, found)], **how).routes[0]


def names(route: Route) -> list[str]:
    return [step.task.id for step in route.steps]


def waits(route: Route) -> dict[str, set[str]]:
    return {s.task.id: {route.steps[i].task.id for i in s.preds} for s in route.steps}


def at(*places: str, history: Sequence[str] = (), **more: object) -> OpenOrder:
    return OpenOrder(
        Order("1", 0.0),
        tuple(Position(node, 0.0, after=history[-1] if history else "") for node in places),
        tuple(history),
        **more,  # type: ignore[arg-type]
    )


def chain(model: Metagraph) -> dict[str, float]:
    """Expected visits of every node from the start, where nothing but the node decides: (I - P')^-1 e.

    An and_merge goes on once for all of its flows, an or_merge as often as its split.
    """
    index = {node.id: i for i, node in enumerate(model.nodes)}
    incoming = {node.id: sum(flow.target == node.id for flow in model.flows) for node in model.nodes}
    shares = {
        f: w for r in model.routing for f, w in zip(r.flows, r.shares(r.overall().weights), strict=True)
    }
    joins = [node.id for node in model.nodes if node.kind == "and_merge"]
    moves = np.zeros((len(index), len(index)))
    for flow in model.flows:
        weight = shares.get(flow.id, 1.0)
        moves[index[flow.source], index[flow.target]] += (
            weight / incoming[flow.target] if flow.target in joins else weight
        )
    first = np.zeros(len(index))
    first[index["start"]] = 1.0
    found = np.linalg.solve(np.eye(len(index)) - moves.T, first)
    return {task.id: float(found[index[task.id]]) for task in model.tasks()}


def random_process(seed: int) -> Metagraph:
    """Any structure, routing by everything that routing can look at; exponential delays, nobody needed."""
    dice = Seeded(seed)
    known = Names(dice)
    shape = skeleton(structure(dice, known, 3))
    tasks = [
        Task(node, label, always(expon(HOUR * (1 + i % 3)))) for i, (node, label) in enumerate(shape.tasks)
    ]
    return Metagraph(
        name="random",
        nodes=(Start("start"), *tasks, *shape.gateways, End("end")),
        flows=shape.flows,
        routing=tuple(choices(dice, shape, known.labels)),
        agents=(),
        queues=(),
        calendars=(),
    )


def without_context(model: Metagraph) -> Metagraph:
    bare = [
        replace(r, levels=(Level(),), rows=(RoutingRow(0, (), r.overall().weights, 1),))
        for r in model.routing
    ]
    return replace(model, routing=tuple(bare))


def estimates(model: Metagraph, standing: Sequence[tuple[Order, OpenOrder | None]]) -> dict[str, list[float]]:
    """Expected executions of all orders together by task, one value a seed."""
    found: dict[str, list[float]] = {task.id: [0.0] * SEEDS for task in model.tasks()}
    for seed in range(SEEDS):
        for route in routes_of(model, standing, seed=seed, walks=WALKS).routes:
            for task, n in route.expected.items():
                found[task][seed] += n
    return found


def distances(estimated: Mapping[str, Sequence[float]], others: Mapping[str, Sequence[float]]) -> list[float]:
    """How many standard errors apart the means are, by task; infinite where they differ without any."""
    found: list[float] = []
    for task, values in estimated.items():
        apart = float(np.mean(values) - np.mean(others[task]))
        spread = [float(np.var(v, ddof=1)) / len(v) for v in (values, others[task]) if len(v) > 1]
        error = float(sum(spread) ** 0.5)
        found.append(0.0 if abs(apart) < 1e-9 else abs(apart) / error if error > 0 else np.inf)
    return found


def simulated(run: Run) -> list[float]:
    assert run.log is not None
    nodes = run.program.network.node_ids
    return [float(n) for n in np.bincount(run.log.node, minlength=len(nodes))]


def test_expected_visits_are_those_of_the_absorbing_chain() -> None:
    apart: list[float] = []
    for seed in range(30):
        model = without_context(random_process(seed))
        if any(gateway.kind == "or_split" for gateway in model.gateways()):
            continue
        exact = {task: [n] for task, n in chain(model).items()}
        apart += distances(estimates(model, [(Order("1", 0.0), None)]), exact)
    assert len(apart) > 40
    assert max(apart) < 6.0  # of Student's t with 7 degrees of freedom: 1 in 2,000


def test_expected_visits_are_those_of_the_simulator() -> None:
    """Of new orders and of orders on their way, whatever the routing looks at."""
    apart: list[float] = []
    ids: list[str] = []
    for seed in range(10):
        model, dice = random_process(seed), Seeded(seed)
        some = [replace(order(dice, f"o{i}", False), release_s=0.0) for i in range(6)]
        session = reference.session(lower(model, some, origin=ORIGIN), seed)
        session.run_to(2 * HOUR)
        state = state_of(session, some)
        for program, standing in (
            (lower(model, some, origin=ORIGIN), [(one, None) for one in some]),
            (lower(model, (), origin=ORIGIN, state=state), [(one.order, one) for one in state.orders]),
        ):
            if not standing:
                continue
            runs = np.array(replicate(program, seed, 150, reduce=simulated, options=Options(log=True)).values)
            ids = [node.id for node in model.nodes]
            others = {task.id: runs[:, ids.index(task.id)].tolist() for task in model.tasks()}
            apart += distances(estimates(model, standing), others)
    assert len(apart) > 80
    assert max(apart) < 6.0


def test_branches_wait_for_what_comes_before_them_and_merges_for_all_of_them() -> None:
    model = process(Row((A, Parallel("s", "m", (B, Row((C, Leaf("e", "E"))))), D)), Constant(HOUR))
    assert waits(planned(model)) == {"a": set(), "b": {"a"}, "c": {"a"}, "e": {"c"}, "d": {"b", "e"}}
    assert waits(planned(model, at("e", history="AC", merged={"m": 1}))) == {"e": set(), "d": {"e"}}


def test_the_likeliest_branch_is_planned_and_one_already_taken_stays() -> None:
    model = process(
        Row((A, Choice("x", "m", (Row((B, Leaf("e", "E"))), C, D)))),
        Constant(HOUR),
        weights={"x": (0.4, 0.3, 0.3)},
    )
    route = planned(model, walks=2000)
    assert names(route) == ["a", "b", "e"]
    assert [step.visits for step in route.steps] == pytest.approx([1.0, 0.4, 0.4], abs=0.04)
    assert route.expected["c"] == pytest.approx(0.3, abs=0.04)
    assert names(planned(model, at("c", history="A"))) == ["c"]


def test_work_that_may_be_repeated_is_planned_once_with_all_its_expected_visits() -> None:
    model = process(Row((Loop("l", "e", A, (B,)), C)), Constant(HOUR), weights={"e": (0.75, 0.25)})
    route = planned(model, walks=4000)
    assert waits(route) == {"a": set(), "b": {"a"}, "c": {"b"}}
    assert [step.visits for step in route.steps] == pytest.approx([4.0, 3.0, 1.0], rel=0.06)


def test_what_is_under_way_and_comes_again_has_two_steps() -> None:
    model = process(Row((Loop("l", "e", A, (B,)), C)), Constant(HOUR), weights={"e": (0.75, 0.25)})
    position = Position("a", 0.0, 0.0)
    first, second, again, last = planned(model, replace(at(), positions=(position,)), walks=4000).steps
    assert (first.task.id, first.position, first.visits) == ("a", position, 1.0)
    assert (second.task.id, again.task.id, last.task.id) == ("b", "a", "c")
    assert again.position is None
    assert again.visits == pytest.approx(3.0, rel=0.06)
    rare = process(Row((Loop("l", "e", A, (Empty(),)), C)), Constant(HOUR), weights={"e": (0.25, 0.75)})
    stays, _ = planned(rare, replace(at(), positions=(position,)), walks=4000).steps
    assert stays.visits == pytest.approx(4 / 3, rel=0.05)


def test_history_visits_and_rules_decide_where_they_can() -> None:
    model = process(Row((A, Choice("x", "m", (B, C)))), Constant(HOUR))
    flows = model.routing[0].flows
    gold = BusinessRule("segment == 'gold'")
    routing = Routing(
        "x",
        flows,
        (Level(rule=True), Level(visit=True, history=2), Level()),
        (
            RoutingRow(0, ("1",), (0.0, 1.0)),
            RoutingRow(1, ("1", "D", "A"), (0.0, 1.0)),
            RoutingRow(2, (), (1.0, 0.0)),
        ),
        (gold,),
    )
    model = replace(model, routing=(routing,))
    assert names(planned(model)) == ["a", "b"]
    assert names(planned(model, at("a", history="D"))) == ["a", "c"]
    assert names(planned(model, at("a", history="DC"))) == ["a", "b"]
    assert names(planned(model, at("x", history="DA", visits={"x": 1}))) == ["c"]
    assert names(planned(model, at("x", history="DA", visits={"x": 2}))) == ["b"]
    assert names(planned(model, replace(at("a"), order=Order("1", 0.0, segment="gold")))) == ["a", "c"]


def test_what_is_known_to_be_open_does_something_more() -> None:
    model = process(Row((A, Choice("x", "m", (B, Empty())))), Constant(HOUR), weights={"x": (0.1, 0.9)})
    assert names(planned(model)) == ["a"]
    assert names(planned(model, at("x", history="A", visits={"x": 1}))) == ["b"]
    assert names(planned(model, at("end", history="A"))) == []


def test_tasks_in_free_order_are_planned_one_after_the_other() -> None:
    """One loop holds all tasks, and the last activity says which comes next."""
    model = process(Loop("l", "e", Choice("x", "m", (A, B, C)), (Empty(),)), Constant(HOUR))
    after = {"": "a", "A": "c", "C": "b"}
    chosen = [RoutingRow(0, (last,), tuple(float(n == to) for n in "abc")) for last, to in after.items()]
    ends = [RoutingRow(0, (last,), (float(last != "B"), float(last == "B"))) for last in "ABC"]
    routing = []
    for table in model.routing:
        rows = chosen if table.node == "x" else ends
        routing.append(
            Routing(
                table.node,
                table.flows,
                (Level(history=1), Level()),
                (*rows, replace(table.overall(), level=1)),
            )
        )
    model = replace(model, routing=tuple(routing))
    assert waits(planned(model)) == {"a": set(), "c": {"a"}, "b": {"c"}}
    assert names(planned(model, at("c", history="A"))) == ["c", "b"]


def test_the_walk_that_is_planned_does_what_is_likelier_done_than_not() -> None:
    counts = np.array([[1, 1, 0], [1, 0, 1], [3, 1, 1], [1, 1, 1], [1, 1, 1], [0, 1, 0]])
    assert representative(counts) == 3
    rng = np.random.default_rng(1)
    many = (rng.random((400, 6)) < (0.9, 0.7, 0.6, 0.4, 0.2, 0.5)).astype(np.int64)
    assert (many[representative(many)][:5] == (1, 1, 1, 0, 0)).all()


def test_an_order_is_planned_alike_whoever_is_beside_it() -> None:
    model = random_process(7)
    some = [order(Seeded(i), f"o{i}", False) for i in range(6)]
    alone = [routes_of(model, [(one, None)], walks=50).routes[0] for one in some]
    assert routes_of(model, [(one, None) for one in some], walks=50).routes == tuple(alone)


def test_other_ways_are_those_of_single_walks() -> None:
    model = process(Row((A, Choice("x", "m", (B, C)))), Constant(HOUR), weights={"x": (0.7, 0.3)})
    some = [(Order(str(i), 0.0), None) for i in range(200)]
    routes = routes_of(model, some, variant=1).routes
    assert all(step.visits == 1.0 for route in routes for step in route.steps)
    assert sum("c" in names(route) for route in routes) == pytest.approx(60, abs=25)
    assert routes != routes_of(model, some, variant=2).routes


def test_the_notes_tell_how_much_is_left_out() -> None:
    model = process(Row((A, Choice("x", "m", (B, C)))), Constant(HOUR), weights={"x": (0.75, 0.25)})
    notes = routes_of(model, [(Order(str(i), 0.0), None) for i in range(8)], walks=4000).notes
    assert len(notes) == 1
    assert "14.0 of the 16.0 h" in notes[0]
    assert "less likely: C 2.0 h" in notes[0]
    assert routes_of(process(row("a", "b"), Constant(HOUR)), [(Order("1", 0.0), None)]).notes == ()


def test_a_loop_that_is_hardly_ever_left_is_broken_off_and_said_so() -> None:
    model = process(Loop("l", "e", Empty(), (Empty(),)), Constant(HOUR), weights={"e": (1 - 1e-9, 1e-9)})
    assert "broken off" in routes_of(model, [(Order("1", 0.0), None)], walks=2).notes[0]


def test_somebody_unknown_works_by_the_clock_on_the_wall_and_takes_nobodys_place() -> None:
    model = single(Constant(HOUR))
    opened = OpenOrder(Order("1", 0.0), (Position("a", 0.0, 0.0, "gone"),), ())
    problem = build_problem(
        model, State(HOUR / 2, (opened,)), [Order("2", HOUR / 2)], ORIGIN, Settings(900.0)
    )
    (running,) = problem.running
    assert (running.unit, running.end) == ("", 2)
    assert problem.pools[0].capacity.tolist() == [1] * problem.grid.periods
    assert problem.jobs[0].floor == 2
