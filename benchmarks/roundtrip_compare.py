"""What a twin found of a known process, parameter by parameter, each held against a stated interval.

Intervals are 99.9 % ones around the known value: binomial for probabilities, by the central limit theorem for
means. Where that leaves less than what rounding to seconds and one hour of a week make of it, FLOOR is added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import combinations, product
from math import sqrt
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.roundtrip_people import Check, orders_of_work, people, tasks_of, who_does
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel
from metagraph.blocks import Sequence as Row
from metagraph.distributions import Distribution
from metagraph.model import Metagraph
from metagraph.nodes import Task

if TYPE_CHECKING:
    import pandas as pd

Z = 3.29
"""Half-width of a 99.9 % interval in standard deviations."""
FLOOR = 0.02
"""Of the known value: what whole seconds and hours of the week may cost."""
HALF = 0.5
"""Of their time: people busier than that hide that they collect their work."""
SIMULTANEOUS = "simultaneous"
DELAY_FLOOR = 0.25
"""Of a known mean delay: what ended while nobody worked is known by its bounds only."""
SEEN = 0.4
"""Share of a task's delays that must end with a start for their mean to be held against the known one."""


def structure(model: Metagraph) -> str:
    """The normal form of the blocks, without ids and order of branches: equal ones allow the same traces."""
    from discovery.normal_form import normalised
    from metagraph.parse_blocks import parse_blocks

    return repr(_canonical(normalised(parse_blocks(model))))


def footprint_agreement(known: pd.DataFrame, found: pd.DataFrame) -> float:
    """Share of pairs of activities with the same relation: never next to each other, one way, both ways."""
    ours, theirs = _follows(known), _follows(found)
    names = sorted({name for pair in ours | theirs for name in pair})
    pairs = [(a, b) for a, b in product(names, names) if a <= b]
    same = [((a, b) in ours, (b, a) in ours) == ((a, b) in theirs, (b, a) in theirs) for a, b in pairs]
    return fmean(same) if same else 1.0


def checks(known: Metagraph, found: Metagraph, log: pd.DataFrame, ready: Mapping[str, float]) -> list[Check]:
    """All parameters that both have. `ready`: as known_logs.seen_ready."""
    cases = log["case_id"].nunique()
    rows = dict(Counter(log["activity"]))
    # Work on several orders at once is one piece of work.
    columns = ["activity", "resource", "start_time", "end_time"]
    pieces = dict(Counter(log.drop_duplicates(columns)["activity"]))
    together = {
        label for label, task in tasks_of(known).items() if task.batch and task.batch.kind == SIMULTANEOUS
    }
    return [
        *_durations(known, found, {a: pieces[a] if a in together else n for a, n in rows.items()}),
        *_delays(known, found, rows, ready),
        *_batches(known, found, log),
        *_routing(known, found),
        *_arrivals(known, found, cases),
        *people(known, found, log),
        *orders_of_work(known, found),
    ]


def distance_ratios(
    fresh: list[pd.DataFrame], simulated: list[pd.DataFrame], metrics: tuple[str, ...]
) -> dict[str, float]:
    """Mean distance of the twin's logs to fresh logs of the truth, over that between two fresh logs."""
    from twin.distances import distances

    between = [distances(a, b, metrics) for a, b in combinations(fresh, 2)]
    ours = [distances(a, b, metrics) for a, b in product(fresh, simulated)]
    return {m: fmean(d[m] for d in ours) / max(fmean(d[m] for d in between), 1e-3) for m in metrics}


def _canonical(block: Block) -> object:
    """The block without ids and without the order of its branches."""
    match block:
        case Leaf(_, label):
            return label
        case Empty():
            return ""
        case Row(items):
            return ("then", *map(_canonical, items))
        case Choice(_, _, branches):
            return ("one of", *sorted(map(_canonical, branches), key=repr))
        case Parallel(_, _, branches):
            how = "some of" if block.some else "all of"
            return (how, *sorted(map(_canonical, branches), key=repr))
        case Loop(_, _, body, redos):
            return ("again", _canonical(body), *sorted(map(_canonical, redos), key=repr))


def _follows(log: pd.DataFrame) -> set[tuple[str, str]]:
    """Pairs of activities that came one right after the other, by end."""
    log = log.sort_values(["case_id", "end_time", "start_time"], kind="stable")
    after = log["case_id"].to_numpy()[1:] == log["case_id"].to_numpy()[:-1]
    names = log["activity"].to_numpy()
    return set(zip(names[:-1][after], names[1:][after], strict=True))


def _spread(law: Distribution) -> float:
    return float(law.ppf((np.arange(4000) + 0.5) / 4000).std())


def _durations(known: Metagraph, found: Metagraph, rows: Mapping[str, int]) -> Iterator[Check]:
    """Mean work. Of agents who share themselves among items neither log nor interval tells it: left out."""
    shared = {agent.id for agent in known.agents if agent.sharing == "shared"}
    queues = {queue.id: set(queue.agents) for queue in known.queues}
    theirs = tasks_of(found)
    for label, task in tasks_of(known).items():
        if label not in theirs or any(queues[q] & shared for q in task.queues):
            continue
        law = task.durations.default.law
        n = max(rows.get(label, 0), 1)
        allowed = Z * _spread(law) / sqrt(n) + FLOOR * law.mean() + 1.0
        yield Check("work", label, law.mean(), theirs[label].durations.default.law.mean(), allowed)


