"""What all runs of a network share in the kernel: its tables where they are, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.kept import Beside
from simulation.kernel_address import address
from simulation.kernel_layout import CLOCK, COLLECTOR, CREW, GUIDE, LINE, WORLD
from simulation.program import Assign, Network, Part, Rule

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Idle:
    """Agents of each queue who are present, and of those the ones who have a place, also bit by bit."""

    present: Array
    idle: Array
    bits: Array


class Tables:
    """Addresses of a network's tables in a world, and how lines, crew and clocks are when a run begins."""

    def __init__(self, network: Network) -> None:
        self.kept: dict[str, Array] = {}
        """The arrays behind the addresses."""
        self.world = np.zeros(1, WORLD)
        same_agent = bool(network.policy["same_agent"][0])
        n_queues, n_agents = len(network.queues), len(network.agents)
        self.n_lines = n_queues + (n_agents if same_agent else 0)
        self._place(network)
        self._derive(network, same_agent)
        counts = {
            "n_nodes": len(network.nodes),
            "n_queues": n_queues,
            "n_agents": n_agents,
            "n_clocks": len(network.clocks),
            "n_collectors": len(network.batches),
            "n_presence": len(network.presence),
            "n_lines": self.n_lines,
            "n_visits": network.visits,
            "n_merges": network.merges,
            "n_tasks": network.tasks,
            "n_ruled": network.ruled,
            "begin_node": network.start,
            "code_base": network.base,
            "span": network.span,
            "own_lines": same_agent,
        }
        for name, value in (counts | _wants(network)).items():
            self.world[name] = value
        self.lines = np.zeros(self.n_lines, LINE)
        self.lines["root"] = -1
        self.lines["dry"] = self.lines["calm"] = -np.inf
        self.lines["guide"][:n_queues], self.lines["parts"][:n_queues] = self._guide, self._parts
        words = (network.queues["agents"] + 63) >> 6
        self.lines["bits"][:n_queues] = np.concatenate([[0], np.cumsum(words)])[:-1]
        self.lines["clock"][:n_queues], self.lines["clocks"][:n_queues] = self._spans
        self.words = max(int(words.sum()), 1)
        self._network_queues = network.queues, network.queue_agents, network.agents["capacity"] > 0
        self._idle: dict[bytes, Idle] = {}
        self.crew = np.zeros(n_agents, CREW)
        self.crew["room"] = network.agents["capacity"]
        self.crew["head"] = self.crew["tail"] = -1
        self.clocks = np.zeros(len(network.clocks), CLOCK)
        self.clocks["until"] = -np.inf
        self.clocks["line"], self.clocks["n_lines"] = self._clock_spans
        self.collectors = np.zeros(len(network.batches), COLLECTOR)
        for name in network.batches.dtype.names or ():
            self.collectors[name] = network.batches[name]
        self.collectors["head"] = self.collectors["tail"] = -1
        self.stack = 10_001 * max(int(network.nodes["targets"].max(initial=1)), 1)
        self.scratch = max(int(network.nodes["queues"].max(initial=1)), 1)

    def idle(self, present: NDArray[np.bool_]) -> Idle:
        """Who has a place before anything is begun, if these agents are there."""
        key = present.tobytes()
        found = self._idle.get(key)
        if found is None:
            queues, members, able = self._network_queues
            bits = np.zeros((self.words, 64), np.bool_)
            here, idle = np.zeros(len(queues), np.int32), np.zeros(len(queues), np.int32)
            for number, queue in enumerate(queues):
                team = members[queue["agent"] : queue["agent"] + queue["agents"]]
                mine = present[team] & able[team]
                here[number], idle[number] = present[team].sum(), mine.sum()
                first = 64 * int(self.lines["bits"][number])
                bits.reshape(-1)[first : first + len(mine)] = mine
            words = np.packbits(bits.reshape(-1), bitorder="little").view(np.int64)
            found = self._idle[key] = Idle(here, idle, words)
        return found

    def _keep(self, name: str, array: Array) -> None:
        array = np.ascontiguousarray(array)
        self.kept[name] = array
        self.world[name] = address(array)

    def _place(self, network: Network) -> None:
        for name in (
            "nodes",
            "targets",
            "outcomes",
            "task_queues",
            "durations",
            "delays",
            "laws",
            "us",
            "xs",
            "slopes",
            "tails",
            "levels",
            "rows",
            "cumulative",
            "queues",
            "queue_agents",
            "queue_weights",
            "queue_cumulative",
            "agents",
            "agent_queues",
            "presence",
        ):
            self._keep(name, getattr(network, name))
        self._keep("policies", network.policy)

    def _derive(self, network: Network, same_agent: bool) -> None:
        teams = [network.queue_agents[q["agent"] : q["agent"] + q["agents"]].tolist() for q in network.queues]
        serves = [
            network.agent_queues[a["queue"] : a["queue"] + a["queues"]].tolist() for a in network.agents
        ]
        clock = network.agents["clock"].tolist()
        seats = [teams[queue].index(agent) for agent, queues in enumerate(serves) for queue in queues]
        self._keep("agent_seats", np.array(seats, np.int32))
        of_queue = [list(dict.fromkeys(clock[agent] for agent in team)) for team in teams]
        self._spans = _together(of_queue)
        self._keep("queue_clocks", np.array([c for cs in of_queue for c in cs], np.int32))
        lines: list[set[int]] = [set() for _ in network.clocks]
        for agent, queues in enumerate(serves):
            lines[clock[agent]].update(queues)
            if same_agent:
                lines[clock[agent]].add(len(teams) + agent)
        of_clock = [sorted(found) for found in lines]
        self._clock_spans = _together(of_clock)
        self._keep("clock_lines", np.array([line for found in of_clock for line in found], np.int32))
        self._keep("guides", _guides(network))
        guides, self._guide, self._parts = _seat_guides(network)
        self._keep("seat_guides", guides)


