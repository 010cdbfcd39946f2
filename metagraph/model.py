"""The metagraph: everything the simulator and the scheduler know about a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from metagraph.agents import Agent, Queue
from metagraph.calendars import Calendar
from metagraph.nodes import Flow, Gateway, Node, Task
from metagraph.orders import Arrivals, OrderModel
from metagraph.paces import Pace
from metagraph.routing import Routing

if TYPE_CHECKING:
    import networkx as nx

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One alternative that was tried, with its distances on the validation window (lower is better)."""

    name: str
    scores: Mapping[str, float]
    chosen: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision of the build and why it fell."""

    what: str
    candidates: tuple[Candidate, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Default:
    """Knowledge that was missing and what the twin assumes instead; shown in every report."""

    where: str
    missing: str
    assumed: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How often a case was over after these activities, completed last and in this order."""

    after: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class ClosingFact:
    """How open orders are told from closed ones when nobody says so."""

    end_activities: Mapping[str, float]
    """Share of cases that ended after each activity."""
    min_share: float
    idle_s: float
    """An order idle for longer counts as closed, after activities that have no limit of their own."""
    idle_after_s: Mapping[str, float] = field(default_factory=dict)
    """The limit after an activity."""
    endings: tuple[Ending, ...] = ()
    """Shares after the last two or three activities, where they say something else; the longest wins."""


@dataclass(frozen=True, slots=True)
class Override:
    """Something an analyst set by hand; applied after every calibration."""

    target: str
    field: str
    value: str
    contradiction: str = ""
    """What the data say instead, where they disagree."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who looked at the model and let it be used."""

    who: str
    when: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """What a build was told and what it chose, as JSON values: with the snapshot, all that is needed to do it
    again (see `twin/rebuild.py`, which also reads them)."""

    recipe: Mapping[str, Any]
    """How the structure was made."""
    settings: Mapping[str, Any]
    """How the parameters were fitted: what was chosen where there was a choice."""
    asked: Mapping[str, Any]
    """The settings from which the choice started, with the columns that the import mapped."""
    noises: tuple[float, ...]
    """Of the structures that were candidates."""
    selected_on: str
    """Hash of the snapshot on which the choice was made; a twin that was fitted again has another one."""
    selected_until: datetime
    """The instant up to which that was recorded."""
    selection_seed: int
    overrides: tuple[Mapping[str, Any], ...] = ()
    """As they were asked for, in the log's words."""
    window_since: datetime | None = None
    """The first case of the window, where it begins with a change in the process."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the model comes from."""

    log: str
    content_hash: str
    first_event: datetime
    until: datetime
    cases: int
    events: int
    open_cases: int
    seed: int
    choices: tuple[Choice, ...] = ()
    defaults: tuple[Default, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the import and the replay found, in words: fitness, quality, zone."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    cycle_s: float | None = None
    """Mean over the cases of the time from first start to last end; of open ones, so far."""
    unfinished_missing: bool = False
    """No case was open at the end of the log though some should have been: unfinished ones were left out."""
    record: BuildRecord | None = None
    """What it takes to build this twin again; None where a person or an earlier Tracetwin made it."""


@dataclass(frozen=True, slots=True)
class Metagraph:
    """A calibrated process."""

    name: str
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    routing: tuple[Routing, ...]
    agents: tuple[Agent, ...]
    queues: tuple[Queue, ...]
    calendars: tuple[Calendar, ...]
    paces: tuple[Pace, ...] = ()
    arrivals: Arrivals | None = None
    orders: OrderModel = field(default_factory=OrderModel)
    closing: ClosingFact | None = None
    provenance: Provenance | None = None
    overrides: tuple[Override, ...] = ()
    approvals: tuple[Approval, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def tasks(self) -> tuple[Task, ...]:
        return tuple(n for n in self.nodes if isinstance(n, Task))

    def gateways(self) -> tuple[Gateway, ...]:
        return tuple(n for n in self.nodes if isinstance(n, Gateway))

    def outgoing(self) -> dict[str, tuple[Flow, ...]]:
        """Flows by source node, in the order of `flows`."""
        out: dict[str, list[Flow]] = {node.id: [] for node in self.nodes}
        for flow in self.flows:
            out[flow.source].append(flow)
        return {node: tuple(flows) for node, flows in out.items()}

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """The graph, with each node's value under 'node' and each flow's id as the edge's key.

        Flows from a gateway carry 'weight', their overall probability.
        """
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=self.name)
        for node in self.nodes:
            graph.add_node(node.id, node=node)
        weights = {
            f: w for r in self.routing for f, w in zip(r.flows, r.shares(r.overall().weights), strict=True)
        }
        for flow in self.flows:
            graph.add_edge(flow.source, flow.target, key=flow.id, weight=weights.get(flow.id, 1.0))
        return graph
