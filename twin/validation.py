"""What a validation found: distances between simulated logs and a log the twin has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

METRICS: Mapping[str, str] = {
    "NGD": "3-gram distance of activities, 0..1",
    "AEDD": "absolute event times, hours",
    "CADD": "case arrivals, hours",
    "CEDD": "circadian event times, hours",
    "REDD": "event times since case start, hours",
    "CTDD": "cycle times, hours",
}


@dataclass(frozen=True, slots=True)
class TaskCheck:
    """One activity, observed against simulated. Times are means in seconds, None where one side lacks it.

    The halves are those of 95 % intervals of the means, None where too little was seen to tell.
    """

    activity: str
    observed_per_case: float
    simulated_per_case: float
    observed_work_s: float | None
    simulated_work_s: float | None
    observed_wait_s: float | None
    """Gap between the previous completion in the case and the start."""
    simulated_wait_s: float | None
    observed_work_half_s: float | None = None
    simulated_work_half_s: float | None = None
    observed_wait_half_s: float | None = None
    simulated_wait_half_s: float | None = None
    observed_per_case_half: float | None = None
    simulated_per_case_half: float | None = None


@dataclass(frozen=True, slots=True)
class AgentCheck:
    """One agent's share of all executions."""

    agent: str
    observed_share: float
    simulated_share: float


@dataclass(frozen=True, slots=True)
class Validation:
    """Distances of `runs` simulated logs to a held-out log; lower is better."""

    log: str
    cases: int
    events: int
    runs: int
    distances: Mapping[str, tuple[float, ...]]
    """Metric -> one value a run."""
    references: Mapping[str, Mapping[str, tuple[float, ...]]]
    """Reference name -> metric -> values: see reference.py."""
    tasks: tuple[TaskCheck, ...]
    agents: tuple[AgentCheck, ...]
    held_out: bool = False
    """Whether a second twin, built from the first four fifths of `log`, was measured on its last fifth."""
    engine: str = ""
    """Which engine simulated it."""

    cut: str = "none"
    """How the simulated logs were cut, as observed.Cut has it."""

    def mean(self, metric: str) -> float:
        """Mean over the runs."""
        values = self.distances[metric]
        return sum(values) / len(values)
