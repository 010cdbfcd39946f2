"""Where the time of orders goes, task by task: per execution, per month, and of the time that orders take."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metagraph.agents import UNLIMITED
from metagraph.model import Metagraph
from metagraph.nodes import Task, WaitBreakdown
from twin.files import write_text
from twin.words import few, percent, span

MONTH_S = 365.25 / 12 * 86400
PARTS = {
    "off_shift_s": "off shift",
    "busy_s": "agents busy",
    "prioritised_s": "others went first",
    "batching_s": "batching",
    "remaining_s": "remaining",
    "work_s": "work",
    "stopped_s": "work stands still",
}
"""What each part of a WaitBreakdown is called."""
WAITING = tuple(PARTS)[:5]
MEANINGS = {
    "off shift": "the agent who did it was not on shift",
    "agents busy": "that agent was at capacity with work that had been ready earlier",
    "others went first": "that agent was at capacity with work that became ready only later (prioritisation)",
    "batching": "it waited until its batch was released",
    "remaining": "nothing in the log explains it: customers, other systems, post",
    "work": "from start to end, in the hours of its agent",
    "work stands still": "from start to end, but off shift or suspended",
}


@dataclass(frozen=True, slots=True)
class TaskTime:
    """One activity's part of the time that orders take, as observed in the log. Means are per execution."""

    task: str
    n: int
    """Executions that the replay found a place for."""
    mean_s: dict[str, float]
    """By part, from enabled to end; the keys of PARTS."""
    waiting_s: float
    """Mean from enabled to start."""
    total_s: float
    """Mean from enabled to end."""
    per_month_h: float | None
    """Hours of all executions a month; None where the log's span isn't known."""
    share_of_cycle: float | None
    """Of the time that all orders take from start to end. Tasks that run in parallel count each, so that the
    shares of all may add up to more than 1."""
    busy_with_s: dict[str, float]
    """What the agents did while it waited for them: mean seconds by activity, the longest few."""


def time_spent(metagraph: Metagraph) -> tuple[TaskTime, ...]:
    """All activities of which it was observed, the longest total first."""
    known: dict[str, WaitBreakdown] = {t.label: t.waits for t in metagraph.tasks() if t.waits}
    found = [_task_time(metagraph, label, waits) for label, waits in known.items()]
    return tuple(sorted(found, key=lambda time: -time.n * time.total_s))


def _task_time(metagraph: Metagraph, label: str, waits: WaitBreakdown) -> TaskTime:
    origin = metagraph.provenance
    total = waits.n * waits.whole_s
    logged = (origin.until - origin.first_event).total_seconds() if origin else 0.0
    in_process = origin.cycle_s * origin.cases if origin and origin.cycle_s else 0.0
    return TaskTime(
        label,
        waits.n,
        {part: getattr(waits, part) for part in PARTS},
        waits.waiting_s,
        waits.whole_s,
        total / 3600 * MONTH_S / logged if logged > 0 else None,
        total / in_process if in_process else None,
        dict(waits.busy_with),
    )


