"""Any network of tasks becomes a graph in which tasks wait for just those before them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.precedence import Precedence, circle, precedence, progress


@st.composite
def networks(draw: st.DrawFn) -> dict[str, list[str]]:
    """Tasks with predecessors, in any order, without circles."""
    names = draw(st.lists(st.sampled_from(["start", "end", "after a", *"abcdefgh"]), min_size=1, unique=True))
    before = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        for i, name in enumerate(names)
    }
    return {name: before[name] for name in draw(st.permutations(names))}


def all_before(preds: Mapping[str, list[str]], task: str) -> set[str]:
    return {p for pred in preds[task] for p in (pred, *all_before(preds, pred))}


@given(networks(), st.randoms())
def test_tasks_open_up_when_those_before_them_are_done(preds: dict[str, list[str]], random: object) -> None:
    """Played to its end in any order, with the naive rule beside it."""
    shape = precedence(preds)
    done: list[str] = []
    while len(done) < len(preds):
        found = progress(shape, done)
        ready = {t for t in preds if t not in done and all_before(preds, t) <= {*done}}
        assert {*found.open} == ready
        assert len(found.open) == len(ready)
        assert found.early == ()
        done.append(random.choice(sorted(ready)))  # type: ignore[attr-defined]
    assert progress(shape, done) == progress(shape, done[::-1])
    assert progress(shape, done).open == ()
    assert progress(shape, done).merged == {}


@given(networks())
def test_the_graph_has_the_flows_that_each_kind_of_node_has(preds: dict[str, list[str]]) -> None:
    shape = precedence(preds)
    incoming = [flow.target for flow in shape.flows]
    outgoing = [flow.source for flow in shape.flows]
    for task in preds:
        assert (incoming.count(task), outgoing.count(task)) == (1, 1)
    for gateway in shape.gateways:
        merges = gateway.kind == "and_merge"
        one, several = (outgoing, incoming) if merges else (incoming, outgoing)
        assert one.count(gateway.id) == 1
        assert several.count(gateway.id) > 1
    names = [*preds, shape.start, shape.end, *(gateway.id for gateway in shape.gateways)]
    assert len({*names}) == len(names)


def arrows(shape: Precedence) -> set[str]:
    return {f"{flow.source} > {flow.target}" for flow in shape.flows}


def test_a_chain_needs_no_gateways_and_no_shortcuts() -> None:
    shape = precedence({"a": [], "b": ["a"], "c": ["b", "a"]})
    assert shape.gateways == ()
    assert arrows(shape) == {"start > a", "a > b", "b > c", "c > end"}


def test_a_network_that_is_no_nesting_of_blocks() -> None:
    shape = precedence({"a": [], "b": [], "c": ["a"], "d": ["a", "b"]})
    assert arrows(shape) == {
        "start > after start",
        "after start > a",
        "after start > b",
        "a > after a",
        "after a > c",
        "after a > before d",
        "b > before d",
        "before d > d",
        "c > before end",
        "d > before end",
        "before end > end",
    }
    assert progress(shape, ["a"]).merged == {"before d": 1}


def test_what_is_done_too_early_is_told() -> None:
    shape = precedence({"a": [], "b": ["a"], "c": ["b"]})
    assert progress(shape, ["b"]).early == ("b",)


@pytest.mark.parametrize(
    ("preds", "expected"),
    [
        ({"a": [], "b": ["a"]}, set()),
        ({"a": ["a"]}, {"a"}),
        ({"z": [], "a": ["b", "z"], "b": ["c"], "c": ["a"], "d": ["a"]}, {"a", "b", "c"}),
    ],
)
def test_circles_are_found(preds: dict[str, list[str]], expected: set[str]) -> None:
    found = circle(preds)
    assert {*found} == expected
    for one, other in zip(found, (*found[1:], *found[:1]), strict=True):
        assert other in preds[one]
