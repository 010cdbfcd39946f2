"""Jobs for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.words import instant
from ui import console

if TYPE_CHECKING:
    from eventlogs.keeping.jobs import Job
    from twin.jobs import Shown


def show_jobs(jobs: Sequence[Job], as_json: bool) -> None:
    """A line a job."""
    if as_json:
        console.as_json(list(jobs))
        return
    rows = [
        [str(job.id), job.state, " ".join(job.command), instant(job.due_at), str(job.attempts), job.message]
        for job in jobs[: console.MOST_ROWS]
    ]
    console.show_table(
        "Jobs", ("Number", "State", "Command", "Due", "Attempts", "Message"), rows, texts=(1, 2, 3, 5)
    )
    console.more(len(jobs))


def show_job(shown: Shown, as_json: bool) -> None:
    """How it stands, and what it told."""
    if as_json:
        console.as_json(shown)
        return
    job = shown.job
    facts = {
        "State": job.state + (" (to be cancelled)" if job.cancelling and job.state == "running" else ""),
        "Command": " ".join(job.command),
        "Key": job.key or "",
        "Due": instant(job.due_at),
        "Attempts": f"{job.attempts} of {job.most_attempts}",
        "Worker": job.worker,
        "Begun": instant(job.begun_at) if job.begun_at else "",
        "Ended": instant(job.ended_at) if job.ended_at else "",
        "Exit code": "" if job.exit_code is None else str(job.exit_code),
        "Message": job.message,
    }
    rows = [[name, value] for name, value in facts.items() if value]
    console.show_table(f"Job {job.id}", ("", ""), rows, texts=(0, 1))
    if shown.lines:
        told = [[str(line.attempt), instant(line.told_at), line.line] for line in shown.lines[-50:]]
        console.show_table("What it told", ("Attempt", "At", "Line"), told, texts=(1, 2))
