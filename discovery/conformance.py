"""How much of a log a structure explains: numbers for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from discovery.replayed import Fitness, VariantFit

SHOWN = 10


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
    )


def summary(found: Fitness) -> dict[str, str]:
    """The same in words and rounded figures, for a person."""
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
    return lines


def describe(variant: VariantFit) -> str:
    """One deviating variant in a sentence."""
    parts = []
    if variant.misfits:
        parts.append("no place for " + _counted(variant.activities[i] for i in variant.misfits))
    if variant.skipped:
        parts.append("left out " + _counted(variant.skipped))
    cases = "1 case" if variant.cases == 1 else f"{variant.cases} cases"
    return f"{cases}: {'; '.join(parts) or 'fits'}"


def _counted(labels: Iterable[str]) -> str:
    return ", ".join(label if n == 1 else f"{label} ({n} times)" for label, n in Counter(labels).items())
