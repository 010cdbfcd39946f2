"""Whole calibrations: valid, the same each time, quick on the public logs."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from calibration.calibrate import Calibrator, calibrate
from calibration.settings import OrderSpec, Settings
from discovery.miner import mine
from discovery.replay_log import replay_log
from eventlogs.historian import Historian
from eventlogs.mining.variants import variants
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence, skeleton
from metagraph.distributions import Constant
from metagraph.json_io import from_json, to_json
from metagraph.validate import validate
from tests.calibration.builders import DAY, HOUR, Known, Row, chain, known, snapshot
from tests.calibration.test_overrides import BLOCK, TRACES

LOGS = ("LoanApp", "P2P", "ConsultaDataMining", "BPIC12W")


def made(n: int = 100) -> Known:
    random = np.random.default_rng(71)
    rows: list[Row] = []
    for i, trace in enumerate(TRACES[:n]):
        t = i * 3 * HOUR
        for activity in trace.split():
            t += float(random.exponential(HOUR))
            end = t + float(random.gamma(2, 600))
            rows.append((str(i), activity, ("ann", "bob", "cem")[random.integers(3)], t, end))
            t = end
    return known(snapshot(rows), BLOCK)


ALTERNATIVES = [
    Settings(fast=True, use_delay=d, use_contention=c, use_calendars=k, window_share=w, history=h)
    for d, c, k, w, h in product((True, False), (True, False), (True, False), (1.0, 0.4), (0, 3))
]


def test_every_setting_gives_a_valid_metagraph_that_survives_json() -> None:
    log = made()
    shared = Calibrator(log.snapshot)
    for settings in ALTERNATIVES:
        graph = shared.calibrate(log.skeleton, log.replayed, settings, name="made", seed=7)
        assert validate(graph) == ()
        assert from_json(to_json(graph), "made") == graph
        alone = calibrate(log.snapshot, log.skeleton, log.replayed, settings, name="made", seed=7)
        assert alone == graph, "what candidates share changes nothing"


def test_structures_share_a_calibrator_but_not_their_waits() -> None:
    rows: list[Row] = []
    for i in range(60):
        rows.append((str(i), "A", "ann", i * DAY, i * DAY + HOUR))
        rows.append((str(i), "B", "ann", i * DAY + 2 * HOUR, i * DAY + 3 * HOUR))
    log = snapshot(rows)
    shared = Calibrator(log)
    settings = Settings(use_calendars=False)
    branches = Parallel("p", "p_end", (Leaf("a", "A"), Leaf("b", "B")))
    waits = []
    for block in (chain("A", "B"), branches):
        made_of = known(log, block)
        graph = shared.calibrate(made_of.skeleton, made_of.replayed, settings, name="made", seed=0)
        b = next(t for t in graph.tasks() if t.label == "B")
        assert b.waits is not None
        waits.append(b.waits.waiting_s)
        assert graph.arrivals is not None
        assert graph.arrivals.n == 60
    assert waits == [HOUR, 2 * HOUR], "after A, or since the start of the order"


def test_the_full_ladder_gives_the_same_each_time() -> None:
    log = made()
    a, b = (
        calibrate(log.snapshot, log.skeleton, log.replayed, Settings(), name="made", seed=7) for _ in range(2)
    )
    assert a == b
    assert to_json(a) == to_json(b)


def test_provenance_tells_the_facts() -> None:
    log = made(20)
    settings = Settings(fast=True, window_share=0.4, time_zone="Europe/Berlin")
    provenance = calibrate(log.snapshot, log.skeleton, log.replayed, settings, name="made", seed=7).provenance
    assert provenance is not None
    assert (provenance.cases, provenance.seed, provenance.open_cases) == (20, 7, 0)
    assert provenance.events == log.snapshot.n_events
    assert provenance.facts["window"] == "the last 8 of 20 cases"
    assert provenance.facts["time zone"] == "Europe/Berlin"
    assert "open at the end" in provenance.facts["end of log"]
    assert any("start and end times" in d.missing for d in provenance.defaults)


def test_a_task_that_was_never_seen_takes_the_work_of_all_and_says_so() -> None:
    rows: list[Row] = [(str(i), "A", "ann", i * DAY, i * DAY + 600) for i in range(40)]
    block = Sequence((Leaf("a", "A"), Choice("x", "x_end", (Leaf("b", "B"), Leaf("c", "C")))))
    log = known(snapshot(rows), block)
    graph = calibrate(log.snapshot, log.skeleton, log.replayed, Settings(), name="made", seed=0)
    unseen = next(t for t in graph.tasks() if t.label == "B")
    assert unseen.durations.default.level == "all tasks"
    assert unseen.durations.default.n == 0
    assert unseen.durations.default.law == Constant(600.0)
    assert graph.provenance is not None
    assert "duration of B" in {d.where for d in graph.provenance.defaults}
    assert validate(graph) == ()


@pytest.mark.parametrize(("free", "said"), [(("B", "C"), False), (("B", "C", "D"), True)])
def test_a_structure_that_is_mostly_one_loop_of_all_tasks_is_said_to_tell_no_order(
    free: tuple[str, ...], said: bool
) -> None:
    """Of four tasks, two or three in any order."""
    rows = [
        (str(i), label, "ann", i * DAY + k * HOUR, i * DAY + (k + 1) * HOUR)
        for i in range(40)
        for k, label in enumerate("ABCD")
    ]
    loose = Loop("l", "l_end", Choice("x", "x_end", tuple(Leaf(f.lower(), f) for f in free)), (Empty(),))
    others = [Leaf(f.lower(), f) for f in "ABCD" if f not in free]
    log = known(snapshot(rows), Sequence((others[0], loose, *others[1:])))
    graph = calibrate(log.snapshot, log.skeleton, log.replayed, Settings(fast=True), name="made", seed=0)
    assert graph.provenance is not None
    told = [d.missing for d in graph.provenance.defaults if d.where == "control flow"]
    assert told == (["an order that 3 of 4 tasks keep"] if said else [])


def test_one_timestamp_an_event_makes_everything_delay() -> None:
    rows: list[Row] = []
    for i in range(60):
        rows += [(str(i), a, "ann", i * DAY + k * HOUR, i * DAY + k * HOUR) for k, a in enumerate("AB")]
    log = known(replace(snapshot(rows), single_timestamp=True), chain("A", "B"))
    settings = Settings(use_calendars=False)
    graph = calibrate(log.snapshot, log.skeleton, log.replayed, settings, name="made", seed=0)
    b = next(t for t in graph.tasks() if t.label == "B")
    assert b.durations.default.law == Constant(0.0)
    assert b.delay is not None
    assert b.delay.default.law == Constant(HOUR)
    assert graph.provenance is not None
    assert "no time" in graph.provenance.facts["timestamps"]


def test_open_orders_count_for_what_they_did() -> None:
    rows: list[Row] = [(str(i), "A", "ann", i * DAY, i * DAY + 600) for i in range(40)]
    rows += [(str(i), "B", "ann", i * DAY + HOUR, i * DAY + HOUR + 60) for i in range(30)]
    rows += [("39", "B", "ann", 39 * DAY + HOUR, None)]
    log = known(snapshot(rows, until_s=40 * DAY, open_cases=[str(i) for i in range(30, 40)]), chain("A", "B"))
    graph = calibrate(log.snapshot, log.skeleton, log.replayed, Settings(), name="made", seed=0)
    by_label = {t.label: t.durations.default for t in graph.tasks()}
    assert by_label["A"].n == 40
    assert by_label["B"].n == 30
    assert graph.provenance is not None
    assert graph.provenance.open_cases == 10


def test_settings_that_mean_nothing_are_refused() -> None:
    for bad in ({"window_share": 0.0}, {"window_share": 1.5}, {"history": -1}, {"min_context": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Settings(**bad)
    assert hash(Settings()) == hash(Settings(orders=OrderSpec()))


@pytest.mark.parametrize("name", LOGS)
def test_public_logs_are_calibrated_in_time(public_logs: Path, tmp_path: Path, name: str) -> None:
    with Historian(tmp_path / "h.duckdb") as historian:
        historian.import_log(public_logs / "accuracy" / "logs" / f"{name}_train.csv.gz", name=name)
        log = historian.snapshot(name)
    structure = skeleton(mine(variants(log), 0.4))
    replayed = replay_log(log, structure.block)
    shared = Calibrator(log)
    import scipy.special  # noqa: F401 - not the calibration's time

    spent = []
    for settings in (
        Settings(fast=True),
        Settings(fast=True, history=2),
        Settings(fast=True, use_contention=False),
    ):
        begun = time.process_time()
        graph = shared.calibrate(structure, replayed, settings, name=name, seed=0)
        spent.append(time.process_time() - begun)
        assert validate(graph) == ()
    assert max(spent) < 1.5
    begun = time.process_time()
    graph = shared.calibrate(structure, replayed, Settings(), name=name, seed=0)
    assert time.process_time() - begun < 20
    assert validate(graph) == ()
    assert len(to_json(graph)) < 3_000_000
