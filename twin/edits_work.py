"""Edits of work: how long it takes, who or what does it, how it is collected, what may interrupt it."""

from __future__ import annotations

from dataclasses import replace

from calibration.graph_edits import free_id
from calibration.scaling import scaled
from metagraph.agents import Agent, Queue
from metagraph.batches import Batch
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Distribution, Fitted, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, Task
from twin.edit_tools import Place, able, with_tasks
from twin.edits_agents import Edit
from twin.edits_scaled import scaled_rows
from twin.scenario_sections import (
    AutomateSection,
    BatchSection,
    DelaySection,
    DropSection,
    DurationSection,
    PreemptibleSection,
)
from twin.words import few, law_name, number, percent, span


def durations(graph: Metagraph, said: DurationSection, place: Place) -> Edit:
    """Work that takes longer, or less long."""
    tasks = place.tasks(graph, said.activities)
    if said.agents is not None:
        place.agents(graph, said.agents)
    kinds = graph.orders.classes
    for names, what, known in (
        (said.classes, "class", [kind.cls for kind in kinds]),
        (said.segments, "segment", [kind.segment for kind in kinds]),
    ):
        rows = [row for task in tasks for row in task.durations.rows]
        seen = [row.cls if what == "class" else row.segment for row in rows]
        place.known(names or (), filter(None, [*known, *seen]), what)
    if said.factor == 1.0:
        raise place.nothing("a factor of 1 leaves all as it is")
    changed, words = [], []
    for task in tasks:
        if said.agents is not None and not set(said.agents) & set(able(graph, task)):
            continue
        table = scaled_rows(
            task.durations, said.factor, classes=said.classes, segments=said.segments, agents=said.agents
        )
        changed.append(replace(task, durations=table))
        words.append(_longer(task, table, said))
    if not changed:
        raise place.nothing(f"{few(said.agents or ())} do none of {few([t.label for t in tasks])}")
    return with_tasks(graph, changed), words


def _longer(task: Task, table: DurationTable, said: DurationSection) -> str:
    """One task's change, where it is largest: of the first that is named."""
    key = tuple(names[0] if names else None for names in (said.classes, said.segments, said.agents))
    before, after = (one.lookup(*key).law.mean() for one in (task.durations, table))
    of = [
        f"{what} {few(names)}"
        for what, names in (("class", said.classes), ("segment", said.segments), ("agent", said.agents))
        if names
    ]
    told = f" of {', '.join(of)}" if of else ""
    return f"{task.label}: work{told} of {span(before)} on average → {span(after)} ({percent(said.factor)})"


def delays(graph: Metagraph, said: DelaySection, place: Place) -> Edit:
    """Waiting that needs nobody, longer or shorter."""
    tasks = [task for task in place.tasks(graph, said.activities) if task.delay is not None]
    if not tasks:
        raise place.nothing("there is no delay before these activities that isn't caused by busy agents")
    if said.factor == 1.0:
        raise place.nothing("a factor of 1 leaves all as it is")

    def times(fitted: Fitted) -> Fitted:
        law = scaled(fitted.law, said.factor) if said.factor > 0 else Constant(0.0)
        return replace(fitted, law=law, n=0, level="human", ks=None, candidates=None, note="what-if")

    changed, words = [], []
    for task in tasks:
        old = task.delay
        assert old is not None
        new = replace(old, default=times(old.default), after={k: times(v) for k, v in old.after.items()})
        changed.append(replace(task, delay=new))
        words.append(
            f"{task.label}: a delay of {span(old.default.law.mean())} before it on average → "
            f"{span(new.default.law.mean())}"
        )
    return with_tasks(graph, changed), words


def automate(graph: Metagraph, said: AutomateSection, place: Place) -> Edit:
    """An activity that a robot does: at once for any number of orders, or for so many at a time."""
    task = place.tasks(graph, [said.activity])[0]
    law = _law(task, said, place)
    table = DurationTable((DurationRow(Fitted(law, 0, "human", note="what-if: automated")),))
    crew = able(graph, task)
    delay: DelayTable | None = task.delay if said.delay else None
    done = replace(task, durations=table, queues=(), cost=said.cost, delay=delay, waits=None)
    if task.batch is not None and said.at_once is None and task.batch.kind == "simultaneous":
        done = replace(done, batch=None)
    if said.at_once is not None:
        graph, queue = _robot(graph, task, said.at_once)
        done = replace(done, queues=(queue,))
    graph = with_tasks(graph, [done])
    used = {q for t in graph.tasks() for q in t.queues}
    graph = replace(graph, queues=tuple(q for q in graph.queues if q.id in used))
    by = "a robot" if said.at_once is None else f"a robot that does {said.at_once} at once"
    before = f"by {few(crew, 4)}" if crew else "by nobody"
    old = task.durations.default.law.mean()
    words = [
        f"{task.label}: done {before} in {span(old)} on average for {number(task.cost)} an execution → by "
        f"{by} in {span(law.mean())} ({law_name(law)}), at all hours, for {number(said.cost)} an execution"
    ]
    if task.delay is not None:
        words.append(f"{task.label}: the delay before it {'stays' if said.delay else '→ none'}")
    if said.invested:
        words.append(f"invested once: 0 → {number(said.invested)}")
    return graph, words


