"""Graphs in which an order gets stuck, or has two tokens at one place, are told; sound ones aren't."""

from __future__ import annotations

from collections.abc import Sequence as Items

import pytest
from hypothesis import given, settings

from metagraph.blocks import Block
from metagraph.check_tokens import _Walk, token_faults
from metagraph.distributions import Constant, Fitted
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, End, Flow, Gateway, GatewayKind, Node, Start, Task
from metagraph.precedence import precedence
from metagraph.routing import Level, Routing, RoutingRow
from metagraph.validate import validate
from tests.metagraph.strategies import blocks, plain_metagraph

WORK = DurationTable((DurationRow(Fitted(Constant(1.0), 0, "human")),))


def graph(gateways: dict[str, GatewayKind], arrows: str) -> Metagraph:
    """A metagraph of arrows like 'start>a a>end'; what is no gateway is a task."""
    pairs = [arrow.split(">") for arrow in arrows.split()]
    flows = tuple(Flow(f"{a}>{b}", a, b) for a, b in pairs)
    names = dict.fromkeys(name for pair in pairs for name in pair)
    made: dict[str, Node] = {"start": Start("start"), "end": End("end")}
    made |= {name: Gateway(name, kind) for name, kind in gateways.items()}
    nodes = tuple(made.get(name, Task(name, name, WORK)) for name in names)
    return Metagraph("drawn", nodes, flows, tuple(routings(nodes, flows)), (), (), ())


def routings(nodes: Items[Node], flows: Items[Flow]) -> list[Routing]:
    found = []
    for node in nodes:
        if isinstance(node, Gateway) and node.routes:
            out = tuple(flow.id for flow in flows if flow.source == node.id)
            found.append(
                Routing(node.id, out, (Level(),), (RoutingRow(0, (), (1 / len(out),) * len(out), 0),))
            )
    return found


STUCK = graph({"x": "xor_split", "m": "and_merge"}, "start>x x>a x>b a>m b>m m>end")
DOUBLED = graph({"s": "and_split", "m": "xor_merge"}, "start>s s>a s>b a>m b>m m>c c>end")
ENDLESS = graph(
    {"l": "loop_start", "s": "and_split", "e": "loop_end", "m": "xor_merge"},
    "start>l l>s s>a s>b a>m b>m m>e e>l e>end",
)
SKEW = graph(
    {"s": "and_split", "t": "and_split", "m": "and_merge", "n": "and_merge"},
    "start>s s>a s>b a>t t>m t>n b>m m>c c>n n>end",
)
CROSSED = graph(
    {"x": "xor_split", "y": "xor_split", "m": "xor_merge", "n": "xor_merge"},
    "start>x x>a x>y y>b y>c a>m b>m m>d d>n c>n n>end",
)


@pytest.mark.parametrize(
    ("metagraph", "told"),
    [
        (STUCK, "gateway m: orders can get stuck here: 1 of 2 branches arrive and the others never do"),
        (DOUBLED, "flow m>c: an order can have two tokens at once on the way to c; close the and_split"),
        (ENDLESS, "an order can have two tokens at once on the way to"),
    ],
)
def test_what_goes_wrong_is_told(metagraph: Metagraph, told: str) -> None:
    found = [str(fault) for fault in validate(metagraph)]
    assert len(found) == 1
    assert told in found[0]


def test_a_joint_choice_needs_a_merge_of_its_own() -> None:
    crossed = graph({"o": "or_split", "m": "xor_merge"}, "start>o o>a o>b a>m b>m m>end")
    (fault,) = [str(found) for found in token_faults(crossed)]
    assert fault.startswith("gateway o: the graph isn't made of nested blocks, and with or_split it must be")


@pytest.mark.parametrize("metagraph", [SKEW, CROSSED])
def test_sound_graphs_need_not_be_nested(metagraph: Metagraph) -> None:
    assert validate(metagraph) == ()
    assert [*_Walk(metagraph).faults()] == []


@settings(max_examples=30, deadline=None)
@given(blocks(6))
def test_nested_blocks_are_sound(block: Block) -> None:
    assert [*_Walk(plain_metagraph(block)).faults()] == []


def test_a_circle_without_a_gateway_that_leaves_it_is_not_taken_for_sound() -> None:
    twisted = graph({"m": "and_merge", "s": "and_split"}, "start>m m>a a>s s>m s>end")
    assert [str(fault) for fault in validate(twisted)] == [
        "gateway m: orders can get stuck here: 1 of 2 branches arrive and the others never do; close an "
        "xor_split by an xor_merge and an and_split by an and_merge"
    ]


def test_a_hundred_parallel_tasks_take_no_time_to_check() -> None:
    shape = precedence({f"t{i}": [f"t{j}" for j in range(i) if (i + j) % 7 == 0] for i in range(100)})
    gateways = {gateway.id: gateway.kind for gateway in shape.gateways}
    arrows = [(flow.source.replace(" ", "_"), flow.target.replace(" ", "_")) for flow in shape.flows]
    named = {name.replace(" ", "_"): kind for name, kind in gateways.items()}
    assert [*token_faults(graph(named, " ".join(f"{a}>{b}" for a, b in arrows)))] == []
