"""The task graph's nodes and flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from metagraph.batches import Batch
from metagraph.distributions import Fitted
from metagraph.tagged import Tagged

GatewayKind = Literal[
    "and_split", "and_merge", "xor_split", "xor_merge", "loop_start", "loop_end", "or_split", "or_merge"
]

DelaySince = Literal["ready", "release"]


@dataclass(frozen=True, slots=True)
class Start:
    """Where orders enter; one outgoing flow."""

    id: str
    kind: Literal["start"] = "start"


@dataclass(frozen=True, slots=True)
class End:
    """Where orders leave, done."""

    id: str
    kind: Literal["end"] = "end"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Splits and merges. `xor_split` and `loop_end` choose one outgoing flow by their Routing, `or_split` any
    of them together; `loop_start` and `xor_merge` pass every token on; `and_merge` waits for all its incoming
    flows, `or_merge` for those of the branches that were taken."""

    id: str
    kind: GatewayKind

    @property
    def routes(self) -> bool:
        """Whether it draws which of its outgoing flows are taken."""
        return self.kind in ("xor_split", "loop_end", "or_split")


@dataclass(frozen=True, slots=True)
class DurationRow:
    """Work of a task for orders and agents that match: None matches all."""

    fitted: Fitted
    cls: str | None = None
    segment: str | None = None
    agent: str | None = None


_BACKOFF = ((1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 1), (1, 1, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0))


@dataclass(frozen=True, slots=True)
class DurationTable:
    """Working seconds of a task. The most specific row wins; agent before class before segment."""

    rows: tuple[DurationRow, ...]
    """Exactly one row matches all (no class, segment or agent)."""

    def lookup(self, cls: str | None, segment: str | None, agent: str | None) -> Fitted:
        """The law for this order and agent, by the back-off above.

        Raises KeyError if there is no row that matches all.
        """
        found = {(r.cls, r.segment, r.agent): r.fitted for r in self.rows}
        for c, s, a in _BACKOFF:
            key = (cls if c else None, segment if s else None, agent if a else None)
            if key in found:
                return found[key]
        raise KeyError("no duration row that matches all orders and agents")

    @property
    def default(self) -> Fitted:
        return self.lookup(None, None, None)


@dataclass(frozen=True, slots=True)
class DelayTable:
    """Extraneous delay between being enabled and being ready to be worked on, in seconds.

    Counted from the order's release it is a timeout: the task is ready that long after the release, at once
    if it is enabled later.
    """

    default: Fitted
    after: Mapping[str, Fitted]
    """By the activity that the order completed last; others take the default."""
    pace: str | None = None
    """Id of the Pace at which the delay runs; None: wall clock."""
    since: DelaySince = "ready"
    """What it is counted from: the end of what came before, or the order's release (by the wall clock)."""

    def lookup(self, previous: str) -> Fitted:
        return self.after.get(previous, self.default)


@dataclass(frozen=True, slots=True)
class WaitBreakdown:
    """Where the time between enabled and end went, on average over n executions, in seconds.

    Off shift, busy, prioritised, batching and remaining add up to the wait, work and stopped to the time from
    start to end.
    """

    n: int
    off_shift_s: float
    busy_s: float
    """The agents were at capacity with what was ready earlier."""
    remaining_s: float
    prioritised_s: float = 0.0
    """They were at capacity with what was ready later and yet taken first."""
    batching_s: float = 0.0
    """Its batch was not yet released."""
    work_s: float = 0.0
    """From start to end, on shift and not suspended."""
    stopped_s: float = 0.0
    """From start to end, off shift or suspended."""
    busy_with: Mapping[str, float] = field(default_factory=dict)
    """Seconds of busy and prioritised by the activity that kept the agents busy; the longest few."""

    @property
    def waiting_s(self) -> float:
        """From enabled to start."""
        return self.off_shift_s + self.busy_s + self.prioritised_s + self.batching_s + self.remaining_s

    @property
    def whole_s(self) -> float:
        """From enabled to end."""
        return self.waiting_s + self.work_s + self.stopped_s


@dataclass(frozen=True, slots=True)
class Task:
    """Work on an order."""

    id: str
    label: str
    """The activity's name in the log."""
    durations: DurationTable
    queues: tuple[str, ...] = ()
    """The queues that serve it; none: the task needs nobody (a delay) and runs in wall-clock time."""
    delay: DelayTable | None = None
    preemptible: bool = False
    cost: float = 0.0
    """Money per execution."""
    waits: WaitBreakdown | None = None
    """Observed; for the report."""
    eta_error: Fitted | None = None
    """What happened minus what was announced, in seconds, where ends are announced from outside."""
    batch: Batch | None = None
    """What it is collected into before any of it is done."""
    kind: Literal["task"] = "task"


Node = Annotated[Start | End | Task | Gateway, Tagged()]


@dataclass(frozen=True, slots=True)
class Flow:
    """A directed connection between two nodes."""

    id: str
    source: str
    target: str
