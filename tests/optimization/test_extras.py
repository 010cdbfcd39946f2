"""Material and hours that can be bought, on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from metagraph.errors import DataError
from metagraph.overtime import Overtime
from optimization.problem import Mode, Operation, Plan, values
from optimization.settings import Preemption
from tests.optimization.handmade import HOUR
from tests.optimization.test_stn import WORKSHOP, built, hours, instance

EVENING = Overtime("Ida", 17.5 * HOUR, 21 * HOUR, 30.0)


def test_work_waits_for_its_material() -> None:
    order = WORKSHOP["orders"][0] | {"material_h": {"drill": 9.5, "pack": 2, "dry": 14}}
    found = built(instance(orders=[order]), hours())
    plain = built(instance(), hours())
    ready = {op.task: op.ready for op in found.ops}
    assert ready == {op.task: op.ready for op in plain.ops} | {"drill": 10, "pack": 2, "dry": 14}


def test_work_under_way_has_its_material() -> None:
    held = {"done": ["saw"], "in_progress": [{"task": "drill", "agent": "Joe", "started_h": 1}]}
    raw = WORKSHOP["orders"][0] | held | {"material_h": {"drill": 9}}
    found = built(instance(orders=[raw], at_h=2), hours())
    assert {op.task: op.ready for op in found.ops}["drill"] == 0


def test_a_horizon_that_holds_all_work_waits_for_material() -> None:
    order = {"id": "1", "T_r": 0, "material_h": {"pack": 200}}
    found = built(instance(orders=[order]), hours())
    assert found.grid.periods >= 202


def modes_of(mode: Mode, at: range) -> list[int]:
    return [int(mode.ends[t]) for t in at]


def test_bought_hours_are_a_pool_with_a_price() -> None:
    found = built(instance(), hours(overtime=(EVENING,)))
    never = found.grid.never
    pool = found.pools[-1]
    assert (pool.units, pool.price, set(pool.capacity.tolist())) == (("Ida",), 30.0, {1})
    saw = found.ops[0]
    assert [len(op.modes) for op in found.ops if op.task in ("paint", "pack")] == [1, 1]
    own, bought = saw.modes
    assert bought.pool == len(found.pools) - 1
    # Two hours fit from the first point at which she works until 21; what is begun at 20 doesn't end there.
    assert modes_of(bought, range(15, 22)) == [never, never, 20, 20, 21, never, never]
    assert modes_of(own, range(15, 18)) == [17, never, never]
    (without,) = values(found, only_first(found.ops, 15, 0))
    (paid,) = values(found, only_first(found.ops, 17, 1))
    assert without - paid == 30.0
    assert any("bought hold only work" in note for note in found.notes)


def only_first(ops: Sequence[Operation], start: int, mode: int) -> Plan:
    """The other operations aren't done."""
    found = np.full((2, len(ops)), -1, np.int64)
    found[:, 0] = start, mode
    return Plan(*found)


def test_hours_are_offered_only_if_their_price_can_be_weighed() -> None:
    order = {"id": "1", "T_r": 0}
    found = built(instance(orders=[order]), hours(overtime=(EVENING,)))
    assert not any(pool.price for pool in found.pools)
    assert any("profit doesn't count" in note for note in found.notes)
    going_on = replace(EVENING, start_s=-9 * HOUR, end_s=8 * HOUR)
    two = {"Ida": {"calendar": "day", "capacity": 2}}
    (bought,) = (p for p in built(instance(agents=two), hours(overtime=(going_on,))).pools if p.price)
    assert (bought.units, set(bought.capacity.tolist())) == (("Ida", "Ida"), {2})
    past = replace(EVENING, start_s=-9 * HOUR, end_s=-8 * HOUR)
    assert not any(pool.price for pool in built(instance(), hours(overtime=(past,))).pools)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"agent": "Zoe"}, '"Zoe" is no agent'),
        ({"end_s": 0.0}, "end: not after"),
        ({"start_s": 0.0}, "anyway"),
    ],
)
def test_overtime_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        built(instance(), hours(overtime=(replace(EVENING, **changes),)))  # type: ignore[arg-type]


def test_interrupted_work_goes_on_in_bought_hours() -> None:
    """What is left is the same work, as it is the same agent."""
    held = {"in_progress": [{"task": "saw", "agent": "Ida", "started_h": 16, "worked_h": 1}]}
    raw = WORKSHOP["orders"][0] | held
    wanted = hours(overtime=(EVENING,), preemption=Preemption(same_agent=True))
    found = built(instance(orders=[raw], at_h=17), wanted)
    own, bought = found.ops[0].modes
    assert (own.work_s, bought.work_s) == (HOUR, HOUR)
    assert found.ops[0].held == 0
    assert bought.ends[0] == 2
