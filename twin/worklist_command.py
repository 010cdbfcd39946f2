"""What `tracetwin worklist` does: a twin, a log and an instant in; every agent's list out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metagraph.errors import UsageError
from metagraph.faults import listed
from metagraph.model import Metagraph
from metagraph.policies import Policy
from metagraph.state import State
from twin.announced import as_expected, with_announced
from twin.files import check_picture_name, check_writable, write_text
from twin.forecast import REPLICATIONS
from twin.horizons import arrivals_until
from twin.policies import OWN, Wanted, policy_of
from twin.progress import Progress
from twin.renames import closing_in_log_words
from twin.source import LogRequest, read_log
from twin.state import stale, state_of
from twin.worklist import SOON_H, Asked, worklist
from twin.worklist_words import short, to_csv
from twin.worklists import Worklist

if TYPE_CHECKING:
    from optimization.outcome import Outcome

MILP = "milp"
"""In place of a policy's name: the ranks of an optimized plan."""
MOST_EXPLAINED = 5
"""Each explanation plans anew what would have to give way: more take long."""


@dataclass(frozen=True, slots=True)
class WorklistRequest:
    """Which lists, and where to write them."""

    policy: str = OWN
    """A name of twin.policies.NAMES, rule:EXPRESSION, module:object, or MILP."""
    agents: tuple[str, ...] = ()
    """Ids or roles; none: everybody."""
    soon_h: float = SOON_H
    replications: int = REPLICATIONS
    time_limit_s: float = 30.0
    """For the plan, under MILP."""
    explain: bool = False
    """Also why the plan puts first what it does, which takes some seconds an agent."""
    seed: int = 0
    workers: int | None = None
    out: Path | None = None
    chart: Path | None = None
    folder: Path = Path()
    """Where a policy's module is looked for."""


def worklist_command(
    model: Metagraph, request: LogRequest, wanted: WorklistRequest, progress: Progress
) -> Worklist:
    """The worklists of the orders open at `request.until`, written where that was asked for.

    Raises UsageError, DataError, and InfeasibleError where nothing can be planned.
    """
    check_picture_name(wanted.chart)
    check_writable(wanted.out, wanted.chart)
    chosen = _agents(model, wanted.agents)
    planning = wanted.policy.lower() == MILP
    policy: Policy | Any = None if planning else policy_of(Wanted(wanted.policy), wanted.folder)
    reading = progress.part(0.0, 0.1)
    source = read_log(
        replace(request, closing=closing_in_log_words(model)),
        reading.step,
        lambda text: reading.step(text, 0.0),
    )
    model, etas, learnt = with_announced(model, request)
    state, notes = state_of(model, source.snapshot, etas)
    notes = (*stale(source.snapshot), *learnt, *notes)
    origin = source.snapshot.origin
    explanations: Sequence[str] = ()
    if planning:
        plan = _planned(model, as_expected(model, state), origin, wanted, progress.part(0.1, 0.5))
        policy = by_plan(plan)
        explanations = firsts_explained(plan, model, state, origin, chosen) if wanted.explain else ()
        notes = (*notes, *_plan_notes(plan))
    asked = Asked(
        policy=policy,
        named=wanted.policy,
        until_s=arrivals_until(model, source.snapshot, (wanted.soon_h,)),
        soon_h=wanted.soon_h,
        replications=wanted.replications,
        seed=wanted.seed,
        workers=wanted.workers,
    )
    found = worklist(
        *(model, state, origin, asked),
        open_rule=source.open_rule,
        notes=notes,
        explanations=explanations,
        progress=progress.part(0.5 if planning else 0.1, 0.95),
    )
    found = replace(found, agents=tuple(one for one in found.agents if one.agent in chosen))
    _write(found, wanted)
    return found


def _write(found: Worklist, wanted: WorklistRequest) -> None:
    if wanted.out is not None:
        write_text(wanted.out, to_csv(found))
    if wanted.chart is not None:
        from twin.drawing_tools import write_picture
        from twin.worklist_charts import worklist_chart

        write_picture(wanted.chart, worklist_chart(found))


def _agents(model: Metagraph, wanted: Sequence[str]) -> frozenset[str]:
    """Ids of the agents with these ids or roles. Raises UsageError for a name that nobody has."""
    found: set[str] = set()
    for name in wanted:
        mine = {agent.id for agent in model.agents if name in (agent.id, agent.role)}
        if not mine:
            there = listed([agent.id for agent in model.agents])
            raise UsageError(f"--agent {name}: neither an agent nor a role; there are {there or 'none'}")
        found |= mine
    return frozenset(found) if wanted else frozenset(agent.id for agent in model.agents)


def _planned(
    model: Metagraph, state: State, origin: datetime, wanted: WorklistRequest, progress: Progress
) -> Outcome:
    from optimization.optimize import optimize
    from optimization.settings import Settings, SolveOptions

    options = SolveOptions(time_limit_s=wanted.time_limit_s, seed=wanted.seed)
    return optimize(model, state, (), origin, Settings(), options, progress=progress.step)


def by_plan(plan: Outcome) -> Policy:
    """Queues are joined and ordered as the plan says; what it doesn't name comes last."""
    from twin.reschedule import Rescheduling

    return replace(Rescheduling().policy(), schedule=plan.schedule)


def firsts_explained(
    plan: Outcome, model: Metagraph, state: State, origin: datetime, chosen: frozenset[str]
) -> tuple[str, ...]:
    """What the plan says of the first order of each chosen agent that has one."""
    from twin.explained import explained

    firsts: dict[str, tuple[str, str]] = {}
    for one in sorted(plan.schedule.assignments, key=lambda a: (a.rank, a.start_s or 0.0)):
        if one.agent in chosen and one.rank >= 0 and one.start_s is not None:
            firsts.setdefault(one.agent, (one.order, one.task))
    now = origin + timedelta(seconds=state.at_s)
    asked = list(firsts.values())[:MOST_EXPLAINED]
    return tuple(one.text for one in explained(plan, model, origin, asked, lambda at: short(at, now)))


def _plan_notes(plan: Outcome) -> tuple[str, ...]:
    result = plan.result
    return (
        f"the plan is within {100 * result.gap:.2g} % of the best one on its grid ({result.status}); it is "
        "followed as it is and not made anew while the futures run; orders that arrive later come last there",
        *plan.notes,
    )