def _law(task: Task, said: AutomateSection, place: Place) -> Distribution:
    if said.constant_min is not None:
        return Constant(60.0 * said.constant_min)
    if said.family is not None:
        law = Parametric(said.family, said.params or ())
        try:
            mean = float(law.mean())
        except (AttributeError, TypeError, ValueError) as error:
            raise place.wrong(
                f"{said.family} with {said.params} is no law of scipy.stats ({error})"
            ) from error
        if not 0 <= mean < float("inf"):
            raise place.wrong(f"the law has a mean of {mean} seconds; expected 0 or more")
        return law
    old = task.durations.default.law
    if not old.mean() > 0:
        raise place.wrong(f"{task.label} takes no time in this twin and can't be scaled; give constant_min")
    return scaled(old, 60.0 * (said.mean_min or 0.0) / old.mean())


def _robot(graph: Metagraph, task: Task, at_once: int) -> tuple[Metagraph, str]:
    """The graph with a robot for the task, and its queue."""
    name = free_id(f"Robot: {task.label}", (*(a.id for a in graph.agents), *(q.id for q in graph.queues)))
    calendar = free_id("always (what-if)", (c.id for c in graph.calendars))
    rules = [queue.priority for queue in graph.queues if queue.id in task.queues]
    queue = Queue(name, (name,), priority=rules[0] if rules else "FIFO")
    robot = Agent(name, calendar, role="robot", capacity=at_once, note="what-if")
    graph = replace(
        graph,
        agents=(*graph.agents, robot),
        queues=(*graph.queues, queue),
        calendars=(*graph.calendars, Calendar(calendar, note="what-if")),
    )
    return graph, name


def drop(graph: Metagraph, said: DropSection, place: Place) -> Edit:
    """An activity that is no longer done.

    Its node stays, takes no time and needs nobody: so every other node keeps its random numbers, and later
    choices, which go by what was done before, are made as if it had been done.
    """
    task = place.tasks(graph, [said.activity])[0]
    if not task.queues and task.delay is None and task.durations.default.law == Constant(0.0):
        raise place.nothing(f"{task.label} takes no time and needs nobody")
    crew, mean = able(graph, task), task.durations.default.law.mean()
    none = DurationTable((DurationRow(Fitted(Constant(0.0), 0, "human", note="what-if: dropped")),))
    gone = replace(task, durations=none, queues=(), delay=None, cost=0.0, batch=None, waits=None)
    graph = with_tasks(graph, [replace(gone, preemptible=False)])
    used = {q for t in graph.tasks() for q in t.queues}
    graph = replace(graph, queues=tuple(q for q in graph.queues if q.id in used))
    who = f" by {few(crew, 4)}" if crew else ""
    return graph, [f"{task.label}: done{who} in {span(mean)} on average → passed over in no time"]


def preemptible(graph: Metagraph, said: PreemptibleSection, place: Place) -> Edit:
    """Whether more urgent work may interrupt activities."""
    tasks = [task for task in place.tasks(graph, said.activities) if task.preemptible != said.allowed]
    told = {True: "may be interrupted by more urgent work", False: "isn't interrupted once begun"}
    if not tasks:
        raise place.nothing(f"{few(said.activities)}: {told[said.allowed]} anyway")
    for task in tasks:
        if said.allowed and task.batch is not None and task.batch.kind == "simultaneous":
            raise place.wrong(
                f"{task.label} is done for several orders as one piece, which can't be interrupted"
            )
    changed = [replace(task, preemptible=said.allowed) for task in tasks]
    words = [f"{task.label}: {told[not said.allowed]} → {told[said.allowed]}" for task in tasks]
    return with_tasks(graph, changed), words


def batches(graph: Metagraph, said: BatchSection, place: Place) -> Edit:
    """How work is collected before any of it is done."""
    task = place.tasks(graph, [said.activity])[0]
    old = task.batch
    if said.none:
        if old is None:
            raise place.nothing(f"{task.label} isn't collected")
        new = None
    else:
        new = _batch(old, said)
        if new.wait_s is None and not new.times:
            raise place.wrong(
                "an order could wait for ever; say with wait_h how long the first one waits at most"
            )
        if new == old:
            raise place.nothing(f"{task.label} is collected so anyway")
    words = [f"{task.label}: {_collected(old)} → {_collected(new)}"]
    return with_tasks(graph, [replace(task, batch=new)]), words


def _batch(old: Batch | None, said: BatchSection) -> Batch:
    new = old or Batch("sequential")
    if said.kind is not None:
        new = replace(new, kind=said.kind)
    if said.size is not None:
        new = replace(new, size=Fitted(Constant(float(said.size)), 0, "human", note="what-if"))
    if said.wait_h is not None:
        new = replace(new, wait_s=3600.0 * said.wait_h)
    if said.per_item is not None:
        new = replace(new, per_item=said.per_item)
    return new


def _collected(batch: Batch | None) -> str:
    if batch is None:
        return "done one by one"
    parts = []
    if batch.size is not None:
        parts.append(f"until {number(batch.size.law.mean())} are there")
    if batch.wait_s is not None:
        parts.append(f"for at most {span(batch.wait_s)}")
    if batch.times:
        parts.append(f"until one of {len(batch.times)} instants of the week")
    how = "as one piece" if batch.kind == "simultaneous" else "one after the other"
    return f"collected {' or '.join(parts)}, then done {how}"
