"""Batches that a known process has are found in its log, and none where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from calibration.batch_work import per_item
from calibration.calibrate import calibrate
from calibration.local_time import Floats, local_time
from calibration.releases import Seen, fit_release
from calibration.settings import Settings
from calibration.together import find_together, grain_s
from metagraph.agents import Agent, Queue
from metagraph.batches import Batch
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, Task
from metagraph.orders import Order
from metagraph.validate import validate
from tests.calibration.builders import DAY, HOUR, ORIGIN, Row, chain, known, snapshot
from tests.calibration.known_runs import log_of, stream
from tests.simulation.builders import process, row

WORK = Parametric("gamma", (2.0, 0.0, 450.0))
MEAN_S = 900.0
B = ("b1", "b2")
ON = Settings(use_batching=True, fast=True)


def made(batch: Batch | None, calendar: str = "office") -> Metagraph:
    """Three tasks; those who do the collected one, b, also do the others."""
    model = process(
        row("a", "b", "c"),
        WORK,
        queues=[Queue("a", ("a1", "a2", *B)), Queue("b", B), Queue("c", (*B, "c1"))],
        serves={name: [name] for name in "abc"},
        agents=[Agent(name, calendar) for name in ("a1", "a2", *B, "c1")],
    )
    nodes = (replace(n, batch=batch) if isinstance(n, Task) and n.id == "b" else n for n in model.nodes)
    return replace(model, nodes=tuple(nodes))


def by_day(per_h: float, days: int, seed: int) -> tuple[Order, ...]:
    """Orders from 9 to 17 on working days."""
    random = np.random.default_rng(seed)
    days_of = [d for d in range(days) if d % 7 < 5]
    times = [np.sort(random.uniform(9, 17, random.poisson(8 * per_h))) * HOUR + d * DAY for d in days_of]
    return tuple(Order(f"o{i:05}", round(float(t), 3)) for i, t in enumerate(np.concatenate(times)))


def found_in(model: Metagraph, orders: Sequence[Order], seed: int, settings: Settings = ON) -> Metagraph:
    made_of = known(log_of(model, orders, seed), chain("A", "B", "C"))
    twin = calibrate(made_of.snapshot, made_of.skeleton, made_of.replayed, settings, name="found", seed=0)
    assert validate(twin) == ()
    return twin


def batches_of(twin: Metagraph) -> dict[str, Batch]:
    return {task.label: task.batch for task in twin.tasks() if task.batch is not None}


def of(size: float) -> Fitted:
    return Fitted(Constant(size))


WEEKDAYS_15 = tuple(d * DAY + 15 * HOUR for d in range(5))
KINDS = {
    "five or eight hours": Batch("simultaneous", of(5), 8 * HOUR),
    "two hours": Batch("simultaneous", None, 2 * HOUR),
    "at three": Batch("simultaneous", times=WEEKDAYS_15),
    "five or eight hours, one by one": Batch("sequential", of(5), 8 * HOUR),
    "two hours, one by one": Batch("sequential", None, 2 * HOUR),
    "at three, one by one": Batch("sequential", times=WEEKDAYS_15),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_known_batch_is_found(name: str, seed: int) -> None:
    """Kind, times and waits exactly; the mean work within 99.9 % (a batch of n counts once)."""
    true = KINDS[name]
    twin = found_in(made(true), by_day(1.5, 90, seed), seed)
    assert list(batches_of(twin)) == ["B"]
    found = batches_of(twin)["B"]
    assert (found.kind, found.times, found.per_item) == (true.kind, true.times, 0.0)
    if true.size is None:
        assert found.size is None
        assert found.wait_s == (None if true.wait_s is None else pytest.approx(true.wait_s, abs=1.0))
    else:
        assert found.size is not None
        assert found.size.law == true.size.law
        # Nearly all are full, so the longest wait is only known not to be shorter than those seen.
        assert found.wait_s is not None
        assert 0.3 * 8 * HOUR < found.wait_s <= 8 * HOUR + 1
    task = next(task for task in twin.tasks() if task.label == "B")
    n = found.batches if true.kind == "simultaneous" else found.executions
    width = 3.29 * 450 * np.sqrt(2) / np.sqrt(n) + 0.03 * MEAN_S
    assert task.durations.default.law.mean() == pytest.approx(MEAN_S, abs=width)
    assert task.durations.default.n < 1.3 * n
    assert task.delay is None
    assert {agent.capacity for agent in twin.agents} == {1}


@pytest.mark.parametrize("kind", ["sequential", "simultaneous"])
def test_sizes_that_differ_are_found(kind: str) -> None:
    """2 to 6 alike, some cut off by the longest wait of six hours: the size isn't too small for that."""
    batch = Batch(kind, Fitted(Empirical((1.5, 6.5))), 6 * HOUR)  # type: ignore[arg-type]
    twin = found_in(made(batch, "always"), stream(1.0, 2000, np.random.default_rng(4)), 4)
    found = batches_of(twin)["B"]
    assert found.wait_s == pytest.approx(6 * HOUR, abs=1.0)
    assert found.size is not None
    law = found.size.law
    share = (
        np.bincount(np.floor(law.ppf((np.arange(999) + 0.5) / 999) + 0.5).astype(int), minlength=7)[2:] / 999
    )
    assert share == pytest.approx([0.2] * 5, abs=3.29 * np.sqrt(0.16 / found.size.n) + 0.02)


