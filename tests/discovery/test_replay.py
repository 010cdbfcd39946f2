"""Replay against the token game, against the language of small structures, and against nonsense."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from discovery.normal_form import EMPTY, choice, loop, numbered, parallel, sequence
from discovery.replay import Replayer
from discovery.replayed import MISFIT
from discovery.tokens import Decision, Token
from metagraph.blocks import Block, Leaf, skeleton
from tests.discovery.structures import Game, labels, language, normal, one_parse, rough

A, B, C, D, E, F = (Leaf(f"t_{letter}", letter) for letter in "abcdef")
seeds = st.integers(0, 2**32).map(Random)


@given(normal(), seeds)
def test_what_was_played_fits_and_the_decisions_lead_through_it(block: Block, random: Random) -> None:
    game = Game(block).start().play(random, longest=20)
    assume(len(game.trace) < 60)
    found = Replayer(block).replay(game.trace)
    assert found.fits
    assert [dict(skeleton(block).tasks)[Replayer(block).tasks[task]] for task in found.tasks] == game.trace
    assert Game(block).start().follow(game.trace, found.decisions)


@given(normal().filter(one_parse), seeds)
def test_decisions_and_enabling_are_those_of_the_play(block: Block, random: Random) -> None:
    game = Game(block).start().play(random, longest=20)
    assume(len(game.trace) < 60)
    found = Replayer(block).replay(game.trace)
    assert list(found.enabled_by) == game.enabled_by
    assert sorted(found.decisions, key=repr) == sorted(game.decisions, key=repr)


@given(rough(6), st.data())
def test_a_trace_fits_just_if_the_structure_allows_it(block: Block, data: st.DataObject) -> None:
    allowed = language(block, 4)
    some = st.text(st.sampled_from(labels(block) or ["a"]), max_size=4)
    trace = data.draw(some | st.sampled_from(sorted(allowed)) if allowed else some)
    event(f"allowed: {trace in allowed}")
    assert Replayer(block).replay(trace).fits == (trace in allowed)


@given(rough(), st.data())
def test_nonsense_never_fails_and_leads_to_the_end(block: Block, data: st.DataObject) -> None:
    letters = [*labels(block), "unknown"]
    trace = data.draw(st.lists(st.sampled_from(letters), max_size=30))
    running = data.draw(st.lists(st.sampled_from(letters), max_size=3))
    replayer = Replayer(block)
    found = replayer.replay(trace)
    placed = [i for i, task in enumerate(found.tasks) if task != MISFIT]
    assert [dict(skeleton(block).tasks)[replayer.tasks[found.tasks[i]]] for i in placed] == [
        trace[i] for i in placed
    ]
    assert all(by < i for i, by in enumerate(found.enabled_by))
    assert all(0 <= decision.position <= len(trace) and decision.visit > 0 for decision in found.decisions)
    still = replayer.replay(trace, running, closed=False)
    assert still.marking is not None
    standing = {token.running for token in still.marking.tokens} - {-1}
    assert standing == {i for i in range(len(trace), len(still.tasks)) if still.tasks[i] != MISFIT}


@given(normal(), seeds, st.integers(0, 30))
def test_a_case_can_go_on_from_its_marking(block: Block, random: Random, cut: int) -> None:
    game = Game(block).start().play(random, longest=20)
    assume(len(game.trace) < 60)
    done = game.trace[:cut]
    replayer = Replayer(block)
    found = replayer.replay(done, closed=False)
    assert found.marking is not None
    assume(MISFIT not in found.tasks and not found.skipped)
    for gateway, node in enumerate(replayer.gateways):
        standing = sum(token.node == node for token in found.marking.tokens)
        decided = sum(decision.gateway == gateway for decision in found.decisions)
        assert found.marking.visits.get(node, 0) == decided + standing
    rest = Game(block).resume(found.marking, done).play(random, longest=20)
    assume(len(rest.trace) < 60)
    assert replayer.replay(rest.trace).fits


def test_a_choice_is_made_where_its_token_arrived_not_where_it_shows() -> None:
    block = numbered(sequence((A, parallel((choice((B, EMPTY)), C)), D)))
    found = Replayer(block).replay("acbd")
    assert found.enabled_by == (-1, 0, 0, 2)
    assert found.decisions == (Decision(gateway=0, flow=0, position=1, visit=1),)
    skipped = Replayer(block).replay("acd")
    assert skipped.decisions == (Decision(gateway=0, flow=1, position=1, visit=1),)
    assert skipped.enabled_by == (-1, 0, 1)


def test_loops_count_visits_and_are_left_at_the_end() -> None:
    block = numbered(loop(A, (B, EMPTY)))
    found = Replayer(block).replay("abaa")
    assert found.decisions == (
        Decision(gateway=0, flow=0, position=1, visit=1),
        Decision(gateway=0, flow=1, position=3, visit=2),
        Decision(gateway=0, flow=2, position=4, visit=3),
    )


def test_tasks_left_out_are_named_and_unknown_branches_not_invented() -> None:
    block = numbered(sequence((A, choice((B, C)), D)))
    found = Replayer(block).replay("ad")
    assert [skeleton(block).tasks[task][1] for task in found.skipped] == ["b"]
    assert found.decisions == ()
    assert found.enabled_by == (-1, 0)


def test_an_early_bird_is_a_misfit_if_placing_it_would_strand_more() -> None:
    many = [loop(leaf, (EMPTY,)) for leaf in (A, B)]
    found = Replayer(numbered(sequence(many))).replay("baaab")
    assert found.tasks == (MISFIT, 0, 0, 0, 1)
    assert Replayer(numbered(sequence(many))).replay("abbba").tasks == (0, 1, 1, 1, MISFIT)


def test_a_choice_made_once_takes_the_branch_with_more_to_come() -> None:
    block = numbered(choice((loop(A, (EMPTY,)), loop(B, (EMPTY,)))))
    assert Replayer(block).replay("abb").tasks == (MISFIT, 1, 1)
    assert Replayer(block).replay("aab").tasks == (0, 0, MISFIT)


def test_the_innermost_loop_repeats() -> None:
    block = numbered(loop(sequence((loop(A, (EMPTY,)), choice((B, EMPTY)))), (EMPTY,)))
    replayer = Replayer(block)
    assert replayer.gateways == ("loop1_end", "loop2_end", "xor1")
    repeats = [decision for decision in replayer.replay("aa").decisions if decision.flow == 0]
    assert repeats == [Decision(gateway=1, flow=0, position=1, visit=1)]


def test_which_pass_of_a_loop_is_found_by_search() -> None:
    block = numbered(loop(parallel((loop(A, (EMPTY,)), B)), (EMPTY,)))
    replayer = Replayer(block)
    allowed = language(block, 7)
    assert {"abab", "abaab", "ababbaa"} <= allowed
    assert all(replayer.replay(trace).fits for trace in allowed)


def test_no_search_for_what_has_no_place() -> None:
    assert Replayer(A).replay("ax").tasks == (0, MISFIT)


@pytest.mark.parametrize(
    ("body", "redos", "trace", "last"),
    [
        ((A, B, C, D, E), (EMPTY,), "ad", 3),
        ((A, B, C, D, E), (EMPTY,), "ae", MISFIT),
        ((A, B, C, D), (EMPTY,), "abcdc", 2),
        ((A, B, C, D), (EMPTY,), "abcdd", MISFIT),
        ((A,), (sequence((B, D)), C), "abc", 3),
        ((A, E), (sequence((B, D)), C), "aebc", MISFIT),
        ((A, loop(sequence((B, C)), (E,))), (EMPTY,), "ae", 3),
        ((A, choice((B, EMPTY)), loop(sequence((C, D)), (E,))), (EMPTY,), "ae", 4),
        ((A, choice((B, EMPTY)), loop(sequence((C, D, F)), (E,))), (EMPTY,), "ae", MISFIT),
    ],
)
def test_in_loops_few_tasks_are_left_out_for_one(
    body: tuple[Block, ...], redos: tuple[Block, ...], trace: str, last: int
) -> None:
    assert Replayer(numbered(loop(sequence(body), redos))).replay(trace).tasks[-1] == last


def test_nothing_is_done_by_the_empty_branch() -> None:
    optional = parallel((choice((A, EMPTY)), choice((B, EMPTY))))
    block = numbered(choice((optional, EMPTY)))
    assert Replayer(block).replay("").decisions == (Decision(gateway=0, flow=1, position=0, visit=1),)


def test_an_open_case_stands_at_tasks_gateways_and_merges() -> None:
    block = numbered(sequence((parallel((A, B, loop(C, (EMPTY,)))), D)))
    marking = Replayer(block).replay("ca", ["b"], closed=False).marking
    assert marking is not None
    assert set(marking.tokens) == {Token("t_b", -1, running=2), Token("loop1_end", 0)}
    assert marking.merged == {"and1_end": 1}
    assert marking.visits == {"t_a": 1, "t_b": 1, "t_c": 1, "loop1_end": 1}
    ended = Replayer(block).replay("cabd", closed=False).marking
    assert ended is not None
    assert ended.tokens == (Token("end", 3),)


def test_running_work_is_not_left_out() -> None:
    found = Replayer(numbered(sequence((A, B)))).replay([], ["a", "b"], closed=False)
    assert found.tasks == (0, MISFIT)
