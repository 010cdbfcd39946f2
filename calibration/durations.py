"""How long tasks take: working seconds per task, with rows for classes and agents that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from calibration.agents import Resources
from calibration.duration_rows import Groups, Names, fit_table
from calibration.fitting import ZERO_S, fit_law
from calibration.local_time import Floats
from calibration.oddities import Outliers, outlier_facts, outliers_in
from calibration.settings import Settings
from calibration.speeds import Sample
from calibration.window import ENOUGH, Window
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.distributions import Constant, Fitted
from metagraph.model import Default
from metagraph.nodes import DurationRow, DurationTable


@dataclass(frozen=True, slots=True, eq=False)
class Durations:
    """Duration tables by activity."""

    tables: Mapping[str, DurationTable]
    fallback: DurationTable
    """For a task that was never seen to end."""
    defaults: tuple[Default, ...]
    facts: Mapping[str, str]
    """What was found, in words."""


def fit_durations(window: Window, resources: Resources, groups: Groups, settings: Settings) -> Durations:
    """Laws of work for every activity that was seen to end in the window's rows. What is done as one piece
    counts once, however many orders are in it."""
    snapshot = window.snapshot
    work, defaults = work_seconds(window, resources)
    ended = ~np.isnan(snapshot.end_s)
    counted = window.rows & ~resources.together.follows
    weight = window.weights[snapshot.case_of_row()]
    names = Names.of(groups, snapshot)
    tables: dict[str, DurationTable] = {}
    odd: list[Outliers] = []
    for a, label in enumerate(snapshot.activities):
        rows = np.flatnonzero((snapshot.activity == a) & counted)
        if ended[rows].any():
            sample = Sample(work[rows], ended[rows], weight[rows])
            labels = names.of_rows(rows, snapshot)
            tables[label] = fit_table(sample, labels, settings, by_agent=not resources.agentless[a])
            defaults += _few(label, tables[label].default)
            done = rows[ended[rows]]
            far = outliers_in(label, work[done], partial(_case_of, snapshot, done))
            odd += [far] if far is not None else []
    fallback = _fallback(work[ended & window.rows])
    return Durations(tables, fallback, tuple(defaults), outlier_facts(odd))


def _case_of(snapshot: Snapshot, rows: NDArray[np.int64], i: int) -> str:
    return snapshot.cases[int(np.searchsorted(snapshot.offsets, rows[i], side="right")) - 1]


def work_seconds(window: Window, resources: Resources) -> tuple[Floats, list[Default]]:
    """Working seconds of every execution by its agent's clock, without pauses; of running ones, those so far.
    Of agents who share their time, each instant divided by the items in hand.

    An execution that lasted but lies wholly off shift counts in wall-clock time, and is reported.
    """
    snapshot = window.snapshot
    end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    pauses = snapshot.pauses
    wall = np.maximum(end - snapshot.start_s - snapshot.paused_s, 0.0)
    work = wall.copy()
    free = resources.agentless[snapshot.activity] | (snapshot.resource == NO_RESOURCE)
    clocks = resources.timetable.clocks
    clock_ids = {id(clock): clock for clock in clocks}
    of_row = np.array([id(clock) for clock in clocks] or [0], np.int64)[np.maximum(snapshot.resource, 0)]
    for key, clock in clock_ids.items():
        rows = np.flatnonzero(~free & (of_row == key))
        work[rows] = clock.between(snapshot.start_s[rows], np.maximum(end, snapshot.start_s)[rows])
        paused = np.isin(pauses.row, rows)
        rest = clock.between(pauses.start_s[paused], pauses.end_s[paused])
        np.subtract.at(work, pauses.row[paused], rest)
    work = np.maximum(work, 0.0)
    if resources.shared.any():
        held = resources.hands
        sharing = resources.shared[snapshot.resource[held.rows]] & ~free[held.rows]
        work[held.rows[sharing]] = held.divided(clocks)[sharing]
    lost = (work <= ZERO_S) & (wall > ZERO_S)
    work[lost] = wall[lost]
    counts = np.bincount(snapshot.activity[lost & window.rows], minlength=len(snapshot.activities))
    defaults = [
        Default(
            f"task {snapshot.activities[a]}",
            f"working hours in {_executions(int(counts[a]))} off shift",
            "wall-clock time",
        )
        for a in np.flatnonzero(counts)
    ]
    return work, defaults


def _few(label: str, pooled: Fitted) -> list[Default]:
    if pooled.n >= ENOUGH:
        return []
    return [Default(f"duration of {label}", f"only {_executions(pooled.n)}", "their own values, smoothed")]


def _fallback(work: Floats) -> DurationTable:
    if not len(work):
        return DurationTable((DurationRow(Fitted(Constant(0.0), 0, "default", note="nothing was observed")),))
    law = fit_law(work, "all tasks", fast=True)
    return DurationTable(
        (DurationRow(Fitted(law.law, 0, "all tasks", note="never seen: work of all tasks")),)
    )


def _executions(n: int) -> str:
    return f"{n} execution{'s' * (n != 1)}"
