"""What goes first: the rule by which agents who get free choose among what waits for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.agents import Resources
from calibration.choices import Choices, find_choices, together
from calibration.duration_rows import Groups
from calibration.features import Feature, name_in_expressions
from calibration.local_time import Floats
from calibration.waits import Waits
from calibration.window import Window
from discovery.replayed import Replayed
from eventlogs.snapshot import Snapshot
from metagraph.agents import Queue
from metagraph.nodes import DurationTable

FEWEST = 60
"""Choices by which a rule is judged at all."""
CLEAR = 6.0
"""Nats by which a rule must foretell the held-out choices better than first come, first served."""
LEAST = 0.3
"""Share of the choices that it must explain."""
LAST_COME = 0.6
"""Last come, first served must explain so much: under any rule that looks at what the log doesn't show, old
work is what that rule leaves lying, and seems to be avoided for its age (40 to 50 % of choices)."""
DELAYED = 0.25
"""Tasks with a longer remaining delay, as a share of their wait, say nothing of the order: when their work
was ready to be taken isn't known."""
ROUNDS = 60
"""Of the iterations by which shares and ranks are estimated."""


@dataclass(frozen=True, slots=True)
class Priorities:
    """Queues with their rules, the expression behind RULE, and what was found."""

    queues: tuple[Queue, ...]
    rule: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A rule: the least key goes first, among equals what was enabled first."""

    rule: str
    words: str
    key: Floats
    """Per row of the choices."""
    expression: str = ""
    least: float = LEAST


@dataclass(frozen=True, slots=True)
class _Judged:
    candidate: _Candidate
    explained: float
    """Share of the held-out choices that follow the rule and not chance."""
    gain: float
    """Log-likelihood of the held-out choices over that of first come, first served."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What candidates look at."""

    snapshot: Snapshot
    replayed: Replayed
    groups: Groups
    features: tuple[Feature, ...]
    due_s: Floats
    """Per case; NaN where it has none."""
    durations: Mapping[str, DurationTable]


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Queues that share agents, and the choices that were made there."""

    members: frozenset[str]
    labels: tuple[str, ...]
    choices: Choices
    widened: bool
    """Whether choices of the whole log were looked at, those of the window being too few."""


def fit_priorities(window: Window, known: Known, resources: Resources, waits: Waits) -> Priorities:
    """The rule of every queue, first come, first served where nothing else is clear.

    Whoever gets free while several executions wait chooses one. Under a rule that explains a share q of the
    choices, one among m is the rule's first with probability q + (1 - q) / m; q is estimated for each rule by
    maximum likelihood, and the likelihoods of held-out choices are compared (a mixture of a deterministic and
    a random choice rule; with ranks of values from the other half by Bradley and Terry, 1952). Queues that
    share agents get one rule. One expression serves all queues, so ranks are learnt from the choices of all,
    and the expression that explains most of them is taken. A window with too few choices is widened to the
    whole log: how work is ordered changes less often than how long it takes.
    """
    pools = [p for p in _pools_with_choices(window, known, resources, waits) if len(p.choices.size)]
    if not pools:
        return Priorities(resources.queues, "", {})
    learnt = together([pool.choices.half(False) for pool in pools])
    judged = [_judge(learnt, pool.choices.half(True), known) for pool in pools]
    rule = _shared_rule(judged)
    facts: dict[str, str] = {}
    winners: dict[str, _Judged] = {}
    for pool, found in zip(pools, judged, strict=True):
        clear = _clear(found)
        best = max((j for j in clear if j.candidate.expression in ("", rule)), key=_gain, default=found[0])
        if best is not found[0]:
            winners |= dict.fromkeys(pool.members, best)
        rival = max(clear, key=_gain, default=best)
        more = len(pool.labels) - 3
        name = ", ".join(pool.labels[:3]) + (f" and {more} more" if more > 0 else "")
        facts[f"what goes first at {name}"] = _told(found[0], best, rival, pool)
    queues = tuple(
        replace(queue, priority=winners[queue.id].candidate.rule) if queue.id in winners else queue
        for queue in resources.queues
    )
    return Priorities(queues, rule if any(j.candidate.expression for j in winners.values()) else "", facts)


def _pools_with_choices(window: Window, known: Known, resources: Resources, waits: Waits) -> Iterator[_Pool]:
    """Pools with enough choices to judge by."""
    for members in _pools(resources.queues):
        labels = tuple(label for label, queue in resources.queue_of.items() if queue in members)
        tasks = [known.snapshot.activities.index(a) for a in labels]
        tasks = [a for a in tasks if not _delayed(a, window, known, waits)]
        for rows, widened in ((window.rows, False), (np.ones_like(window.rows), True)):
            choices = find_choices(known.snapshot, known.replayed, resources, rows, tasks)
            if len(choices.size) >= 2 * FEWEST:
                yield _Pool(members, labels, choices, widened)
                break
            if window.rows.all():
                break


def _shared_rule(judged: Sequence[Sequence[_Judged]]) -> str:
    """The expression by which most is explained where it is clear, over all pools; '' where none is."""
    gains: dict[str, float] = {}
    for found in judged:
        for one in _clear(found):
            if one.candidate.expression:
                gains[one.candidate.expression] = gains.get(one.candidate.expression, 0.0) + one.gain
    return max(gains, key=lambda expression: gains[expression], default="")


def _clear(found: Sequence[_Judged]) -> list[_Judged]:
    return [j for j in found if j.gain > CLEAR and j.explained > j.candidate.least]


def _gain(one: _Judged) -> float:
    return one.gain


def _told(first: _Judged, best: _Judged, rival: _Judged, pool: _Pool) -> str:
    chance = float(np.mean(1 / pool.choices.size))
    where = " of the whole log" if pool.widened else ""
    said = (
        f"of {len(pool.choices.size)} choices{where} first come, first served explains {first.explained:.0%}"
    )
    if best is not first:
        said += f", {best.candidate.words} {best.explained:.0%}"
    if rival is not best:
        said += f" ({rival.candidate.words} {rival.explained:.0%}, but a twin has one rule on orders for all)"
    return f"{said}; by chance {chance:.0%} would be foretold"


def _pools(queues: tuple[Queue, ...]) -> Iterator[frozenset[str]]:
    """Ids of queues that share agents, directly or through others."""
    left = list(queues)
    while left:
        pool = [left.pop(0)]
        agents = set(pool[0].agents)
        while more := [queue for queue in left if agents & set(queue.agents)]:
            pool += more
            agents |= {agent for queue in more for agent in queue.agents}
            left = [queue for queue in left if queue not in more]
        yield frozenset(queue.id for queue in pool)


def _delayed(activity: int, window: Window, known: Known, waits: Waits) -> bool:
    """Whether much of the task's wait is a delay."""
    table = waits.delays.get(known.snapshot.activities[activity])
    if table is None:
        return False
    rows = window.rows & (known.snapshot.activity == activity)
    wait = np.nanmean(np.maximum(known.snapshot.start_s[rows] - known.replayed.enabled_s[rows], 0.0))
    return bool(table.default.law.mean() > DELAYED * wait)