def _wants(network: Network) -> dict[str, int]:
    """What the policy asks the kernel to find out."""
    policy, rules = network.policy[0], network.queues["rule"]
    averaged = bool((rules == Rule.AVERAGE).any())
    parts = int(policy["parts"]) if averaged else 0
    works = bool((rules == Rule.SERPT).any()) or parts & Part.SERPT or policy["assign"] == Assign.JFQ
    return {
        "average": int(averaged),
        "needs_profit": int(bool((rules == Rule.HP).any()) or bool(parts & Part.HP)),
        "needs_rest": int(bool(works)),
        "contests": int(bool(policy["preemption"]) and bool(network.nodes["preemptible"].any())),
    }


def _together(lists: list[list[int]]) -> tuple[Array, Array]:
    """Where each list begins among all of them, and how long it is."""
    sizes = np.array([len(found) for found in lists], np.int64)
    return np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64), sizes


def _guides(network: Network) -> NDArray[np.int32]:
    """Per law and piece of [0, 1): levels up to its beginning; a search goes from one to the next."""
    found = np.zeros((len(network.laws), GUIDE + 1), np.int32)
    edges = np.arange(GUIDE + 1) / GUIDE
    for guide, law in zip(found, network.laws, strict=True):
        us = network.us[law["first"] : law["first"] + law["n"]]
        guide[:] = np.searchsorted(us, edges, side="right")
        guide[-1] = len(us)
    return found.reshape(-1)


def _seat_guides(network: Network) -> tuple[NDArray[np.int32], Array, Array]:
    """Per queue, cut into pieces of [0, 1): the seat that a draw at the beginning of each gives.

    Where each queue's begin and how many they are: a power of 2, so that rounding moves no draw.
    """
    parts = np.array([1 << (max(int(n), 1) - 1).bit_length() for n in network.queues["agents"]], np.int64)
    starts = np.concatenate([[0], np.cumsum(parts)])
    found = np.zeros(int(starts[-1]), np.int32)
    for first, n, queue in zip(starts.tolist(), parts.tolist(), network.queues, strict=False):
        sums = network.queue_cumulative[queue["agent"] : queue["agent"] + queue["agents"]]
        found[first : first + n] = np.searchsorted(sums, np.arange(n) / n, side="right")
    return found, starts[:-1], parts


_kept = Beside(Tables)


def tables_of(network: Network) -> Tables:
    """The network's, made once."""
    return _kept.of(network)
