"""Orders of the past are kept whole: what goes together in the log goes together in new orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from calibration.order_model import fit_orders, order_defaults
from calibration.order_sample import MOST_ROWS
from calibration.settings import OrderSpec
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Constant
from metagraph.orders import Arrivals, OrderModel
from simulation.arrivals import generate_orders
from tests.calibration.builders import DAY, HOUR, ORIGIN, snapshot
from tests.simulation.builders import process, row

DATES = OrderSpec(value_column="amount", due_column="due")


def log_of(n: int, seed: int) -> Snapshot:
    """Orders from the north are worth ten times as much, and are due in a day instead of ten."""
    random = np.random.default_rng(seed)
    north = random.random(n) < 0.3
    amount = np.round(random.lognormal(0, 0.5, n) * np.where(north, 1000, 100), 2)
    due = np.where(north, DAY, 10 * DAY) * random.uniform(0.9, 1.1, n)
    columns: dict[str, Sequence[str | None]] = {
        "region": ["north" if x else "south" for x in north],
        "amount": [f"{x:.2f}" for x in amount],
        "due": [(ORIGIN + timedelta(seconds=i * HOUR + d)).isoformat() for i, d in enumerate(due)],
        "customer": [f"Customer {i}" for i in random.permutation(n)],
        "number": [str(100_000 + i) for i in random.permutation(n)],
        "left out": [None] * n,
    }
    return snapshot(
        [(str(i), "A", "ann", i * HOUR, i * HOUR + 60) for i in range(n)],
        attributes={name: {str(i): v for i, v in enumerate(values)} for name, values in columns.items()},
    )


def test_new_orders_have_attributes_value_and_due_date_of_one_past_order_each() -> None:
    """Within 99.9 % binomial and normal intervals around the log's own share and means."""
    log = log_of(2000, 71)
    model = replace(
        process(row("a"), Constant(1.0), arrivals=Arrivals((60.0,) * 168)), orders=fit_orders(log, DATES)
    )
    drawn = generate_orders(model, ORIGIN, origin=ORIGIN, seed=5, replication=0, cases=4000)
    north = [o for o in drawn if o.attributes["region"] == "north"]
    share = np.mean([r == "north" for r in log.attributes["region"]])
    assert len(north) / 4000 == pytest.approx(share, abs=3.29 * np.sqrt(0.21 / 4000) + 1 / MOST_ROWS)
    for order in drawn:
        near = 1 if order.attributes["region"] == "north" else 10
        assert order.due_s is not None
        assert 0.9 * near <= (order.due_s - order.release_s) / DAY <= 1.1 * near
        assert order.value == float(order.attributes["amount"])
    logs = np.log([order.value or 1.0 for order in north])
    assert logs.mean() == pytest.approx(np.log(1000), abs=3.29 * 0.5 / np.sqrt(MOST_ROWS * 0.3))
    assert logs.std() == pytest.approx(0.5, rel=0.25)


def test_names_and_numbers_of_single_orders_are_left_out_and_told() -> None:
    log = log_of(400, 72)
    (kept,) = fit_orders(log, DATES).classes
    assert kept.sample is not None
    assert kept.sample.attributes == ("amount", "region")
    (told,) = order_defaults(log, DATES)
    assert told.where == "attributes customer, number"


def test_each_stratum_keeps_its_share() -> None:
    log = log_of(5000, 73)
    sample = fit_orders(log, DATES).classes[0].sample
    assert sample is not None
    assert len(sample.rows) <= MOST_ROWS
    found: dict[str, float] = defaultdict(float)
    for one in sample.rows:
        found[one.has[1]] += one.weight
    truth = np.mean([r == "north" for r in log.attributes["region"]])
    assert found["north"] / sum(found.values()) == pytest.approx(truth, abs=1 / MOST_ROWS)


def test_few_kinds_are_all_kept_with_their_counts() -> None:
    rows = [(str(i), "A", None, i * HOUR, i * HOUR) for i in range(500)]
    kinds = {str(i): "rare" if i % 50 == 0 else "common" for i in range(500)}
    model: OrderModel = fit_orders(snapshot(rows, attributes={"kind": kinds}), OrderSpec())
    sample = model.classes[0].sample
    assert sample is not None
    assert [(one.has, one.weight) for one in sample.rows] == [(("common",), 490), (("rare",), 10)]
    assert all(type(one.weight) is float for one in sample.rows)  # 1 would read back as 1.0: another text.


def test_without_columns_nothing_is_kept() -> None:
    rows = [(str(i), "A", None, i * HOUR, i * HOUR) for i in range(50)]
    assert fit_orders(snapshot(rows), OrderSpec()).classes[0].sample is None
