"""Quote: when could a new order be promised, given everything that is open now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from twin.forecast import REPLICATIONS
from twin.futures import Future
from twin.horizons import arrivals_until
from twin.lead_history import lead_history
from twin.outlook import LEVELS, Between, Quote
from twin.progress import Progress
from twin.quote_asked import CONFIDENCES, QUOTED, Asked
from twin.quote_learnt import put_together, taught_now
from twin.quoted import CollectQuoted, Quoted, drivers_of, slowest_text
from twin.running import engine_text, many
from twin.sampling import Floats, between, expected, quantiles
from twin.state import stale, state_of
from twin.words import share_interval

if TYPE_CHECKING:
    from eventlogs.live.state import Eta
    from eventlogs.snapshot import Snapshot
    from simulation.replicate import Replications


def quote(
    metagraph: Metagraph,
    snapshot: Snapshot,
    asked: Asked | None = None,
    *,
    etas: Mapping[str, Sequence[Eta]] | None = None,
    replications: int = REPLICATIONS,
    seed: int = 0,
    workers: int | None = None,
    learning: bool = False,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Quote:
    """Promise dates of an order that arrives at the snapshot's `until_s`, at CONFIDENCES percent.

    With `learning`, they are put together with what the log teaches, as those of open orders in a forecast;
    not under another policy, of which the log teaches nothing. `keep` as there.

    Raises UsageError for a class or segment the twin doesn't know, or a due date in the past.
    """
    from twin.quote_changes import alternatives

    asked, progress = asked or Asked(), progress or Progress()
    _known(metagraph, asked)
    found = None
    own = asked.policy is None or asked.policy == Policy()
    if learning and own:
        found = taught_now(metagraph, snapshot, seed, keep, progress.part(0.0, 0.5))
        progress = progress.part(0.5, 1.0)
    state, _ = state_of(metagraph, snapshot, etas)
    order = _order(asked, snapshot.origin, state.at_s)
    future = Future(
        metagraph,
        state,
        snapshot.origin,
        seed,
        arrivals_until(metagraph, snapshot, ()),
        (order,),
        asked.policy,
    )
    share = 0.3 if asked.alternatives or asked.against else 1.0
    made = quoted(future, replications, workers=workers, progress=progress.part(0.0, share))
    history, notes = lead_history(metagraph, snapshot, asked.cls, asked.segment, CONFIDENCES)
    samples, weighed, words = put_together(future, made.values, asked, found)
    result = _quote(asked, future, samples, engine_text(made.engine))
    others, more = alternatives(
        future, made.values, asked, result.dates, workers=workers, progress=progress.part(share, 1.0)
    )
    if learning and not own:
        words = ("the log says nothing of another policy: dates are the simulation's alone",)
    return replace(
        result,
        history=history,
        history_lead_h=dict(history[0].lead_h) if history else {},
        alternatives=others,
        learnt=weighed,
        simulated=result.quantiles if weighed is None else _quote(asked, future, made.values, "").quantiles,
        notes=(*stale(snapshot), *result.notes, *notes, *more, *words),
    )


def quoted(
    future: Future,
    replications: int,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Replications[Quoted]:
    """What becomes of the future's first extra order in each replication."""
    collect = CollectQuoted(len(future.state.orders))
    return many(
        future,
        future.seed,
        replications,
        reduce=collect,
        workers=workers,
        progress=progress or Progress(),
        what="future",
    )


def done_s(samples: Sequence[Quoted]) -> Floats:
    """Per future when the order is done, seconds since the origin."""
    return np.array([sample.done_s for sample in samples])


def promises(samples: Sequence[Quoted], origin: datetime) -> dict[str, datetime]:
    """Date by which it is done in so many per cent of all futures."""
    levels = quantiles(done_s(samples), [int(c) / 100 for c in CONFIDENCES])
    return {c: origin + timedelta(seconds=t) for c, t in zip(CONFIDENCES, levels.tolist(), strict=True)}


def _quote(asked: Asked, future: Future, samples: Sequence[Quoted], engine: str) -> Quote:
    origin, at_s, replications = future.origin, future.state.at_s, len(samples)
    done, drivers = done_s(samples), drivers_of(samples)
    due_s = future.extra[0].due_s
    late = None if due_s is None else float((done > due_s).mean())
    cut = sum(sample.cut for sample in samples)
    return Quote(
        at=origin + timedelta(seconds=at_s),
        cls=asked.cls,
        segment=asked.segment,
        replications=replications,
        dates=promises(samples, origin),
        drivers=drivers,
        history_lead_h={},
        engine=engine,
        between={c: _instants(origin, between(done, int(c) / 100)) for c in CONFIDENCES},
        lead=expected((done - at_s) / 3600),
        quantiles=tuple(origin + timedelta(seconds=t) for t in quantiles(done, LEVELS).tolist()),
        policy=asked.named,
        value=asked.value,
        due=asked.due,
        late_probability=late,
        late_between=None if late is None else share_interval(late, replications),
        profit=None if asked.value is None else expected([sample.profit for sample in samples]),
        slowest=slowest_text(drivers),
        notes=(
            f"{cut} of {replications} futures were broken off because orders piled up: dates are too early",
        )
        * (cut > 0),
    )


def _instants(origin: datetime, ends: tuple[Floats | None, Floats | None]) -> Between:
    low, high = (None if end is None else origin + timedelta(seconds=float(end)) for end in ends)
    return low, high


def _order(asked: Asked, origin: datetime, at_s: float) -> Order:
    due_s = None if asked.due is None else (asked.due - origin).total_seconds()
    if due_s is not None and due_s <= at_s:
        raise UsageError(f"--due {asked.due}: it is not after the instant of the quote")
    return Order(QUOTED, at_s, asked.cls, asked.segment, value=asked.value, due_s=due_s)


def _known(metagraph: Metagraph, asked: Asked) -> None:
    classes = {c.cls for c in metagraph.orders.classes}
    segments = {c.segment for c in metagraph.orders.classes}
    for option, given, known in (
        ("--class", asked.cls, classes),
        ("--segment", asked.segment, segments),
    ):
        if given and given not in known:
            names = ", ".join(sorted(known - {""})) or "none: the twin tells no such groups apart"
            raise UsageError(f"{option} {given}: unknown to the twin; known are {names}")
