"""Plans by priority and assignment rules (Perez, Wassick and Grossmann, 3.4.2), as the simulator has them.

Each unit has its queue; an operation joins one as soon as it can begin, and whoever is free takes what goes
first. Work that has begun isn't interrupted: that can't be planned. Only what began at this very instant
makes way for what is more urgent, if the policy interrupts at all, and waits again as the simulator would
have it. Orders leave at their lost-sale date.
"""

from __future__ import annotations

from collections.abc import Mapping

from metagraph.policies import PORTFOLIO, Policy
from optimization.dispatch import Dispatch
from optimization.problem import Plan, Problem, values


def rule_plans(
    problem: Problem, importance: Mapping[str, float] | None = None, *, seed: int = 0
) -> dict[str, Plan]:
    """The plan of each rule of the paper's portfolio, by its name. The seed is that of ties and of draws.

    `importance` of the customers' segments is what HPCS goes by; without it there is none.
    """
    return {
        name: rule_plan(problem, policy, importance, seed=seed)
        for name, policy in PORTFOLIO.items()
        if importance or "HPCS" not in policy.priorities
    }


def best_rule(problem: Problem, plans: Mapping[str, Plan]) -> str:
    """The name of the best plan; of equal ones the first."""
    return max(plans, key=lambda name: tuple(round(value, 7) for value in values(problem, plans[name])))


def rule_plan(
    problem: Problem, policy: Policy, importance: Mapping[str, float] | None = None, *, seed: int = 0
) -> Plan:
    """What is done when under one policy. Orders that aren't fulfilled are left out."""
    return Dispatch(problem, policy, importance or {}, seed).plan()
