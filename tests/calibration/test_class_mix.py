"""Classes that come at other times than the rest: found, simulated and foretold; alike ones left alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.class_mix import with_hours
from calibration.local_time import local_time
from calibration.order_model import fit_orders, group_cases
from calibration.settings import OrderSpec
from eventlogs.snapshot import Snapshot
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, OrderClass, OrderModel
from simulation.arrivals import draw_orders
from tests.calibration.builders import ORIGIN, WEEK, snapshot
from tests.calibration.test_arrivals import PROFILE
from tests.simulation.test_arrivals import twin
from twin.volume import foresee, write_volume

SPEC = OrderSpec(class_column="kind")
MORNING = np.where(np.arange(168) % 24 < 12, 1.6, 0.4)
"""Gold comes before noon; on Fridays not at all."""
MORNING[4 * 24 : 5 * 24] = 0.0


def process(by_hour: np.ndarray[tuple[int], np.dtype[np.float64]] | None) -> Metagraph:
    """Three in ten orders are gold, some hours more, some less."""
    gold = OrderClass("gold", "", 0.3, by_hour=() if by_hour is None else tuple(by_hour.tolist()))
    iron = OrderClass(
        "iron", "", 0.7, by_hour=() if by_hour is None else tuple(((1 - 0.3 * by_hour) / 0.7).tolist())
    )
    return replace(twin(Arrivals(tuple((2 * PROFILE).tolist()))), orders=OrderModel((gold, iron)))


def logged(model: Metagraph, seed: int, weeks: int) -> Snapshot:
    drawn = draw_orders(
        model, ORIGIN, origin=ORIGIN, seed=seed, replication=0, until_s=weeks * WEEK, first_at_start=False
    )
    t = drawn.table["release_s"].tolist()
    kinds = {str(i): ("", "gold", "iron")[k] for i, k in enumerate(drawn.table["cls"].tolist())}
    assert set(kinds.values()) == {"gold", "iron"}
    return snapshot(((str(i), "A", "ann", s, s + 60) for i, s in enumerate(t)), attributes={"kind": kinds})


def found(log: Snapshot) -> tuple[OrderClass, ...]:
    local = local_time(log.origin, 0.0, log.until_s, "UTC")
    return with_hours(fit_orders(log, SPEC).classes, log, group_cases(log, SPEC), local)


def test_a_mix_that_follows_the_week_comes_back() -> None:
    log = logged(process(MORNING), 1, 52)
    gold, iron = found(log)
    assert (gold.cls, iron.cls) == ("gold", "iron")
    hours = np.flatnonzero(PROFILE)
    share = gold.share * np.array(gold.by_hour)[hours]
    true = 0.3 * MORNING[hours]
    # 4 standard errors of a share of the 52 weeks' orders of that hour, and what smoothing draws to the rest.
    assert (np.abs(share - true) <= 4 * np.sqrt(0.25 / (104 * PROFILE[hours])) + 0.05).all()
    assert share[(hours >= 96)].max() < 0.05
    assert np.allclose(share + iron.share * np.array(iron.by_hour)[hours], 1.0, atol=1e-3)


def test_classes_that_come_alike_stay_alike() -> None:
    """In all of 40 logs: 1 in 1,000 would be told apart by chance."""
    for seed in range(40):
        assert not any(c.by_hour for c in found(logged(process(None), 100 + seed, 8)))


def test_few_orders_tell_nothing() -> None:
    assert not any(c.by_hour for c in found(logged(process(MORNING), 2, 1)))


def test_volumes_are_told_by_class(tmp_path: Path) -> None:
    """On Fridays no gold comes; the classes add up to all orders."""
    volume = foresee(process(MORNING), periods=7, by="day", start=ORIGIN, replications=400)
    gold, iron = volume.by_class["gold"], volume.by_class["iron"]
    expected = (2 * PROFILE * 0.3 * MORNING).reshape(7, 24).sum(axis=1)
    assert [c.mean for c in gold] == pytest.approx(expected.tolist(), abs=4 * np.sqrt(expected.max() / 400))
    assert gold[4].mean == 0
    assert [a.mean + b.mean for a, b in zip(gold, iron, strict=True)] == pytest.approx(
        [c.mean for c in volume.counts]
    )
    write_volume(volume, tmp_path / "v.csv")
    lines = (tmp_path / "v.csv").read_text().splitlines()
    assert lines[0].endswith(",class")
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == [""] * 7 + ["gold"] * 7 + ["iron"] * 7
    assert not foresee(twin(Arrivals((1.0,) * 168)), periods=1, start=ORIGIN, replications=2).by_class
