"""Candidate structures: every recipe is accounted for, and the same structure is offered once."""

from __future__ import annotations

from itertools import count

from discovery.normal_form import children
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Parallel
from tests.discovery.structures import Row, labels, snapshot
from twin.structures import Recipe, find_structures, more_recipes

RECIPES = more_recipes((0.0, 0.2))


def log_of(*words: str) -> Snapshot:
    """A log with these variants, one task after the other."""
    clock = count()
    rows: list[Row] = []
    for i, word in enumerate(words):
        for letter in word:
            at = float(next(clock))
            rows.append((f"c{i:03}", letter, at, at + 1.0))
    return snapshot(rows)


TANGLED = log_of(*["abdf"] * 20, *["abef"] * 20, *["acef"] * 20, "afz")


def test_every_recipe_is_a_structure_or_the_same_as_one_or_refused() -> None:
    found = find_structures(TANGLED, RECIPES)
    names = [structure.recipe.name for structure in found.structures]
    same = [name for structure in found.structures for name in structure.same]
    refused = [one.recipe.name for one in found.refused]
    assert sorted([*names, *same, *refused]) == sorted(recipe.name for recipe in RECIPES)
    assert len({structure.skeleton.block for structure in found.structures}) == len(names)
    assert all("nested blocks" in one.reason for one in found.refused)


def test_crossing_gateways_are_refused_and_any_order_of_them_is_not() -> None:
    found = find_structures(TANGLED, (Recipe(0.0, miner="split"), Recipe(0.0, True, "split")))
    assert [one.recipe.name for one in found.refused] == ["split miner"]
    assert "b, c, d, e are joined by gateways that cross" in found.refused[0].reason
    assert [structure.recipe.name for structure in found.structures] == ["split miner, free order"]


def test_every_structure_has_every_activity() -> None:
    for structure in find_structures(TANGLED, RECIPES).structures:
        assert sorted(labels(structure.skeleton.block)) == list("abcdefz")


def test_a_log_without_branches_has_one_structure_beside_history_alone() -> None:
    found = find_structures(log_of("abc", "abc"), RECIPES)
    assert [structure.recipe for structure in found.structures] == [Recipe(0.0), Recipe(None)]
    assert len(found.structures[0].same) == len(RECIPES) - 2


def test_what_overlaps_is_parallel_although_the_same_task_always_ends_last() -> None:
    rows: list[Row] = []
    for i in range(30):
        at, wait = 100.0 * i, 2.0 if i % 3 else 12.0
        rows += [(f"c{i:03}", "a", at, at + 1), (f"c{i:03}", "c", at + 1, at + 20)]
        rows += [(f"c{i:03}", "b", at + wait, at + wait + 3), (f"c{i:03}", "d", at + 21, at + 22)]
    log = snapshot(rows)
    by_ends, by_both = find_structures(log, (Recipe(0.0), Recipe(0.0, starts=True))).structures
    assert not any(isinstance(block, Parallel) for block in children(by_ends.skeleton.block))
    (block,) = (block for block in children(by_both.skeleton.block) if isinstance(block, Parallel))
    assert sorted(labels(block)) == ["b", "c"]


def test_what_starts_together_is_parallel_unless_it_takes_no_time() -> None:
    rows: list[Row] = []
    for i in range(30):
        at = 100.0 * i
        rows += [(f"c{i:03}", "a", at, at), (f"c{i:03}", "b", at, at + 2), (f"c{i:03}", "c", at, at + 5)]
    (found,) = find_structures(snapshot(rows), (Recipe(0.0, starts=True),)).structures
    (block,) = (block for block in children(found.skeleton.block) if isinstance(block, Parallel))
    assert sorted(labels(block)) == ["b", "c"]


def test_starts_in_the_order_of_ends_give_no_structure_of_their_own() -> None:
    found = find_structures(TANGLED, (Recipe(0.0), Recipe(0.0, starts=True)))
    assert [structure.same for structure in found.structures] == [
        ("inductive miner, noise 0, by starts and ends",)
    ]


def test_recipes_have_names_of_their_own() -> None:
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)
