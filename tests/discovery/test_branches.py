"""Parallel branches told apart by time: what a delay hides, and what nothing may lose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.branches import apart, branches, first_times
from discovery.first_come import by_first_start
from discovery.free_order import overlap_share
from discovery.miner import Variant, mine
from discovery.normal_form import choice, leaves, loop, normalised, numbered, parallel, sequence
from discovery.places import places
from discovery.precision import escaping_edges
from discovery.replay import Replayer
from eventlogs.mining.variants import variants
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Block, Leaf
from tests.discovery.structures import Row, labels, snapshot
from tests.discovery.test_miner import unordered
from tests.discovery.test_miner import variants as some_variants

A, B, C, D, E, F, G, H, LAST = (Leaf(letter, letter) for letter in "abcdefghi")


DELAY = {"c": 40.0, "i": 150.0}


def mined(log: Sequence[Variant]) -> Block:
    return mine(log, 0.0)


def found(log: Snapshot) -> Block:
    return apart(mined(variants(log)), variants(log), first_times(log, overlap_share(log)), mined)


def waiting(seed: int, cases: int = 300, *, third: bool = False) -> Snapshot:
    """a, then b before c beside d before (e or f), then g; c waits long, so that it is last nearly always.

    With a third branch of h before i beside them, of which i waits even longer.
    """
    random = Random(seed)
    rows: list[Row] = []
    for i in range(cases):
        name, begun = f"case {i:04}", 1000.0 * i
        at = begun + random.expovariate(1 / 5)
        rows.append((name, "a", begun, at))
        ends = []
        paths = [("b", "c"), ("d", random.choice("ef"))] + [("h", "i")] * third
        for path in paths:
            time = at
            for label in path:
                start = time + random.expovariate(1 / DELAY.get(label, 3.0))
                time = start + random.expovariate(1 / 4)
                rows.append((name, label, start, time))
            ends.append(time)
        rows.append((name, "g", max(ends), max(ends) + 1.0))
    return snapshot(rows)


def test_branches_come_back_that_the_miner_tears_apart() -> None:
    branched = (sequence((B, C)), sequence((D, choice((E, F)))), sequence((H, LAST)))
    truth = unordered(normalised(sequence((A, parallel(branched), G))))
    log = waiting(5, 100, third=True)
    assert unordered(mined(variants(log))) != truth
    assert unordered(found(log)) == truth


def test_the_divided_structure_is_never_less_precise() -> None:
    better = 0
    for seed in range(6):
        log = waiting(seed, 100, third=True)
        before, after = (
            escaping_edges(places(block), variants(log)).share for block in (mined(variants(log)), found(log))
        )
        assert after >= before
        better += after > before
    assert better >= 2


def test_branches_that_the_miner_found_stay() -> None:
    truth = sequence((A, parallel((sequence((B, C)), sequence((D, choice((E, F)))))), G))
    for seed in range(3):
        assert unordered(found(waiting(seed, 150))) == unordered(normalised(truth))


def test_groups_are_concurrent_and_held_together_by_order_and_choice() -> None:
    log = waiting(1)
    times = first_times(log, overlap_share(log))
    assert branches("bcdef", times)[-1] == (("b", "c"), ("d", "e", "f"))
    assert branches("fc", times)[-1] == (("f",), ("c",))
    assert branches("def", times)[-1] == (("d", "e", "f"),)
    assert branches("bc", times)[-1] == (("b", "c"),)


def test_what_never_came_in_another_order_is_no_branch_by_itself() -> None:
    """Instants of one clock: nothing overlaps, nothing comes both ways."""
    clock = count()
    log = snapshot(
        [(f"c{i}", label, at, at) for i in range(9) for label in "abc" for at in (float(next(clock)),)]
    )
    times = first_times(log, {})
    assert set(branches("abc", times)) == {(("a", "b", "c"),)}


def test_of_several_executions_the_first_counts_and_open_cases_don_t() -> None:
    log = snapshot(
        [("p", "a", 5.0, 6.0), ("p", "a", 1.0, 9.0), ("p", "b", 2.0, 3.0), ("q", "a", 0.0, 1.0)], ["q"]
    )
    times = first_times(log, {})
    assert times.start_s.tolist() == [[1.0, 2.0]]
    assert times.end_s.tolist() == [[9.0, 3.0]]
    assert math.isnan(first_times(snapshot([("p", "a", 0.0, 1.0), ("q", "b", 0.0, 1.0)]), {}).start_s[0, 1])


@settings(max_examples=25, deadline=None)
@given(some_variants, st.randoms(use_true_random=False))
def test_every_variant_still_fits_and_every_activity_has_one_task(log: list[Variant], random: Random) -> None:
    rows: list[Row] = []
    for i, (activities, n) in enumerate(log):
        for j in range(n):
            at = 0.0
            for label in activities:
                at += random.random()
                rows.append((f"case {i} {j}", label, at - random.random(), at))
    snap = snapshot(rows)
    before = mined(variants(snap))
    after = found(snap)
    assert sorted(labels(after)) == sorted(labels(before))
    assert {leaf.node for leaf in leaves(after)} == {leaf.node for leaf in leaves(before)}
    assert numbered(after) == after
    replayer = Replayer(after)
    assert all(replayer.replay(activities).fits for activities, _ in variants(snap))


def test_within_loops_nothing_is_divided() -> None:
    block = numbered(sequence((A, loop(parallel((B, C, D)), (E,)))))
    log = waiting(2)
    assert apart(block, variants(log), first_times(log, overlap_share(log)), mined) == block


def hidden(seed: int, cases: int = 300) -> Snapshot:
    """a, then b beside c before d; d begins a while after c, so that b, too, is always done before it."""
    random = Random(seed)
    rows: list[Row] = []
    for i in range(cases):
        name, at = f"case {i:04}", 1000.0 * i
        rows.append((name, "a", at - 1.0, at))
        b, c = (at + random.uniform(1.0, 100.0) for _ in range(2))
        d = c + 150.0 + random.uniform(0.0, 20.0)
        rows += [(name, label, begun, begun + 2.0) for label, begun in (("b", b), ("c", c), ("d", d))]
    return snapshot(rows)


def test_work_waits_for_what_tells_best_when_it_begins() -> None:
    for seed in range(4):
        log = hidden(seed)
        assert branches("bdc", first_times(log, overlap_share(log)))[0] == (("b",), ("d", "c"))


def test_branches_come_in_the_order_in_which_they_begin() -> None:
    """b ends last, but its people take it first."""
    rows: list[Row] = []
    for i in range(10):
        at = 100.0 * i
        rows += [(f"{i}", "a", at, at + 1), (f"{i}", "c", at + 2, at + 3), (f"{i}", "b", at + 1, at + 9)]
    log = snapshot(rows)
    times = first_times(log, overlap_share(log))
    wanted, other = (numbered(sequence((A, parallel(both)))) for both in ((B, C), (C, B)))
    assert by_first_start(other, times) == by_first_start(wanted, times) == wanted
    looping = numbered(loop(parallel((C, B)), (A,)))
    assert by_first_start(looping, times) == looping
