"""Where every open order stands: the log so far, replayed on the twin's structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from discovery.replayed import MISFIT
from metagraph.blocks import Block
from metagraph.calendars import WorkClock
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.parse_blocks import parse_blocks
from metagraph.state import OpenOrder, Position, State
from twin.order_facts import order_of
from twin.renames import in_twin_words, renames, unshared

if TYPE_CHECKING:
    from discovery.replay import Replayer
    from eventlogs.live.state import Eta
    from eventlogs.snapshot import Snapshot

STALE_S = 7 * 86400.0
"""Nothing for so long is more than a weekend or a holiday."""


def state_of(
    metagraph: Metagraph, snapshot: Snapshot, etas: Mapping[str, Sequence[Eta]] | None = None
) -> tuple[State, tuple[str, ...]]:
    """The open orders of a snapshot at its `until_s`, and notes on executions that found no place.

    Times are seconds since the snapshot's origin; `etas` by case, told by then. An open order whose last
    tokens stand before the end stays open: the engine takes it where one more task is done, if it can.
    Raises DataError for the log of another process.
    """
    from discovery.inclusive import as_optional
    from discovery.replay import Replayer

    unshared(metagraph, snapshot)
    snapshot = in_twin_words(metagraph, snapshot)
    block = parse_blocks(metagraph)
    replayer = Replayer(as_optional(block))
    ends = {node.id for node in metagraph.nodes if node.kind == "end"}
    names = renames(metagraph)
    tasks = {node.id: node for node in metagraph.tasks()}
    orders, notes = [], []
    for case in np.flatnonzero(snapshot.is_open):
        order, misfits = _open_order(metagraph, snapshot, replayer, block, int(case))
        told = (etas or {}).get(order.order.id, ())
        if told:
            order = _announced(order, snapshot, int(case), told, names, tasks)
        orders.append(order)
        if misfits:
            notes.append(
                f"case {order.order.id}: {', '.join(misfits)} found no place in the model and was passed over"
            )
        if all(position.node in ends for position in order.positions):
            notes.append(f"case {order.order.id}: nothing is left to do in the model; taken to complete now")
    return State(snapshot.until_s, tuple(orders)), tuple(notes)


def stale(snapshot: Snapshot) -> list[str]:
    """A note where the log stops long before the instant that is asked about."""
    last_s = float(np.nanmax(np.concatenate([snapshot.start_s, snapshot.end_s])))
    if snapshot.until_s - last_s <= STALE_S:
        return []
    last = snapshot.origin + timedelta(seconds=last_s)
    days = (snapshot.until_s - last_s) / 86400
    return [
        f"the log's last event is of {last:%Y-%m-%d %H:%M} UTC: nothing is known of the {days:.0f} days since"
    ]


def _open_order(
    metagraph: Metagraph, snapshot: Snapshot, replayer: Replayer, block: Block, case: int
) -> tuple[OpenOrder, list[str]]:
    from discovery.inclusive import standing

    rows = slice(int(snapshot.offsets[case]), int(snapshot.offsets[case + 1]))
    starts, ends = snapshot.start_s[rows], snapshot.end_s[rows]
    labels = [snapshot.activities[i] for i in snapshot.activity[rows]]
    done = int((~np.isnan(ends)).sum())
    replay = replayer.replay(labels[:done], labels[done:], closed=False)
    marking = replay.marking
    if marking is None:
        raise ValueError("an open case has a marking")
    marking = standing(marking, block)
    first = float(starts.min())
    positions = []
    for token in marking.tokens:
        enabled = first if token.enabled_by < 0 else float(ends[token.enabled_by])
        after = "" if token.enabled_by < 0 else labels[token.enabled_by]
        if token.running < 0:
            positions.append(Position(token.node, enabled, after=after))
            continue
        agent = int(snapshot.resource[rows][token.running])
        name = snapshot.resources[agent] if agent >= 0 else None
        worked = _worked(metagraph, snapshot, rows.start + token.running, name)
        start = float(starts[token.running])
        positions.append(Position(token.node, enabled, start, name, after, worked_s=worked))
    attributes = {
        name: values[case] or "" for name, values in snapshot.attributes.items() if values[case] is not None
    }
    order = order_of(metagraph, snapshot.cases[case], attributes, first, snapshot.origin)
    misfits = [label for label, task in zip(labels, replay.tasks, strict=True) if task == MISFIT]
    history = tuple(labels[:done])
    return OpenOrder(order, tuple(positions), history, marking.visits, marking.merged), misfits


def _worked(metagraph: Metagraph, snapshot: Snapshot, row: int, agent: str | None) -> float | None:
    """Working seconds done in a running execution that was suspended; None: it never was."""
    pauses = snapshot.pauses
    mine = pauses.row == row
    if not mine.any():
        return None
    start = float(snapshot.start_s[row])
    calendars = {calendar.id: calendar for calendar in metagraph.calendars}
    worked_by = next((calendars[a.calendar] for a in metagraph.agents if a.id == agent), None)
    froms, tos = [start, *pauses.end_s[mine].tolist()], [*pauses.start_s[mine].tolist(), snapshot.until_s]
    if worked_by is None:
        return float(sum(b - a for a, b in zip(froms, tos, strict=True)))
    clock = WorkClock(worked_by, snapshot.origin, earliest_s=start)
    return float(sum(clock.between(a, b) for a, b in zip(froms, tos, strict=True)))


def _announced(
    order: OpenOrder,
    snapshot: Snapshot,
    case: int,
    etas: Sequence[Eta],
    names: Mapping[str, str],
    tasks: Mapping[str, Task],
) -> OpenOrder:
    """The order with the announced ends of tasks that need nobody: of others it isn't known when work begins.

    Ends that have passed say nothing, unless announcements of the task are known to be so late at times;
    nor do those told before an earlier execution of the activity ended.
    """
    rows = slice(int(snapshot.offsets[case]), int(snapshot.offsets[case + 1]))
    ended: dict[str, float] = {}
    for activity, end in zip(snapshot.activity[rows].tolist(), snapshot.end_s[rows].tolist(), strict=True):
        if end == end:
            ended[snapshot.activities[activity]] = end
    late_s = {
        task.label: float(task.eta_error.law.ppf(1.0))
        for task in tasks.values()
        if task.eta_error is not None
    }
    expected: dict[str, float] = {}
    for eta in etas:
        label = names.get(eta.activity, eta.activity)
        at, told = ((moment - snapshot.origin).total_seconds() for moment in (eta.eta, eta.told))
        if at + max(late_s.get(label, 0.0), 0.0) > snapshot.until_s and told >= ended.get(label, told):
            expected[label] = at

    def known(position: Position) -> Position:
        task = tasks.get(position.node)
        if task is None or task.queues or task.label not in expected:
            return position
        return replace(position, eta_s=expected[task.label])

    return replace(order, positions=tuple(known(position) for position in order.positions))
