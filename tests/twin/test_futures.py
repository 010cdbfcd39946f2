"""What is kept of many futures, against the obvious way to count it."""

from dataclasses import replace

import numpy as np
import pytest

from examples.order_to_cash import START, known_twin
from metagraph.orders import Order, OrderClass, OrderModel, PastOrder, Sample
from metagraph.state import OpenOrder, Position, State
from simulation.arrivals import monday
from simulation.reference import run
from simulation.session import Limits, Options
from simulation.streams import Stream
from tests.eventlogs.logs import T0
from tests.simulation.builders import ORIGIN
from tests.twin.small import HOUR, deterministic
from twin.futures import COUNTED, Collect, Future, grouped_quantiles, taken_after

HOURS = (0.5, 5.0, 6.0, 30.0, 150.0)


def standing(n: int, node: str, lost_s: float | None = None) -> tuple[OpenOrder, ...]:
    return tuple(OpenOrder(Order(str(i), 0.0, lost_s=lost_s), (Position(node, 0.0),), ()) for i in range(n))


def test_a_quoted_order_takes_after_one_of_its_weekday() -> None:
    """Some of a Tuesday, due the next working day at 17:00; others of a Friday; on a Wednesday none came."""
    rows = tuple(
        PastOrder((), 20.0, worth, 30 * HOUR, 80 * HOUR, (day * 24 + 11) * HOUR, 1, 17 * HOUR)
        for day, worth in ((1, 1.0), (4, 5.0))
    )
    kinds = (OrderClass("", "", 1.0, sample=Sample((), rows, working_days=True)),)
    model = replace(deterministic(1.0), orders=OrderModel(kinds))

    def found(day: int) -> set[tuple[float | None, float | None]]:
        order = Order("x", (day * 24 + 9) * HOUR)
        taken = [taken_after(model, order, Stream(seed, 0), ORIGIN) for seed in range(9)]
        return {(one.value, one.due_s) for one in taken}

    assert found(1) == {(1.0, (2 * 24 + 17) * HOUR)}
    assert found(4) == {(5.0, (7 * 24 + 17) * HOUR)}
    assert found(2) == {(worth, (3 * 24 + 17) * HOUR) for worth in (1.0, 5.0)}


def test_orders_are_conserved_at_every_horizon() -> None:
    """In each replication, WIP is what was open plus what came less what went."""
    future = Future(deterministic(0.3, 1.0), State(HOUR, standing(5, "a")), T0, 3, 200 * HOUR)
    collect = Collect(5, HOUR, HOURS)
    for replication in range(5):
        counts = collect(run(future(replication), 3, replication)).counts
        wip, completions, arrivals = (counts[:, COUNTED.index(name)] for name in COUNTED)
        assert (wip == 5 + arrivals - completions).all()
        assert completions[0] == 0
        assert completions[-1] >= 5
        assert arrivals[-1] > 50


def test_what_is_kept_is_what_the_log_says() -> None:
    """Of each open order and activity the first start and the last end; of each agent the hours on them."""
    twin, origin = known_twin(), monday(START)
    tasks = twin.tasks()
    at_s = 36 * HOUR
    given = [Position(tasks[i % len(tasks)].id, 0.0) for i in range(12)]
    someone = {
        task.id: next(q.agents[0] for q in twin.queues if q.id in task.queues)
        for task in tasks
        if task.queues
    }
    given[0] = replace(given[0], started_s=30 * HOUR, agent=someone[given[0].node])
    orders = tuple(OpenOrder(Order(str(i), 0.0), (where,), ()) for i, where in enumerate(given))
    made = run(Future(twin, State(at_s, orders), origin, 1, at_s + 48 * HOUR)(0), 1, 0)
    sample = Collect(len(orders), at_s, (24.0,))(made)
    spans: dict[tuple[int, str], tuple[float, float]] = {}
    hours: dict[str, float] = {}
    for name, activity, agent, start, end in made.rows():
        if name.startswith("new "):
            continue
        assert end is not None
        first, last = ((moment - origin).total_seconds() for moment in (start, end))
        known = spans.get((int(name), activity), (first, last))
        spans[int(name), activity] = min(known[0], first), max(known[1], last)
        if agent:
            hours[agent] = hours.get(agent, 0.0) + (last - max(first, at_s)) / 3600
    found = {
        (key // len(sample.labels), sample.labels[key % len(sample.labels)]): pytest.approx((a, b), abs=1e-3)
        for key, a, b in zip(sample.keys.tolist(), sample.start_s, sample.end_s, strict=True)
    }
    assert len(spans) > 40
    assert spans == found
    worked = dict(zip(sample.agents, sample.agents_h.tolist(), strict=True))
    assert {agent: h for agent, h in worked.items() if h == h} == pytest.approx(hours, abs=1e-5)


def test_lost_orders_leave_at_their_date() -> None:
    """Six hours of work are ahead of each, of which two of them aren't given."""
    given = (*standing(1, "a"), *standing(1, "a", lost_s=3 * HOUR))
    given = (given[0], replace(given[1], order=replace(given[1].order, id="impatient")))
    made = run(Future(deterministic(), State(HOUR, given), T0, 0, 2 * HOUR)(0), 0, 0)
    sample = Collect(2, HOUR, (1.0, 4.0, 8.0))(made)
    assert sample.lost.tolist() == [False, True]
    assert (sample.gone_s / HOUR).tolist() == [7.0, 3.0]
    assert sample.counts.tolist() == [[2, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert not sample.cut


def test_a_run_that_was_broken_off_is_known_for_it() -> None:
    options = Options(limits=Limits(open_orders=10))
    future = Future(deterministic(per_hour=50.0), State(0.0, standing(2, "a")), T0, 0, 100 * HOUR)
    made = run(future(0), 0, 0, options=options)
    sample = Collect(2, 0.0)(made)
    assert sample.cut
    assert (sample.gone_s == made.until_s).all()


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_of_groups_are_those_of_each_group(seed: int) -> None:
    chance = np.random.default_rng(seed)
    groups = chance.integers(0, 12, 300).astype(np.int64)
    values = chance.normal(size=300) * 1e6
    levels = (0.0, 0.1, 0.5, 0.9, 1.0)
    found = np.array(grouped_quantiles(groups, values, levels))
    plain = [np.quantile(values[groups == group], levels) for group in np.unique(groups)]
    np.testing.assert_allclose(found.T, plain, rtol=1e-12)


def test_no_groups_have_no_quantiles() -> None:
    assert [q.size for q in grouped_quantiles(np.zeros(0, np.int64), np.zeros(0), (0.1, 0.5))] == [0, 0]
