"""Ways to build a challenger: the champion's choices on newer data, or all choices anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from metagraph.model import Metagraph
from twin.progress import Progress

if TYPE_CHECKING:
    from twin.build import BuildRequest
    from twin.drift import DriftReport
    from twin.source import LogSource

FEWEST_SINCE = 60
"""Cases since a change from which a twin can be fitted to them alone."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to build a challenger."""

    name: str
    window_since: datetime | None = None
    """The first case of the window; None: the champion's own window."""
    anew: bool = False
    """Structure and all choices anew."""


def ways(source: LogSource, until_s: float, drift: DriftReport, *, anew: bool) -> Iterator[Way]:
    """What is tried, of what was known at `until_s`: all choices anew where the structure drifted or that is
    asked for; else the champion's choices, on its own window and on what came since the change."""
    from eventlogs.bounds import case_bounds

    if anew or drift.structural:
        yield Way("built anew, all choices made again", anew=True)
    yield Way("the champion's choices on newer data")
    changed = [one.begun for one in drift.found]
    if not changed:
        return
    since = max(changed)
    release, _ = case_bounds(source.snapshot)
    begin_s = (since - source.snapshot.origin).total_seconds()
    if ((release >= begin_s) & (release <= until_s)).sum() >= FEWEST_SINCE:
        yield Way(f"the champion's choices on what came since {since:%Y-%m-%d}", since)


def built(
    model: Metagraph, source: LogSource, way: Way, request: BuildRequest, progress: Progress
) -> Metagraph:
    """The challenger of this way, from this log."""
    from twin.build import build
    from twin.rebuild import IMPORT, OPEN_ORDERS, refit

    if way.anew:
        return build(source, request, progress)
    progress.step(f"fitting: {way.name}", 0.0)
    words = {IMPORT: " ".join(source.report.sentences()), OPEN_ORDERS: source.open_rule}
    return refit(windowed(model, way.window_since), source.snapshot, words=words)


def windowed(model: Metagraph, since: datetime | None) -> Metagraph:
    """The twin as if it had been learnt from a window that begins then; itself for None."""
    known = model.provenance
    if since is None or known is None or known.record is None:
        return model
    return replace(model, provenance=replace(known, record=replace(known.record, window_since=since)))
