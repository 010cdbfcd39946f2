"""Branches that are skipped together are found to be one joint choice; independent skips stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.calibrate import calibrate
from calibration.settings import Settings
from discovery.inclusive import as_optional, joined, standing
from discovery.replay import Replayer
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.json_io import from_json, to_json
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from metagraph.parse_blocks import parse_blocks
from metagraph.validate import validate
from simulation.lowering import lower
from simulation.reference import run
from tests.calibration.builders import HOUR, ORIGIN, Known, Row, known, snapshot
from tests.simulation.builders import orders
from twin.simulate import Period

WAYS = ((("A", "B"), 0.5), (("C",), 0.3), (("A", "C"), 0.1), ((), 0.1))
Z = 3.29
"""Half-width of a 99.9 % interval in standard deviations."""


def skip(name: str) -> Choice:
    return Choice(f"x{name}", f"x{name}_end", (Leaf(name.lower(), name), Empty()))


def structure(inner: Block) -> Block:
    return Sequence((Leaf("s", "S"), inner, Leaf("z", "Z")))


PLAIN = structure(Parallel("and1", "and1_end", (skip("A"), skip("B"), skip("C"))))
REPEATED = structure(
    Loop(
        "loop1",
        "loop1_end",
        Parallel("and1", "and1_end", (skip("A"), skip("B"), skip("C"))),
        (Leaf("r", "R"),),
    )
)


def log(seed: int, n: int, *, joint: bool, block: Block = PLAIN) -> Known:
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for i in range(n):
        trace = ["S"]
        while True:
            if joint:
                taken: tuple[str, ...] = WAYS[random.choice(4, p=[p for _, p in WAYS])][0]
            else:
                taken = tuple(
                    name for name, p in zip("ABC", (0.6, 0.5, 0.4), strict=True) if random.random() < p
                )
            trace += random.permutation(list(taken)).tolist()
            if block is PLAIN or random.random() < 0.6:
                break
            trace.append("R")
        rows += [
            (f"c{i}", a, None, i * HOUR + 60 * k, i * HOUR + 60 * k + 30) for k, a in enumerate([*trace, "Z"])
        ]
    return known(snapshot(rows), block)


def twin_of(found: Known) -> Metagraph:
    settings = Settings(use_inclusive=True, fast=True)
    return calibrate(found.snapshot, found.skeleton, found.replayed, settings, name="made", seed=0)


def found_ways(twin: Metagraph) -> dict[tuple[str, ...], float]:
    """Weights over sets of activities, as the twin's joint choice has them."""
    routing = next(r for r in twin.routing if r.subsets)
    labels = {f.id: t.label for f in twin.flows for t in twin.tasks() if f.target == t.id}
    weights = routing.overall().weights
    return {
        tuple(sorted(labels[f] for f in subset)): w
        for subset, w in zip(routing.subsets, weights, strict=True)
    }


@pytest.mark.parametrize("block", [PLAIN, REPEATED], ids=["once", "in a loop"])
def test_joint_weights_are_found(block: Block) -> None:
    """Within 99.9 % binomial intervals."""
    twin = twin_of(log(61, 1500, joint=True, block=block))
    assert validate(twin) == ()
    assert from_json(to_json(twin), "made") == twin
    found = found_ways(twin)
    assert set(found) == {ways for ways, _ in WAYS}
    for ways, p in WAYS:
        assert found[ways] == pytest.approx(p, abs=Z * np.sqrt(p * (1 - p) / 1500))


@pytest.mark.parametrize("block", [PLAIN, REPEATED], ids=["once", "in a loop"])
def test_the_twin_takes_the_combinations_of_the_log_and_no_others(block: Block) -> None:
    twin = replace(twin_of(log(62, 800, joint=True, block=block)), arrivals=Arrivals((10.0,) * 168))
    made = run(Period(twin, ORIGIN, 600, 0)(0), 5)
    traces: dict[str, list[str]] = {}
    for order, label, *_ in made.rows():
        traces.setdefault(order, []).append(label)
    seen: list[tuple[str, ...]] = []
    for trace in traces.values():
        for part in " ".join(trace).removeprefix("S").removesuffix("Z").split("R"):
            seen.append(tuple(sorted(part.split())))
    for ways, p in WAYS:
        assert seen.count(ways) / len(seen) == pytest.approx(p, abs=2 * Z * np.sqrt(p * (1 - p) / 600))
    assert set(seen) == {ways for ways, _ in WAYS}


def test_independent_skips_stay_choices_of_their_own() -> None:
    """Of 30 logs at most two are taken for joint ones: with 1 % each, more would be seen in 0.3 %."""
    joint = 0
    for seed in range(30):
        found = log(seed, 400, joint=False)
        joint += joined(PLAIN, found.replayed).block != PLAIN
    assert joint <= 2


def test_without_being_asked_nothing_is_joined() -> None:
    found = log(63, 300, joint=True)
    twin = calibrate(found.snapshot, found.skeleton, found.replayed, Settings(fast=True), name="made", seed=0)
    assert not any(r.subsets for r in twin.routing)


def test_other_choices_of_a_branch_stay() -> None:
    """A or D, or neither; B is taken when the first is."""
    either = Choice("xA", "xA_end", (Leaf("a", "A"), Leaf("d", "D"), Empty()))
    block = structure(Parallel("and1", "and1_end", (either, skip("B"))))
    traces = [["A", "B"]] * 60 + [["D", "B"]] * 20 + [[]] * 20
    rows: list[Row] = [
        (f"c{i}", a, None, i * HOUR + 60 * k, i * HOUR + 60 * k + 30)
        for i, trace in enumerate(traces)
        for k, a in enumerate(["S", *trace, "Z"])
    ]
    twin = twin_of(known(snapshot(rows), block))
    joint = next(r for r in twin.routing if r.subsets)
    assert dict(zip(map(len, joint.subsets), joint.overall().weights, strict=True)) == {2: 0.8, 0: 0.2}
    own = next(r for r in twin.routing if r.node == "xA")
    assert own.overall().weights == (0.75, 0.25)
    assert validate(twin) == ()


def test_replaying_on_a_joint_choice_gives_where_an_open_case_stands() -> None:
    block = parse_blocks(twin_of(log(64, 400, joint=True)))
    joint = next(b for b in getattr(block, "items", ()) if isinstance(b, Parallel))
    replayer = Replayer(as_optional(block))

    def places(*done: str, running: tuple[str, ...] = ()) -> set[str]:
        marking = replayer.replay(list(done), list(running), closed=False).marking
        assert marking is not None
        found = standing(marking, block)
        assert found.merged == {}
        assert not any("branch" in node for node in found.visits)
        return {token.node for token in found.tokens}

    assert places("S") == {joint.split}
    assert places("S", running=("A",)) == {"a"}
    assert places("S", "A") == {joint.merge}
    assert places("S", "A", running=("C",)) == {"c"}
    assert places("S", "A", "Z") == {"end"}


def test_the_empty_set_passes_on() -> None:
    twin = twin_of(log(65, 400, joint=True))
    routing = next(r for r in twin.routing if r.subsets)
    none = tuple(float(not subset) for subset in routing.subsets)
    never = replace(
        routing, levels=routing.levels[-1:], rows=(replace(routing.overall(), level=0, weights=none),)
    )
    only = replace(twin, routing=tuple(never if r is routing else r for r in twin.routing))
    made = run(lower(only, orders([0.0, 5.0]), origin=ORIGIN), 1)
    assert [row[1] for row in made.rows()].count("Z") == 2
    assert len(made.rows()) == 4
