"""A replayed log's columns, by hand, case by case, and on the public logs."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.conformance import describe, fitness, summary
from discovery.miner import mine
from discovery.normal_form import EMPTY, choice, loop, numbered, parallel, sequence
from discovery.replay import Replayer
from discovery.replay_log import replay_log
from discovery.replayed import MISFIT, VariantFit
from eventlogs.historian import Historian
from metagraph.blocks import Block, Leaf, skeleton
from tests.discovery.structures import Row, labels, normal, snapshot

A, B, C, D = (Leaf(f"t_{letter}", letter) for letter in "abcd")
BLOCK = numbered(sequence((A, parallel((choice((B, EMPTY)), C)), loop(D, (EMPTY,)))))


def test_columns_by_hand() -> None:
    log = snapshot(
        [
            ("one", "a", 10.0, 20.0),
            ("one", "b", 15.0, 40.0),
            ("one", "c", 30.0, 35.0),
            ("one", "z", 41.0, 42.0),
            ("one", "d", 50.0, 60.0),
            ("two", "a", 12.0, 22.0),
            ("two", "c", 25.0, None),
            ("two", "z", 26.0, None),
        ],
        open_cases=["two"],
    )
    found = replay_log(log, BLOCK)
    assert found.tasks == ("t_a", "t_b", "t_c", "t_d")
    assert found.gateways == ("xor1", "loop1_end")
    # Rows of case one by end: a c b z d; what is running in case two comes last.
    assert found.task.tolist() == [0, 2, 1, MISFIT, 3, 0, 2, MISFIT]
    assert np.array_equal(found.enabled_s, [10, 20, 20, math.nan, 40, 12, 22, math.nan], equal_nan=True)
    named = [log.activities[a] if a >= 0 else "" for a in found.previous]
    assert named == ["", "a", "a", "", "b", "", "a", ""]
    decisions = found.decisions
    columns = (decisions.case, decisions.gateway, decisions.flow, decisions.visit, decisions.position)
    rows = [tuple(map(int, row)) for row in zip(*columns, strict=True)]
    assert rows == [(0, 0, 0, 1, 1), (0, 1, 1, 1, 5)]
    assert (found.fitness.cases, found.fitness.fitting_cases) == (2, 1)
    assert (found.fitness.events, found.fitness.placed_events, found.fitness.skipped_tasks) == (6, 5, 0)
    assert [variant.activities for variant in found.fitness.deviating] == [("a", "c", "b", "z", "d")]


def test_an_empty_log() -> None:
    found = replay_log(snapshot([]), BLOCK)
    assert len(found.task) == len(found.decisions.case) == 0
    assert found.fitness.event_share == found.fitness.case_share == 1.0


@st.composite
def logs(draw: st.DrawFn, block: Block) -> tuple[list[Row], list[str]]:
    names = st.sampled_from([*labels(block), "unknown"])
    rows: list[Row] = []
    for case in draw(st.lists(st.sampled_from("pqrs"), max_size=4, unique=True)):
        for _ in range(draw(st.integers(1, 6))):
            start = draw(st.integers(0, 50))
            length = draw(st.integers(0, 9) | st.none())
            rows.append((case, draw(names), float(start), None if length is None else float(start + length)))
    return rows, draw(st.lists(st.sampled_from("pqrs"), unique=True))


@given(st.data())
def test_columns_are_the_replays_of_the_cases(data: st.DataObject) -> None:
    block = data.draw(normal(6))
    rows, still_open = data.draw(logs(block))
    log = snapshot(rows, still_open)
    found = replay_log(log, block)
    replayer = Replayer(block)
    assert [task for task, _ in skeleton(block).tasks] == list(found.tasks)
    assert [gateway.id for gateway in skeleton(block).gateways if gateway.routes] == list(found.gateways)
    decided = []
    for i, (first, last) in enumerate(zip(log.offsets[:-1], log.offsets[1:], strict=True)):
        names = [log.activities[a] for a in log.activity[first:last]]
        completed = int(np.isfinite(log.end_s[first:last]).sum())
        one = replayer.replay(names[:completed], names[completed:], closed=not log.is_open[i])
        assert found.task[first:last].tolist() == list(one.tasks)
        for row, by in enumerate(one.enabled_by):
            if one.tasks[row] == MISFIT:
                assert math.isnan(found.enabled_s[first + row])
                assert found.previous[first + row] == -1
                continue
            enabled_s = log.end_s[first + by] if by >= 0 else log.start_s[first:last].min()
            assert found.enabled_s[first + row] == enabled_s
            assert found.previous[first + row] == (log.activity[first + by] if by >= 0 else -1)
        decided += [(i, d.gateway, d.flow, d.visit, d.position) for d in one.decisions]
    d = found.decisions
    assert decided == list(zip(d.case, d.gateway, d.flow, d.visit, d.position, strict=True))


def test_a_time_limit_leaves_out_the_rarest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    once: list[Row] = [("p", "a", 0.0, 1.0), ("p", "d", 1.0, 2.0)]
    twice: list[Row] = [(case, label, 9.0, 9.0) for case in "qr" for label in "acd"]
    log = snapshot([*once, *twice])
    assert replay_log(log, BLOCK, max_seconds=60.0).fitness.unreplayed_cases == 0
    seconds = iter([0.0, 0.5, 1.5])
    monkeypatch.setattr("discovery.replay_log.time.monotonic", lambda: next(seconds))
    found = replay_log(log, BLOCK, max_seconds=1.0)
    assert found.task.tolist() == [MISFIT, MISFIT, 0, 2, 3, 0, 2, 3]
    assert (found.fitness.cases, found.fitness.unreplayed_cases) == (2, 1)
    assert summary(found.fitness)["cases not replayed for want of time"] == "1"


def test_a_limit_of_executions_leaves_out_the_rarest_variants() -> None:
    once: list[Row] = [("p", "a", 0.0, 1.0), ("p", "d", 1.0, 2.0)]
    twice: list[Row] = [(case, label, 9.0, 9.0) for case in "qr" for label in "acd"]
    log = snapshot([*once, *twice])
    assert replay_log(log, BLOCK, most_executions=5).fitness.unreplayed_cases == 0
    found = replay_log(log, BLOCK, most_executions=4)
    assert found.task.tolist() == [MISFIT, MISFIT, 0, 2, 3, 0, 2, 3]
    assert (found.fitness.cases, found.fitness.unreplayed_cases) == (2, 1)


def test_rare_variants_are_sampled_from_all_of_the_log() -> None:
    rows: list[Row] = []
    for i in range(200):
        word = f"{i:08b}".replace("0", "b").replace("1", "c")
        rows += [(f"case {i:03}", label, float(i), float(i)) for label in "a" + word]
    log = snapshot(rows)
    found = replay_log(log, BLOCK, most_executions=log.n_events // 2)
    replayed = np.unique(log.case_of_row()[found.task != MISFIT])
    assert len(replayed) == found.fitness.cases
    assert 30 < np.sum(replayed < 100) < 90
    assert 30 < np.sum(replayed >= 100) < 90


def test_misfits_are_aligned_as_long_as_steps_last() -> None:
    strange = "cccacbd"
    log = snapshot([("p", label, float(i), float(i + 1)) for i, label in enumerate(strange)])
    cheap, exact = replay_log(log, BLOCK, steps=0), replay_log(log, BLOCK)
    assert (cheap.fitness.exact_cases, cheap.fitness.exact_events) == (0, 0)
    assert (exact.fitness.exact_cases, exact.fitness.exact_events) == (1, 7)
    assert summary(cheap.fitness)["cases replayed cheaply"] == (
        "1, with 7 executions: may deviate less than it seems"
    )
    assert "cases replayed cheaply" not in summary(exact.fitness)


def test_fitness_in_figures_and_words() -> None:
    fits = VariantFit(("a", "b"), 8, (), ())
    strange = VariantFit(("a", "x", "x"), 4, (1, 2), ("b",))
    short = VariantFit(("a",), 3, (), ("b",))
    found = fitness([fits, strange, short])
    assert (found.case_share, found.event_share) == (8 / 15, 23 / 31)
    assert found.deviating == (strange, short)
    assert summary(found) == {
        "cases that fit perfectly": "53.3% of 15",
        "executions that found a place": "74.2% of 31",
        "tasks left out per case": "0.47",
        "distinct variants that fit": "1 of 3",
        "what deviates": "b left out in 7 cases; x out of place in 4 cases",
        "variants that deviate most often": "4 cases: no place for x (2 times); left out b. "
        "3 cases: left out b",
    }
    assert describe(strange) == "4 cases: no place for x (2 times); left out b"
    assert describe(short) == "3 cases: left out b"
    assert describe(VariantFit(("a",), 1, (), ())) == "1 case: fits"


@pytest.mark.parametrize("name", ["BPIC12W", "ConsultaDataMining", "LoanApp", "P2P"])
def test_public_logs(public_logs: Path, tmp_path: Path, name: str) -> None:
    with Historian(tmp_path / "log.duckdb") as historian:
        historian.import_log(public_logs / "accuracy" / "logs" / f"{name}_train.csv.gz", "log")
        log, variants = historian.snapshot("log"), historian.variants("log")
    for noise in (0.0, 0.1, 0.2, 0.4):
        started = time.process_time()
        block = mine(variants, noise)
        mined = time.process_time()
        found = replay_log(log, block)
        replayed = time.process_time()
        print(
            f"{name} noise {noise}: mined in {mined - started:.2f} s, replayed in {replayed - mined:.2f} s, "
            f"{found.fitness.case_share:.1%} of cases and {found.fitness.event_share:.1%} of executions fit, "
            f"{found.fitness.skipped_tasks / found.fitness.cases:.2f} tasks left out a case"
        )
        assert found.fitness.event_share >= (0.98 if noise < 0.2 else 0.75)
        if noise == 0:
            closed = int((~log.is_open).sum())
            assert found.fitness.fitting_cases >= closed