def _delays(
    known: Metagraph, found: Metagraph, rows: Mapping[str, int], ready: Mapping[str, float]
) -> Iterator[Check]:
    """Mean delay before a task; where there is none, none above a hundredth of a day.

    A delay before the first task of all is seen as a later arrival, one before a batch as a part of it, and
    where most delays end while nobody can begin, their length isn't seen at all: these are left out.
    """
    theirs = tasks_of(found)
    first = {flow.target for flow in known.flows if flow.source == "start"}
    for label, task in tasks_of(known).items():
        if label not in theirs or task.id in first or task.batch is not None:
            continue
        mine = theirs[label].delay
        if task.delay is not None and ready.get(label, 0.0) < SEEN:
            continue
        if task.delay is None:
            mean_s = 0.0 if mine is None else _mean_delay(mine.default.law, mine.after.values())
            yield Check("no delay", label, 0.0, mean_s, 864.0)
            continue
        law = task.delay.default.law
        allowed = Z * _spread(law) / sqrt(max(rows.get(label, 0), 1) / 4) + DELAY_FLOOR * law.mean()
        mean_s = 0.0 if mine is None else _mean_delay(mine.default.law, mine.after.values())
        yield Check("delay", label, law.mean(), mean_s, allowed)


def _batches(known: Metagraph, found: Metagraph, log: pd.DataFrame) -> Iterator[Check]:
    """Whether work is collected, and in which way. A batch of one is none; one by one for people who are busy
    for more than HALF of their time isn't told from waiting for them."""
    theirs = tasks_of(found)
    for label, task in tasks_of(known).items():
        if label not in theirs or not (task.batch or theirs[label].batch):
            continue
        if task.batch and task.batch.kind != SIMULTANEOUS and _busy(known, task, log) > HALF:
            continue
        mine = theirs[label].batch
        same = mine is not None and task.batch is not None and mine.kind == task.batch.kind
        yield Check("batch", label, 1.0, float(same), 0.0)


def _busy(known: Metagraph, task: Task, log: pd.DataFrame) -> float:
    """The share of their working hours that those who do a task have work in hand."""
    who = who_does(known, task)
    weeks = (log["start_time"].max() - log["start_time"].min()) / timedelta(weeks=1)
    open_s = {c.id: sum(b - a for a, b in c.hours) for c in known.calendars}
    can_s = weeks * sum(open_s[agent.calendar] * agent.capacity for agent in known.agents if agent.id in who)
    mean_s = {label: each.durations.default.law.mean() for label, each in tasks_of(known).items()}
    done = log[log["resource"].isin(who)].drop_duplicates(["activity", "resource", "start_time", "end_time"])
    return float(sum(mean_s[label] for label in done["activity"]) / max(can_s, 1.0))


def _mean_delay(default: Distribution, after: object) -> float:
    laws = [(fitted.n, fitted.law.mean()) for fitted in after]  # type: ignore[attr-defined]
    total = sum(n for n, _ in laws)
    return sum(n * mean for n, mean in laws) / total if total else default.mean()


def _routing(known: Metagraph, found: Metagraph) -> Iterator[Check]:
    """Overall weights of gateways that both have: of the same kind, with the same tasks in each branch."""
    theirs = _gateways(found)
    for key, (weights, _) in _gateways(known).items():
        if key not in theirs:
            continue
        seen, n = theirs[key]
        for branch, p in weights.items():
            allowed = Z * sqrt(max(p * (1 - p), 1 / max(n, 1)) / max(n, 1))
            yield Check("routing", f"to {branch}", p, seen.get(branch, 0.0), allowed)


def _gateways(model: Metagraph) -> dict[object, tuple[dict[str, float], int]]:
    """By kind and tasks of the branches: the weight of each branch (named by its tasks), and decisions."""
    from metagraph.parse_blocks import parse_blocks

    routing = {r.node: r.overall() for r in model.routing}
    gateways: dict[object, tuple[dict[str, float], int]] = {}

    def named(block: Block) -> str:
        return " ".join(sorted(_labels(block))) or "nothing"

    def visit(block: Block) -> None:
        if isinstance(block, Choice | Loop):
            row = routing[block.split if isinstance(block, Choice) else block.end]
            names = [named(b) for b in (block.branches if isinstance(block, Choice) else block.redos)]
            body = named(block.body) if isinstance(block, Loop) else ""
            names += ["out"] if isinstance(block, Loop) else []
            key = (type(block).__name__, body, frozenset(names))
            gateways[key] = dict(zip(names, row.weights, strict=True)), row.n
        for child in _children(block):
            visit(child)

    visit(parse_blocks(model))
    return gateways


def _children(block: Block) -> tuple[Block, ...]:
    match block:
        case Row(items):
            return items
        case Choice(_, _, branches) | Parallel(_, _, branches):
            return branches
        case Loop(_, _, body, redos):
            return (body, *redos)
        case _:
            return ()


def _labels(block: Block) -> set[str]:
    if isinstance(block, Leaf):
        return {block.label}
    return set().union(*map(_labels, _children(block)))


def _arrivals(known: Metagraph, found: Metagraph, cases: int) -> Iterator[Check]:
    """Orders a week. Days differ by the known dispersion; an order is first seen when work on it starts."""
    if known.arrivals is None or found.arrivals is None:
        return
    rate = sum(known.arrivals.rates_per_h)
    days = 7 * cases / rate
    relative = Z * sqrt(1 / cases + known.arrivals.dispersion / days) + FLOOR
    yield Check("arrivals", "a week", rate, sum(found.arrivals.rates_per_h), relative * rate)
