"""What something else would change for a quoted order: first in line, another policy, one more agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from metagraph.model import Metagraph
from metagraph.policies import Policy
from twin.futures import Future
from twin.outlook import Alternative
from twin.progress import Progress
from twin.quote_asked import QUOTED, Asked
from twin.quoted import Quoted
from twin.sampling import expected
from twin.words import span

MOST_QUEUES = 3
"""One more agent is tried in so many queues: those in which the order waits longest."""
FIRST = "first"
_RICH = 1e12
"""Money that no other order is worth."""
_BY_WORTH = frozenset({"HP", "SDD"})


def alternatives(
    future: Future,
    base: Sequence[Quoted],
    asked: Asked,
    dates: Mapping[str, datetime],
    *,
    workers: int | None,
    progress: Progress,
) -> tuple[tuple[Alternative, ...], tuple[str, ...]]:
    """Each on the same random numbers as `base`, which the future made; and what couldn't be tried. What each
    changes of the simulated dates it changes of `dates`, those that are promised."""
    from twin.quote import quoted

    tried, notes = _tried(future, base, asked)
    found = []
    for i, (kind, name, other, what) in enumerate(tried):
        part = progress.part(i / len(tried), (i + 1) / len(tried))
        made = quoted(other, len(base), workers=workers, progress=part).values
        found.append(_compared(kind, name, what, future, base, made, dates))
    agents = sorted((one for one in found if one.kind == "agent"), key=lambda one: one.lead_h.mean)
    return (*(one for one in found if one.kind != "agent"), *agents), notes


_Tried = tuple[str, str, Future, str]


def _tried(future: Future, base: Sequence[Quoted], asked: Asked) -> tuple[list[_Tried], tuple[str, ...]]:
    """Kind, name, the future with it, and how a sentence calls it."""
    tried: list[_Tried] = []
    notes: list[str] = []
    for name, policy in asked.against:
        tried.append(("policy", name, replace(future, policy=policy), f"under the policy {name}"))
    if not asked.alternatives:
        return tried, ()
    first = _first(future)
    if first is None:
        notes.append(
            "what it would change to put the order first can't be told under this policy, only under first "
            "come, first served, HP, SDD and averages with these"
        )
    else:
        tried.insert(0, ("priority", FIRST, first, "put first in every queue"))
    more = one_more_each(future.metagraph, list(_waited(base)))[:MOST_QUEUES]
    for queue, twin, who in more:
        what = f"with one more agent like {who} in queue {queue}"
        tried.append(("agent", queue, replace(future, metagraph=twin), what))
    if not more:
        notes.append("it waits for no busy agent: one more of them would change nothing")
    return tried, tuple(notes)


def _first(future: Future) -> Future | None:
    """The future with the new order before all others, without interrupting anybody where nobody would be;
    None where the policy can't be told to."""
    policy = future.policy if future.policy is not None else Policy()
    if not isinstance(policy, Policy):
        return None
    rules = set(policy.priorities) or {queue.priority for queue in future.metagraph.queues}
    if rules <= {"FIFO"}:
        rule = f"1 if id == '{QUOTED}' else 0"
        return replace(
            future, policy=replace(policy, priorities=("RULE",), rule=rule, preemption=False, schedule=None)
        )
    if not (policy.priorities or len(rules) == 1) or not rules & _BY_WORTH:
        return None
    order = future.extra[0]
    urgent = replace(order, value=_RICH, due_s=order.release_s if "SDD" in rules else order.due_s)
    return replace(future, extra=(urgent, *future.extra[1:]))


def _waited(base: Sequence[Quoted]) -> Iterator[str]:
    """Queues in which something is before the order, the most working hours first."""
    hours: dict[int, float] = {}
    for sample in base:
        for queue, ahead_h in zip(sample.queue.tolist(), sample.ahead[1].tolist(), strict=True):
            if queue >= 0 and ahead_h > 0:
                hours[queue] = hours.get(queue, 0.0) + ahead_h
    for queue in sorted(hours, key=lambda q: (-hours[q], q)):
        yield base[0].queues[queue]


def one_more_each(metagraph: Metagraph, queues: Sequence[str]) -> list[tuple[str, Metagraph, str]]:
    """For each queue the twin with one more agent like the first of its own, who does all that this one does,
    and who that is. Once for agents who serve the same queues at the same hours: one more is one more,
    whichever of them it is like."""
    found, kinds = [], set()
    for queue in queues:
        twin, who = one_more(metagraph, queue)
        like = next(agent for agent in metagraph.agents if agent.id == who)
        serves = frozenset(one.id for one in metagraph.queues if who in one.agents)
        kind = (serves, like.calendar, like.capacity)
        if kind not in kinds:
            kinds.add(kind)
            found.append((queue, twin, who))
    return found


def one_more(metagraph: Metagraph, queue: str) -> tuple[Metagraph, str]:
    """The twin with one more agent like the first of a queue's, who does all that this one does; and who that
    is."""
    from twin.edits import edited
    from twin.scenario_sections import HireSection, Scenario

    like = next(q for q in metagraph.queues if q.id == queue).agents[0]
    scenario = Scenario(name=f"one more in {queue}", hire=(HireSection(like=like),))
    return edited(metagraph, scenario).metagraph, like


def _compared(
    kind: str,
    name: str,
    what: str,
    future: Future,
    base: Sequence[Quoted],
    made: Sequence[Quoted],
    dates: Mapping[str, datetime],
) -> Alternative:
    from twin.quote import done_s, promises

    lead = expected((done_s(made) - done_s(base)) / 3600)
    pairs = zip(base, made, strict=True)
    others = [
        float(np.mean(new.others_s - old.others_s)) / 3600 if len(old.others_s) else 0.0 for old, new in pairs
    ]
    before = promises(base, future.origin)
    now = future.origin + timedelta(seconds=future.state.at_s)
    return Alternative(
        kind="priority" if kind == "priority" else "policy" if kind == "policy" else "agent",
        name=name,
        lead_h=lead,
        others_h=expected(others),
        dates={
            level: max(dates[level] + (then - before[level]), now)
            for level, then in promises(made, future.origin).items()
        },
        text=_sentence(what, lead.mean, lead.low, lead.high, len(base)),
    )


def _sentence(what: str, mean: float, low: float | None, high: float | None, n: int) -> str:
    """'put first in every queue, it is done 2.1 h earlier (1.8 h to 2.4 h)'"""
    word = "earlier" if mean < 0 else "later"
    if low is None or high is None:
        return f"{what}, it is done {span(3600 * abs(mean))} {word} in the one future that was simulated"
    if low <= 0 <= high:
        if low == high:
            return f"{what}, nothing changes in any of {n} futures"
        return (
            f"{what}, {n} futures can't tell whether it is done earlier or later (between "
            f"{span(-3600 * low)} earlier and {span(3600 * high)} later)"
        )
    near, far = sorted((abs(low), abs(high)))
    around = f"{span(3600 * near)} to {span(3600 * far)}"
    return f"{what}, it is done {span(3600 * abs(mean))} {word} on average ({around})"
