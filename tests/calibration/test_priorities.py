"""What went first is found in the log of a process in which it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from calibration.calibrate import calibrate
from calibration.settings import OrderSpec, Settings
from discovery.replay_log import replay_log
from eventlogs.snapshot import Snapshot
from metagraph.agents import Agent, Queue
from metagraph.blocks import skeleton
from metagraph.distributions import Constant
from metagraph.expressions import parse
from metagraph.model import Metagraph
from metagraph.orders import Order, OrderModel
from metagraph.validate import validate
from tests.calibration.builders import ORIGIN
from tests.calibration.known_runs import log_of, stream
from tests.simulation.builders import expon, process, row

SHARES = {"gold": 0.2, "silver": 0.3, "": 0.5}
BLOCK = row("a", "b", "c")
BY_SEGMENT = "2 * (segment == 'gold') + (segment == 'silver')"


def busy(rule: str, *, delay: float = 0.0, expression: str = "") -> Metagraph:
    """Two who do both b and c, 90 % busy; a takes time, but nobody."""
    pool = ("ann", "bob")
    made = process(
        BLOCK,
        {"a": Constant(60.0), "b": expon(1500.0), "c": expon(600.0)},
        queues=[Queue("b", pool, priority=rule), Queue("c", pool, priority=rule)],
        serves={"b": ["b"], "c": ["c"]},
        agents=[Agent(name, "always") for name in pool],
        delays={"b": expon(delay)} if delay else None,
    )
    return replace(made, orders=OrderModel(rule=expression))


def due_in(orders: tuple[Order, ...], random: np.random.Generator) -> tuple[Order, ...]:
    return tuple(replace(o, due_s=o.release_s + float(random.uniform(3600, 60 * 3600))) for o in orders)


def found(log: Snapshot, settings: Settings) -> Metagraph:
    shape = skeleton(BLOCK)
    return calibrate(log, shape, replay_log(log, BLOCK), settings, name="found", seed=0)


SETTINGS = Settings(use_priorities=True, fast=True, orders=OrderSpec(segment_column="segment"))


def log_under(
    rule: str, seed: int, *, delay: float = 0.0, expression: str = "", hours: int = 500
) -> Snapshot:
    random = np.random.default_rng([seed, 5])
    orders = due_in(stream(3.0, hours, random, SHARES), random)
    return log_of(busy(rule, delay=delay, expression=expression), orders, seed)


def rules(twin: Metagraph) -> set[str]:
    return {queue.priority for queue in twin.queues}


@pytest.mark.parametrize("seed", range(3))
def test_last_come_first_served_is_found(seed: int) -> None:
    twin = found(log_under("LIFO", seed), SETTINGS)
    assert rules(twin) == {"LIFO"}
    assert validate(twin) == ()
    said = twin.provenance.facts["what goes first at B, C"] if twin.provenance else ""
    assert "last come, first served" in said


@pytest.mark.parametrize("seed", range(3))
def test_segments_are_ranked(seed: int) -> None:
    twin = found(log_under("RULE", seed, expression=BY_SEGMENT), SETTINGS)
    assert rules(twin) == {"RULE"}
    assert validate(twin) == ()
    asked = parse(twin.orders.rule, "the rule")
    worth = [asked.value(Order("o", 0.0, segment=s)) for s in ("gold", "silver", "")]
    assert sorted(worth, reverse=True) == worth
    assert len(set(worth)) == 3


@pytest.mark.parametrize("seed", range(2))
def test_due_dates_are_found(seed: int) -> None:
    random = np.random.default_rng([seed, 6])
    orders = due_in(stream(3.0, 500, random), random)
    plain = log_of(busy("SDD"), orders, seed)
    due = {o.id: (ORIGIN + timedelta(seconds=o.due_s or 0.0)).isoformat() for o in orders}
    log = replace(plain, attributes={"due": tuple(due[case] for case in plain.cases)})
    assert rules(found(log, replace(SETTINGS, orders=OrderSpec(due_column="due")))) == {"SDD"}


def test_the_shortest_work_is_found() -> None:
    assert rules(found(log_under("SERPT", 1), SETTINGS)) == {"SERPT"}


@pytest.mark.parametrize("amount", [True, False], ids=["amount", "kind"])
def test_attributes_of_orders_are_found(amount: bool) -> None:
    random = np.random.default_rng(9)
    orders = tuple(
        replace(o, attributes={"prio": str(random.integers(1, 30) if amount else random.choice(["x", "y"]))})
        for o in stream(3.0, 500, random)
    )
    log = log_of(busy("RULE", expression="-prio" if amount else "prio == 'y'"), orders, 9)
    said = {o.id: o.attributes["prio"] for o in orders}
    log = replace(log, attributes={"prio": tuple(said[case] for case in log.cases)})
    twin = found(log, replace(SETTINGS, orders=OrderSpec()))
    assert rules(twin) == {"RULE"}
    asked = parse(twin.orders.rule, "the rule")
    first, last = ("3", "9") if amount else ("y", "x")
    assert asked.value(Order("o", 0.0, attributes={"prio": first})) > asked.value(
        Order("o", 0.0, attributes={"prio": last})
    )
    assert isinstance(asked.value(Order("o", 0.0)), float)


def test_first_come_first_served_is_left_alone() -> None:
    """Also where work is ready only some time after it was enabled, and where the log lacks what decides."""
    for seed in range(6):
        assert rules(found(log_under("FIFO", seed, hours=200), SETTINGS)) == {"FIFO"}
        assert rules(found(log_under("FIFO", seed, delay=7200.0, hours=200), SETTINGS)) == {"FIFO"}
        hidden = replace(log_under("RULE", seed, expression="-due_h", hours=200), attributes={})
        assert rules(found(hidden, replace(SETTINGS, orders=OrderSpec()))) == {"FIFO"}


def test_rules_are_looked_for_only_where_they_are_asked_for() -> None:
    log = log_under("LIFO", 0, hours=200)
    assert rules(found(log, replace(SETTINGS, use_priorities=False))) == {"FIFO"}
    assert rules(found(log, replace(SETTINGS, use_contention=False))) == {"FIFO"}


def test_queues_of_different_people_get_the_same_rule() -> None:
    """Ranks are learnt from the choices of all: those of rare segments would differ by chance from pool to
    pool, and a twin has one expression for all queues."""
    shares = dict.fromkeys("abcdefghijklmnopqrst", 0.05)
    expression = " + ".join(f"{n} * (segment == {name!r})" for n, name in enumerate("tsrqponmlkjihgfedcba"))
    twins = []
    for seed in range(4):
        orders = stream(3.0, 150, np.random.default_rng([seed, 8]), shares)
        pools = {"b": ("ann",), "c": ("bob",)}
        known = process(
            BLOCK,
            {"a": Constant(60.0), "b": expon(1080.0), "c": expon(1080.0)},
            queues=[Queue(name, pool, priority="RULE") for name, pool in pools.items()],
            serves={"b": ["b"], "c": ["c"]},
            agents=[Agent(name, "always") for name in ("ann", "bob")],
        )
        log = log_of(replace(known, orders=OrderModel(rule=expression)), orders, seed)
        twins.append(found(log, SETTINGS))
    assert [rules(twin) for twin in twins] == [{"RULE"}] * 4


def test_a_short_window_is_widened() -> None:
    log = log_under("RULE", 0, expression=BY_SEGMENT, hours=200)
    twin = found(log, replace(SETTINGS, window_share=0.15))
    assert rules(twin) == {"RULE"}
    assert twin.provenance
    assert "choices of the whole log" in twin.provenance.facts["what goes first at B, C"]
