"""Business rules are found where orders' attributes decide, say what decides, and are not found elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from calibration.calibrate import calibrate
from calibration.features import Condition, features_of, name_in_expressions
from calibration.settings import OrderSpec, Settings
from metagraph.blocks import Choice, Empty, Leaf, Loop, Sequence
from metagraph.expressions import parse
from metagraph.json_io import from_json, to_json
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.routing import Context, Routing
from metagraph.validate import validate
from tests.calibration.builders import HOUR, Known, Row, known, snapshot

BLOCK = Sequence(
    (
        Leaf("s", "Start"),
        Choice("x", "x_end", (Leaf("a", "Audit"), Leaf("b", "Book"), Empty())),
        Loop("l", "l_end", Leaf("w", "Work"), (Leaf("r", "Repair"),)),
        Leaf("z", "Close"),
    )
)
Z = 3.29
"""Half-width of a 99.9 % interval in standard deviations."""
DEAR = (0.9, 0.05, 0.05)
CHEAP = (0.1, 0.6, 0.3)
REPAIR = {"East": 0.6, "North": 0.2, "South": 0.2}
RULES = Settings(use_rules=True, fast=True)


def log(seed: int, n: int, *, ruled: bool) -> Known:
    """Dear orders from the north are audited, and work from the east is repaired more often; or nothing
    depends on anything."""
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    told: dict[str, dict[str, str | None]] = {"amount": {}, "region": {}, "kind of order": {}, "age": {}}
    for i in range(n):
        name, amount = f"c{i}", round(float(random.lognormal(8, 1)), 2)
        region = str(random.choice(["North", "South", "East"]))
        told["amount"][name], told["region"][name] = str(amount), region
        told["kind of order"][name] = str(random.choice(list("abcdefgh")))
        told["age"][name] = str(random.integers(18, 80))
        shares = (DEAR if amount > 5000 and region == "North" else CHEAP) if ruled else (0.5, 0.3, 0.2)
        trace = ["Start", *[["Audit"], ["Book"], []][random.choice(3, p=shares)], "Work"]
        while random.random() < (REPAIR[region] if ruled else 0.3):
            trace += ["Repair", "Work"]
        rows += [
            (name, activity, "ann", i * HOUR + 60 * k, i * HOUR + 60 * k + 30)
            for k, activity in enumerate([*trace, "Close"])
        ]
    return known(snapshot(rows, attributes=told), BLOCK)


def twin_of(found: Known, settings: Settings = RULES) -> Metagraph:
    return calibrate(found.snapshot, found.skeleton, found.replayed, settings, name="made", seed=0)


def weights(routing: Routing, attributes: Mapping[str, str]) -> tuple[float, ...]:
    """Of the flows for an order with these attributes."""
    order = Order("1", 0.0, attributes=attributes)
    met = next((i for i, r in enumerate(routing.rules, 1) if parse(r.when, "rule").meets(order)), 0)
    return routing.weights(Context("", "", 1, (), str(met or "")))


@pytest.fixture(scope="module")
def twin() -> Metagraph:
    return twin_of(log(81, 3000, ruled=True))


def test_the_rules_say_what_decides(twin: Metagraph) -> None:
    """Thresholds within 10 %, shares within 99.9 % binomial intervals of the known ones."""
    x, end = (next(r for r in twin.routing if r.node == node) for node in ("x", "l_end"))
    (dear,) = x.rules
    amount, region = dear.when.split(" and ")
    assert amount.startswith("amount > ")
    assert float(amount.removeprefix("amount > ")) == pytest.approx(5000, rel=0.1)
    assert region == "region == 'North'"
    assert [rule.when for rule in end.rules] == ["region == 'East'"]
    for attributes, shares, n in (
        ({"amount": "7000", "region": "North"}, DEAR, dear.n),
        ({"amount": "7000", "region": "East"}, CHEAP, 3000 - dear.n),
        ({"amount": "3000", "region": "North"}, CHEAP, 3000 - dear.n),
    ):
        for found, p in zip(weights(x, attributes), shares, strict=True):
            assert found == pytest.approx(p, abs=Z * np.sqrt(p * (1 - p) / n) + 0.02)
    for region, p in REPAIR.items():
        assert weights(end, {"region": region})[0] == pytest.approx(p, abs=Z * np.sqrt(p * (1 - p) / 1000))


def test_a_twin_with_rules_is_valid_and_can_be_kept(twin: Metagraph) -> None:
    assert validate(twin) == ()
    assert from_json(to_json(twin), "made") == twin
    assert all(rule.n >= 30 and "held-out" in rule.note for r in twin.routing for rule in r.rules)


def test_rules_are_only_looked_for_where_the_settings_say_so() -> None:
    plain = twin_of(log(82, 600, ruled=True), Settings(fast=True))
    assert not any(r.rules for r in plain.routing)


def test_attributes_without_influence_give_no_rules() -> None:
    """Of 60 gateways in 30 logs at most two have one: with 1 % each, 2 % of such tests would see more."""
    ruled = sum(bool(r.rules) for seed in range(30) for r in twin_of(log(seed, 400, ruled=False)).routing)
    assert ruled <= 2


def test_the_same_log_gives_the_same_rules() -> None:
    assert twin_of(log(83, 600, ruled=True)) == twin_of(log(83, 600, ruled=True))


def test_conditions_say_what_their_text_says() -> None:
    """Every condition of a rule holds for exactly the cases that meet its text."""
    found = log(84, 500, ruled=True)
    given = {
        k: tuple(v if i % 7 else None for i, v in enumerate(vs))
        for k, vs in found.snapshot.attributes.items()
    }
    changed = replace(found.snapshot, attributes=given)
    features = features_of(changed, OrderSpec())
    for f, feature in enumerate(features):
        if feature.value is None:
            middle = float(np.nanmedian(feature.column))
            conditions = [
                Condition(f, low=middle),
                Condition(f, high=middle),
                Condition(f, middle / 2, middle),
            ]
        else:
            conditions = [Condition(f, low=0.5), Condition(f, high=0.5)]
        for condition in conditions:
            asked = parse(condition.text(features), "rule")
            holds = [
                asked.meets(Order("1", 0.0, attributes={k: v[i] or "" for k, v in given.items()}))
                for i in range(500)
            ]
            assert holds == condition.holds(features).tolist(), asked.text
            assert 0 < sum(holds) < 500


@pytest.mark.parametrize(
    ("attribute", "asked"),
    [("amount", "amount"), ("value", "attr('value')"), ("kind of", "attr('kind of')"), ("if", "attr('if')")],
)
def test_names_that_mean_something_else_are_quoted(attribute: str, asked: str) -> None:
    assert name_in_expressions(attribute) == asked