def busy_text(busy_with_s: Mapping[str, float], most: int = 3) -> str:
    """'Approve 2.1 h, Check 40 min': what took longest."""
    longest = sorted(busy_with_s.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{task} {span(seconds)}" for task, seconds in longest)


def causes_text(time: TaskTime, most: int = 2) -> str:
    """'remaining 59 %, agents busy 31 %': of the waiting."""
    causes = sorted(((PARTS[part], time.mean_s[part]) for part in WAITING), key=lambda item: -item[1])
    return ", ".join(f"{name} {percent(s / time.waiting_s)}" for name, s in causes[:most] if s > 0)


def busy_told(times: Sequence[TaskTime]) -> tuple[TaskTime, ...]:
    """Those that waited for busy agents for at least a twentieth of their time."""
    return tuple(t for t in times if t.busy_with_s and sum(t.busy_with_s.values()) >= 0.05 * t.total_s)


def summary(times: Sequence[TaskTime]) -> str:
    """Which part takes most of all the time, and where most of it is lost; '' where nothing is known."""
    sums = {name: sum(t.n * t.mean_s[part] for t in times) for part, name in PARTS.items()}
    total = sum(sums.values())
    if total <= 0:
        return ""
    parts = sorted((name for name in sums if sums[name] >= 0.001 * total), key=lambda name: -sums[name])
    shares = ", ".join(f"{name} {percent(sums[name] / total)}" for name in parts)
    longest = max(times, key=lambda t: t.n * t.waiting_s)
    waits = sum(t.n * t.waiting_s for t in times)
    if waits <= 0:
        return f"Of the time from enabled to end: {shares}."
    most = percent(longest.n * longest.waiting_s / waits)
    return f"Of the time from enabled to end: {shares}. Most waiting is before {longest.task}: {most} of it."


def modelled(metagraph: Metagraph) -> str:
    """Which of the parts the twin reproduces, for the breakdown itself is of the log."""
    agents, tasks = metagraph.agents, metagraph.tasks()
    used = {
        "shifts": any(not calendar.always_open for calendar in metagraph.calendars),
        "busy agents": any(agent.capacity < UNLIMITED for agent in agents),
        "prioritisation (others first)": any(queue.priority != "FIFO" for queue in metagraph.queues),
        "batching": any(_batched(task) for task in tasks),
        "remaining waiting as a delay": any(task.delay for task in tasks),
    }
    yes, no = ([name for name, on in used.items() if on is wanted] for wanted in (True, False))
    parts = []
    if yes:
        parts.append(f"The twin reproduces {_listed(yes)}")
    if no:
        parts.append(f"{'it has' if yes else 'The twin has'} no {_listed(no, 'or')}")
    return " ".join(("; ".join(parts) + ".", *_otherwise(tasks)))


def _otherwise(tasks: Sequence[Task]) -> list[str]:
    """What became of waits that were seen, where the twin has no part of the same name for them."""
    batched = [t for t in tasks if t.waits and not t.batch and _much(t.waits, t.waits.batching_s)]
    left = [t for t in tasks if t.waits and not t.delay and _much(t.waits, t.waits.remaining_s)]
    told = []
    if delayed := [t.label for t in batched if t.delay]:
        told.append(
            f"Batches were seen at {few(delayed)}, but the twin collects no work there: that wait is part of "
            "its delay."
        )
    if rest := [t.label for t in batched if not t.delay]:
        told.append(
            f"Batches were seen at {few(rest)}, but the twin collects no work there: it waits as long as "
            "shifts and busy agents make it wait."
        )
    if left:
        names = few(f"{t.label} ({span(t.waits.remaining_s)})" for t in left if t.waits)
        told.append(
            f"The remaining waiting before {names} is not in the twin, so its orders are faster by as much."
        )
    return told


def _much(waits: WaitBreakdown, part_s: float) -> bool:
    """Whether a part is worth a sentence."""
    return part_s >= 0.05 * waits.whole_s and part_s > 0


def _batched(task: Task) -> bool:
    return task.batch is not None


def _listed(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


COLUMNS = (*("task", "n", "waiting_s", *PARTS, "total_s", "per_month_h", "share_of_cycle", "busy_with"),)


def to_csv(times: Sequence[TaskTime]) -> str:
    """A row a task; seconds are means per execution."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for t in times:
        month, share = (
            "" if value is None else number_text(value) for value in (t.per_month_h, t.share_of_cycle)
        )
        seconds = [number_text(s) for s in (t.waiting_s, *t.mean_s.values(), t.total_s)]
        rows.writerow([t.task, t.n, *seconds, month, share, busy_text(t.busy_with_s)])
    return text.getvalue()


def number_text(value: float) -> str:
    """Without an exponent, to the millisecond."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def write_csv(path: Path, times: Sequence[TaskTime]) -> None:
    """Whole or not at all. Raises DataError where the file can't be written."""
    write_text(path, to_csv(times))
