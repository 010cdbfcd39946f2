"""Replay against optimal alignments (pm4py's, on the Petri net of the same structure)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from discovery.miner import mine
from discovery.normal_form import children
from discovery.replay import CaseReplay, Replayer
from discovery.replayed import MISFIT
from metagraph import blocks as kinds
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel
from tests.discovery.structures import labels, normal
from tests.discovery.test_miner import public_variants

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")


@settings(max_examples=60)
@given(normal(6), st.data())
def test_no_better_than_optimal_and_perfect_together(block: Block, data: st.DataObject) -> None:
    trace = data.draw(st.lists(st.sampled_from(labels(block)), min_size=1, max_size=6))
    ours, optimal = cost(block, trace), _Aligner(block).cost(trace)
    event(f"{ours - optimal} more than optimal")
    assert ours >= optimal
    assert (ours == 0) == (optimal == 0)


@settings(max_examples=60)
@given(normal(6), st.data())
def test_aligned_is_optimal(block: Block, data: st.DataObject) -> None:
    trace = data.draw(st.lists(st.sampled_from([*labels(block), "unknown"]), min_size=1, max_size=7))
    replayer = Replayer(block)
    found = replayer.replay(trace)
    closer = replayer.aligned(trace, found, 100_000)
    event(f"{found.deviations - closer.replay.deviations} less than found cheaply")
    assert closer.optimal
    assert closer.replay.deviations == _Aligner(block).cost(trace)


@settings(max_examples=60)
@given(normal(8), st.data(), st.integers(0, 60))
def test_a_budget_never_makes_it_worse(block: Block, data: st.DataObject, budget: int) -> None:
    trace = data.draw(st.lists(st.sampled_from(labels(block)), min_size=1, max_size=9))
    replayer = Replayer(block)
    found = replayer.replay(trace)
    best = replayer.aligned(trace, found, 100_000).replay.deviations
    closer = replayer.aligned(trace, found, budget)
    assert closer.steps <= budget
    assert best <= closer.replay.deviations <= found.deviations
    assert closer.replay.deviations == best or not closer.optimal
    if closer.replay is not found:
        plays(block, trace, closer.replay)


def plays(block: Block, trace: Sequence[str], found: CaseReplay) -> None:
    """What has a place makes, with what was left out, a trace that the structure allows: so it must fit when
    the tasks that were left out are put where the decisions say."""
    placed = [label for label, task in zip(trace, found.tasks, strict=True) if task != MISFIT]
    again = Replayer(block).replay(placed)
    assert again.deviations <= len(found.skipped)
    assert all(-1 <= by < i for i, by in enumerate(found.enabled_by))


@pytest.mark.parametrize(("name", "noise"), [("BPIC12W", 0.2), ("ConsultaDataMining", 0.2), ("P2P", 0.4)])
def test_close_to_optimal_on_public_logs(public_logs: Path, name: str, noise: float) -> None:
    variants = public_variants(public_logs, name)
    block = mine(variants, noise)
    strange = [trace for trace, _ in variants if cost(block, trace) and len(trace) < 25]
    sample = Random(1).sample(strange, min(30, len(strange)))
    aligner = _Aligner(block)
    ours, optimal = sum(cost(block, trace) for trace in sample), sum(map(aligner.cost, sample))
    print(f"{name} noise {noise}: {ours} misfits and skipped tasks, {optimal} in optimal alignments")
    assert optimal <= ours <= 1.15 * optimal


def cost(block: Block, trace: Sequence[str]) -> int:
    found = Replayer(block).replay(trace)
    return found.tasks.count(MISFIT) + len(found.skipped)


class _Aligner:
    def __init__(self, block: Block) -> None:
        from pm4py.objects.conversion.process_tree import converter

        self.net = converter.apply(_tree(block, None))

    def cost(self, trace: Sequence[str]) -> int:
        from pm4py.algo.conformance.alignments.petri_net import algorithm
        from pm4py.objects.log.obj import Event, Trace

        found = algorithm.apply(Trace([Event({"concept:name": label}) for label in trace]), *self.net)
        return sum(">>" in move and move[1] is not None for move in found["alignment"])


def _tree(block: Block, parent: Any) -> Any:
    from pm4py.objects.process_tree.obj import Operator, ProcessTree

    match block:
        case Empty():
            return ProcessTree(parent=parent)
        case Leaf(_, label):
            return ProcessTree(label=label, parent=parent)
        case kinds.Sequence():
            operator, parts = Operator.SEQUENCE, children(block)
        case Choice():
            operator, parts = Operator.XOR, children(block)
        case Parallel():
            operator, parts = Operator.PARALLEL, children(block)
        case Loop(_, _, body, redos):
            redo = redos[0] if len(redos) == 1 else Choice("", "", redos)
            operator, parts = Operator.LOOP, (body, redo)
    tree = ProcessTree(operator=operator, parent=parent)
    tree.children.extend(_tree(part, tree) for part in parts)
    return tree
