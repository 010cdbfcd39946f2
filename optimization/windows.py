"""Smaller models within a step form: each operation begins near where a solution or a plan has it (relaxation
induced neighbourhoods: Berthold, 2014; Danna, Rothberg and Le Pape, 2005)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimization.problem import Floats, Plan
from optimization.standard_form import StandardForm
from optimization.step_form import StepForm

TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Reach:
    """How far from a plan operations may begin."""

    sooner: int
    later: int
    modes: bool
    """Whether they may change their mode."""


def between(form: StepForm, arrays: StandardForm, x: Floats, width: int) -> StandardForm:
    """Each operation begins, in each mode, where the solution of the relaxation has begun it but not wholly;
    `width` points more on both sides."""
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    for firsts, begins in zip(form.columns.first, form.network.begins, strict=True):
        for first, points in zip(firsts, begins, strict=True):
            n = len(points)
            values = x[first : first + n]
            some = int(np.argmax(values > TINY)) if np.any(values > TINY) else n
            upper[first : first + (some if some == n else max(some - width, 0))] = 0.0
            if np.any(values > 1 - TINY):
                lower[first + min(int(np.argmax(values > 1 - TINY)) + width, n) : first + n] = 1.0
    return replace(arrays, lower=lower, upper=upper)


def around(form: StepForm, arrays: StandardForm, plan: Plan, reach: Reach) -> StandardForm:
    """Each operation begins near where the plan has it; what it leaves out stays out."""
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    for i, (firsts, begins) in enumerate(zip(form.columns.first, form.network.begins, strict=True)):
        start, mode = int(plan.start[i]), int(plan.mode[i])
        for m, (first, points) in enumerate(zip(firsts, begins, strict=True)):
            n = len(points)
            if mode < 0 or (m != mode and not reach.modes):
                upper[first : first + n] = 0.0
                continue
            upper[first : first + int(np.searchsorted(points, start - reach.sooner))] = 0.0
            after = int(np.searchsorted(points, start + reach.later, "right"))
            if len(firsts) == 1 or not reach.modes:
                lower[first + max(after - 1, 0) : first + n] = 1.0 if after else 0.0
    return replace(arrays, lower=lower, upper=upper)


def free_columns(arrays: StandardForm) -> int:
    """How many columns aren't fixed."""
    return int(np.sum(arrays.lower < arrays.upper))


def within(arrays: StandardForm, x: Floats) -> bool:
    """Whether columns keep their bounds."""
    return bool(np.all(x >= arrays.lower - TINY) and np.all(x <= arrays.upper + TINY))
