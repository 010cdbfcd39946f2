from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from examples.by_hand import example3
from metagraph.model import Metagraph
from metagraph.orders import ArrivalChange
from simulation.arrivals import draw_orders
from simulation.lowering_names import names_of
from simulation.program import Floats

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY_S = 86400.0


def changed(*changes: ArrivalChange) -> Metagraph:
    twin = example3()
    assert twin.arrivals is not None
    # A hundred times as many orders: their numbers are then known to a percent.
    rates = tuple(100 * rate for rate in twin.arrivals.rates_per_h)
    return replace(twin, arrivals=replace(twin.arrivals, rates_per_h=rates, changes=changes))


def drawn(twin: Metagraph, seed: int = 5) -> tuple[Floats, NDArray[np.str_]]:
    """Releases in days, and classes."""
    found = draw_orders(twin, BEGIN, origin=BEGIN, seed=seed, replication=0, until_s=6 * DAY_S)
    codes = {code: name for name, code in names_of(twin).classes.items()}
    classes = np.array([codes[code] for code in found.table["cls"].tolist()])
    return found.table["release_s"] / DAY_S, classes


def test_more_orders_of_a_class_come_in_the_time_of_the_change_and_no_others() -> None:
    # From half past an hour on, so that an hour is cut.
    start, end = BEGIN + timedelta(days=2, minutes=30), BEGIN + timedelta(days=4, minutes=30)
    t, classes = drawn(changed(ArrivalChange(1.6, start, end, cls="A")))
    before, _ = drawn(changed())
    inside = (t >= 2 + 1 / 48) & (t < 4 + 1 / 48)
    usual = 100 * 24 / 35 * 60 * 2 / 3
    for cls, times in (("A", 1.6), ("B", 1.0), ("C", 1.0)):
        n = int((inside & (classes == cls)).sum())
        assert n == pytest.approx(times * usual, rel=0.06)
        rest = int((~inside & (classes == cls)).sum())
        assert rest == pytest.approx(2 * usual, rel=0.06)
    np.testing.assert_array_equal(t[t < 2], before[before < 2])


def test_changes_that_overlap_are_multiplied_and_a_factor_of_zero_stops_all() -> None:
    late = BEGIN + timedelta(days=3)
    t, _ = drawn(changed(ArrivalChange(2.0, BEGIN), ArrivalChange(0.5, late)))
    usual, _ = drawn(changed())
    assert (t < 3).sum() == pytest.approx(2 * (usual < 3).sum(), rel=0.04)
    assert (t > 3).sum() == pytest.approx((usual > 3).sum(), rel=0.04)
    # In the middle of an hour.
    t, _ = drawn(changed(ArrivalChange(0.0, late + timedelta(minutes=30))))
    np.testing.assert_allclose(t, usual[usual < 3 + 1 / 48], rtol=1e-12)


def test_a_change_by_one_changes_no_order() -> None:
    t, classes = drawn(changed(ArrivalChange(1.0, BEGIN + timedelta(days=1, minutes=10), cls="B")))
    usual, kinds = drawn(changed())
    np.testing.assert_allclose(t, usual, rtol=1e-12)
    assert (classes == kinds).all()
