"""A log as it was known at an instant: nothing of what came later, not even names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eventlogs.snapshot import NO_RESOURCE, Snapshot, sealed
from metagraph.errors import DataError
from metagraph.model import ClosingFact

if TYPE_CHECKING:
    from datetime import datetime


def as_of(log: Snapshot, at_s: float) -> Snapshot:
    """Executions begun by then, ends that had come; activities and resources that had been seen.

    Cases are open that went on afterwards, as a system that knows which orders are closed would tell.
    Attributes are as the whole log has them. Raises DataError for an instant before the log.
    """
    from eventlogs.split import known_at

    if not (log.start_s <= at_s).any():
        raise DataError(f"nothing of log {log.name!r} had begun then: ask for a later instant")
    known = known_at(log, at_s)
    activities, activity = np.unique(known.activity, return_inverse=True)
    named = known.resource != NO_RESOURCE
    resources, which = np.unique(known.resource[named], return_inverse=True)
    resource = np.full(known.n_events, NO_RESOURCE, np.int32)
    resource[named] = which
    return sealed(
        replace(
            known,
            activities=tuple(known.activities[i] for i in activities),
            activity=activity.astype(np.int32),
            resources=tuple(known.resources[i] for i in resources),
            resource=resource,
        )
    )


def judged_open(known: Snapshot, closing: ClosingFact | None) -> Snapshot:
    """The same with the cases open that a rule on the log itself says are: what a twin is fitted to."""
    from eventlogs.freezing import decide_open
    from twin.source import closing_rule

    return decide_open(known, None, closing_rule(closing))


def seconds(log: Snapshot, instant: datetime) -> float:
    """Since the log's origin."""
    return (instant - log.origin).total_seconds()
