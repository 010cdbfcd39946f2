"""The rows of a task's duration table: all executions, then classes, segments and agents that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fitting import SHIFTED_NAME, fit_law
from calibration.local_time import Floats, Mask
from calibration.pooling import Codes
from calibration.settings import Settings
from calibration.speeds import Law, Sample, by_speed
from calibration.window import ENOUGH
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.distributions import Fitted
from metagraph.nodes import DurationRow, DurationTable

ROW_LEVELS = 41
"""Observed quantiles kept for a row of a class or agent."""
MATERIAL = 0.15
"""Kolmogorov-Smirnov distance from which a group has a law of its own."""


Coded = tuple[Codes, tuple[str, ...]]
"""The code of each row, and the codes' names; NO_RESOURCE has none."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Class and segment of every case; '' where there are none."""

    cls: tuple[str, ...]
    segment: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Classes, segments and agents as codes, with their names."""

    cls: Coded
    """Of every case."""
    segment: Coded
    agents: tuple[str, ...]

    @staticmethod
    def of(groups: Groups, snapshot: Snapshot) -> Names:
        return Names(_coded(groups.cls), _coded(groups.segment), snapshot.resources)

    def of_rows(self, rows: NDArray[np.int64], snapshot: Snapshot) -> Labels:
        cases = np.searchsorted(snapshot.offsets, rows, side="right") - 1
        return Labels(
            (self.cls[0][cases], self.cls[1]),
            (self.segment[0][cases], self.segment[1]),
            (snapshot.resource[rows].astype(np.int64), self.agents),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Class, segment and agent of every execution of a sample."""

    cls: Coded
    segment: Coded
    agent: Coded


def _coded(names: Sequence[str]) -> Coded:
    found, codes = np.unique(np.array(names or [""], np.str_), return_inverse=True)
    return codes.astype(np.int64)[: len(names)], tuple(found.tolist())


def fit_table(sample: Sample, labels: Labels, settings: Settings, *, by_agent: bool) -> DurationTable:
    """The pooled row, then rows of groups.

    A group of at least ENOUGH executions that differs from the rest has a law of its own. With
    `settings.pooled` the others borrow: the law of what they have in common, times a factor of their own.
    """
    values = sample.fair
    pooled = fit_law(values, "task", censored=sample.censored, ks_limit=settings.ks_limit, fast=settings.fast)
    out = [DurationRow(pooled)]
    if len(values) < (ENOUGH if settings.pooled else 2 * ENOUGH):
        return DurationTable(tuple(out))
    families = _likely(pooled)

    def law(part: Sample, level: str) -> Fitted:
        return fit_law(
            part.fair,
            level,
            censored=part.censored,
            ks_limit=settings.ks_limit,
            families=families,
            fast=settings.fast or not families,
            pictured=ROW_LEVELS,
        )

    def rows(label: Coded, scope: Mask, level: str) -> Iterator[tuple[str, Fitted]]:
        return _rows(sample, label, scope, level, law, settings.pooled)

    everyone = np.ones(len(sample.work), np.bool_)
    out += [DurationRow(fitted, segment=s) for s, fitted in rows(labels.segment, everyone, "class")]
    classes = dict(rows(labels.cls, everyone, "class"))
    out += [DurationRow(fitted, cls=c) for c, fitted in classes.items()]
    if not by_agent:
        return DurationTable(tuple(out))
    # An agent's row hides its class's: where classes differ, agents are told apart within them.
    codes, names = labels.cls
    scopes: list[tuple[str | None, Mask]] = [(c, codes == names.index(c)) for c in classes]
    for scope, members in scopes or [(None, everyone)]:
        out += [DurationRow(fitted, cls=scope, agent=a) for a, fitted in rows(labels.agent, members, "agent")]
    return DurationTable(tuple(out))


def _rows(
    sample: Sample, label: Coded, scope: Mask, level: str, law: Law, pooled: bool
) -> Iterator[tuple[str, Fitted]]:
    """Names and laws of the groups within the scope that differ, in the order of their codes."""
    codes, names = label
    found: dict[int, Fitted] = {}
    scoped, within = sample.where(scope), codes[scope]
    own = differing(scoped.values, within[scoped.ended])
    for code in own:
        if code != NO_RESOURCE:
            found[code] = law(scoped.where(within == code), level)
    if pooled:
        rest = (within != NO_RESOURCE) & ~np.isin(within, own)
        found |= dict(by_speed(scoped.where(rest), within[rest], len(names), level, law, ROW_LEVELS))
    for code in sorted(found):
        yield names[code], found[code]


def differing(values: Floats, codes: Codes) -> list[int]:
    """Groups of at least ENOUGH values that differ from all other values materially and beyond chance.

    As `differs`, with the two-sample distance found from the group's ranks among all: n_all / (n_all -
    n_group) times the distance between the group and all.
    """
    order = np.lexsort((values, codes))
    names, first, counts = np.unique(codes[order], return_index=True, return_counts=True)
    everything = np.sort(values)
    total = len(values)
    found = []
    for name, begin, n in zip(names.tolist(), first.tolist(), counts.tolist(), strict=True):
        if n < ENOUGH or total - n < ENOUGH:
            continue
        mine = values[order[begin : begin + n]]
        above = np.searchsorted(mine, mine, side="right") / n
        below = np.searchsorted(mine, mine, side="left") / n
        all_above = np.searchsorted(everything, mine, side="right") / total
        all_below = np.searchsorted(everything, mine, side="left") / total
        gap = max(np.abs(above - all_above).max(), np.abs(below - all_below).max())
        distance = float(gap) * total / (total - n)
        if distance > max(MATERIAL, 1.63 * float(np.sqrt(total / (n * (total - n))))):
            found.append(name)
    return found


def _likely(pooled: Fitted) -> Sequence[str]:
    """The two families nearest to the pooled law."""
    tried = {f: ks for f, ks in (pooled.candidates or {}).items() if not f.endswith(SHIFTED_NAME)}
    return sorted(tried, key=lambda f: tried[f])[:2]
