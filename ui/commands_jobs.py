"""Commands about work that goes on by itself: the worker, and the queue of jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Db, Json

app = typer.Typer(no_args_is_help=True, help="The queue of jobs: what waits, runs and has run.")
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The job's number, as jobs list shows it.")]


def worker(
    schedule: Annotated[
        Path | None,
        typer.Option(help="Commands to queue by interval or cron (TOML); see docs/recalibration.md."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when no job is due.")] = False,
    lease: Annotated[
        str, typer.Option(metavar="TIME", help="A worker that says nothing for so long loses its job.")
    ] = "60s",
    poll: Annotated[str, typer.Option(metavar="TIME", help="Between two looks for work.")] = "2s",
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Run queued jobs one after the other, and queue what schedules say, until Ctrl-C."""
    from service.schedules import load_schedules
    from service.worker import Working, work
    from twin.spans import seconds_of
    from ui import console

    working = Working(
        db=str(Path(db).absolute()),
        schedules=load_schedules(schedule) if schedule else (),
        lease_s=seconds_of(lease, "--lease"),
        poll_s=seconds_of(poll, "--poll"),
        once=once,
    )
    console.warn(f"worker {working.name} on {db}, {len(working.schedules)} schedules")
    done = work(working, console.warn)
    if as_json:
        console.as_json({"worker": working.name, "jobs": done})
    else:
        console.say(f"{done} jobs were run.")


@app.command("list")
def list_jobs(db: Db = DB, as_json: Json = False) -> None:
    """All jobs, the newest first."""
    from twin.jobs import listed
    from ui import results_jobs

    results_jobs.show_jobs(listed(db), as_json)


@app.command("show")
def show_job(number: Number, db: Db = DB, as_json: Json = False) -> None:
    """One job: how it stands, what it told and what it printed."""
    from twin.jobs import found
    from ui import results_jobs

    results_jobs.show_job(found(db, number), as_json)


@app.command("cancel")
def cancel_job(number: Number, db: Db = DB, as_json: Json = False) -> None:
    """Take a job out of the queue, or have the worker that runs it stop it."""
    from twin.jobs import cancelled
    from ui import results_jobs

    results_jobs.show_job(cancelled(db, number), as_json)


@app.command("add", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def add_job(
    context: typer.Context,
    key: Annotated[str | None, typer.Option(help="No two jobs have the same one.")] = None,
    attempts: Annotated[int, typer.Option(min=1, help="How often it is tried before it failed.")] = 3,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Queue a command for a worker: write it behind --, as in jobs add -- recalibrate orders --log orders."""
    from twin.jobs import queued
    from ui import results_jobs

    results_jobs.show_job(queued(db, tuple(context.args), key, attempts), as_json)
