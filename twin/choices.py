"""What a build chose among, for people: winners, how clearly they won, and what could not be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

from metagraph.model import Candidate, Choice, Metagraph
from twin.validation import METRICS
from twin.words import percent

REFERENCE = "reference"
"""The note of a candidate that was measured for comparison only."""
TOTAL = "total"
CIRCADIAN = "circadian"


@dataclass(frozen=True, slots=True)
class Told:
    """A choice with its candidates sorted out."""

    choice: Choice
    winner: Candidate | None
    metrics: tuple[str, ...]
    """Those that were measured, in the order of METRICS."""
    judged: tuple[Candidate, ...]
    """With scores, the simplest first, as they were tried; the copied last period comes last."""
    refused: tuple[Candidate, ...]
    """Could not be used; their notes say why."""

    @property
    def tried(self) -> int:
        """How many candidates could have been chosen."""
        return sum(candidate.note != REFERENCE for candidate in self.judged)

    @property
    def copied(self) -> Candidate | None:
        """The last period copied."""
        return next((c for c in self.judged if c.note == REFERENCE), None)

    @property
    def closeness(self) -> str:
        """How close the winner came to what happened."""
        total = self.winner.scores.get(TOTAL) if self.winner else None
        return "" if total is None else closeness(total)

    @property
    def next_best(self) -> str:
        """The rival with the lowest total, and by how much it differs from the winner's."""
        rivals = [c for c in self.judged if not c.chosen and c.note != REFERENCE and TOTAL in c.scores]
        if not rivals or self.winner is None or TOTAL not in self.winner.scores:
            return ""
        rival = min(rivals, key=lambda c: c.scores[TOTAL])
        return f"{rival.name} ({signed(rival.scores[TOTAL] - self.winner.scores[TOTAL])})"


def told(choice: Choice) -> Told:
    """The choice with what could not be used set apart."""
    unusable = [c for c in choice.candidates if not c.scores and not c.chosen]
    judged = [c for c in choice.candidates if c not in unusable]
    found = {metric for c in judged for metric in c.scores}
    return Told(
        choice,
        next((c for c in judged if c.chosen), None),
        tuple(metric for metric in (*METRICS, CIRCADIAN) if metric in found),
        (*(c for c in judged if c.note != REFERENCE), *(c for c in judged if c.note == REFERENCE)),
        tuple(unusable),
    )


def all_told(metagraph: Metagraph) -> tuple[Told, ...]:
    """The twin's choices in the order in which they were made."""
    return tuple(told(choice) for choice in (metagraph.provenance.choices if metagraph.provenance else ()))


def closeness(total: float) -> str:
    """A total in words: '19 % closer than the copy'."""
    ratio = exp(total)
    if abs(ratio - 1) < 0.005:
        return "as close as the copy"
    return f"{percent(abs(1 - ratio))} {'closer' if ratio < 1 else 'farther'} than the copy"


def signed(total: float) -> str:
    """With its sign, to a thousandth."""
    return f"{total:+.3f}".replace("-", "−")


def relative(candidate: Candidate, copied: Candidate, metrics: Sequence[str]) -> Mapping[str, float]:
    """Each distance of a candidate over that of the copied last period; below 1 is closer."""
    return {
        metric: candidate.scores[metric] / copied.scores[metric]
        for metric in metrics
        if metric in candidate.scores and copied.scores.get(metric)
    }


def margins_text() -> str:
    """By how much a less simple candidate has to win."""
    from twin.contest import (
        HOPELESS,
        POOLED,
        SHORTER,
        TIE,
        UNCONGESTED,
        UNDELAYED,
        UNORDERED,
        UNSTRUCTURED,
    )
    from twin.options import PRIORITIES

    return (
        "Candidates stand from the simplest to the least simple, of routing contexts first the one that all "
        "other choices were made with. A later one is taken only if its total is "
        f"lower than that of the best before it by a margin: {TIE:g} (about {percent(TIE)}) as a rule, "
        f"{SHORTER:g} if it is fitted to a shorter part of the log, {UNCONGESTED:g} if nobody waits for busy "
        f"agents in it, {POOLED:g} if its agents are roles, {UNORDERED:g} if parallel branches became work "
        f"in any order, and {UNSTRUCTURED:g} if it has no structure that a person could read; and never by "
        "less than the standard error of the difference. What tests of its own found in the log (batches, "
        "business rules, branches taken "
        "together) is taken if it is no worse on average; rare hours, which the distances hardly show, "
        "unless they are worse by that margin, and the order of work unless it is worse by "
        f"{PRIORITIES.tolerance:g}, and delays of work that waited while somebody was free unless they are "
        f"worse by {UNDELAYED:g}. Given up after one simulated log: its total was by then higher than "
        f"the lowest by more than {HOPELESS:g}."
    )


SCORES = (
    "Distances between simulated logs and the last part of the log, which the candidates had not seen; means "
    "over the simulated logs, lower is better. The total is the mean logarithm of those distances that the "
    "choice moves, each over that of the copied last period: 0 is as close to what happened as the copy, "
    "−0.1 about a tenth closer. 'circadian' is CEDD with the weekdays weighted by their share of the stamps, "
    "so that one stamp on a strange weekday doesn't decide; choices go by it."
)
