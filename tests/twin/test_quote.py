"""Promise dates: never before the order, later for more confidence, exact where nothing is random."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from examples.order_to_cash import START, known_twin
from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Leaf
from metagraph.blocks import Sequence as Row_
from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.orders import Order, OrderClass, OrderModel, PastOrder, Sample
from metagraph.policies import Policy
from metagraph.routing import BusinessRule, Level, RoutingRow
from metagraph.state import OpenOrder, Position, State
from tests.eventlogs.logs import T0, Row
from tests.simulation.builders import ORIGIN, process, row
from tests.twin.small import HOUR, deterministic, known_log, snapshot
from twin.drawing_tools import to_svg
from twin.futures import Future
from twin.json_out import dump, read
from twin.outlook import Quote
from twin.progress import Progress
from twin.quote import promises, quote, quoted
from twin.quote_asked import CONFIDENCES, QUOTED, Asked
from twin.quote_changes import alternatives, one_more_each
from twin.quote_charts import quote_chart
from twin.quoted import drivers_of, slowest_text
from twin.source import LogRequest, read_log

HOUR_LAW = Constant(HOUR)
AS_OF = START + timedelta(days=8, hours=4)


def test_a_process_without_chance_is_quoted_exactly(tmp_path: Path) -> None:
    known = snapshot(tmp_path, [Row("1", "A", None, 0.0, None)], T0 + timedelta(hours=1), ["1"])
    found = quote(deterministic(per_hour=0.5), known, replications=4)
    assert found.at == T0 + timedelta(hours=1)
    assert set(found.dates.values()) == {T0 + timedelta(hours=7)}
    assert {d.activity: (d.wait_h, d.work_h) for d in found.drivers} == {
        "A": (0, 1),
        "B": (0, 2),
        "C": (0, 3),
        "D": (0, 1),
        "F": (0, 1),
    }
    assert all(d.wait_half_width_h == d.work_half_width_h == 0 for d in found.drivers)
    assert found.history_lead_h == {}, "no case is closed"


def test_dates_follow_the_instant_and_ascend_with_confidence(tmp_path: Path) -> None:
    request = LogRequest(str(known_log(tmp_path / "log.csv", 14)), str(tmp_path / "db"), until=AS_OF)
    known = read_log(request).snapshot
    twin = known_twin()
    found = quote(twin, known, Asked(segment="key account"), replications=40)
    assert tuple(found.dates) == CONFIDENCES
    dates = list(found.dates.values())
    assert found.at == AS_OF
    assert AS_OF < dates[0] < dates[1] < dates[2]
    past = list(found.history_lead_h.values())
    assert 0 < past[0] < past[1] < past[2]
    assert [d.wait_h + d.work_h for d in found.drivers] == sorted(
        (d.wait_h + d.work_h for d in found.drivers), reverse=True
    )
    assert quote(twin, known, Asked(segment="key account"), replications=40) == found
    crowd = replace(twin, agents=tuple(replace(a, capacity=4) for a in twin.agents))
    quicker = quote(crowd, known, Asked(segment="key account"), replications=40)
    assert quicker.dates["50"] < found.dates["50"], "more hands, earlier dates"


@pytest.mark.parametrize(("cls", "segment", "said"), [("X", "", "--class X"), ("", "Y", "--segment Y")])
def test_unknown_groups_are_refused(cls: str, segment: str, said: str, tmp_path: Path) -> None:
    known = snapshot(tmp_path, [Row("1", "A", None, 0.0, None)], T0 + timedelta(hours=1), ["1"])
    with pytest.raises(UsageError, match=f"{said}: unknown to the twin; known are"):
        quote(known_twin(), known, Asked(cls=cls, segment=segment))


def test_a_quoted_order_takes_after_those_of_the_past(tmp_path: Path) -> None:
    """Orders from the north take the long way by a business rule: one in three."""
    block = Row_((Leaf("a", "A"), Choice("way", "there", (Leaf("short", "Short"), Leaf("long", "Long")))))
    twin = process(block, {"a": HOUR_LAW, "short": HOUR_LAW, "long": Constant(10 * HOUR)})
    (routing,) = twin.routing
    ruled = replace(
        routing,
        levels=(Level(rule=True), Level()),
        rows=(RoutingRow(0, ("1",), (0.0, 1.0), 9), RoutingRow(1, (), (1.0, 0.0), 9)),
        rules=(BusinessRule("region == 'North'"),),
    )
    past = Sample(("region",), (PastOrder(("North",), 1.0), PastOrder(("South",), 2.0)))
    orders = OrderModel((OrderClass("", "", 1.0, 3, sample=past),))
    twin = replace(twin, routing=(ruled,), orders=orders)
    known = snapshot(tmp_path, [Row("1", "A", None, 0.0, None)], T0, ["1"])
    found = quote(twin, known, replications=300)
    assert {c: (date - T0) / timedelta(hours=1) for c, date in found.dates.items()} == {
        "50": 2,
        "80": 11,
        "95": 11,
    }
    assert next(d.work_h for d in found.drivers if d.activity == "Long") == pytest.approx(10 / 3, abs=1)


def test_drivers_count_what_is_before_it_and_one_more_hand_helps() -> None:
    """One desk, an hour an order, three before the new one, the first of them begun."""
    twin = process(
        Leaf("a", "A"),
        HOUR_LAW,
        queues=[Queue("desk", ("ann",))],
        serves={"a": ["desk"]},
        agents=[Agent("ann", "always")],
    )
    state = State(0.0, tuple(OpenOrder(Order(str(i), 0.0), (Position("a", 0.0),), ()) for i in range(3)))
    future = Future(twin, state, ORIGIN, 0, 0.0, (Order(QUOTED, 0.0),))
    made = quoted(future, 2).values
    (driver,) = drivers_of(made)
    assert (driver.queue, driver.wait_h, driver.work_h) == ("desk", 3, 1)
    assert driver.ahead is not None
    assert driver.ahead_h is not None
    assert (driver.ahead.mean, driver.ahead_h.mean) == (3, 3)
    assert slowest_text([driver]).startswith("slowest step: A, 4 h on average, of which it waits 3 h")
    promised = promises(made, ORIGIN)
    found, notes = alternatives(future, made, Asked(), promised, workers=None, progress=Progress())
    assert notes == ()
    changed = {(str(one.kind), one.name): (one.lead_h.mean, one.others_h.mean) for one in found}
    assert changed[("priority", "first")] == pytest.approx((-2, 2 / 3))
    # What is changed of simulated dates is changed of those that are promised.
    later = {level: date + timedelta(hours=9) for level, date in promised.items()}
    moved, _ = alternatives(future, made, Asked(), later, workers=None, progress=Progress())
    assert moved[0].dates == {level: date + timedelta(hours=7) for level, date in promised.items()}
    assert changed[("agent", "desk")] == pytest.approx((-2, -2 / 3))
    assert len(changed) == 2
    assert found[0].text == "put first in every queue, it is done 2 h earlier on average (2 h to 2 h)"
    rich = replace(future, policy=Policy(priorities=("HP",)), extra=(replace(future.extra[0], value=1.0),))
    base = quoted(rich, 1).values
    (first, _), _ = alternatives(rich, base, Asked(), promised, workers=None, progress=Progress())
    assert first.text.endswith("in the one future that was simulated")


def test_agents_of_several_queues_are_offered_once() -> None:
    """Ann and Bob both do A and B, Cleo does C alone, Dan as Cleo but in another queue."""
    names = {"a": ("ann", "bob"), "b": ("bob", "ann"), "c": ("cleo",), "d": ("dan",)}
    agents = sorted({name for crew in names.values() for name in crew})
    twin = process(
        row(*names),
        HOUR_LAW,
        queues=[Queue(queue, crew) for queue, crew in names.items()],
        serves={name: [name] for name in names},
        agents=[Agent(name, "always") for name in agents],
    )
    found = one_more_each(twin, ["b", "a", "d", "c"])
    assert [(queue, who) for queue, _, who in found] == [("b", "bob"), ("d", "dan"), ("c", "cleo")]
    assert all(len(changed.agents) == len(agents) + 1 for _, changed, _ in found)


def test_a_single_future_behaves(tmp_path: Path) -> None:
    """Nothing is said of intervals, and what is said can be read back."""
    request = LogRequest(str(known_log(tmp_path / "log.csv", 14)), str(tmp_path / "db"), until=AS_OF)
    known = read_log(request).snapshot
    asked = Asked(value=100.0, due=AS_OF + timedelta(days=3), against=(("SDD", Policy(priorities=("SDD",))),))
    found = quote(known_twin(), known, asked, replications=1)
    assert len(set(found.dates.values())) == 1
    assert set(found.between.values()) == {(None, None)}
    assert found.lead is not None
    assert found.lead.low is None
    assert all(driver.wait_half_width_h is None for driver in found.drivers)
    assert {one.kind for one in found.alternatives} >= {"priority", "policy"}
    assert read(Quote, dump(found)) == found
    assert "When the order is done" in to_svg(quote_chart(found))
    assert found.history[0].n > 10
