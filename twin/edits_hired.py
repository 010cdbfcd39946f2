"""Edits of who may do what: agents hired, and skills gained or lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calibration.graph_edits import free_id
from metagraph.agents import Absence, Agent, Queue
from metagraph.model import Metagraph
from metagraph.nodes import DurationTable, Task
from twin.calendar_text import parse_hours
from twin.edit_tools import Place, able, dated, with_tasks
from twin.edits_agents import Edit, calendar_of, with_calendar
from twin.edits_scaled import scaled_rows
from twin.scenario_sections import HireSection, SkillsSection
from twin.words import few, hours_text, percent


def hire(graph: Metagraph, said: HireSection, place: Place) -> Edit:
    """More agents, comparable to one who is there: hours, capacity, cost, skills, and how long work takes."""
    like = place.agents(graph, [said.like])[0]
    start, end = place.span(said.since, said.until)
    names = said.names or _names(graph, like, said.count)
    taken = {agent.id for agent in graph.agents}
    if len({*names} | taken) < len(names) + len(taken):
        raise place.wrong(f"the names {few(names)} must differ from each other and from the agents there are")
    tasks = _skills(graph, like, said, place)
    words = []
    before = {task.id: able(graph, task) for task in tasks}
    for name in names:
        graph = _hired(graph, like, name, said, [task.id for task in tasks])
        if start or end:
            absences = (Absence(end, None, True, "what-if"),) if end else ()
            new = replace(graph.agents[-1], hired=start, absences=absences)
            graph = replace(graph, agents=(*graph.agents[:-1], new))
    for task in tasks:
        now = able(graph, next(t for t in graph.tasks() if t.id == task.id))
        words.append(f"{task.label}: done by {_crew(before[task.id])} → by {_crew(now)}{dated(start, end)}")
    words.append(_terms(graph, graph.agents[-1], like, said))
    return graph, words


def _crew(names: Sequence[str]) -> str:
    return f"{len(names)} agents ({few(names, 4)})" if len(names) != 1 else names[0]


def _terms(graph: Metagraph, new: Agent, like: Agent, said: HireSection) -> str:
    pace = "" if said.pace == 1.0 else f", at {percent(said.pace)} of {like.id}'s pace"
    hours = hours_text(calendar_of(graph, new))
    return f"{'they work' if said.count > 1 else f'{new.id} works'} like {like.id}{pace}, {hours}"


def _names(graph: Metagraph, like: Agent, count: int) -> list[str]:
    names: list[str] = []
    for _ in range(count):
        names.append(free_id(f"{like.id} (hired)", (*(agent.id for agent in graph.agents), *names)))
    return names


def _skills(graph: Metagraph, like: Agent, said: HireSection, place: Place) -> list[Task]:
    """The tasks that they do."""
    if said.skills is None:
        tasks = [task for task in graph.tasks() if like.id in able(graph, task)]
        if not tasks:
            raise place.wrong(
                f"{like.id} does no activity, so that more like it would do nothing; name 'skills'"
            )
        return tasks
    tasks = place.tasks(graph, said.skills)
    for task in tasks:
        if not task.queues:
            raise place.wrong(f"{task.label} needs nobody in this twin, so that nobody can be hired for it")
    return tasks


def _hired(graph: Metagraph, like: Agent, name: str, said: HireSection, tasks: Sequence[str]) -> Metagraph:
    new = replace(like, id=name, hired=None, absences=(), members=(), note=f"what-if, like {like.id}")
    if said.cost_per_h is not None:
        new = replace(new, cost_per_h=said.cost_per_h)
    if said.hours is not None:
        new = replace(new, presence=1.0)
    graph = replace(graph, agents=(*graph.agents, new))
    if said.hours is not None:
        hers = replace(calendar_of(graph, new), hours=parse_hours(said.hours), shifts=(), note="what-if")
        graph = with_calendar(graph, new, hers)
    graph = _with_durations(graph, like.id, name, said.pace, tasks)
    return joined(graph, name, like.id, tasks)


def _with_durations(graph: Metagraph, like: str, name: str, pace: float, tasks: Sequence[str]) -> Metagraph:
    """Work takes the new agent as long as the other one, by its pace."""
    changed = []
    for task in graph.tasks():
        if task.id in tasks:
            rows = task.durations.rows
            copied = DurationTable((*rows, *(replace(row, agent=name) for row in rows if row.agent == like)))
            table = copied if pace == 1.0 else scaled_rows(copied, 1.0 / pace, agents=(name,))
            changed.append(replace(task, durations=table))
    return with_tasks(graph, changed)


def joined(graph: Metagraph, name: str, like: str | None, tasks: Sequence[str]) -> Metagraph:
    """The graph in which the agent serves these tasks.

    It joins the queues that `like` serves (else all of the task's) where all that wait there may be done by
    it; where agents have a queue each, or other work waits there, too, it gets a queue of its own.
    """
    own: list[str] = []
    join: set[str] = set()
    served = {q.id: {t.id for t in graph.tasks() if q.id in t.queues} for q in graph.queues}
    crews = {q.id: q.agents for q in graph.queues}
    for task in graph.tasks():
        if task.id not in tasks:
            continue
        mine = [q for q in task.queues if like in crews[q]] or list(task.queues)
        each = len(task.queues) > 1 and all(len(crews[q]) == 1 for q in task.queues)
        if each or not all(served[q] <= set(tasks) for q in mine):
            own.append(task.id)
        else:
            join.update(mine)
    queues = tuple(_with_member(q, name, like) if q.id in join else q for q in graph.queues)
    graph = replace(graph, queues=queues)
    if not own:
        return graph
    first = next(task for task in graph.tasks() if task.id in own)
    model = next(q for q in graph.queues if q.id in first.queues)
    queue = Queue(free_id(name, (q.id for q in graph.queues)), (name,), (), model.priority, model.only)
    changed = [replace(t, queues=(*t.queues, queue.id)) for t in graph.tasks() if t.id in own]
    return with_tasks(replace(graph, queues=(*graph.queues, queue)), changed)


def _with_member(queue: Queue, name: str, like: str | None) -> Queue:
    """The queue with one more agent, who takes work as often as `like`, or as the others on average."""
    if name in queue.agents:
        return queue
    agents = (*queue.agents, name)
    if not queue.weights:
        return replace(queue, agents=agents)
    seen = dict(zip(queue.agents, queue.weights, strict=True))
    weights = (*queue.weights, seen.get(like or "", sum(queue.weights) / len(queue.weights)))
    total = sum(weights)
    return replace(queue, agents=agents, weights=tuple(weight / total for weight in weights))


def skills(graph: Metagraph, said: SkillsSection, place: Place) -> Edit:
    """Who may do an activity."""
    task = place.tasks(graph, [said.activity])[0]
    before = able(graph, task)
    if not task.queues:
        raise place.wrong(
            f"{task.label} needs nobody in this twin, so that it has no agents to add or remove"
        )
    gained, lost = said.add or (), said.remove or ()
    place.agents(graph, gained)
    place.known(lost, before, f"agent of {task.label},")
    if set(gained) <= set(before) and not lost:
        raise place.nothing(f"{few(gained)} may do {task.label} anyway")
    after = [a for a in before if a not in lost] + [a for a in gained if a not in before]
    if not after:
        raise place.wrong(f"nobody would be left to do {task.label}; drop it with [[drop]] if that is meant")
    for name in gained:
        if name not in before:
            graph = joined(graph, name, None, [task.id])
    for name in lost:
        graph = _without(graph, task.id, name)
    graph = _tidy(graph)
    return graph, [f"{task.label}: done by {_crew(before)} → by {_crew(after)}"]


def _without(graph: Metagraph, task_id: str, name: str) -> Metagraph:
    """The graph in which the agent doesn't serve the task any more: queues of other tasks keep it."""
    for old in [q for q in graph.queues if name in q.agents]:
        task = next(t for t in graph.tasks() if t.id == task_id)
        if old.id not in task.queues:
            continue
        weights = dict(zip(old.agents, old.weights, strict=True)) if old.weights else {}
        rest = tuple(a for a in old.agents if a != name)
        total = sum(weights.get(a, 0.0) for a in rest)
        shares = tuple(weights[a] / total for a in rest) if weights and total > 0 else ()
        queues = tuple(q for q in task.queues if q != old.id)
        if rest:
            new = replace(old, id=free_id(f"{old.id} (what-if)", (q.id for q in graph.queues)), agents=rest)
            graph = replace(graph, queues=(*graph.queues, replace(new, weights=shares)))
            queues = tuple(new.id if q == old.id else q for q in task.queues)
        graph = with_tasks(graph, [replace(task, queues=queues)])
    return graph


def _tidy(graph: Metagraph) -> Metagraph:
    """Without queues that no task names any more."""
    used = {q for task in graph.tasks() for q in task.queues}
    return replace(graph, queues=tuple(q for q in graph.queues if q.id in used))
