"""Precision: how much of what a structure allows next was ever seen next (escaping edges)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from discovery.places import Place, Places
from discovery.steering import take, turns
from discovery.tokens import Tokens

MOST_PREFIXES = 10_000
"""Distinct beginnings of cases that are looked at: some seconds."""
MOST_LOOKS = 300_000
"""And no more of them than have so many activities that could come next."""
MOST_MARKINGS = 16
"""In how many ways one beginning may have come about; more than two or three are rare."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Of a structure against a log."""

    share: float
    """1 if wherever the cases got to, everything allowed next was seen next; 1 for a log without cases."""
    case_share: float
    """Of the cases, those with one of the variants that were looked at."""


@dataclass(slots=True, eq=False)
class _Prefix:
    """One beginning of cases."""

    markings: list[Tokens]
    allowed: int
    """Activities that may come next, and 1 if the case may end."""
    ended: bool = False
    """Some case ended here, as it may."""
    cases: int = 0
    following: dict[str, _Prefix | None] = field(default_factory=dict)
    """By the next activity; None where the structure doesn't allow it."""


def escaping_edges(
    places: Places, variants: Iterable[tuple[Sequence[str], int]], most_prefixes: int = MOST_PREFIXES
) -> Precision:
    """The precision of Munoz-Gama & Carmona (2010): over all beginnings of cases, each weighted by its cases,
    the activities that came next against those that the structure allows next. The end of a case counts as
    an activity.

    A beginning's markings are all that it can have led to, so that no silent choice is taken for the case.
    Beginnings that the structure doesn't allow count for nothing: fitness says that. The variants should come
    most frequent first; those after `most_prefixes` beginnings, or MOST_LOOKS, are left out.
    """
    root = _prefix(places, [Tokens(places.root, len(places.all))])
    most_prefixes = min(most_prefixes, MOST_LOOKS // max(len(places.leaves), 1))
    found = [root]
    looked_at = cases = 0
    for activities, n in variants:
        cases += n
        if len(found) >= most_prefixes:
            continue
        looked_at += n
        at = root
        at.cases += n
        for activity in activities:
            if activity not in at.following:
                at.following[activity] = _after(places, at, activity)
            following = at.following[activity]
            if following is None:
                break
            if not following.cases:
                found.append(following)
            at = following
            at.cases += n
        else:
            at.ended = any(tokens.closing_cost(places.root) == 0 for tokens in at.markings)
    allowed = sum(prefix.cases * prefix.allowed for prefix in found)
    seen = sum(prefix.cases * _seen(prefix) for prefix in found)
    return Precision(seen / allowed if allowed else 1.0, looked_at / cases if cases else 1.0)


def _prefix(places: Places, markings: list[Tokens]) -> _Prefix:
    allowed = sum(any(_free(tokens, leaf) for tokens in markings) for leaf in places.leaves.values())
    may_end = any(tokens.closing_cost(places.root) == 0 for tokens in markings)
    return _Prefix(markings, allowed + may_end)


def _seen(prefix: _Prefix) -> int:
    return prefix.ended + sum(following is not None for following in prefix.following.values())


def _free(tokens: Tokens, leaf: Place) -> bool:
    return any(cost == 0 for cost, _ in turns(tokens, leaf))


def _after(places: Places, at: _Prefix, activity: str) -> _Prefix | None:
    leaf = places.leaves.get(activity)
    if leaf is None:
        return None
    markings: dict[tuple[int, ...], Tokens] = {}
    for tokens in at.markings:
        for cost, turn in turns(tokens, leaf):
            if cost == 0 and len(markings) < MOST_MARKINGS:
                moved = tokens.copy()
                take(moved, leaf, turn)
                moved.complete(leaf, 0)
                # What was decided on the way there is of no use here, and would be copied on and on.
                moved.decisions.clear()
                markings.setdefault(tuple(moved.state), moved)
    return _prefix(places, list(markings.values())) if markings else None
