"""Mining against pm4py's own discovery from a raw log, and on logs that must come out as they went in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from discovery.miner import Variant, _usual_predecessor, frequent, mine
from discovery.normal_form import EMPTY, choice, leaves, loop, normalised, numbered, parallel, sequence
from discovery.replay import Replayer
from metagraph import blocks as kinds
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel
from metagraph.errors import DataError
from tests.discovery.structures import labels
from tests.hash_seeds import run_with_another_seed

ORDERS: list[Variant] = [
    (("create", "check", "pick", "bill", "ship"), 40),
    (("create", "check", "bill", "pick", "ship"), 30),
    (("create", "check", "reject"), 15),
    (("create", "check", "mend", "check", "pick", "bill", "ship"), 10),
    (("create", "check", "mend", "check", "mend", "check", "reject"), 2),
]

variants = st.lists(
    st.tuples(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=7).map(tuple), st.integers(1, 9)),
    min_size=1,
    max_size=8,
    unique_by=lambda variant: variant[0],
)


def test_orders_come_out_as_they_went_in() -> None:
    create, check, mend, pick, bill, ship, reject = (
        Leaf(label, label) for label in ("create", "check", "mend", "pick", "bill", "ship", "reject")
    )
    expected = sequence(
        (create, loop(check, (mend,)), choice((sequence((parallel((pick, bill)), ship)), reject)))
    )
    assert mine(ORDERS, 0.0) == numbered(expected)
    assert mine(ORDERS, 0.2) == mine(ORDERS, 0.0)


@settings(max_examples=60)
@given(variants, st.sampled_from([0.0, 0.1, 0.3]))
def test_it_is_the_tree_that_pm4py_finds_in_the_raw_log(log: list[Variant], noise: float) -> None:
    theirs = _from_raw_log(log, noise)
    assume(len(labels(theirs)) == len({label for activities, _ in log for label in activities}))
    assert unordered(mine(log, noise)) == unordered(normalised(theirs))


@settings(max_examples=60)
@given(variants)
def test_without_noise_every_variant_fits(log: list[Variant]) -> None:
    replayer = Replayer(mine(log, 0.0))
    assert all(replayer.replay(activities).fits for activities, _ in log)


@settings(max_examples=60)
@given(variants, st.sampled_from([0.0, 0.2, 0.5]))
def test_every_activity_has_one_task(log: list[Variant], noise: float) -> None:
    block = mine(log, noise)
    assert Counter(labels(block)) == Counter({label for activities, _ in log for label in activities})
    assert numbered(block) == block


def test_what_the_miner_drops_follows_its_usual_predecessor() -> None:
    log: list[Variant] = [(tuple("dccb"), 50), (tuple("cbabd"), 1), (("b",), 2)]
    assert "a" not in labels(_from_raw_log(log, 0.4))
    a, b, c, d = (Leaf(letter, letter) for letter in "abcd")
    expected = sequence((d, loop(c, (EMPTY,)), loop(sequence((b, choice((a, EMPTY)))), (EMPTY,))))
    assert mine(log, 0.4) == numbered(expected)


def test_the_usual_predecessor_is_the_most_frequent_known_one() -> None:
    log: list[Variant] = [(("a", "x"), 2), (("b", "y", "x"), 3), (("x",), 4), (("x", "a"), 2)]
    assert _usual_predecessor("x", {"a", "b"}, log[:2]) == "b"
    assert _usual_predecessor("x", {"a", "b"}, log) == ""


def test_rare_variants_are_cut_but_no_activity_is() -> None:
    log: list[Variant] = [(("a",), 5), (("a", "b"), 3), (("a", "c"), 2), (("c", "a"), 1), (("a", "d"), 1)]
    kept = frequent(log, limit=2)
    assert kept.variants == (*log[:3], log[4])
    assert kept.case_share == 11 / 12
    assert frequent(log).case_share == 1.0


def test_nothing_to_mine_is_said() -> None:
    with pytest.raises(DataError, match="no closed case"):
        mine([((), 3)], 0.0)


def test_the_result_depends_on_no_hash_seed_and_nothing_is_printed() -> None:
    program = (
        "from discovery.miner import mine\n"
        "from tests.discovery.test_miner import TANGLE\n"
        "assert repr(mine(TANGLE, 0.1)) == open(0).read()"
    )
    done = run_with_another_seed(program, told=repr(mine(TANGLE, 0.1)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


TANGLE: list[Variant] = [
    (tuple(f"task {letter}" for letter in word), n)
    for word, n in (("abcdef", 9), ("badfce", 7), ("cabfed", 5), ("facade", 4), ("decaf", 3), ("fab", 2))
]


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("name", ["BPIC12W", "ConsultaDataMining", "LoanApp", "P2P"])
def test_public_logs(public_logs: Path, name: str, noise: float) -> None:
    log = public_variants(public_logs, name)
    block = mine(log, noise)
    cases = sum(n for _, n in log)
    replayer = Replayer(block)
    fitting = sum(n for activities, n in log if replayer.replay(activities).fits)
    least = {0.0: 1.0, 0.2: 0.8, 0.4: 0.3}[noise]
    assert fitting >= least * cases
    assert unordered(block) == unordered(normalised(_from_raw_log(log, noise))) or noise > 0


def public_variants(public_logs: Path, name: str) -> list[Variant]:
    """Variants of a training log, in order of completion."""
    import pandas as pd

    log = pd.read_csv(public_logs / "accuracy" / "logs" / f"{name}_train.csv.gz", dtype=str)
    log["row"] = range(len(log))
    log = log.sort_values(["case_id", "end_time", "start_time", "row"])
    return list(Counter(tuple(case) for _, case in log.groupby("case_id")["activity"]).items())


def _from_raw_log(log: list[Variant], noise: float) -> Block:
    """What pm4py finds in a table with one row an event."""
    from pm4py import discover_process_tree_inductive

    return tree_block(discover_process_tree_inductive(raw_log(log), noise_threshold=noise))


def raw_log(log: list[Variant]) -> Any:
    """A table with one row an event, as pm4py takes it."""
    import pandas as pd

    cases = (activities for activities, n in log for _ in range(n))
    rows = [(str(case), activity) for case, activities in enumerate(cases) for activity in activities]
    table = pd.DataFrame(rows, columns=["case:concept:name", "concept:name"])
    table["time:timestamp"] = pd.date_range("2026-01-01", periods=len(table), freq="s", tz="UTC")
    return table


def tree_block(tree: Any) -> Block:
    """A process tree as a block."""
    if tree.operator is None:
        return EMPTY if tree.label is None else Leaf(tree.label, tree.label)
    parts = tuple(map(tree_block, tree.children))
    match tree.operator.name:
        case "SEQUENCE":
            return kinds.Sequence(parts)
        case "XOR":
            return Choice("", "", parts)
        case "PARALLEL":
            return Parallel("", "", parts)
        case _:
            return Loop("", "", parts[0], parts[1:])


def unordered(block: Block) -> object:
    """Equal for structures that differ in nothing but ids and the order of branches."""
    match block:
        case Empty():
            return ""
        case Leaf(_, label):
            return label
        case kinds.Sequence(items):
            return tuple(map(unordered, items))
        case Choice(_, _, branches):
            return "choice", frozenset(map(unordered, branches))
        case Parallel(_, _, branches):
            return "parallel", frozenset(map(unordered, branches))
        case Loop(_, _, body, redos):
            return "loop", unordered(body), frozenset(map(unordered, redos))


def test_unordered_tells_leaves_apart() -> None:
    assert unordered(Leaf("a", "a")) != unordered(Leaf("b", "b"))
    assert list(leaves(mine([(("a",), 1)], 0.0))) == [Leaf("a", "a")]
