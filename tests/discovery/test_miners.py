"""The other miners: against pm4py on the raw log, and what all of them promise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, event, given, settings

from discovery.miner import MINERS, Variant, covering, mine
from discovery.normal_form import numbered
from discovery.reduction import NotNestedError
from discovery.replay import Replayer
from metagraph.blocks import Block
from tests.discovery.structures import labels, language
from tests.discovery.test_miner import ORDERS, TANGLE, public_variants, raw_log, tree_block, variants
from tests.hash_seeds import run_with_another_seed

LOOSE = ("split", "heuristics")


@pytest.mark.parametrize("miner", ["directly-follows", "heuristics"])
def test_orders_come_out_as_they_went_in(miner: Any) -> None:
    assert language(_lettered(mine(ORDERS, 0.0, miner)), 8) == language(_lettered(mine(ORDERS, 0.0)), 8)


def _lettered(block: Block) -> Block:
    """With one-letter labels, for `language`."""
    from discovery.normal_form import children as parts_of
    from discovery.normal_form import leaves, rebuilt
    from metagraph.blocks import Leaf

    letter = {label: "abcdefghijk"[i] for i, label in enumerate(sorted(leaf.label for leaf in leaves(block)))}

    def visit(block: Block) -> Block:
        if isinstance(block, Leaf):
            return Leaf(block.node, letter[block.label])
        return rebuilt(block, [visit(part) for part in parts_of(block)])

    return visit(block)


@settings(max_examples=60)
@given(variants)
def test_directly_follows_is_what_pm4py_finds(log: list[Variant]) -> None:
    from pm4py import discover_dfg, discover_process_tree_inductive
    from pm4py.objects.dfg.obj import DFG

    theirs = tree_block(discover_process_tree_inductive(DFG(*discover_dfg(raw_log(log)))))
    assume(len(labels(theirs)) == len({label for activities, _ in log for label in activities}))
    assert language(mine(log, 0.0, "directly-follows"), 5) == language(theirs, 5)


@pytest.mark.parametrize("miner", LOOSE)
@settings(max_examples=60, deadline=None)
@given(log=variants)
def test_the_loose_miners_are_what_pm4py_finds(miner: Any, log: list[Variant]) -> None:
    """Where pm4py too reads its net as a tree; ours may read more nets."""
    import pm4py

    try:
        ours = mine(log, 0.0, miner)
    except NotNestedError:
        event("not nested")
        return
    if miner == "split":
        net = pm4py.convert_to_petri_net(pm4py.discover_bpmn_split_miner(raw_log(log), eta=0.4))
    else:
        net = pm4py.discover_petri_net_heuristics(raw_log(log), dependency_threshold=0.5)
    try:
        theirs = tree_block(pm4py.convert_to_process_tree(*net))
    except (ValueError, AssertionError):  # the latter from nets with a single task
        event("not read by pm4py")
        return
    assume(len(labels(theirs)) == len(labels(ours)))
    event("both")
    assert language(ours, 5) == language(theirs, 5)


@settings(max_examples=60)
@given(variants)
def test_every_activity_has_one_task(log: list[Variant]) -> None:
    for miner in MINERS:
        block = mine(log, 0.0, miner, any_order=True)
        assert Counter(labels(block)) == Counter({label for activities, _ in log for label in activities})
        assert numbered(block) == block


def test_few_variants_cover_most_cases_and_no_activity_is_lost() -> None:
    assert covering(ORDERS, 0.7) == ORDERS[:2]
    assert covering(ORDERS, 0.73) == ORDERS[:3]
    assert covering(ORDERS, 1.0) == ORDERS
    block = mine(ORDERS, 0.0, coverage=0.7)
    assert sorted(labels(block)) == sorted(labels(mine(ORDERS, 0.0)))
    replayer = Replayer(block)
    assert [replayer.replay(activities).fits for activities, _ in ORDERS] == [True, True, False, False, False]


def test_the_result_depends_on_no_hash_seed_and_nothing_is_printed(public_logs: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from discovery.miner import mine\n"
        "from tests.discovery.test_miner import TANGLE, public_variants\n"
        f"log = public_variants(Path({str(public_logs)!r}), 'ConsultaDataMining')\n"
        "found = [mine(each, 0.0, miner, any_order=True) for each in (TANGLE, log) for miner in "
        "('directly-follows', 'split', 'heuristics')]\n"
        "assert repr(found) == open(0).read()"
    )
    logs = (TANGLE, public_variants(public_logs, "ConsultaDataMining"))
    found = [mine(each, 0.0, miner, any_order=True) for each in logs for miner in MINERS[1:]]
    done = run_with_another_seed(program, told=repr(found))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_heuristics_miner_refuses_what_would_take_it_minutes() -> None:
    names = [f"a{i}" for i in range(30)]
    dense = [((a, b), 1) for a in names for b in names]
    for any_order in (False, True):
        with pytest.raises(
            NotNestedError, match=r"too dense .* 30 activities and 900 pairs .* at most 60 and 400"
        ):
            mine(dense, 0.0, "heuristics", any_order=any_order)
    with pytest.raises(NotNestedError, match=r"too dense .* 61 activities"):
        mine([(tuple(str(i) for i in range(61)), 1)], 0.0, "heuristics")
    assert mine([(tuple(str(i) for i in range(60)), 1)], 0.0, "heuristics")
