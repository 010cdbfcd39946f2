"""Candidate structures of a log: by several miners, with and without parallel blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metagraph.blocks import Block, Skeleton, skeleton

if TYPE_CHECKING:
    from discovery.branches import Times
    from discovery.miner import Miner, Variant
    from discovery.reduction import NotNestedError
    from eventlogs.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a structure is made from a log."""

    noise: float | None
    """Of the inductive miner; None: no miner, any activity may follow any other."""
    free_order: bool = False
    """Parallel branches whose executions never overlap become work in any order, guided by history; so do
    the tasks of what a miner joined by gateways that don't nest."""
    miner: Miner = "inductive"
    coverage: float = 1.0
    """Mined from the most frequent variants that together have this share of the cases."""
    starts: bool = False
    """Mined from the activities in the order of their starts, too: what overlaps in time is then parallel,
    although one of the two always ends last."""
    apart: bool = False
    """What came out as one parallel or as any order is divided into branches by the times of executions."""

    @property
    def name(self) -> str:
        if self.noise is None:
            return "history alone"
        words = [f"{self.miner} miner"]
        if self.miner == "inductive":
            words.append(f"noise {self.noise:g}")
        if self.coverage < 1:
            words.append(f"variants of {self.coverage:.0%} of the cases")
        if self.starts:
            words.append("by starts and ends")
        if self.apart:
            words.append("branches told apart by time")
        if self.free_order:
            words.append("free order")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Structure:
    """A candidate."""

    recipe: Recipe
    skeleton: Skeleton
    same: tuple[str, ...] = ()
    """Names of later recipes that came to the same structure."""
    note: str = ""
    """What was not looked for, in words."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A recipe that gave no structure that can be used."""

    recipe: Recipe
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the recipes made of a log."""

    structures: tuple[Structure, ...]
    """The distinct ones, in the order of the recipes."""
    refused: tuple[Refused, ...]


def find_structures(snapshot: Snapshot, recipes: Sequence[Recipe]) -> Found:
    """Follow the recipes; every one is among the structures, the same as one of them, or refused.

    Raises DataError if the log has no closed case.
    """
    from discovery.branches import first_times
    from discovery.first_come import by_first_start
    from discovery.free_order import flower, free_order, overlap_share
    from discovery.reduction import NotNestedError
    from eventlogs.mining.variants import variants

    by_ends = variants(snapshot)
    both = _added(by_ends, variants(snapshot, by_start=True))
    overlaps = overlap_share(snapshot)
    times = first_times(snapshot, overlaps)
    mined: dict[Recipe, Block | NotNestedError] = {}
    notes: dict[Recipe, str] = {}
    distinct: dict[Block, Structure] = {}
    refused: list[Refused] = []
    for recipe in recipes:
        counted = both if recipe.starts else by_ends
        note = ""
        if recipe.noise is None:
            block = flower(sorted({activity for trace, _ in counted for activity in trace}))
        else:
            # The free order of what is nested is made of the nested one.
            source = recipe if recipe.miner in LOOSE else replace(recipe, free_order=False)
            source = replace(source, starts=recipe.starts and both is not by_ends)
            if source not in mined:
                told: list[str] = []
                mined[source] = _mined(counted, source, times, told.append)
                notes[source] = "; ".join(dict.fromkeys(told))
            result, note = mined[source], notes[source]
            if isinstance(result, NotNestedError):
                refused.append(Refused(recipe, str(result)))
                continue
            block = by_first_start(result, times)
            block = free_order(block, overlaps) if recipe.free_order else block
        known = distinct.get(block)
        if known is None:
            distinct[block] = Structure(recipe, skeleton(block), note=note)
        elif recipe != known.recipe:
            distinct[block] = replace(known, same=(*known.same, recipe.name))
    return Found(tuple(distinct.values()), tuple(refused))


def _added(ends: list[Variant], starts: list[Variant]) -> list[Variant]:
    """The variants in both orders; the first ones themselves if the order is the same."""
    if ends == starts:
        return ends
    counted = Counter(dict(ends))
    counted.update(dict(starts))
    return sorted(counted.items(), key=lambda variant: (-variant[1], variant[0]))


def structure_of(snapshot: Snapshot, recipe: Recipe) -> Structure:
    """What the recipe makes of a log; where that isn't made of nested blocks, as it may be although a part of
    the log gave some, its tasks come in any order there, and where the whole log is too dense for the miner
    all tasks do; the structure's recipe says so.

    Raises DataError if the log has no closed case.
    """
    looser = (recipe, replace(recipe, free_order=True), Recipe(None))
    found = (find_structures(snapshot, (each,)).structures for each in looser)
    return next(structures[0] for structures in found if structures)


def more_recipes(noises: Sequence[float]) -> tuple[Recipe, ...]:
    """Candidates from the strictest reading of the log to the loosest: each way of mining, the same in free
    order, and no structure at all."""
    strict = [Recipe(noise) for noise in noises]
    strict += [Recipe(noise, starts=True) for noise in noises[:2]]
    strict.append(Recipe(0.0, apart=True))
    strict += [Recipe(0.0, coverage=share) for share in COVERAGES]
    strict += [Recipe(0.0, miner=miner) for miner in OTHERS]
    return (*strict, *(replace(recipe, free_order=True) for recipe in strict), Recipe(None))


COVERAGES = (0.95, 0.9, 0.8)
LOOSE: tuple[Miner, ...] = ("split", "heuristics")
"""Their models need not be nested."""
OTHERS: tuple[Miner, ...] = ("directly-follows", *LOOSE)


def _mined(
    counted: Sequence[Variant], recipe: Recipe, times: Times, tell: Callable[[str], None]
) -> Block | NotNestedError:
    from discovery.branches import apart
    from discovery.miner import frequent, mine
    from discovery.reduction import NotNestedError

    noise = recipe.noise or 0.0
    try:
        block = mine(
            counted,
            noise,
            recipe.miner,
            coverage=recipe.coverage,
            any_order=recipe.free_order,
            tell=tell,
        )
    except NotNestedError as refused:
        # Its traceback would keep all that the callers hold.
        return refused.with_traceback(None)
    if recipe.apart:
        block = apart(block, frequent(counted).variants, times, lambda part: mine(part, noise))
    return block
