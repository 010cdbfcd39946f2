"""What `tracetwin optimize` does: a process and its open orders in; a schedule, figures and a picture out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import State
from twin.announced import as_expected, with_announced
from twin.explained import asked_of, explained
from twin.files import check_picture_name, check_writable, write_text
from twin.planned import Planned, planned
from twin.planned_robust import planned_robust
from twin.planned_words import moment
from twin.planning_request import PlanRequest, Told, check_schedule_name, options_of, settings_of
from twin.progress import Progress
from twin.renames import closing_in_log_words
from twin.source import LogRequest, read_log

if TYPE_CHECKING:
    from metagraph.schedule import Schedule
    from optimization.result import Incumbent


@dataclass(frozen=True, slots=True)
class Standing:
    """A process and where its orders stand."""

    metagraph: Metagraph
    origin: datetime
    """A Monday 00:00 UTC."""
    state: State | None
    orders: tuple[Order, ...] = ()
    """Still to come."""
    start_s: float = 0.0
    """Now, seconds since the origin, where there is no state."""
    told: Told = field(default_factory=Told)
    hours: bool = False
    """Whether times read better as hours since now."""
    notes: tuple[str, ...] = ()


def of_instance(path: Path) -> Standing:
    """What an instance file holds. Raises DataError with every fault."""
    from metagraph.instances import read_instance
    from metagraph.timelines import FIRST
    from twin.simulation_notes import notes_on_orders

    found = read_instance(path)
    open_ones = found.state.orders if found.state is not None else ()
    everyone = [*(one.order for one in open_ones), *found.orders]
    return Standing(
        found.metagraph,
        found.origin,
        found.state,
        found.orders,
        found.start_s,
        Told(found.dt_s, found.horizon_s, found.overtime),
        hours=found.origin == FIRST and found.start_s == 0,
        notes=tuple(notes_on_orders(found.metagraph, everyone)),
    )


def of_log(model: Metagraph, request: LogRequest, progress: Progress) -> Standing:
    """Where the orders of a log stand at `request.until`; those to come aren't known."""
    from twin.state import state_of

    asked = replace(request, closing=closing_in_log_words(model))
    source = read_log(asked, progress.step, lambda text: progress.step(text, 0.0))
    progress.step("replaying the open orders", 1.0)
    told, etas, learnt = with_announced(model, request)
    state, notes = state_of(told, source.snapshot, etas)
    expected = as_expected(told, state)
    moved = ("Plans take announced ends at the mean of that error.",) if expected is not state else ()
    return Standing(
        model,
        source.snapshot.origin,
        expected,
        notes=(
            f"{source.open_rule}.",
            "Orders that will arrive after this instant aren't planned.",
            *(f"{note[:1].upper()}{note[1:]}." for note in learnt),
            *moved,
            *notes,
        ),
    )


class _How(TypedDict):
    start_s: float
    on_incumbent: Callable[[Incumbent], None]
    cancelled: Callable[[], bool] | None


def plan_command(
    standing: Standing, wanted: PlanRequest, progress: Progress, cancelled: Callable[[], bool] | None = None
) -> Planned:
    """Plan, and write the schedule and the picture that were asked for.

    When `cancelled` says so, the best plan so far is taken. Raises UsageError, DataError and InfeasibleError
    for what can't be planned or written.
    """
    from optimization.optimize import optimize

    check_schedule_name(wanted.out)
    check_picture_name(wanted.gantt, "--gantt")
    check_writable(wanted.out, wanted.gantt)
    settings = settings_of(wanted, standing.metagraph, standing.origin, standing.told)
    options = options_of(wanted)
    asked = asked_of(wanted.explain, _ids(standing), standing.metagraph)

    def improved(found: Incumbent) -> None:
        progress.step(_improved_text(found), min(0.1 + 0.85 * found.at_s / options.time_limit_s, 0.95))

    notes, chosen = standing.notes, None
    what = standing.metagraph, standing.state, standing.orders, standing.origin, settings, options
    how: _How = {"start_s": standing.start_s, "on_incumbent": improved, "cancelled": cancelled}
    if wanted.robust:
        from twin.alternatives import robust

        held = robust(*what, scenarios=wanted.robust, progress=progress, **how)
        found, chosen, notes = held.outcome, planned_robust(held), (*held.notes, *notes)
    else:
        found = optimize(*what, progress=progress.step, **how)
    plan = planned(
        found,
        standing.metagraph,
        standing.origin,
        options,
        name=standing.metagraph.name,
        hours=standing.hours,
        notes=notes,
        robust=chosen,
    )
    if asked:
        progress.step("explaining", 0.98)
        shown = partial(moment, plan)
        plan = replace(plan, explanations=explained(found, standing.metagraph, standing.origin, asked, shown))
    if wanted.out is not None:
        write_plan(wanted.out, plan, found.schedule, standing.origin)
    if wanted.gantt is not None:
        from twin.drawing_tools import write_picture
        from twin.gantt import gantt

        write_picture(wanted.gantt, gantt(plan))
    return plan


def _ids(standing: Standing) -> list[str]:
    opened = () if standing.state is None else standing.state.orders
    return [*(one.order.id for one in opened), *(order.id for order in standing.orders)]


def _improved_text(found: Incumbent) -> str:
    """'improvement 8,646, bound 8,810, gap 1.9 %'."""
    text = f"{found.source} {found.objective:,.6g}"
    if found.bound is None:
        return text
    gap = max(found.bound - found.objective, 0.0) / max(abs(found.objective), 1e-9)
    return f"{text}, bound {found.bound:,.6g}, gap {gap:.1%}"


def write_plan(path: Path, plan: Planned, schedule: Schedule, origin: datetime) -> None:
    """A schedule as JSON that `simulate --schedule` reads, or as a table of who does what when."""
    from metagraph.schedule_file import write_schedule

    if path.suffix == ".json":
        write_schedule(schedule, path, origin, hours=plan.hours)
    else:
        write_text(path, plan_csv(plan))


def plan_csv(plan: Planned) -> str:
    """Columns order, task, activity, agent, rank, start, end, running: a row a task, by beginning. Where the
    instance knows no instants, start_h and end_h."""
    import csv
    import io

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    times = ("start_h", "end_h") if plan.hours else ("start", "end")
    table.writerow(("order", "task", "activity", "agent", "rank", *times, "running"))
    for one in plan.work:
        rank = "" if one.rank is None else f"{one.rank:g}"
        running = "yes" if one.running else ""
        span = [f"{_hours(plan, t):.12g}" if plan.hours else _stamp(t) for t in (one.start, one.end)]
        table.writerow((one.order, one.task, one.activity, one.agent, rank, *span, running))
    return text.getvalue()


def _hours(plan: Planned, at: datetime) -> float:
    return (at - plan.at).total_seconds() / 3600


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
