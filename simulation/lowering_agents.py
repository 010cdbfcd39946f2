"""Queues, agents and the policy of a metagraph as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

import numpy as np

from metagraph.agents import Agent, Queue
from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from metagraph.policies import Policy
from metagraph.rules import AVERAGED, RULES
from simulation.clocks import ClockPlan, PacePlan
from simulation.lowering_clocks import Plans, paces_of, presence_of
from simulation.lowering_names import Names
from simulation.lowering_nodes import cumulative
from simulation.program import (
    AGENT,
    NO_CAP,
    POLICY,
    QUEUE,
    Assign,
    Floats,
    Ints,
    Part,
    Records,
    Rule,
)


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """What lowering finds of queues and agents; fields as in Network."""

    queues: Records
    queue_agents: Ints
    queue_weights: Floats
    queue_cumulative: Floats
    agents: Records
    agent_queues: Ints
    presence: Records
    clocks: tuple[ClockPlan | None, ...]
    paces: tuple[PacePlan, ...]


def lower_policy(metagraph: Metagraph, policy: Policy) -> Records:
    """The POLICY record, with the metagraph's profit curve; without one an order yields its value."""
    if policy.assignment not in Assign.__members__:
        raise UsageError(
            f"the assignment rule {policy.assignment!r} is unknown: take one of "
            f"{', '.join(Assign.__members__)}"
        )
    if policy.tie not in ("keep", "back"):
        raise UsageError(f"the tie rule {policy.tie!r} is unknown: take 'keep' or 'back'")
    if policy.max_preemptions is not None and policy.max_preemptions < 0:
        raise UsageError(f"a policy allows {policy.max_preemptions} preemptions: give 0 or more, or none")
    if not 0.0 <= policy.resume_penalty_s < inf:
        raise UsageError(f"a policy has a resume penalty of {policy.resume_penalty_s:g} s: give 0 or more")
    record = np.zeros(1, POLICY)
    record["assign"] = Assign[policy.assignment]
    record["parts"] = sum(Part[rule] for rule in policy.priorities) if len(policy.priorities) > 1 else 0
    record["preemption"] = policy.preemption
    record["back"] = policy.tie == "back"
    record["cap"] = NO_CAP if policy.max_preemptions is None else policy.max_preemptions
    record["same_agent"] = policy.same_agent
    record["penalty_s"] = policy.resume_penalty_s
    shape = metagraph.orders.profit
    for name in ("early", "due", "late", "final", "lost"):
        record[name] = getattr(shape, name) if shape is not None else float(name != "lost")
    return record


def check_rules(metagraph: Metagraph, policy: Policy) -> None:
    """Raise UsageError or DataError unless the policy's rules exist, go together and have what they need."""
    rules = list(policy.priorities) or [queue.priority for queue in metagraph.queues]
    for rule in rules:
        if rule not in RULES:
            raise UsageError(f"the priority rule {rule!r} is unknown: take one of {', '.join(RULES)}")
    if len(policy.priorities) > 1:
        for rule in policy.priorities:
            if rule not in AVERAGED:
                raise UsageError(
                    f"the priority rule {rule} can't be averaged with others: only {', '.join(AVERAGED)} can"
                )
        if len(set(policy.priorities)) < len(policy.priorities):
            raise UsageError(f"the policy averages {' and '.join(policy.priorities)}: name each rule once")
    if "HPCS" in rules and not metagraph.orders.segment_priority:
        raise DataError(
            f"the priority rule HPCS needs to know how important the segments of {metagraph.name!r} are: "
            "give 'segment_priority', in a twin inside 'orders', in an instance beside 'orders'"
        )
    if "RULE" in rules and not rule_of(metagraph, policy).strip():
        where = "the policy's 'rule'" if policy.priorities else "'rule' inside the twin's 'orders'"
        raise UsageError(f"the priority rule RULE needs an expression on orders: give {where}")
    if "RANK" in rules and policy.schedule is None:
        raise UsageError("the priority rule RANK needs a schedule: give the policy's 'schedule'")
    if policy.schedule is not None and "RANK" not in rules:
        raise UsageError(
            "the policy has a schedule, but no queue is ordered by it: set its priorities to RANK"
        )


def rule_of(metagraph: Metagraph, policy: Policy) -> str:
    """The expression behind the priority RULE: the policy's, or that of the process where queues keep their
    own rules."""
    return policy.rule if policy.priorities else metagraph.orders.rule


