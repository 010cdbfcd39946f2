"""Replaying a whole log: each distinct variant once, then spread over its cases."""

from __future__ import annotations

import itertools
import time
import zlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery.conformance import fitness
from discovery.replay import CaseReplay, Replayer
from discovery.replayed import MISFIT, Decisions, Replayed, VariantFit
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Block, skeleton

_Ints = NDArray[np.int32]


STEPS = 300_000
"""Of the search for optimal alignments in one log: a few seconds."""
STEPS_A_VARIANT = 3_000
COMPARED = 250_000
"""Executions of distinct variants that are enough to compare structures: two to six seconds each."""


def replay_log(
    snapshot: Snapshot,
    block: Block,
    max_seconds: float | None = None,
    *,
    most_executions: int | None = None,
    steps: int = STEPS,
) -> Replayed:
    """Replay every case of a snapshot on a structure.

    Closed cases are led to their end; open ones give the decisions that they have shown so far. Variants that
    don't fit are aligned optimally as long as `steps` of search last, the most frequent ones first; the rest
    of them keep their cheap replay. With `most_executions` no more than this many executions of distinct
    variants are replayed, the most frequent variants and of the others an even sample; with `max_seconds`
    those that come too late are left out. All executions of what is left out are misfits, and its cases count
    as `unreplayed_cases`.

    Raises ValueError if a label stands at two tasks.
    """
    replayer = Replayer(block)
    labels = dict(skeleton(block).tasks)
    steps = replayer.affordable(steps)
    variants, of_case = _variants(snapshot)
    late, left, a_variant = 0, most_executions, replayer.affordable(STEPS_A_VARIANT)
    started = time.monotonic()
    fits: list[VariantFit] = []
    for variant in variants:
        if left is not None:
            left -= len(variant.activities)
        over = left is not None and left < 0
        if over or (max_seconds is not None and time.monotonic() - started > max_seconds):
            late += variant.cases
            continue
        names = [snapshot.activities[a] for a in variant.activities]
        completed, running = names[: variant.completed], names[variant.completed :]
        found = replayer.replay(completed, running, closed=variant.closed)
        optimal = found.fits
        if not optimal and variant.closed and not running and steps > 0:
            closer = replayer.aligned(completed, found, min(steps, a_variant))
            found, optimal, steps = closer.replay, closer.optimal, steps - closer.steps
        variant.keep(found)
        misfits = tuple(i for i, task in enumerate(found.tasks[: variant.completed]) if task == MISFIT)
        skipped = tuple(labels[replayer.tasks[task]] for task in found.skipped)
        fits.append(VariantFit(tuple(completed), variant.cases, misfits, skipped, optimal))
    task, enabled_s, previous = _rows(snapshot, [variants[v] for v in of_case])
    return Replayed(
        tasks=replayer.tasks,
        gateways=replayer.gateways,
        task=task,
        enabled_s=enabled_s,
        previous=previous,
        decisions=_decisions([variants[v] for v in of_case]),
        fitness=fitness(fits, late),
    )


@dataclass(slots=True, eq=False)
class _Variant:
    """Cases with the same activities, equally many of them running, and all of them open or closed."""

    activities: _Ints
    completed: int
    closed: bool
    cases: int
    task: _Ints
    enabled_by: _Ints
    decisions: _Ints
    """Rows: gateway, flow, visit, position."""

    def keep(self, found: CaseReplay) -> None:
        self.task = np.array(found.tasks, dtype=np.int32)
        self.enabled_by = np.array(found.enabled_by, dtype=np.int32)
        rows = [(d.gateway, d.flow, d.visit, d.position) for d in found.decisions]
        self.decisions = np.array(rows, dtype=np.int32).reshape(-1, 4).T


def _variants(snapshot: Snapshot) -> tuple[list[_Variant], list[int]]:
    """Distinct variants, the most frequent first, equals in no order that means anything, and the variant of
    each case."""
    is_running = np.isnan(snapshot.end_s)
    offsets = snapshot.offsets.tolist()
    keys: list[tuple[bytes, int, bool]] = []
    count: defaultdict[tuple[bytes, int, bool], int] = defaultdict(int)
    for i, (first, last) in enumerate(itertools.pairwise(offsets)):
        running = int(is_running[first:last].sum())
        key = (snapshot.activity[first:last].tobytes(), last - first - running, not snapshot.is_open[i])
        keys.append(key)
        count[key] += 1
    # Where only the first ones are replayed, those of equal frequency should come from all of the log.
    ranked = sorted(count, key=lambda key: (-count[key], zlib.crc32(key[0]), key))
    index = {key: i for i, key in enumerate(ranked)}
    variants = []
    for key in ranked:
        activities = np.frombuffer(key[0], dtype=snapshot.activity.dtype)
        misfit = np.full(len(activities), MISFIT, dtype=np.int32)
        nothing = np.zeros((4, 0), dtype=np.int32)
        variants.append(_Variant(activities, key[1], key[2], count[key], misfit, misfit, nothing))
    return variants, [index[key] for key in keys]


def _rows(snapshot: Snapshot, variants: list[_Variant]) -> tuple[_Ints, NDArray[np.float64], _Ints]:
    """Columns `task`, `enabled_s` and `previous` of the snapshot's rows."""
    if not snapshot.n_events:
        nothing = np.zeros(0, dtype=np.int32)
        return nothing, np.zeros(0), nothing
    task = np.concatenate([variant.task for variant in variants])
    enabled_by = np.concatenate([variant.enabled_by for variant in variants])
    case = snapshot.case_of_row()
    first_start, _ = case_bounds(snapshot)
    row = np.where(enabled_by >= 0, snapshot.offsets[:-1][case] + enabled_by, 0)
    enabled_s = np.where(enabled_by >= 0, snapshot.end_s[row], first_start[case])
    enabled_s[task == MISFIT] = np.nan
    previous = np.where(enabled_by >= 0, snapshot.activity[row], -1).astype(np.int32)
    return task, enabled_s, previous


def _decisions(variants: list[_Variant]) -> Decisions:
    counts = [variant.decisions.shape[1] for variant in variants]
    case = np.repeat(np.arange(len(variants), dtype=np.int32), counts)
    columns = [variant.decisions for variant in variants] or [np.zeros((4, 0), dtype=np.int32)]
    gateway, flow, visit, position = np.concatenate(columns, axis=1)
    return Decisions(case, gateway, flow, visit, position)
