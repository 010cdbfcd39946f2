"""Obvious oracles: slow or simple forms of what the program does, for tests to hold it against."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Several
from dataclasses import dataclass
from math import inf

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence


def canonical(block: Block) -> object:
    """The block without ids and without the order of its branches."""
    match block:
        case Leaf(_, label):
            return label
        case Empty():
            return ""
        case Sequence(items):
            return ("then", *(canonical(item) for item in items))
        case Choice(_, _, branches):
            return ("one of", *sorted((canonical(b) for b in branches), key=repr))
        case Parallel(_, _, branches):
            return ("all of", *sorted((canonical(b) for b in branches), key=repr))
        case Loop(_, _, body, redos):
            return ("again", canonical(body), *sorted((canonical(r) for r in redos), key=repr))


@dataclass
class Crew:
    """Identical agents who serve the same queues, at the same hours."""

    agents: int
    queues: tuple[str, ...]
    open: Callable[[int], bool]
    """Whether they work in a tick."""
    busy: int = 0


@dataclass
class Route:
    """An order's way: each task with its ticks of work, its queue and the tasks that come before it."""

    release: int
    tasks: dict[str, tuple[int, str, tuple[str, ...]]]
    value: float = 0.0
    due: float = inf


@dataclass
class Job:
    """One task of one order, from when it is enabled."""

    serial: int
    order: int
    task: str
    queue: str
    left: int
    ready: int
    crew: Crew
    place: int
    again: int = 0
    key: float = 0.0
    status: str = "waiting"
    start: int = -1
    end: int = -1
    preemptions: int = 0
    interrupted: int = -1
    """The last tick in which that happened; it interrupts nobody else in the same one."""


class Shop:
    """A simulator that looks at everything in every tick: no events, no heaps, no arithmetic on clocks."""

    def __init__(
        self,
        routes: list[Route],
        crews: list[Crew],
        rule: str,
        *,
        preemption: bool = True,
        back: bool = False,
    ) -> None:
        self.routes, self.crews, self.rule, self.preemption, self.back = routes, crews, rule, preemption, back
        self.jobs: list[Job] = []
        self.now = 0

    def run(self, ticks: int) -> list[Job]:
        """All jobs, in the order in which they were enabled."""
        for self.now in range(ticks):
            for crew in self.crews:
                if crew.open(self.now) and not (self.now and crew.open(self.now - 1)):
                    self.match(list(crew.queues))
            self.finish_all()
            for number, route in enumerate(self.routes):
                if route.release == self.now:
                    self.enable(number)
                    self.finish_all()
            for job in self.jobs:
                job.left -= job.status == "working" and job.crew.open(self.now)
        return self.jobs

    def finish_all(self) -> None:
        while done := [job for job in self.jobs if job.status == "working" and job.left == 0]:
            job = min(done, key=lambda job: (job.order, job.serial))
            job.status, job.end = "done", self.now
            if self.waiting(job.crew.queues):
                self.enable(job.order)
                self.free(job.crew)
            else:
                self.free(job.crew)
                self.enable(job.order)

    def enable(self, order: int) -> None:
        mine = {job.task: job for job in self.jobs if job.order == order}
        for task, (ticks, queue, before) in self.routes[order].tasks.items():
            if task not in mine and all(b in mine and mine[b].status == "done" for b in before):
                crew = next(crew for crew in self.crews if queue in crew.queues)
                job = Job(len(self.jobs), order, task, queue, ticks, self.now, crew, self.now)
                job.key = self.key(job)
                self.jobs.append(job)
                self.offer(self.waiting((queue,))[0])

    def waiting(self, queues: Several[str]) -> list[Job]:
        found = [job for job in self.jobs if job.status == "waiting" and job.queue in queues]
        return sorted(found, key=lambda job: (job.key, job.place, job.again, job.serial))

    def key(self, job: Job) -> float:
        route = self.routes[job.order]
        profit = route.value * (1.0 if self.now <= route.due else 0.5)
        return {"FIFO": 0.0, "HP": -profit, "SDD": route.due, "SERPT": float(job.left)}[self.rule]

    def offer(self, job: Job) -> bool:
        crew = job.crew
        if not crew.open(self.now):
            return False
        if crew.busy < crew.agents:
            self.begin(job)
            return True
        at_work = [other for other in self.jobs if other.status == "working" and other.crew is crew]
        for other in at_work:
            other.key = float(other.left) if self.rule == "SERPT" else other.key
        last = max(
            at_work, key=lambda other: (other.key, other.place, other.again, other.serial), default=None
        )
        if not self.preemption or last is None or not job.key < last.key or job.interrupted == self.now:
            return False
        last.status, last.key = "waiting", self.key(last)
        last.preemptions, last.interrupted = last.preemptions + 1, self.now
        if self.back:
            last.place, last.again = self.now, 1
        crew.busy -= 1
        self.begin(job)
        return True

    def begin(self, job: Job) -> None:
        job.status, job.crew.busy = "working", job.crew.busy + 1
        job.start = self.now if job.start < 0 else job.start

    def free(self, crew: Crew) -> None:
        crew.busy -= 1
        while crew.open(self.now) and crew.busy < crew.agents and (line := self.waiting(crew.queues)):
            self.begin(line[0])

    def match(self, queues: list[str]) -> None:
        while line := self.waiting(queues):
            if not self.offer(line[0]):
                queues.remove(line[0].queue)