def lower_crew(
    metagraph: Metagraph,
    names: Names,
    policy: Policy,
    *,
    python: bool,
    origin: datetime,
    earliest_s: tuple[float, float],
) -> Crew:
    """All that a network has of queues and agents; `python`: the policy's rule is written in Python.

    Clocks and paces answer from `earliest_s` on. Raises DataError or UsageError for what can't be run.
    """
    queues, members, weights, sums = _queues(metagraph, names, policy, python)
    plans = Plans(metagraph, origin, earliest_s[0])
    agents = np.zeros(len(metagraph.agents), AGENT)
    serves: list[int] = []
    for a, (record, agent) in enumerate(zip(agents, metagraph.agents, strict=True)):
        mine = [q for q, queue in enumerate(metagraph.queues) if agent.id in queue.agents]
        _check_one_rule(agent, [Rule(queues["rule"][q]).name for q in mine])
        record["queue"], record["queues"] = len(serves), len(mine)
        record["capacity"], record["shared"] = agent.capacity, agent.sharing == "shared"
        record["clock"] = plans.clock(a, agent)
        record["present"] = not any(start == -inf for start, _ in plans.gone(agent))
        serves += mine
    return Crew(
        queues=queues,
        queue_agents=np.array(members, np.int32),
        queue_weights=np.array(weights, np.float64),
        queue_cumulative=np.array(sums, np.float64),
        agents=agents,
        agent_queues=np.array(serves, np.int32),
        presence=presence_of([plans.gone(agent) for agent in metagraph.agents]),
        clocks=tuple(plans.plans),
        paces=paces_of(metagraph, origin, earliest_s[1]),
    )


def _queues(
    metagraph: Metagraph, names: Names, policy: Policy, python: bool
) -> tuple[Records, list[int], list[float], list[float]]:
    """QUEUE of each; their agents, with weights and their running sums."""
    queues = np.zeros(len(metagraph.queues), QUEUE)
    members: list[int] = []
    weights: list[float] = []
    sums: list[float] = []
    for record, queue in zip(queues, metagraph.queues, strict=True):
        crew, shares = _members(queue, names)
        record["agent"], record["agents"] = len(members), len(crew)
        record["rule"] = _rule(queue, policy, python)
        members += crew
        weights += shares
        sums += cumulative(shares, f"queue {queue.id!r}")
    return queues, members, weights, sums


def _rule(queue: Queue, policy: Policy, python: bool) -> Rule:
    if python:
        return Rule.PYTHON
    if len(policy.priorities) > 1:
        return Rule.AVERAGE
    return Rule[policy.priorities[0] if policy.priorities else queue.priority]


def _members(queue: Queue, names: Names) -> tuple[list[int], list[float]]:
    unknown = [agent for agent in queue.agents if agent not in names.agents]
    if unknown or not queue.agents:
        who = f"names the agent {unknown[0]!r}, whom the process doesn't have" if unknown else "has no agents"
        raise DataError(f"queue {queue.id!r} {who}: its work would never be done")
    weights = list(queue.weights) if any(queue.weights) else [1.0] * len(queue.agents)
    if len(weights) != len(queue.agents):
        raise DataError(f"queue {queue.id!r} has {len(queue.agents)} agents but {len(weights)} weights")
    return [names.agents[agent] for agent in queue.agents], weights


def _check_one_rule(agent: Agent, rules: Sequence[str]) -> None:
    names = sorted(set(rules))
    if len(names) > 1:
        raise UsageError(
            f"agent {agent.id!r} serves queues with the rules {' and '.join(names)}, between which "
            "nothing decides: give its queues one rule"
        )


def split_policy(policy: Any) -> tuple[Policy, Any]:
    """What a policy says in numbers, and the policy itself if it is written in Python."""
    if isinstance(policy, Policy):
        return policy, None
    if isinstance(policy, type) or not callable(getattr(policy, "priority", None)):
        raise UsageError(
            f"{policy!r} is no policy: give a metagraph.policies.Policy or an object as custom.py describes"
        )
    base = getattr(policy, "base", Policy())
    if not isinstance(base, Policy):
        raise UsageError(
            f"the policy {type(policy).__name__} has the base {base!r}: it has to be a "
            "metagraph.policies.Policy, such as Policy(preemption=False)"
        )
    return base, policy
