"""How well a structure and a log agree: fitness, precision, generalisation, simplicity, as numbers and words.

The four quality dimensions of Buijs, van Dongen & van der Aalst (2014).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discovery.precision import Precision, escaping_edges
from discovery.replayed import MISFIT, Deviation, Fitness, Replayed, VariantFit

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from metagraph.blocks import Skeleton

SHOWN = 10
TOLD = 5
"""Deviations that are told in words."""


@dataclass(frozen=True, slots=True)
class Homeless:
    """An activity of the log for which the structure has no task."""

    activity: str
    executions: int
    only_open: bool
    """It occurs only in cases that are still open, from which no structure is mined."""


@dataclass(frozen=True, slots=True)
class Conformance:
    """A structure against the log that it was replayed on."""

    fitness: Fitness
    precision: Precision
    generalisation: float
    """1 less the mean over tasks and branches of 1 / sqrt(times used); one that was never used counts 1.
    Near 1: each was used so often that other ways are hardly to be expected (Buijs et al. 2014)."""
    simplicity: float
    """1 / (1 + mean arc degree - 2), over tasks and gateways: 1 for a sequence, less the more the gateways
    branch."""
    nodes: int
    flows: int
    homeless: tuple[Homeless, ...]
    """Most executions first."""


def conform(snapshot: Snapshot, skeleton: Skeleton, replayed: Replayed) -> Conformance:
    """Everything that is said of a structure and the log that `replayed` was made of."""
    from discovery.places import places
    from eventlogs.mining.variants import variants

    used = [*_times_taken(skeleton, replayed), *np.bincount(replayed.task[replayed.task != MISFIT]).tolist()]
    used += [0] * (len(skeleton.tasks) + _branches(skeleton) - len(used))
    nodes = len(skeleton.tasks) + len(skeleton.gateways) + 2
    # The start has one flow out and the end one in: what lies between them tells more.
    degree = (2 * len(skeleton.flows) - 2) / (nodes - 2) if nodes > 2 else 2.0
    return Conformance(
        fitness=replayed.fitness,
        precision=escaping_edges(places(skeleton.block), variants(snapshot)),
        generalisation=1 - sum(n**-0.5 if n else 1.0 for n in used) / len(used) if used else 1.0,
        simplicity=1 / (1 + max(degree - 2, 0.0)),
        nodes=nodes,
        flows=len(skeleton.flows),
        homeless=_homeless(snapshot, skeleton),
    )


def _times_taken(skeleton: Skeleton, replayed: Replayed) -> list[int]:
    """Per branch that was ever taken: how often."""
    widest = 1 + len(skeleton.flows)
    taken = replayed.decisions.gateway.astype(np.int64) * widest + replayed.decisions.flow
    return [int(n) for n in np.unique(taken, return_counts=True)[1]]


def _branches(skeleton: Skeleton) -> int:
    routing = {gateway.id for gateway in skeleton.gateways if gateway.routes}
    return sum(flow.source in routing for flow in skeleton.flows)


def _homeless(snapshot: Snapshot, skeleton: Skeleton) -> tuple[Homeless, ...]:
    known = {label for _, label in skeleton.tasks}
    executions = np.bincount(snapshot.activity, minlength=len(snapshot.activities))
    closed = ~snapshot.is_open[snapshot.case_of_row()]
    in_closed = np.bincount(snapshot.activity[closed], minlength=len(snapshot.activities))
    found = [
        Homeless(activity, int(executions[i]), not in_closed[i])
        for i, activity in enumerate(snapshot.activities)
        if executions[i] and activity not in known
    ]
    return tuple(sorted(found, key=lambda one: (-one.executions, one.activity)))


def fitness(variants: Sequence[VariantFit], unreplayed_cases: int = 0, shown: int = SHOWN) -> Fitness:
    """Sum up the fit of distinct variants, each with its number of cases."""
    fitting = [variant for variant in variants if variant.fits]
    deviating = [variant for variant in variants if not variant.fits]
    deviating.sort(key=lambda variant: (-variant.cases, variant.activities))
    events = sum(variant.cases * len(variant.activities) for variant in variants)
    return Fitness(
        cases=sum(variant.cases for variant in variants),
        fitting_cases=sum(variant.cases for variant in fitting),
        events=events,
        placed_events=events - sum(variant.cases * len(variant.misfits) for variant in variants),
        skipped_tasks=sum(variant.cases * len(variant.skipped) for variant in variants),
        variants=len(variants),
        fitting_variants=len(fitting),
        deviating=tuple(deviating[:shown]),
        unreplayed_cases=unreplayed_cases,
        exact_cases=sum(variant.cases for variant in variants if variant.exact),
        exact_events=sum(variant.cases * len(variant.activities) for variant in variants if variant.exact),
        deviations=_deviations(deviating),
    )


def _deviations(variants: Iterable[VariantFit]) -> tuple[Deviation, ...]:
    misfit: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for variant in variants:
        for activity in {variant.activities[i] for i in variant.misfits}:
            misfit[activity] += variant.cases
        for activity in set(variant.skipped):
            skipped[activity] += variant.cases
    found = [Deviation(activity, misfit[activity], skipped[activity]) for activity in {*misfit, *skipped}]
    return tuple(sorted(found, key=lambda d: (-d.misfit_cases - d.skipped_cases, d.activity)))


def in_words(found: Conformance) -> dict[str, str]:
    """All of it in words and rounded figures, for a person."""
    precision = f"{found.precision.share:.1%} of what it allows next was seen next"
    if found.precision.case_share < 1:
        precision += (
            f" (in the {found.precision.case_share:.0%} of the cases with the most frequent variants)"
        )
    lines = {
        **summary(found.fitness),
        "precision": precision,
        "generalisation": f"{found.generalisation:.1%}, by how often each task and branch was used",
        "simplicity": f"{found.simplicity:.2f}, by arc degree; {found.nodes} nodes and {found.flows} flows",
    }
    if found.homeless:
        lines["activities without a task"] = ", ".join(
            f"{one.activity} ({one.executions:,} executions{', only in open cases' if one.only_open else ''})"
            for one in found.homeless
        )
    return lines


def summary(found: Fitness) -> dict[str, str]:
    """The fit in words and rounded figures."""
    lines = {
        "cases that fit perfectly": f"{found.case_share:.1%} of {found.cases}",
        "executions that found a place": f"{found.event_share:.1%} of {found.events}",
        "tasks left out per case": f"{found.skipped_tasks / found.cases if found.cases else 0:.2f}",
        "distinct variants that fit": f"{found.fitting_variants} of {found.variants}",
    }
    cheap = found.cases - found.exact_cases
    if cheap:
        lines["cases replayed cheaply"] = (
            f"{cheap}, with {found.events - found.exact_events} executions: may deviate less than it seems"
        )
    if found.unreplayed_cases:
        lines["cases not replayed for want of time"] = str(found.unreplayed_cases)
    if found.deviations:
        lines["what deviates"] = "; ".join(map(_told, found.deviations[:TOLD]))
        lines["variants that deviate most often"] = ". ".join(map(describe, found.deviating[:TOLD]))
    return lines


def _told(deviation: Deviation) -> str:
    parts = []
    if deviation.misfit_cases:
        parts.append(f"out of place in {_cases(deviation.misfit_cases)}")
    if deviation.skipped_cases:
        parts.append(f"left out in {_cases(deviation.skipped_cases)}")
    return f"{deviation.activity} {' and '.join(parts)}"


def describe(variant: VariantFit) -> str:
    """One deviating variant in a sentence."""
    parts = []
    if variant.misfits:
        parts.append("no place for " + _counted(variant.activities[i] for i in variant.misfits))
    if variant.skipped:
        parts.append("left out " + _counted(variant.skipped))
    return f"{_cases(variant.cases)}: {'; '.join(parts) or 'fits'}"


def _cases(n: int) -> str:
    return "1 case" if n == 1 else f"{n} cases"


def _counted(labels: Iterable[str]) -> str:
    return ", ".join(label if n == 1 else f"{label} ({n} times)" for label, n in Counter(labels).items())
