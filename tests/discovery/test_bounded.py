"""Miners within bounds: the same as without where they suffice, and an answer in time where they don't."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import miners
from discovery.free_order import flower
from discovery.miner import Variant, mine
from discovery.miners import Coded
from discovery.places import places
from discovery.precision import escaping_edges
from discovery.reduction import NotNestedError
from discovery.replay import Replayer
from metagraph.blocks import Leaf, Sequence
from tests.discovery.structures import labels
from tests.twin.test_structures import TANGLED
from twin.structures import Recipe, find_structures

traces = st.lists(st.integers(1, 5), min_size=1, max_size=7).map(tuple)
logs = st.dictionaries(traces, st.integers(1, 9), min_size=1, max_size=8)
TASKS = {i: Leaf(f"t{i}", f"t{i}") for i in range(1, 6)}


@given(logs, st.sampled_from([0.0, 0.2]))
@settings(deadline=None, max_examples=60)
def test_small_logs_give_what_pm4py_gives(log: Coded, noise: float) -> None:
    from pm4py.algo.discovery.inductive.dtypes.im_ds import IMDataStructureUVCL
    from pm4py.algo.discovery.inductive.variants.im import IMUVCL
    from pm4py.algo.discovery.inductive.variants.imf import IMFUVCL

    plain = IMFUVCL({}) if noise else IMUVCL({})
    tree = plain.apply(IMDataStructureUVCL(Counter(log)), {"noise_threshold": noise} if noise else {})
    assert miners.inductive(log, TASKS, noise) == miners._of_tree(tree, TASKS)


@pytest.mark.parametrize("bound", ["CONCURRENT", "CUTS"])
@given(logs)
@settings(deadline=None, max_examples=40)
def test_without_any_work_every_variant_is_still_allowed(bound: str, log: Coded) -> None:
    """What is not looked for makes a structure that allows more."""
    named = [(tuple(f"t{i}" for i in trace), n) for trace, n in log.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"discovery.bounded.{bound}", 0)
        block = mine(named, 0.0)
    assert sorted(labels(block)) == sorted({name for trace, _ in named for name in trace})
    replayer = Replayer(block)
    assert all(replayer.replay(trace).fits for trace, _ in named)


def test_what_was_not_looked_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = find_structures(TANGLED, (Recipe(0.0),)).structures
    assert whole.note == ""
    monkeypatch.setattr("discovery.bounded.CUTS", 0)
    (part,) = find_structures(TANGLED, (Recipe(0.0),)).structures
    assert part.note.startswith("with 7 activities not everything was looked for")
    assert part.skeleton != whole.skeleton


@pytest.mark.parametrize("miner", ["inductive", "directly-follows", "split"])
def test_logs_that_are_too_dense_are_refused(miner: miners.Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    log = [(("a", "b", "c"), 5), (("a", "c"), 1)]
    monkeypatch.setattr("discovery.miners.MOST_FOLLOWING", 2)
    monkeypatch.setattr("discovery.miners.MOST_SPLIT", 2)
    with pytest.raises(NotNestedError, match=r"3 activities and 3 pairs .* at most 2 pairs"):
        mine(log, 0.0, miner)  # type: ignore[arg-type]
    assert mine(log[:1], 0.0, miner) is not None  # type: ignore[arg-type]


def departments(cases: int) -> Iterator[Variant]:
    """One of eight rows of 25 steps, each with one of two tasks, some left out: 402 activities."""
    draw = random.Random(1)
    for _ in range(cases):
        row = draw.randrange(8)
        steps = [i for i in range(25) if i % 5 or draw.random() < 0.6]
        tasks = (f"{row} {step} {draw.randrange(2)}" for step in steps)
        yield ("first", *tasks, "last"), 1


def test_four_hundred_activities_have_a_structure() -> None:
    log = list(departments(400))
    told: list[str] = []
    block = mine(log, 0.2, tell=told.append)
    assert len(labels(block)) == 402
    assert isinstance(block, Sequence)
    assert [part.label for part in block.items if isinstance(part, Leaf)] == ["first", "last"]
    replayer = Replayer(block)
    assert sum(replayer.replay(trace).fits for trace, _ in log) > 380


def test_precision_looks_at_fewer_beginnings_the_more_activities_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = [((a, b), 1) for a in "abcdefgh" for b in "abcdefgh"]
    where = places(flower("abcdefgh"))
    assert escaping_edges(where, log).case_share == 1.0
    monkeypatch.setattr("discovery.precision.MOST_LOOKS", 80)
    assert 0.1 < escaping_edges(where, log).case_share < 0.3


def test_searches_take_fewer_steps_in_large_structures() -> None:
    assert Replayer(flower("abc")).affordable(3000) == 3000
    large = Replayer(flower([str(i) for i in range(400)]))
    assert 1000 < large.affordable(3000) < 1600
