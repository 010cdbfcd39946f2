"""Precision against pm4py's and against all continuations; generalisation, simplicity, what has no task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from discovery.conformance import Homeless, conform, fitness, in_words
from discovery.free_order import flower
from discovery.miner import Variant, mine
from discovery.normal_form import EMPTY, choice, loop, numbered, parallel, sequence
from discovery.places import places
from discovery.precision import escaping_edges
from discovery.replay_log import replay_log
from discovery.replayed import Deviation, VariantFit
from metagraph.blocks import Block, Leaf, skeleton
from tests.discovery.structures import labels, language, normal, one_parse, snapshot
from tests.discovery.test_alignments import _Aligner
from tests.discovery.test_miner import ORDERS, raw_log

A, B, C, D = (Leaf(letter, letter) for letter in "abcd")


def precision(block: Block, log: Iterable[tuple[Sequence[str], int]]) -> float:
    return escaping_edges(places(block), log).share


@settings(max_examples=30, deadline=None)
@given(normal(4), st.data())
def test_precision_is_that_of_all_continuations(block: Block, data: st.DataObject) -> None:
    """By listing the language: what follows each beginning in it, against what follows in the log."""
    longest = 3
    whole = language(block, longest + 4)
    fit = sorted(word for word in whole if len(word) <= longest)
    assume(fit)
    log = data.draw(st.lists(st.tuples(st.sampled_from(fit), st.integers(1, 4)), min_size=1, max_size=4))
    seen = allowed = 0
    for word, n in log:
        for i in range(len(word) + 1):
            after = {(w + "$")[i] for w in whole if w.startswith(word[:i])}
            allowed += n * len(after)
            seen += n * len({(w + "$")[i] for w, _ in log if w.startswith(word[:i])})
    event(f"precision {seen / allowed:.1f}")
    # Each beginning that the structure allows goes on within four more activities, one for each task.
    assert precision(block, log) == pytest.approx(seen / allowed)


@settings(max_examples=25, deadline=None)
@given(normal(5).filter(one_parse), st.data())
def test_precision_is_pm4pys(block: Block, data: st.DataObject) -> None:
    """With the end as an activity, which pm4py doesn't count."""
    import pm4py

    fit = sorted(word for word in language(block, 5) if word)
    assume(fit)
    drawn = data.draw(st.dictionaries(st.sampled_from(fit), st.integers(1, 4), min_size=1, max_size=4))
    log: list[Variant] = [((*word, "end"), n) for word, n in drawn.items()]
    net = _Aligner(sequence((block, Leaf("end_task", "end")))).net
    theirs = pm4py.precision_token_based_replay(raw_log(log), *net)
    # The beginning 'whole case' allows nothing more: it counts for neither.
    assert precision(block, list(drawn.items())) == pytest.approx(theirs)


def test_precision_by_hand() -> None:
    block = numbered(sequence((A, choice((B, C)), D)))
    assert precision(block, [("abd", 3), ("acd", 1)]) == 1.0
    # After 'a', b and c may come but only b does: 8 of 4 + 8 + 4 + 4 … of four cases with five steps each.
    assert precision(block, [("abd", 4)]) == (4 * 4) / (4 * 5)
    assert precision(block, []) == 1.0
    # What the structure doesn't allow is not looked at: 'a' was followed by nothing that it allows.
    assert precision(block, [("azd", 1)]) == 1 / 3


def test_flowers_are_imprecise_and_the_frequent_variants_come_first() -> None:
    assert precision(flower("abcdefgh"), [("abc", 5)]) == 4 / (8 + 3 * 9)
    assert precision(mine(ORDERS, 0.0), ORDERS) > precision(flower(labels(mine(ORDERS, 0.0))), ORDERS)
    few = escaping_edges(places(flower("ab")), [("a", 6), ("bb", 3), ("ab", 1)], most_prefixes=3)
    assert few.case_share == 0.9


def test_a_structure_in_numbers() -> None:
    block = numbered(sequence((A, choice((B, C)), loop(D, (EMPTY,)))))
    rows = [
        (f"{word}{i}", label, float(at), float(at))
        for i, word in enumerate(["abd"] * 4 + ["abdd"] * 5)
        for at, label in enumerate(word)
    ]
    rows += [("open", "a", 0.0, 0.0), ("open", "x", 1.0, 1.0), ("strange", "y", 0.0, 0.0)]
    log = snapshot(rows, ["open"])
    shape = skeleton(block)
    found = conform(log, shape, replay_log(log, block))
    # a 10 times, b 9, c never, d 14; branch b 9, c never; loop again 5, left 10: also by the case of
    # which only its end is known.
    used = (10, 9, 14, 9, 5, 10)
    assert found.generalisation == pytest.approx(1 - (sum(1 / sqrt(n) for n in used) + 2) / 8)
    assert found.simplicity == pytest.approx(1 / (1 + (2 * 11 - 2) / 8 - 2))
    assert (found.nodes, found.flows) == (4 + 4 + 2, 11)
    assert found.homeless == (Homeless("x", 1, True), Homeless("y", 1, False))
    words = in_words(found)
    assert words["activities without a task"] == "x (1 executions, only in open cases), y (1 executions)"
    assert words["precision"].startswith(f"{found.precision.share:.1%} of what it allows next")


def test_simplicity_is_1_for_a_sequence_and_less_with_gateways() -> None:
    log = snapshot([("p", label, 0.0, 0.0) for label in "abcd"])

    def simplicity(block: Block) -> float:
        return conform(log, skeleton(numbered(block)), replay_log(log, numbered(block))).simplicity

    straight, wide = simplicity(sequence((A, B, C, D))), simplicity(parallel((A, B, C, D)))
    assert straight == 1.0
    assert wide < simplicity(sequence((A, parallel((B, C)), D))) < straight


def test_deviations_by_activity() -> None:
    found = fitness(
        [
            VariantFit(("a", "b"), 8, (), ()),
            VariantFit(("a", "x", "x"), 4, (1, 2), ("b",)),
            VariantFit(("a", "b", "b"), 3, (2,), ()),
        ]
    )
    assert found.deviations == (Deviation("b", 3, 4), Deviation("x", 4, 0))
