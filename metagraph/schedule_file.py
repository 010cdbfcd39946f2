"""A schedule as JSON; docs/formats.md describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from metagraph.errors import DataError
from metagraph.faults import Fault, listed, refusal, shown
from metagraph.json_text import parsed, read_text, write_text, written
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders_file import told_origin
from metagraph.records import Record
from metagraph.schedule import Assignment, Schedule
from metagraph.timelines import TimeLine, time_line

_WHAT = "a schedule, as JSON"


def read_schedule(
    path: str | Path, metagraph: Metagraph | None = None, origin: datetime | None = None
) -> tuple[Schedule, datetime]:
    """The schedule in a file, and the origin that its seconds count from.

    `origin`, a Monday 00:00 UTC, is found if it isn't given: the one at or before the schedule's instant.
    Raises DataError with every fault; with a `metagraph` also for tasks and agents that it doesn't have.
    """
    source = str(path)
    raw = parsed(read_text(path, _WHAT), source, what="a schedule")
    if not isinstance(raw, dict):
        raise DataError(f"{source} holds {shown(raw)}; expected an object with `at` and `assignments`")
    faults: list[Fault] = []
    told = told_origin(raw, faults)
    found = raw.get("assignments")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    line = time_line([raw, *rows], ("at", "start", "end"), told=told, origin=origin, faults=faults)
    whole = Record(raw, "", faults)
    whole.take("origin")
    at_s = whole.time("at", line)
    items = whole.items("assignments", needed=True)
    whole.close()
    assignments = tuple(_assignment(item, line) for item in items)
    if at_s is None:
        starts = (a.start_s for a in assignments if a.start_s is not None)
        at_s = min(starts, default=(line.zero - line.origin).total_seconds())
    schedule = Schedule(assignments, at_s)
    faults += schedule_faults(schedule, metagraph)
    if faults:
        raise refusal(source, faults)
    return schedule, line.origin


def write_schedule(schedule: Schedule, path: str | Path, origin: datetime, *, hours: bool = False) -> None:
    """Write a schedule, with UTC instants (rounded to microseconds) or with hours since `origin`."""
    line = TimeLine("_h" if hours else "", origin, origin)
    told = {"origin": TimeLine("", origin, origin).shown(0.0)} if hours else {}
    rows = [_row(assignment, line) for assignment in schedule.assignments]
    write_text(path, written({**told, f"at{line.suffix}": line.shown(schedule.at_s), "assignments": rows}))


def schedule_faults(schedule: Schedule, metagraph: Metagraph | None) -> Iterator[Fault]:
    """Faults of assignments that clash, or that a process can't follow."""
    for (order, task), n in Counter((a.order, a.task) for a in schedule.assignments).items():
        if n > 1:
            yield Fault(f"order {shown(order)}, task {shown(task)}", f"assigned {n} times; once is enough")
    for assignment in schedule.assignments:
        where = f"order {shown(assignment.order)}, task {shown(assignment.task)}"
        start, end = assignment.start_s, assignment.end_s
        if start is not None and end is not None and end < start:
            yield Fault(f"{where}, end", "it lies before the start")
        if metagraph is not None:
            yield from _unknown(assignment, metagraph, where)


def _unknown(assignment: Assignment, metagraph: Metagraph, where: str) -> Iterator[Fault]:
    tasks: Mapping[str, Task] = {task.id: task for task in metagraph.tasks()}
    if assignment.task not in tasks:
        yield Fault(f"{where}, task", f"no task of this twin has this id; there are {listed([*tasks])}")
        return
    names = tasks[assignment.task].queues
    able = {agent for queue in metagraph.queues if queue.id in names for agent in queue.agents}
    if assignment.agent not in able:
        who = listed(sorted(able)) or "nobody"
        yield Fault(f"{where}, agent", f"{shown(assignment.agent)} doesn't serve this task; {who} can")


def _assignment(record: Record, line: TimeLine) -> Assignment:
    rank = record.number("rank")
    if rank is None and not record.has("rank"):
        record.fault("rank", "missing; it is needed")
    found = Assignment(
        order=record.text("order"),
        task=record.text("task"),
        agent=record.text("agent"),
        rank=rank or 0.0,
        start_s=record.time("start", line),
        end_s=record.time("end", line),
    )
    record.close()
    return found


def _row(assignment: Assignment, line: TimeLine) -> dict[str, Any]:
    row: dict[str, Any] = {
        "order": assignment.order,
        "task": assignment.task,
        "agent": assignment.agent,
        "rank": assignment.rank,
    }
    for name, at in (("start", assignment.start_s), ("end", assignment.end_s)):
        if at is not None:
            row[name + line.suffix] = line.shown(at)
    return row