def _judge(learnt: Choices, held: Choices, known: Known) -> list[_Judged]:
    """All rules, first come, first served being the first; judged by choices that weren't learnt from."""
    found: list[_Judged] = []
    base = 0.0
    for candidate in _candidates(learnt, held, known):
        share, likelihood = _explained(held, candidate.key, known.replayed.enabled_s[held.row])
        base = likelihood if not found else base
        found.append(_Judged(candidate, share, likelihood - base))
    return found


def _candidates(learnt: Choices, held: Choices, known: Known) -> Iterator[_Candidate]:
    row = held.row
    case = np.searchsorted(known.snapshot.offsets, row, side="right") - 1
    yield _Candidate("FIFO", "first come, first served", np.zeros(len(row)))
    yield _Candidate("LIFO", "last come, first served", -known.replayed.enabled_s[row], least=LAST_COME)
    due = known.due_s[case]
    if not np.isnan(due).all():
        yield _Candidate("SDD", "the soonest due date", np.where(np.isnan(due), np.inf, due))
    means = {a: table.default.law.mean() for a, table in known.durations.items()}
    work = np.array([means.get(a, 0.0) for a in known.snapshot.activities])[known.snapshot.activity[row]]
    if len(np.unique(work)) > 1:
        yield _Candidate("SERPT", "the shortest work", work)
    other = np.searchsorted(known.snapshot.offsets, learnt.row, side="right") - 1
    for name, values in (("cls", known.groups.cls), ("segment", known.groups.segment)):
        yield from _by_value(name, name, np.array(values), other, case, learnt)
    by_attribute: dict[str, list[Feature]] = {}
    for feature in known.features:
        by_attribute.setdefault(feature.attribute, []).append(feature)
    for attribute, features in by_attribute.items():
        name = name_in_expressions(attribute)
        if features[0].value is None:
            yield from _by_amount(name, features[0], case)
            continue
        texts = np.full(len(features[0].column), "", dtype=np.object_)
        for feature in features:
            texts[feature.column > 0] = feature.value
        yield from _by_value(name, attribute, texts.astype(np.str_), other, case, learnt)


