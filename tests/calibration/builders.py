"""Logs made of plain rows, with their replay on a hand-made structure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from discovery.replay_log import replay_log
from discovery.replayed import Replayed
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.blocks import Block, Leaf, Sequence, Skeleton, skeleton

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday."""
HOUR = 3600.0
DAY = 86400.0
WEEK = 7 * DAY

Row = tuple[str, str, str | None, float, float | None]
"""Case, activity, resource, start, end (None: running), in seconds after ORIGIN."""


def snapshot(
    rows: Iterable[Row],
    *,
    until_s: float | None = None,
    open_cases: Iterable[str] = (),
    attributes: Mapping[str, Mapping[str, str | None]] | None = None,
    single_timestamp: bool = False,
) -> Snapshot:
    """The rows as a Snapshot; attributes are given as column -> case -> value."""
    given = list(rows)
    first: dict[str, float] = {}
    for case, _, _, start, _ in given:
        first[case] = min(start, first.get(case, start))
    cases = tuple(sorted(first, key=lambda c: first[c]))
    activities = tuple(sorted({a for _, a, _, _, _ in given}))
    resources = tuple(sorted({r for _, _, r, _, _ in given if r is not None}))
    of_case = _index(given, cases)
    starts = np.array([r[3] for r in given], np.float64)
    ends = np.array([np.nan if r[4] is None else r[4] for r in given], np.float64)
    order = np.lexsort((np.arange(len(given)), starts, ends, of_case))
    known_activity = {a: i for i, a in enumerate(activities)}
    known_resource: dict[str | None, int] = {r: i for i, r in enumerate(resources)} | {None: NO_RESOURCE}
    still_open = set(open_cases)
    return Snapshot(
        name="made",
        origin=ORIGIN,
        until_s=float(np.nanmax(np.fmax(ends, starts))) if until_s is None else until_s,
        cases=cases,
        activities=activities,
        resources=resources,
        offsets=np.concatenate(([0], np.cumsum(np.bincount(of_case, minlength=len(cases))))).astype(np.int64),
        activity=np.array([known_activity[r[1]] for r in given], np.int32)[order],
        resource=np.array([known_resource[r[2]] for r in given], np.int32)[order],
        start_s=starts[order],
        end_s=ends[order],
        is_open=np.array([c in still_open for c in cases], np.bool_),
        attributes={name: tuple(values.get(c) for c in cases) for name, values in (attributes or {}).items()},
        single_timestamp=single_timestamp,
        content_hash="made",
    )


def _index(given: list[Row], cases: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    known = {c: i for i, c in enumerate(cases)}
    return np.array([known[r[0]] for r in given], np.int64)


@dataclass(frozen=True)
class Known:
    """A log with a structure and its replay."""

    snapshot: Snapshot
    skeleton: Skeleton
    replayed: Replayed


def known(log: Snapshot, block: Block) -> Known:
    return Known(log, skeleton(block), replay_log(log, block))


def chain(*labels: str) -> Block:
    """Tasks one after the other, with their labels in lower case as ids."""
    leaves = tuple(Leaf(label.lower(), label) for label in labels)
    return leaves[0] if len(leaves) == 1 else Sequence(leaves)
