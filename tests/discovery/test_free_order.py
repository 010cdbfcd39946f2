"""Which activities overlap in time, and what becomes of parallel blocks whose activities don't."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.free_order import FEW_CASES, flower, free_order, overlap_share, truly_parallel
from discovery.normal_form import EMPTY, choice, loop, normalised, numbered, parallel, sequence
from discovery.replay import Replayer
from metagraph.blocks import Block, Leaf, Parallel
from tests.discovery.structures import Row, labels, language, normal, snapshot

A, B, C, D = (Leaf(letter, letter) for letter in "abcd")

rows = st.lists(
    st.tuples(st.sampled_from("pqrstuvw"), st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 6)).map(
        lambda row: (row[0], row[1], float(row[2]), float(row[2] + row[3]) if row[3] < 6 else None)
    ),
    max_size=60,
)


@given(rows)
def test_overlaps_are_those_of_every_pair(log: list[Row]) -> None:
    frozen = snapshot(log)
    found = overlap_share(frozen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("discovery.free_order.FEW_CASES", 1)
        every = overlap_share(frozen)
        patch.setattr("discovery.free_order.AT_ONCE", 2)
        patch.setattr("discovery.free_order.PAIRS_AT_ONCE", 3)
        assert overlap_share(frozen) == every
    cases = {row[0] for row in log}
    for a, b in combinations("abc", 2):
        both = overlapping = 0
        for case in cases:
            spans = {
                x: [(s, frozen.until_s if e is None else e) for c, y, s, e in log if (c, y) == (case, x)]
                for x in (a, b)
            }
            if spans[a] and spans[b]:
                both += 1
                overlapping += any(min(e, f) > max(s, t) for s, e in spans[a] for t, f in spans[b])
        assert every.get((a, b)) == (overlapping / both if both else None)
        assert found.get((a, b)) == (every.get((a, b)) if both >= FEW_CASES else None)


def test_touching_and_instant_executions_do_not_overlap() -> None:
    cases = [str(n) for n in range(FEW_CASES)]
    touching = snapshot([(n, *row) for n in cases for row in (("a", 0.0, 5.0), ("b", 5.0, 9.0))])
    assert overlap_share(touching) == {("a", "b"): 0.0}
    instant = snapshot([(n, *row) for n in cases for row in (("a", 0.0, 9.0), ("b", 5.0, 5.0))])
    assert overlap_share(instant) == {("a", "b"): 0.0}


def test_parallels_stay_where_their_branches_overlap() -> None:
    block = numbered(sequence((A, parallel((B, C)), D)))
    assert free_order(block, {("b", "c"): 0.5}) == block
    assert free_order(block, {("a", "b"): 0.5}) == numbered(sequence((A, loop(choice((B, C)), (EMPTY,)), D)))
    assert free_order(block, {("b", "c"): 0.5}, threshold=0.6) != block


def test_overlaps_within_a_branch_say_nothing_of_the_branches() -> None:
    inner = Parallel("and2", "and2_end", (A, B))
    block = Parallel("and1", "and1_end", (inner, C))
    assert not truly_parallel(block, {("a", "b"): 1.0})
    assert truly_parallel(block, {("b", "c"): 1.0})


@given(normal(6))
def test_any_order_allows_all_that_was_allowed(block: Block) -> None:
    free = free_order(block, {})
    assert free == normalised(free)
    assert sorted(labels(free)) == sorted(labels(block))
    assert language(free, 4) >= language(block, 4)
    replayer = Replayer(free)
    assert all(replayer.replay(word).fits for word in language(block, 3))


@given(st.sets(st.sampled_from("abcd"), min_size=1))
def test_a_flower_allows_everything(names: set[str]) -> None:
    block = flower(names)
    assert normalised(block) == block
    expected = {word for word in language(flower("abcd"), 3) if set(word) <= names}
    assert language(block, 3) == expected
    assert len(language(flower("abcd"), 3)) == 4 + 16 + 64


def test_a_flower_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        flower([])
