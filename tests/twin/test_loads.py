"""The load ahead against counting it item by item, and money against its definition."""

from dataclasses import replace

import numpy as np
import pytest

from examples.order_to_cash import START, known_twin
from metagraph.agents import Agent, Queue
from metagraph.calendars import WorkClock
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.state import OpenOrder, Position, State
from simulation.arrivals import monday
from simulation.reference import run
from tests.simulation.builders import constant, process, row
from tests.twin.small import HOUR
from twin.futures import Collect, Future
from twin.load_charts import fans_chart, load_chart
from twin.loads import load_of, outlooks
from twin.outlook import FAN


def test_the_load_is_what_waits_and_is_worked_on() -> None:
    """Hours by the clocks of those who did it, of all that was ready and not done, at each instant."""
    twin, origin = known_twin(), monday(START)
    assert twin.arrivals is not None
    rates = tuple(3 * rate for rate in twin.arrivals.rates_per_h)
    twin = replace(twin, arrivals=replace(twin.arrivals, rates_per_h=rates))
    run_ = run(Future(twin, State(36 * HOUR, ()), origin, 1, 150 * HOUR)(0), 1, 0)
    t = np.array([36.0, 37.0, 60.0, 85.5, 120.0]) * HOUR
    load = load_of(run_, t)
    log, network = run_.executions, run_.program.network
    calendars = {calendar.id: calendar for calendar in twin.calendars}
    clocks = [WorkClock(calendars[agent.calendar], origin) for agent in twin.agents]
    hours, waiting = np.zeros_like(load.agent_h), np.zeros_like(load.agent_waiting)
    by_queue = np.zeros_like(load.queue_h)
    for i in range(len(log)):
        for k, now in enumerate(t):
            if log.agent[i] < 0 or not log.ready_s[i] <= now < log.end_s[i]:
                continue
            work = clocks[log.agent[i]].between(max(now, log.start_s[i]), log.end_s[i]) / 3600
            hours[log.agent[i], k] += work
            waiting[log.agent[i], k] += log.start_s[i] > now
            by_queue[log.queue[i], k] += work
    assert hours.max() > 3
    assert waiting.max() > 1
    np.testing.assert_allclose(load.agent_h, hours, atol=1e-6)
    np.testing.assert_allclose(load.queue_h, by_queue, atol=1e-6)
    np.testing.assert_array_equal(load.agent_waiting, waiting)
    assert (load.agent_waiting.sum(axis=0) == load.queue_waiting.sum(axis=0)).all()
    found = tuple(outlooks([load, load], network.agent_ids, network.queue_ids, (0.0, 1.0, 24.0, 49.5, 84.0)))
    assert [one.kind for one in found] == sorted(one.kind for one in found)
    assert all(fan == (fan[0],) * len(FAN) for one in found for fan in one.work_h), "both runs are the same"


def test_money_is_lost_after_the_due_date_and_with_the_sale() -> None:
    """One agent, an hour an order: the third is done an hour late, the fourth is lost."""
    shape = ProfitShape(early=1.0, due=1.0, late=0.8, final=0.0, lost=-0.1)
    twin = process(
        row("a"),
        constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"]},
        agents=[Agent("x", "always")],
    )
    twin = replace(twin, orders=OrderModel(profit=shape))
    orders = tuple(
        OpenOrder(
            Order(str(i), float(i), value=100.0, due_s=due * HOUR, lost_s=lost * HOUR),
            (Position("a", float(i), ready_s=float(i), queue="q"),),
            (),
        )
        for i, (due, lost) in enumerate(((5, 9), (2, 9), (2, 4), (3, 3.5)))
    )
    origin = monday(START)
    made = run(Future(twin, State(10.0, orders), origin, 0, HOUR)(0), 0, 0)
    sample = Collect(4, 10.0, (1.0,), loads=True)(made)
    late = 100 * 0.8 * (1 - (HOUR + 10.0) / (2 * HOUR))
    assert sample.lost.tolist() == [False, False, False, True]
    assert sample.profit.tolist() == pytest.approx([100, 100 * 0.8 * (1 - 10 / (7 * HOUR)), late, -10.0])
    assert sample.loss.tolist() == pytest.approx([0, 100 - sample.profit[1], 100 - late, 110.0])
    assert sample.load is not None
    # The lost order's hour is broken off half-way.
    half = 0.5 - 10 / HOUR
    assert sample.load.agent_h.tolist() == [pytest.approx([3.0 + half, 2.0 + half])]
    assert sample.load.queue_waiting.tolist() == [[3, 2]]


def test_pictures_of_a_forecast_are_drawn() -> None:
    from tests.twin import handmade
    from twin.drawing_tools import to_svg
    from twin.outlook import LoadOutlook

    result = handmade.forecast()
    fan = (0.0, 1.0, 2.0, 3.0, 4.0)
    hours, fans = (0.0, 24.0), (fan, fan)
    loads = [LoadOutlook("agent", "Ann", hours, fans, fans), LoadOutlook("queue", "Desk", hours, fans, fans)]
    result = replace(result, loads=tuple(loads))
    svg = to_svg(load_chart(result))
    assert "Queue Desk" in svg
    assert "Ann" in svg
    assert "Orders completed" in to_svg(fans_chart(result))
