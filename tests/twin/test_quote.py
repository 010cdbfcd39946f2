"""Promise dates: never before the order, later for more confidence, exact where nothing is random."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from examples.order_to_cash import START, known_twin
from metagraph.blocks import Choice, Leaf
from metagraph.blocks import Sequence as Row_
from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.orders import OrderClass, OrderModel, PastOrder, Sample
from metagraph.routing import BusinessRule, Level, RoutingRow
from tests.eventlogs.logs import T0, Row
from tests.simulation.builders import process
from tests.twin.small import HOUR, deterministic, known_log, snapshot
from twin.quote import CONFIDENCES, quote
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
    found = quote(twin, known, segment="key account", replications=40)
    assert tuple(found.dates) == CONFIDENCES
    dates = list(found.dates.values())
    assert found.at == AS_OF
    assert AS_OF < dates[0] < dates[1] < dates[2]
    past = list(found.history_lead_h.values())
    assert 0 < past[0] < past[1] < past[2]
    assert [d.wait_h + d.work_h for d in found.drivers] == sorted(
        (d.wait_h + d.work_h for d in found.drivers), reverse=True
    )
    assert quote(twin, known, segment="key account", replications=40) == found
    crowd = replace(twin, agents=tuple(replace(a, capacity=4) for a in twin.agents))
    quicker = quote(crowd, known, segment="key account", replications=40)
    assert quicker.dates["50"] < found.dates["50"], "more hands, earlier dates"


@pytest.mark.parametrize(("cls", "segment", "said"), [("X", "", "--class X"), ("", "Y", "--segment Y")])
def test_unknown_groups_are_refused(cls: str, segment: str, said: str, tmp_path: Path) -> None:
    known = snapshot(tmp_path, [Row("1", "A", None, 0.0, None)], T0 + timedelta(hours=1), ["1"])
    with pytest.raises(UsageError, match=f"{said}: unknown to the twin; known are"):
        quote(known_twin(), known, cls=cls, segment=segment)


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
