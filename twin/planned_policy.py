"""The policy milp: the open orders are planned anew again and again while a run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.policies import Policy
from optimization.settings import SolveOptions
from twin.policies import Wanted, policy_of
from twin.reschedule import Rescheduling, Scheduler

if TYPE_CHECKING:
    from simulation.control import Answer, View
    from simulation.session import Session

MILP = "milp"
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Planning:
    """When plans are made, and how good they have to be."""

    every_s: float = 4 * 3600.0
    """After the first one, at the beginning."""
    computing_s: float = 60.0
    """Simulated time that a plan takes."""
    gap: float = 0.05
    """A plan proven to be so good is good enough."""
    time_limit_s: float = 5.0
    """Time to look for each plan."""


def rescheduling(planning: Planning) -> Rescheduling:
    """How milp plans: at the start, and every so often."""
    return Rescheduling(
        on_arrival=False,
        every_s=planning.every_s,
        solve=SolveOptions(gap=planning.gap, time_limit_s=planning.time_limit_s),
        charged=planning.computing_s,
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """Plans of a run, counted."""

    made: int = 0
    none: int = 0
    """Times at which no plan was found: the one before went on."""
    loose: int = 0
    """Plans that were not proven to be as good as asked in the time that they had."""

    def __add__(self, other: Planned) -> Planned:
        return Planned(self.made + other.made, self.none + other.none, self.loose + other.loose)


NO_PLANS = Planned()


class Planner:
    """Goes on with a session under plans, from where it stands; their first one is made at once."""

    def __init__(
        self,
        session: Session,
        metagraph: Metagraph,
        how: Rescheduling,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """`tell` hears of each plan before it is made; it may raise to stop."""
        from simulation.control import Steering

        self._how, self._tell = how, tell
        self._scheduler = Scheduler(metagraph, session.program.origin, how)
        control = replace(how.control(), at_s=(session.now_s,))
        self._steering = Steering(session, control, self._asked)

    def run_to(self, until_s: float) -> None:
        """Go on up to and including an instant."""
        self._steering.run_to(until_s)

    def planned(self) -> Planned:
        """What was planned so far."""
        made = self._scheduler.made
        plans = [one for one in made if one.status != "infeasible"]
        loose = sum(one.gap > self._how.solve.gap + _ROUNDING for one in plans)
        return Planned(len(plans), len(made) - len(plans), loose)

    def _asked(self, view: View) -> Answer | None:
        if self._tell is not None:
            self._tell(f"plan {len(self._scheduler.made) + 1}")
        return self._scheduler(view)


def played_as(policy: Policy | Rescheduling | Any) -> Policy | Any:
    """How queues are served: between plans, if there are any."""
    return policy.policy() if isinstance(policy, Rescheduling) else policy


def served(wanted: Wanted, planning: Planning, folder: Path) -> Policy | Rescheduling | Any:
    """What serves queues: milp, or as `policy_of`. Raises UsageError for options that don't go together."""
    if wanted.policy.lower() != MILP:
        return policy_of(wanted, folder)
    if wanted != Wanted(policy=wanted.policy):
        raise UsageError(
            f"--policy {MILP}: plans say themselves in which queue work waits and what interrupts what; "
            "leave the other options of policies out"
        )
    return rescheduling(planning)
