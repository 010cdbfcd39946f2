"""Policies: which queue an item joins, what goes first in it, and what may interrupt what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from metagraph.schedule import Schedule

AssignmentRule = Literal["JSQ", "JFQ", "JAQ", "JDQ"]
"""Join the shortest, fastest, any, or designated queue (Perez, Wassick and Grossmann, section 3.4.2)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How items are assigned to queues and ordered in them."""

    name: str = "own"
    assignment: AssignmentRule = "JSQ"
    priorities: tuple[str, ...] = ()
    """One rule of rules.RULES; or several, which are averaged; none: each queue keeps its own rule."""
    rule: str = ""
    """The expression on orders behind the priority RULE; more goes first."""
    schedule: Schedule | None = None
    """Behind the priority RANK; its agents' queues are joined whatever `assignment` says."""
    preemption: bool = True
    """Something strictly more urgent interrupts work on tasks that are preemptible."""
    tie: Literal["keep", "back"] = "keep"
    """Where an interrupted item waits: in its old place, or behind its equals (as in the paper)."""
    max_preemptions: int | None = None
    """An item that was interrupted so often isn't any more."""
    resume_penalty_s: float = 0.0
    """Working seconds that each resumption adds."""
    same_agent: bool = False
    """Interrupted work is resumed by who began it."""


def _paper(name: str, *priorities: str, assignment: AssignmentRule = "JFQ") -> Policy:
    return Policy(name, assignment, priorities, tie="back")


PORTFOLIO: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        _paper("P", "HP"),
        _paper("D", "SDD"),
        _paper("S", "SERPT"),
        _paper("F1", "FIFO"),
        _paper("F2", "FIFO", assignment="JSQ"),
        _paper("F3", "FIFO", assignment="JAQ"),
        _paper("PD", "HP", "SDD"),
        _paper("PS", "HP", "SERPT"),
        _paper("PDS", "HP", "SDD", "SERPT"),
        _paper("HPCS", "HPCS"),
    )
}
"""Those of Perez, Wassick and Grossmann, section 4, by their names there."""
