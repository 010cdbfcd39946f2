"""Normal form keeps the language, is reached once, and leaves no pass through a loop that does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given

from discovery.naming import task_ids
from discovery.normal_form import (
    EMPTY,
    children,
    choice,
    leaves,
    loop,
    may_be_empty,
    normalised,
    numbered,
    parallel,
    sequence,
)
from metagraph import blocks as kinds
from metagraph.blocks import Block, Choice, Leaf, Loop, Parallel, skeleton
from tests.discovery.structures import language, normal, rough

A, B, C = (Leaf(f"t_{letter}", letter) for letter in "abc")


@given(rough(6))
def test_the_language_stays(block: Block) -> None:
    assert language(normalised(block), 4) == language(block, 4)


def _loop(body: Block, *redos: Block) -> Loop:
    return Loop("", "", body, redos)


def _choice(*branches: Block) -> Choice:
    return Choice("", "", branches)


@pytest.mark.parametrize(
    "block",
    [
        _loop(kinds.Sequence((_loop(_choice(A, EMPTY), B), _choice(C, EMPTY))), EMPTY),
        _loop(_choice(_loop(A, B), EMPTY), EMPTY),
        _loop(_choice(_loop(A, EMPTY), C), EMPTY),
        _loop(_loop(A, B), C, EMPTY),
        _loop(EMPTY, A, B),
    ],
)
def test_the_language_of_loops_in_loops_stays(block: Block) -> None:
    assert language(normalised(block), 4) == language(block, 4)


@given(rough())
def test_once_is_enough(block: Block) -> None:
    assert normalised(normalised(block)) == normalised(block)


@given(normal())
def test_nothing_is_needlessly_nested_or_silent(block: Block) -> None:
    for child in children(block):
        assert not isinstance(child, kinds.Sequence | Choice | Parallel) or type(child) is not type(block)
    if isinstance(block, kinds.Sequence | Choice | Parallel):
        assert len(children(block)) > 1
    if isinstance(block, kinds.Sequence | Parallel):
        assert EMPTY not in children(block)
    if isinstance(block, Choice):
        assert EMPTY not in block.branches[:-1]
    if isinstance(block, Loop):
        assert block.body != EMPTY
        assert not isinstance(block.body, Loop)
        silent = may_be_empty(block.body) and any(map(may_be_empty, block.redos))
        assert not silent or any(isinstance(part, Parallel) for part in _within(block.body))
    for child in children(block):
        if child != EMPTY:
            test_nothing_is_needlessly_nested_or_silent.hypothesis.inner_test(child)  # type: ignore[attr-defined]


def _within(block: Block) -> list[Block]:
    return [block, *(part for child in children(block) for part in _within(child))]


@given(normal())
def test_ids_are_unique(block: Block) -> None:
    shape = skeleton(block)
    ids = [node for node, _ in shape.tasks] + [gateway.id for gateway in shape.gateways]
    assert len(set(ids)) == len(ids)


def test_ids_follow_the_reading_order() -> None:
    block = numbered(
        sequence((loop(choice((A, EMPTY)), (B,)), parallel((choice((C, EMPTY)), Leaf("xor2", "x")))))
    )
    assert [gateway.id for gateway in skeleton(block).gateways if gateway.kind != "xor_merge"] == [
        "loop1",
        "loop1_end",
        "xor1",
        "and1",
        "and1_end",
        "xor3",
    ]


def test_zero_or_more_is_a_choice_between_nothing_and_a_loop() -> None:
    expected = Choice("xor1", "xor1_end", (Loop("loop1", "loop1_end", A, (EMPTY,)), EMPTY))
    assert numbered(loop(EMPTY, (A,))) == expected
    assert numbered(loop(choice((A, EMPTY)), (EMPTY,))) == expected
    assert numbered(loop(choice((loop(A, (EMPTY,)), EMPTY)), (EMPTY,))) == expected


def test_a_loop_of_optional_parallels_keeps_what_no_choice_can_say() -> None:
    pair = choice((sequence((A, B)), EMPTY))
    block = normalised(loop(parallel((pair, choice((C, EMPTY)))), (EMPTY,)))
    assert language(block, 3) >= {"acb", "cab", "abc", "ccc", ""}
    assert "ba" not in language(block, 3)
    free = normalised(loop(parallel((choice((A, EMPTY)), choice((C, EMPTY)))), (EMPTY,)))
    assert isinstance(free, Choice)
    assert free.branches[0] == Loop("loop1", "loop1_end", Choice("xor2", "xor2_end", (A, C)), (EMPTY,))


def test_task_ids_are_plain_unique_and_leave_the_ends_alone() -> None:
    ids = task_ids(["Start", "End", "Prüfe Antrag", "prufe antrag!", "检查", "  ", "end_2"])
    assert ids == {
        "  ": "task",
        "End": "end_2",
        "Prüfe Antrag": "prufe_antrag",
        "Start": "start_2",
        "end_2": "end_2_2",
        "prufe antrag!": "prufe_antrag_2",
        "检查": "task_2",
    }
    assert task_ids(["b", "a"]) == {"a": "a", "b": "b"}
    assert list(leaves(EMPTY)) == []
