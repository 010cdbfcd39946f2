"""The commands that plan, and that check a plan."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.options import DB, Db, Json, Map, Open, ProgressFile, Seed
from ui.options_plan import (
    Dt,
    Forbid,
    Formulation,
    Gap,
    Horizon,
    MostPerItem,
    MostPreemptions,
    Objective,
    Penalty,
    Preempt,
    ResumePenalty,
    SameAgent,
    TimeLimit,
)

if TYPE_CHECKING:
    from twin.planning import Standing
    from twin.progress import Progress

schedule_app = typer.Typer(help="Look at schedules.", no_args_is_help=True, rich_markup_mode="rich")

_OF_LOG = "Of the open orders of a log: "


def optimize(
    instance: Annotated[
        Path | None,
        typer.Argument(
            metavar="INSTANCE", help="A process and its orders in one file; or --twin, --log and --as-of."
        ),
    ] = None,
    twin: Annotated[
        str | None, typer.Option("--twin", help=f"{_OF_LOG}the twin, a file or name\\[@version].")
    ] = None,
    log: Annotated[str | None, typer.Option("--log", help=f"{_OF_LOG}the log, a path or name.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help=f"{_OF_LOG}the instant of the plan; nothing later is used.")
    ] = None,
    open_cases: Open = None,
    mapping: Map = None,
    dt: Dt = None,
    horizon: Horizon = None,
    objective: Objective = None,
    formulation: Formulation = "step",
    gap: Gap = 0.01,
    time_limit: TimeLimit = 60.0,
    preemption: Preempt = True,
    forbid: Forbid = None,
    max_preemptions: MostPreemptions = None,
    max_preemptions_per_item: MostPerItem = None,
    preemption_penalty: Penalty = 0.0,
    resume_penalty: ResumePenalty = 0.0,
    same_agent: SameAgent = False,
    explain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORDER[:TASK]",
            help="Why this order's next task, the one named, or an agent's next one is where it is: how long "
            "it could wait, what that costs, what else could go first, and who is short; may be repeated.",
        ),
    ] = None,
    robust: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Make several plans, simulate each in the same N scenarios (30 will do) and take the best "
            "mean. Alternatives take half as much time again.",
        ),
    ] = 0,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="The schedule: .json, which simulate --schedule follows, or a table, .csv."),
    ] = None,
    gantt: Annotated[
        Path | None, typer.Option(help="Who does what when, as a picture: .html, .svg or .png.")
    ] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Plan who does what when: of an instance, or of the open orders of a log."""
    from optimization.settings import Preemption
    from twin.planning import plan_command
    from twin.planning_request import PlanRequest
    from ui import console, results_planned

    interruptions = Preemption(
        allowed=preemption,
        forbidden=tuple(forbid or ()),
        most=max_preemptions,
        most_per_item=max_preemptions_per_item,
        penalty=preemption_penalty,
        resume_penalty_s=60 * resume_penalty,
        same_agent=same_agent,
    )
    request = PlanRequest(
        dt=dt or "",
        horizon=horizon or "",
        objective=objective or "",
        preemption=interruptions,
        formulation=formulation,
        gap=gap,
        time_limit_s=time_limit,
        seed=seed,
        robust=robust,
        out=out,
        gantt=gantt,
        explain=tuple(explain or ()),
    )
    with console.progress(progress_file) as progress:
        given = _standing(instance, twin, log, as_of, open_cases, mapping, db, progress.part(0.0, 0.1))
        with until_stopped() as stopped:
            found = plan_command(given, request, progress.part(0.1, 1.0), stopped)
    results_planned.show_planned(found, as_json, [path for path in (out, gantt) if path])


def _standing(
    instance: Path | None,
    twin: str | None,
    log: str | None,
    as_of: str | None,
    open_cases: Path | None,
    mapping: str | None,
    db: str,
    progress: Progress,
) -> Standing:
    """What is to be planned. Raises UsageError unless it is either an instance or the orders of a log."""
    from metagraph.errors import UsageError
    from twin.planning import of_instance, of_log
    from twin.requests import log_request
    from twin.source import instant, read_twin

    about_log: dict[str, Any] = {"--twin": twin, "--log": log, "--as-of": as_of}
    told = [name for name, value in about_log.items() if value is not None]
    if instance is not None:
        further = {**about_log, "--open": open_cases, "--map": mapping}
        too_much = [name for name, value in further.items() if value is not None]
        if too_much:
            raise UsageError(
                f"{instance} and {too_much[0]} both say what is to be planned; leave one of them out"
            )
        return of_instance(instance)
    if twin is None or log is None or as_of is None:
        missing = [name for name in about_log if name not in told]
        raise UsageError(
            "say what is to be planned: an instance file, or --twin, --log and --as-of; "
            f"{missing[0]} is missing"
        )
    model = read_twin(twin, db)
    return of_log(
        model, log_request(log, db, mapping, until=instant(as_of, "--as-of"), open_file=open_cases), progress
    )


@contextmanager
def until_stopped() -> Iterator[Callable[[], bool]]:
    """Within, the first Ctrl-C only asks to stop, and the answer tells whether it came; the second one ends
    the program as ever."""
    asked = False
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)

    try:
        signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread: nobody can press Ctrl-C here
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


@schedule_app.command("check")
def check(
    instance: Annotated[
        Path, typer.Argument(metavar="INSTANCE", help="A process and its orders in one file.")
    ],
    schedule: Annotated[Path, typer.Argument(metavar="SCHEDULE", help="A schedule for it, as JSON.")],
    as_json: Json = False,
) -> None:
    """Recompute whether a schedule can be followed, and what it yields; exit code 3 with every fault."""
    from twin.schedule_checks import check_command
    from ui import results_planned

    results_planned.show_checked(check_command(instance, schedule), as_json)
