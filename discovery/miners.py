"""What pm4py's miners make of variants, as block trees over numbered activities.

With bounded.py the only module that imports pm4py. Activities come as numbers from 1 on: pm4py's sets would
be walked in an order that depends on the process's hash seed if they held text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from discovery.normal_form import EMPTY, choice, loop, parallel, sequence
from discovery.reduction import GatewayGraph, NotNestedError, reduced
from metagraph.blocks import Block, Leaf

if TYPE_CHECKING:
    from pm4py.objects.bpmn.obj import BPMN
    from pm4py.objects.petri_net.obj import Marking, PetriNet
    from pm4py.objects.process_tree.obj import ProcessTree

Coded = Mapping[tuple[int, ...], int]
"""Variant, its activities as numbers -> cases."""
Tasks = Mapping[int, Leaf]

Tell = Callable[[str], object]
"""Hears what a miner has to say of its structure."""
LEFT_OUT = (
    "with {} activities not everything was looked for: parts of it may allow more orders than were seen"
)

BOUNDARY = 0
"""Stands for the start and the end of a case."""
EPSILON = 0.1
"""Split miner: how much rarer than the other way round 'a before b' may be for the two to be concurrent."""

MOST_FOLLOWING = 15_000
"""Inductive miner: of more pairs that follow each other directly each look takes half a minute."""
MOST_SPLIT = 1_000
"""Split miner: of more pairs its model has so many gateways that looking for blocks in it takes long."""
MOST_TASKS, MOST_PAIRS = 60, 400
"""Heuristics miner: of more activities, or more pairs of which one follows the other directly, its net has so
many gateways that it takes minutes; nothing that nests comes of it."""


def nothing(words: str) -> None:
    """Nobody listens."""


def load() -> None:
    """Import pm4py before a build holds anything: its modules keep the stack on which they are imported, and
    so whatever the functions on it held, for as long as the process lives."""
    import pm4py.algo.discovery.inductive.algorithm  # noqa: F401


def inductive(variants: Coded, tasks: Tasks, noise: float, tell: Tell = nothing) -> Block:
    """IM, or with noise IMf (Leemans, Fahland & van der Aalst 2013).

    `tell` hears what was not looked for. Raises NotNestedError for a log that is too dense.
    """
    from pm4py.algo.discovery.inductive.dtypes.im_ds import IMDataStructureUVCL

    from discovery.bounded import BoundedIM, BoundedIMf

    _check_density(variants, tasks, MOST_FOLLOWING)
    log = IMDataStructureUVCL(Counter(variants))
    miner = BoundedIMf({}) if noise else BoundedIM({})
    tree = miner.apply(log, {"noise_threshold": noise} if noise else {})
    if miner.left_out:
        tell(LEFT_OUT.format(len(tasks)))
    return _of_tree(tree, tasks)


def _check_density(variants: Coded, tasks: Tasks, most: int) -> None:
    """Raises NotNestedError for more pairs of activities that follow each other directly."""
    pairs = sum(BOUNDARY not in pair for pair in _follows(variants))
    if pairs > most:
        raise NotNestedError(
            f"the log is too dense for this miner: {len(tasks)} activities and {pairs} pairs of them that "
            f"follow each other directly; it takes at most {most} pairs"
        )


def directly_follows(variants: Coded, tasks: Tasks) -> Block:
    """IMd: only the directly-follows graph is read (Leemans, Fahland & van der Aalst 2018)."""
    from pm4py.algo.discovery.inductive.dtypes.im_dfg import InductiveDFG
    from pm4py.algo.discovery.inductive.dtypes.im_ds import IMDataStructureDFG
    from pm4py.algo.discovery.inductive.variants.imd import IMD
    from pm4py.objects.dfg.obj import DFG

    follows = _follows(variants)
    pairs = {pair: n for pair, n in follows.items() if BOUNDARY not in pair}
    starts = {b: n for (a, b), n in follows.items() if a == BOUNDARY}
    ends = {a: n for (a, b), n in follows.items() if b == BOUNDARY}
    _check_density(variants, tasks, MOST_FOLLOWING)
    graph = InductiveDFG(DFG(pairs, starts, ends), skip=False)
    return _of_tree(IMD({}).apply(IMDataStructureDFG(graph), {}), tasks)


def split(variants: Coded, tasks: Tasks, eta: float, *, any_order: bool) -> Block:
    """Split miner (Augusto, Conforti, Dumas, La Rosa & Polyvyanyy 2019) with the percentile `eta`.

    Raises NotNestedError if its model isn't made of nested blocks; with `any_order` the tasks in that part
    may come in any order instead.
    """
    from pm4py.algo.discovery.split_miner.dfg_discovery.classic import short_loop_frequencies
    from pm4py.algo.discovery.split_miner.dtypes.log import END_LABEL, START_LABEL
    from pm4py.algo.discovery.split_miner.dtypes.loops import LoopInfo
    from pm4py.algo.discovery.split_miner.variants.classic import ClassicSplitMiner, Parameters

    _check_density(variants, tasks, MOST_SPLIT)

    def name(code: int, boundary: str) -> str:
        return str(code) if code else boundary

    follows = {(name(a, START_LABEL), name(b, END_LABEL)): n for (a, b), n in _follows(variants).items()}
    alone = {a for a, b in follows if a == b}
    triples: Counter[tuple[str, str]] = Counter()
    for trace, cases in variants.items():
        for pair, n in short_loop_frequencies([[str(code) for code in trace]]).items():
            triples[pair] += cases * n
    short = {frozenset(pair) for pair in triples if alone.isdisjoint(pair)}

    class Weighted(ClassicSplitMiner):  # type: ignore[misc]
        """Takes counts instead of one trace a case."""

        def do_extract_traces(self, log: object, parameters: object = None) -> list[object]:
            return [log]

        def do_dfg_discovery(self, traces: object, parameters: object = None) -> tuple[object, object]:
            return follows, LoopInfo(self_loops=alone, short_loops=short, short_loop_freq=dict(triples))

    found = Weighted().apply([], {Parameters.EPSILON: EPSILON, Parameters.ETA: eta})
    return _of_bpmn(found, tasks, any_order)


def heuristics(variants: Coded, tasks: Tasks, dependency: float, *, any_order: bool) -> Block:
    """Heuristics miner (Weijters & Ribeiro 2011) with this dependency threshold; else as `split`.

    Raises NotNestedError, too, for more than MOST_TASKS activities or MOST_PAIRS pairs that follow.
    """
    follows = _follows(variants)
    pairs = sum(BOUNDARY not in pair for pair in follows)
    if len(tasks) > MOST_TASKS or pairs > MOST_PAIRS:
        raise NotNestedError(
            f"the log is too dense for this miner: {len(tasks)} activities and {pairs} pairs of them that "
            f"follow each other directly; it takes at most {MOST_TASKS} and {MOST_PAIRS}"
        )
    from pm4py.algo.discovery.heuristics.variants.classic import Parameters, apply_heu_dfg
    from pm4py.objects.conversion.heuristics_net.variants.to_petri_net import apply as net_of

    occurrences: Counter[str] = Counter()
    triples: Counter[tuple[str, str, str]] = Counter()
    window: Counter[tuple[str, str]] = Counter()
    for trace, n in variants.items():
        names = [str(code) for code in trace]
        for name in names:
            occurrences[name] += n
        for a, b, c in zip(names, names[1:], names[2:], strict=False):
            triples[a, b, c] += n
            window[a, c] += n
    found = apply_heu_dfg(
        {(str(a), str(b)): n for (a, b), n in follows.items() if BOUNDARY not in (a, b)},
        activities=sorted(occurrences),
        activities_occurrences=dict(occurrences),
        start_activities={str(b): n for (a, b), n in follows.items() if a == BOUNDARY},
        end_activities={str(a): n for (a, b), n in follows.items() if b == BOUNDARY},
        dfg_window_2=dict(window),
        freq_triples=dict(triples),
        parameters={Parameters.DEPENDENCY_THRESH: dependency},
    )
    net, initial, final = net_of(found)
    return _of_net(net, initial, final, tasks, any_order)


def _follows(variants: Coded) -> Counter[tuple[int, int]]:
    """How often each activity comes directly after another, BOUNDARY included."""
    follows: Counter[tuple[int, int]] = Counter()
    for trace, n in variants.items():
        for pair in zip((BOUNDARY, *trace), (*trace, BOUNDARY), strict=True):
            follows[pair] += n
    return follows


def _of_tree(tree: ProcessTree, tasks: Tasks) -> Block:
    if tree.operator is None:
        return EMPTY if tree.label is None else tasks[tree.label]
    parts = [_of_tree(child, tasks) for child in tree.children]
    match tree.operator.name:
        case "SEQUENCE":
            return sequence(parts)
        case "XOR":
            return choice(parts)
        case "PARALLEL":
            return parallel(parts)
        case "LOOP":
            return loop(parts[0], parts[1:])
        case other:
            raise NotImplementedError(f"process tree operator {other}")


def _of_bpmn(found: BPMN, tasks: Tasks, any_order: bool) -> Block:
    """A task takes in from a choice and gives out to a fork, as BPMN has it where no gateway says more."""
    from pm4py.objects.bpmn import obj

    graph = GatewayGraph()
    nodes = sorted(found.get_nodes(), key=lambda node: str(node.get_id()))
    ends: dict[str, tuple[int, int]] = {}
    start, end = graph.node("xor"), graph.node("xor")
    for node in nodes:
        if isinstance(node, obj.BPMN.InclusiveGateway) and not any_order:
            raise NotNestedError("it has an inclusive gateway, which blocks can't say")
        if isinstance(node, obj.BPMN.Gateway):
            at = graph.node("and" if isinstance(node, obj.BPMN.ParallelGateway) else "xor")
            ends[node.get_id()] = at, at
            continue
        entry, leaving = graph.node("xor"), graph.node("and")
        ends[node.get_id()] = entry, leaving
        graph.edge(entry, leaving, tasks[int(node.get_name())] if isinstance(node, obj.BPMN.Task) else EMPTY)
        if isinstance(node, obj.BPMN.StartEvent):
            graph.edge(start, entry)
        elif isinstance(node, obj.BPMN.EndEvent):
            graph.edge(leaving, end)
    flows = [(str(f.get_source().get_id()), str(f.get_target().get_id())) for f in found.get_flows()]
    for source, target in sorted(flows):
        graph.edge(ends[source][1], ends[target][0])
    return reduced(graph, start, end, any_order=any_order)


def _of_net(net: PetriNet, initial: Marking, final: Marking, tasks: Tasks, any_order: bool) -> Block:
    """Places choose, transitions fork and wait."""
    graph = GatewayGraph()
    at: dict[str, tuple[int, int]] = {}
    for place in sorted(net.places, key=lambda place: str(place.name)):
        node = graph.node("xor")
        at[f"place {place.name}"] = node, node
    for transition in sorted(net.transitions, key=lambda transition: str(transition.name)):
        entry, leaving = graph.node("and"), graph.node("and")
        at[f"transition {transition.name}"] = entry, leaving
        graph.edge(entry, leaving, EMPTY if transition.label is None else tasks[int(transition.label)])
    kind = dict.fromkeys(net.places, "place") | dict.fromkeys(net.transitions, "transition")
    arcs = [(f"{kind[a.source]} {a.source.name}", f"{kind[a.target]} {a.target.name}") for a in net.arcs]
    for source, target in sorted(arcs):
        graph.edge(at[source][1], at[target][0])
    start, end = graph.node("xor"), graph.node("xor")
    for place in sorted(initial, key=lambda place: str(place.name)):
        graph.edge(start, at[f"place {place.name}"][0])
    for place in sorted(final, key=lambda place: str(place.name)):
        graph.edge(at[f"place {place.name}"][1], end)
    return reduced(graph, start, end, any_order=any_order)