def test_work_that_takes_longer_for_more_orders_is_found() -> None:
    """Only together with sizes that differ; a third more for each further order, to within a tenth of it."""
    batch = Batch("simultaneous", None, 3 * HOUR, per_item=0.33)
    twin = found_in(made(batch, "always"), stream(1.0, 3000, np.random.default_rng(5)), 5)
    found = batches_of(twin)["B"]
    assert found.per_item == pytest.approx(0.33, abs=0.08)
    task = next(task for task in twin.tasks() if task.label == "B")
    assert task.durations.default.law.mean() == pytest.approx(MEAN_S, rel=0.12)


def test_what_waits_for_its_batch_is_not_delayed() -> None:
    """Without batches the same log has hours of delay; and the breakdown of waits tells batching."""
    orders = by_day(1.5, 90, 7)
    off = found_in(made(KINDS["at three"]), orders, 7, Settings(fast=True))
    delay = next(task.delay for task in off.tasks() if task.label == "B")
    assert delay is not None
    assert delay.default.law.mean() > HOUR
    on = found_in(made(KINDS["at three"]), orders, 7, replace(ON, fast=False))
    task = next(task for task in on.tasks() if task.label == "B")
    assert task.delay is None
    assert task.waits is not None
    assert task.waits.batching_s > HOUR


@dataclass(frozen=True)
class Plain:
    """A process without batches that could be taken for one that has some."""

    seed: int
    calendar: str
    per_h: float
    capacity: int
    work: Distribution
    delay: Distribution | None
    grain_s: float


def plain(seed: int) -> Plain:
    random = np.random.default_rng(1000 + seed)
    works = (WORK, Constant(900.0), Constant(0.0), Parametric("expon", (0.0, 900.0)))
    delays = (
        None,
        None,
        Parametric("expon", (0.0, HOUR)),
        Parametric("expon", (0.0, DAY)),
        Constant(2 * HOUR),
    )
    return Plain(
        seed,
        ("office", "always")[seed % 2],
        float(random.uniform(0.3, 0.97)),
        int(random.choice([1, 1, 2, 6])),
        works[int(random.integers(len(works)))],
        delays[int(random.integers(len(delays)))],
        float(random.choice([0.001, 1.0, 60.0, 900.0])),
    )


def plain_log(case: Plain) -> list[Row]:
    """Queues of busy people, nights, delays, instant work, several things at once, rounded times."""
    names = ("x", "y", "z")
    laws = {"a": WORK, "b": case.work, "c": WORK}
    model = process(
        row("a", "b", "c"),
        laws,
        queues=[Queue(q, names[i:] if q != "c" else ("x", "y")) for i, q in enumerate("abc")],
        serves={q: [q] for q in "abc"},
        agents=[Agent(name, case.calendar, capacity=case.capacity) for name in names],
    )
    if case.delay is not None:
        delay = DelayTable(Fitted(case.delay), {})
        nodes = (replace(n, delay=delay) if isinstance(n, Task) and n.id == "b" else n for n in model.nodes)
        model = replace(model, nodes=tuple(nodes))
    most = 4.0 / 3 * case.capacity * (1.0 if case.calendar == "always" else 8 * 5 / 168)
    orders = stream(case.per_h * most, 700 / most, np.random.default_rng(case.seed))
    log = log_of(model, orders, case.seed)
    case_of = log.case_of_row()
    grain = case.grain_s
    return [
        (
            log.cases[case_of[i]],
            log.activities[log.activity[i]],
            log.resources[log.resource[i]],
            float(np.floor(log.start_s[i] / grain) * grain),
            float(np.floor(log.end_s[i] / grain) * grain),
        )
        for i in np.flatnonzero(~np.isnan(log.end_s))
    ]


@pytest.mark.parametrize("seed", range(24))
def test_no_batches_are_found_where_there_are_none(seed: int) -> None:
    made_of = known(snapshot(plain_log(plain(seed))), chain("A", "B", "C"))
    for settings in (ON, replace(ON, use_contention=False)):
        twin = calibrate(made_of.snapshot, made_of.skeleton, made_of.replayed, settings, name="x", seed=0)
        assert batches_of(twin) == {}


@pytest.mark.parametrize("name", ["two hours", "two hours, one by one"])
def test_without_the_setting_nothing_is_collected(name: str) -> None:
    twin = found_in(made(KINDS[name]), by_day(1.5, 40, 3), 3, Settings(fast=True))
    assert batches_of(twin) == {}


