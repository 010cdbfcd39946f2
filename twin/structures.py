"""Candidate structures of a log: mined at several noise levels, with and without parallel blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metagraph.blocks import Block, Skeleton, skeleton

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a structure is made from a log."""

    noise: float | None
    """Of the inductive miner; None: no miner, any activity may follow any other."""
    free_order: bool = False
    """Parallel branches whose executions never overlap become work in any order, guided by history."""

    @property
    def name(self) -> str:
        if self.noise is None:
            return "history alone"
        return f"inductive miner, noise {self.noise:g}" + (", free order" if self.free_order else "")


@dataclass(frozen=True, slots=True)
class Structure:
    """A candidate."""

    recipe: Recipe
    skeleton: Skeleton


def structures(snapshot: Snapshot, recipes: Sequence[Recipe]) -> tuple[Structure, ...]:
    """The distinct structures that the recipes make of a log, in their order."""
    from discovery.free_order import flower, free_order, overlap_share
    from discovery.miner import mine
    from eventlogs.mining.variants import variants

    counted = variants(snapshot)
    overlaps = overlap_share(snapshot)
    mined: dict[float, Block] = {}
    distinct: dict[Block, Structure] = {}
    for recipe in recipes:
        if recipe.noise is None:
            block = flower(tuple(sorted({activity for trace, _ in counted for activity in trace})))
        else:
            if recipe.noise not in mined:
                mined[recipe.noise] = mine(counted, recipe.noise)
            block = mined[recipe.noise]
            block = free_order(block, overlaps) if recipe.free_order else block
        distinct.setdefault(block, Structure(recipe, skeleton(block)))
    return tuple(distinct.values())


def recipes(noises: Sequence[float]) -> tuple[Recipe, ...]:
    """Candidates from the strictest reading of the log to the loosest."""
    mined = [Recipe(noise, free) for free in (False, True) for noise in noises]
    return (*mined, Recipe(None))
