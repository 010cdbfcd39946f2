"""What orders are worth and promise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from calibration.order_model import fit_orders, group_cases, promised
from calibration.settings import OrderSpec, Promise, Rule
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Constant, Parametric
from metagraph.errors import DataError
from metagraph.orders import OrderClass, ProfitShape
from tests.calibration.builders import DAY, HOUR, ORIGIN, Row, snapshot


def log_of(n: int, **columns: Sequence[str | None]) -> Snapshot:
    rows: list[Row] = [(str(i), "A", "ann", i * HOUR, i * HOUR + 60) for i in range(n)]
    attributes = {name: {str(i): v for i, v in enumerate(values)} for name, values in columns.items()}
    return snapshot(rows, attributes=attributes)


def stamp(seconds: float, zone: str = "+00:00") -> str:
    return (ORIGIN + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat() + zone


def test_without_a_spec_all_orders_are_alike() -> None:
    model = fit_orders(log_of(10), OrderSpec())
    assert model.classes == (OrderClass("", "", 1.0, 10),)
    assert model.profit is None
    assert dict(model.columns) == {}


def test_columns_then_rules_make_classes() -> None:
    log = log_of(4, kind=["gold", None, "", "tin"], country=["DE", "DE", "FR", "FR"])
    spec = OrderSpec(
        class_column="kind",
        class_rules=(Rule("home", (("country", "DE"),)), Rule("abroad", (("country", "FR"),))),
        segment_rules=(Rule("tin from France", (("country", "FR"), ("kind", "tin"))),),
    )
    groups = group_cases(log, spec)
    assert groups.cls == ("gold", "home", "abroad", "tin")
    assert groups.segment == ("", "", "", "tin from France")
    shares = {(c.cls, c.segment): (c.share, c.n) for c in fit_orders(log, spec).classes}
    assert shares[("tin", "tin from France")] == (0.25, 1)
    assert sum(share for share, _ in shares.values()) == pytest.approx(1)


def test_values_and_dates_are_learned_from_their_columns() -> None:
    random = np.random.default_rng(61)
    value, due = random.uniform(100, 200, 80), random.uniform(2, 4, 80)
    log = log_of(
        80,
        amount=[f"{v:.2f}" for v in value],
        due=[stamp(i * HOUR + d * DAY, ("", "Z", "+00:00")[i % 3]) for i, d in enumerate(due)],
        size=["L" if i % 2 else "S" for i in range(80)],
    )
    spec = OrderSpec(class_column="size", value_column="amount", due_column="due", profit=ProfitShape())
    model = fit_orders(log, spec)
    large = next(c for c in model.classes if c.cls == "L")
    assert large.value is not None
    assert large.value.n == 40
    assert large.value.law.mean() == pytest.approx(value[1::2].mean(), rel=0.01)
    assert large.due_after is not None
    assert large.due_after.law.mean() == pytest.approx(due[1::2].mean() * DAY, rel=0.01)
    assert model.profit == ProfitShape()
    assert dict(model.columns) == {"class": "size", "value": "amount", "due": "due"}


def test_credits_and_overdue_orders_stay_below_zero() -> None:
    log = log_of(40, amount=[str(-50 + i) for i in range(40)])
    found = fit_orders(log, OrderSpec(value_column="amount")).classes[0].value
    assert found is not None
    assert float(found.law.ppf(0.0)) == -50
    assert found.law.mean() == pytest.approx(-30.5, abs=0.01)


def test_a_class_with_few_values_takes_all_of_them() -> None:
    log = log_of(50, amount=[str(i) for i in range(50)], kind=["rare"] * 3 + ["usual"] * 47)
    rare = fit_orders(log, OrderSpec(class_column="kind", value_column="amount")).classes[0]
    assert rare.cls == "rare"
    assert rare.value is not None
    assert (rare.value.level, rare.value.n) == ("all classes", 50)


def test_promises_hold_where_no_column_speaks() -> None:
    promises = (
        Promise(due_working_days=5, value=100.0),
        Promise(cls="gold", due_working_days=2),
        Promise(cls="gold", segment="DE", lost_after_s=30 * DAY),
    )
    told = promised(promises, "gold", "DE")
    assert (told.value, told.due_working_days, told.lost_after_s) == (100.0, 2, 30 * DAY)
    log = log_of(4, kind=["gold", "gold", "tin", "tin"])
    gold, tin = fit_orders(log, OrderSpec(class_column="kind", promises=promises)).classes
    assert (gold.due_working_days, tin.due_working_days) == (2, 5)
    assert gold.value is not None
    assert gold.value.law == Constant(100.0)
    assert gold.value.level == "human"
    assert gold.patience is None


@pytest.mark.parametrize("family", ["weibull_min", "expon"])
def test_patience_is_fitted_from_cancelled_orders(family: str) -> None:
    random = np.random.default_rng(62)
    n = 3000 if family == "weibull_min" else 75
    patience, service = random.exponential(10 * DAY, n), random.exponential(5 * DAY, n)
    rows: list[Row] = []
    for i, (p, s) in enumerate(zip(patience.tolist(), service.tolist(), strict=True)):
        rows.append((str(i), "Take", "ann", i * HOUR, i * HOUR + 60))
        last = "Cancel" if p < s else "Ship"
        rows.append((str(i), last, "ann", i * HOUR + min(p, s) + 60, i * HOUR + min(p, s) + 60))
    found = fit_orders(snapshot(rows), OrderSpec(cancelled=("Cancel",))).classes[0].patience
    assert found is not None
    assert isinstance(found.law, Parametric)
    assert found.law.family == family
    assert found.law.mean() == pytest.approx(10 * DAY, rel=0.1 if n == 3000 else 0.4)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (OrderSpec(class_column="color"), ["no case column 'color'", "class", "amount, due"]),
        (
            OrderSpec(value_column="amount"),
            ["case 1", "amount", "'twelve'", "a number, or", "--map value=amount"],
        ),
        (OrderSpec(due_column="due"), ["case 0", "'tomorrow'", "an instant", "--map due=due"]),
        (OrderSpec(cancelled=("Void",)), ["no activity 'Void'", "A"]),
        (OrderSpec(segment_rules=(Rule("x", (("color", "red"),)),)), ["'color'", "segment rule"]),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(spec: OrderSpec, words: list[str]) -> None:
    log = log_of(3, amount=["1", "twelve", None], due=["tomorrow", None, None])
    with pytest.raises(DataError) as refusal:
        fit_orders(log, spec)
    for word in words:
        assert word in str(refusal.value)