@pytest.mark.parametrize("grain", [1.0, 60.0, 900.0, 3600.0])
def test_what_times_are_rounded_to_is_found(grain: float) -> None:
    times = np.random.default_rng(1).uniform(0, 1e7, 500)
    assert grain_s(np.floor(times / grain) * grain) == grain
    assert grain_s(times) == 0.0


def test_instant_work_says_nothing_of_batches() -> None:
    together = [(f"c{i}", "A", "x", 600.0 * (i // 5), 600.0 * (i // 5)) for i in range(200)]
    assert not find_together(snapshot(together)).activities
    lasting = [(c, a, r, s, s + 300.5) for c, a, r, s, _ in together]
    assert find_together(snapshot(lasting)).activities == {0}


def test_what_a_case_has_twice_at_once_is_no_batch() -> None:
    twice = [(f"c{i // 2}", "A", "x", 900.0 * (i // 2), 900.0 * (i // 2) + 300.5) for i in range(200)]
    assert not find_together(snapshot(twice)).activities


def test_nobodys_work_that_always_lasts_as_long_is_no_batch() -> None:
    """What begins together ends together, for it lasts equally long; where lengths differ that says more."""
    for lengths, found in (([300.5], set()), ([200.5, 300.5, 400.5, 500.5, 600.5], {0})):
        rows: list[Row] = []
        for i in range(200):
            start = 900.0 * (i // 2)
            rows.append((f"c{i}", "A", None, start, start + lengths[i // 2 % len(lengths)]))
        assert find_together(snapshot(rows)).activities == found


def seen(waited: Floats, late_s: Floats) -> Seen:
    """A batch of three a day that begins so long after its first order; its last comes so long before."""
    first = np.arange(float(len(waited))) * DAY + np.random.default_rng(2).uniform(0, 8, len(waited)) * HOUR
    begun = first + waited
    return Seen(first, begun - late_s, begun, begun, np.ones(len(waited), np.bool_), np.full(len(waited), 3))


def test_waits_that_differ_released_nothing() -> None:
    """Batches that begin one to nine hours after their first order, at any time of the day, weren't released
    by how long they waited; those that begin after two hours were."""
    local = local_time(ORIGIN, 0.0, 90 * DAY, "UTC")
    late = np.full(80, 600.0)
    assert fit_release(seen(np.random.default_rng(1).uniform(1, 9, 80) * HOUR, late), local) is None
    found = fit_release(seen(np.full(80, 2 * HOUR), late), local)
    assert found is not None
    assert found.wait_s == pytest.approx(2 * HOUR)


def test_a_release_that_explains_half_of_the_batches_is_none() -> None:
    """Half began after two hours, and half, whose releases aren't known to the second, after one."""
    local = local_time(ORIGIN, 0.0, 90 * DAY, "UTC")
    waited = np.where(np.arange(80) % 2 == 0, 2 * HOUR, HOUR)
    blurred = replace(seen(waited, np.full(80, 600.0)), exact=waited > HOUR)
    assert fit_release(blurred, local) is None


def test_several_things_at_once_are_no_batch() -> None:
    """Five of a constant length are begun together at each opening, and one by one after that."""
    rows: list[Row] = []
    for day in range(60):
        rows += [(f"{day}.{i}", "A", "x", day * DAY + 9 * HOUR, day * DAY + 10 * HOUR) for i in range(5)]
        more = np.arange(5) * 700.0 + day * DAY + 10.2 * HOUR
        rows += [(f"{day}.{5 + i}", "A", "x", float(t), float(t) + HOUR) for i, t in enumerate(more)]
    assert not find_together(snapshot(rows)).activities


def test_the_size_of_batches_that_were_not_full_is_larger() -> None:
    """Half of the batches are of 2 and 6; of those of 6 half are released with 4 after the longest wait."""
    size = np.array([2] * 40 + [6] * 20 + [4] * 20)
    first = np.cumsum(np.random.default_rng(1).uniform(0.5, 1.5, 80)) * DAY
    full = size != 4
    last: Floats = first + np.where(full, 3000.0, 3500.0)
    release: Floats = np.where(full, last, first + 4000.0)
    seen = Seen(first, last, release, release, np.ones(80, np.bool_), size)
    found = fit_release(seen, local_time(datetime(2024, 1, 1, tzinfo=UTC), 0.0, 90 * DAY, "UTC"))
    assert found is not None
    assert found.wait_s == pytest.approx(4000.0)
    assert found.size is not None
    assert float((found.size.law.ppf((np.arange(1000) + 0.5) / 1000) < 4).mean()) == pytest.approx(
        0.5, abs=0.01
    )


def test_work_on_more_orders_by_least_squares() -> None:
    size = np.repeat([1, 2, 3, 4], 50)
    batch = np.repeat(np.arange(200), size)
    work = np.repeat(600.0 * (1 + 0.5 * (size - 1)) + np.tile([-9.0, 9.0], 100), size)
    each, alone = per_item(work, batch)
    assert each == pytest.approx(0.5, abs=0.01)
    assert alone == pytest.approx(600.0, abs=15.0)
    assert ORIGIN.weekday() == 0
