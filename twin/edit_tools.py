"""What edits of a metagraph share: names that must be known, dates, and what changed in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from metagraph.agents import Agent
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from twin.scenario import instant_of
from twin.scenario_sections import Moment
from twin.words import instant

_OVERRIDES = "[overrides] "


@dataclass(frozen=True, slots=True)
class Place:
    """One table of a scenario, while it is applied."""

    where: str
    """The table, as errors call it: '[[hire]] 2'."""
    begin: datetime | None
    """The beginning from which relative times count."""

    def wrong(self, what: str) -> DataError:
        """The error that says what is wrong with this table."""
        return DataError(f"{self.where}: {what}")

    def nothing(self, what: str) -> DataError:
        """The error of an edit that changes nothing."""
        return self.wrong(f"it changes nothing: {what}; mend the table or take it out")

    def span(self, since: Moment | None, until: Moment | None) -> tuple[datetime | None, datetime | None]:
        """The instants that are meant. Raises DataError if they don't ascend."""
        start, end = (instant_of(moment, self.begin, self.where) for moment in (since, until))
        if start is not None and end is not None and end <= start:
            raise self.wrong(f"it ends at {instant(end)}, not after its beginning at {instant(start)}")
        return start, end

    def known(self, names: Iterable[str], known: Iterable[str], what: str) -> None:
        """Raise a DataError with the nearest known ones unless every name is known."""
        there = sorted(set(known))
        for name in names:
            if name not in there:
                near = difflib.get_close_matches(name, there, n=3, cutoff=0.4) or there[:5]
                raise self.wrong(
                    f"there is no {what} {name!r}; the nearest known: {', '.join(near) or 'none'}"
                )

    def agents(self, graph: Metagraph, names: Sequence[str]) -> list[Agent]:
        """The agents of these names."""
        of = {person: agent for agent in graph.agents for person in agent.members}
        ids = {agent.id for agent in graph.agents}
        for name in names:
            if name in of and name not in ids:
                agent = of[name]
                raise self.wrong(
                    f"{name} is one of {len(agent.members)} whom the twin takes together as the agent "
                    f"{agent.id!r}, which does {agent.capacity} at once: name it, or change its capacity"
                )
        self.known(names, (agent.id for agent in graph.agents), "agent")
        return [agent for agent in graph.agents if agent.id in names]

    def tasks(self, graph: Metagraph, activities: Sequence[str] | None) -> list[Task]:
        """The tasks of these activities; all without any names."""
        if activities is None:
            return list(graph.tasks())
        self.known(activities, (task.label for task in graph.tasks()), "activity")
        return [task for task in graph.tasks() if task.label in activities]

    @contextmanager
    def as_override(self) -> Iterator[None]:
        """Errors of what overrides do, too, are told as this table's."""
        try:
            yield
        except DataError as error:
            raise DataError(str(error).replace(_OVERRIDES, f"{self.where}, ", 1)) from error


def with_agents(graph: Metagraph, changed: Iterable[Agent]) -> Metagraph:
    """The graph with the agents of these ids replaced."""
    new = {agent.id: agent for agent in changed}
    return replace(graph, agents=tuple(new.get(agent.id, agent) for agent in graph.agents))


def with_tasks(graph: Metagraph, changed: Iterable[Task]) -> Metagraph:
    """The graph with the tasks of these ids replaced, every node in its place: random numbers go by it."""
    new = {task.id: task for task in changed}
    return replace(graph, nodes=tuple(new.get(node.id, node) for node in graph.nodes))


def dated(start: datetime | None, end: datetime | None) -> str:
    """' from … until …', as far as there are dates."""
    return (f" from {instant(start)}" if start else "") + (f" until {instant(end)}" if end else "")


def able(graph: Metagraph, task: Task) -> tuple[str, ...]:
    """Who serves the task's queues."""
    found = {a for queue in graph.queues if queue.id in task.queues for a in queue.agents}
    return tuple(agent.id for agent in graph.agents if agent.id in found)