def _by_amount(name: str, feature: Feature, case: NDArray[np.int64]) -> Iterator[_Candidate]:
    middle = float(np.nanmedian(feature.column))
    values = np.where(np.isnan(feature.column), middle, feature.column)[case]
    asked = f"({name} if has({name}) else {middle:.15g})"
    yield _Candidate("RULE", f"the highest {feature.attribute}", -values, asked)
    yield _Candidate("RULE", f"the lowest {feature.attribute}", values, f"-{asked}")


def _by_value(
    name: str,
    attribute: str,
    values: NDArray[np.str_],
    learnt_case: NDArray[np.int64],
    case: NDArray[np.int64],
    learnt: Choices,
) -> Iterator[_Candidate]:
    """By the ranks of an attribute's values, those missing last."""
    found, codes = np.unique(values, return_inverse=True)
    if len(found) < 2 or len(found) > 30:
        return
    strength = _strengths(learnt, codes[learnt_case], len(found))
    ranked = np.argsort(-strength, kind="stable")
    rank = np.empty(len(found), np.int64)
    rank[ranked] = np.arange(len(found))
    rank[found == ""] = len(found)
    known = [str(found[i]) for i in ranked if found[i] != ""]
    # What has none goes last, so that the last one named is worth more than nothing.
    worth = {v: len(known) - i - ("" not in found) for i, v in enumerate(known)}
    terms = " + ".join(f"{n} * ({name} == {v!r})" for v, n in worth.items() if n)
    asked = terms if name in ("cls", "segment") else f"(({terms}) if has({name}) else -1)"
    words = f"{'the class' if attribute == 'cls' else attribute} ({', '.join(known[:4])} first to last)"
    yield _Candidate("RULE", words, rank[codes[case]].astype(np.float64), asked)


def _strengths(choices: Choices, value: NDArray[np.int64], n: int) -> Floats:
    """How strongly each value is preferred: Bradley and Terry's model of what was taken against each that
    was left, by Hunter's (2004) iteration, with half a win of each value over an average one."""
    taken = value[choices.taken][choices.number]
    different = taken != value
    weight = 1 / np.maximum(choices.size - 1, 1)[choices.number][different]
    wins = np.bincount(taken[different] * n + value[different], weight, minlength=n * n).reshape(n, n)
    games = wins + wins.T
    strength = np.ones(n)
    for _ in range(ROUNDS):
        met = (games / (strength[:, None] + strength[None, :])).sum(axis=1) + 1 / (strength + 1)
        strength = (wins.sum(axis=1) + 0.5) / met
    return np.asarray(strength, np.float64)


def _explained(choices: Choices, key: Floats, enabled: Floats) -> tuple[float, float]:
    """The share q of choices that a rule explains, and their log-likelihood under it."""
    order = np.lexsort((enabled, key, choices.number))
    best = order[np.searchsorted(choices.number, np.arange(len(choices.size)))]
    top = (key == key[best][choices.number]) & (enabled == enabled[best][choices.number])
    ties = np.bincount(choices.number, top, minlength=len(choices.size))
    hit = top[choices.taken] / ties
    even = 1 / choices.size
    q = 0.5
    for _ in range(ROUNDS):
        q = float(np.mean(q * hit / (q * hit + (1 - q) * even)))
        q = min(max(q, 1e-9), 1 - 1e-9)
    return q, float(np.log(q * hit + (1 - q) * even).sum())
