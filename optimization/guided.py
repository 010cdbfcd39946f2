"""Plans that follow a solution of the step form, whole or not (list scheduling by alpha points: Phillips,
Stein and Wein, 1998)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimization.generation import Priorities
from optimization.problem import NOBODY, Floats, Ints
from optimization.step_form import StepForm

ALPHAS = (0.5, 0.1, 0.3, 0.7, 0.9)
"""Shares of an operation whose points give its place."""
USED = 0.05
"""A job of which less than this is done in the solution comes last."""


def guided(form: StepForm, x: Floats) -> Iterator[Priorities]:
    """Priorities by mean points and by alpha points; modes first free, then as in the solution."""
    begun = [_begun(form, x, i) for i in range(len(form.problem.ops))]
    prefer = np.array([_mode(form, x, i) for i in range(len(form.problem.ops))], np.int64)
    keep = np.array([_kept(form, x, i) for i in range(len(form.problem.ops))], np.int64)
    several = any(len(op.modes) > 1 for op in form.problem.ops)
    for alpha in (None, *ALPHAS):
        keys = _keys(form, begun, alpha)
        yield Priorities(keys, None, keep)
        if several:
            yield Priorities(keys, prefer, keep)


def _begun(form: StepForm, x: Floats, i: int) -> tuple[Ints, Floats]:
    """Points, and how much of an operation has begun by each, in whatever mode."""
    begins = form.network.begins[i]
    points = np.unique(np.concatenate([np.zeros(0, np.int64), *begins]))
    sums = np.zeros(len(points))
    for m, own in enumerate(begins):
        first = form.columns.first[i][m]
        values = np.concatenate([[0.0], x[first : first + len(own)]])
        sums += values[np.searchsorted(own, points, "right")]
    return points, sums


def _mode(form: StepForm, x: Floats, i: int) -> int:
    """The mode that has most of an operation; NOBODY where there is no choice."""
    begins = form.network.begins[i]
    if len(begins) < 2:
        return NOBODY
    last = [x[form.columns.first[i][m] + len(own) - 1] if len(own) else 0.0 for m, own in enumerate(begins)]
    return int(np.argmax(last)) if max(last) > USED else NOBODY


def _kept(form: StepForm, x: Floats, i: int) -> int:
    """Whether work that is under way goes on."""
    held = form.problem.ops[i].held
    if held is None:
        return 0
    points = form.network.begins[i][held]
    return int(len(points) > 0 and points[0] == 0 and x[form.columns.first[i][held]] > 0.5)


def _keys(form: StepForm, begun: list[tuple[Ints, Floats]], alpha: float | None) -> Floats:
    """[operation] a point; what is folded comes just after what it waits for."""
    never = float(form.problem.grid.never)
    keys = np.zeros(len(form.problem.ops))
    for i, op in enumerate(form.problem.ops):
        points, sums = begun[i]
        if form.network.folded[i]:
            keys[i] = max([float(op.ready), *(keys[p] + 1e-3 for p in op.preds)])
        elif not len(points) or sums[-1] < USED:
            keys[i] = never
        elif alpha is None:
            keys[i] = points @ np.diff(sums, prepend=0.0) + (1.0 - sums[-1]) * never
        else:
            keys[i] = points[min(int(np.searchsorted(sums, alpha * sums[-1] - 1e-9)), len(points) - 1)]
    return keys
