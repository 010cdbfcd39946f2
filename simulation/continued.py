"""A run gone on with on another process: the same orders where they stand, other laws from an instant on.

Nothing is drawn again. What is left of work under way is left, delays end when they would have, numbers of
orders, visits, shifts and breakdowns are those that the run would have used. So a process that changed
nothing goes on as the run would, but for rounding and ties: what waits is valued and offered anew then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import UsageError
from simulation.kept import Kept
from simulation.program import UNKNOWN, Floats, Network, Program, Records, Standing
from simulation.run import Run, Tally, frozen
from simulation.session import COLLECTED, DELAYED, JOURNEY, WAITING, WORKING, Session, Snapshot

if TYPE_CHECKING:
    from simulation.opening import Opening

_GONE = Standing((), 0, {}, {})


@dataclass(frozen=True, slots=True, eq=False)
class Continued(Program):
    """What goes on from an instant of another run. `standing` says only how many orders came by then."""

    opened: Opening
    began_s: float
    """When the first run began, from which breakdowns and shifts are drawn."""


def continued(session: Session, after: Program, at_s: float | None = None) -> Continued:
    """The program that goes on with a run from now on (or `at_s`, up to which nothing is left to happen).

    `after` is a program of the same orders in the same places, lowered for a process with the same nodes and
    agents in the same places; what it says of a state isn't looked at.

    Work under way stays with who does it. Who may not do it any more hands over what is left; where nobody
    who could do it still can, it begins anew. What needed nobody ends as it would have. What waits in a queue
    that is gone chooses again; what was collected where nothing is any more is ready.

    Raises UsageError where nodes, agents or orders differ, or an order came out of turn.
    """
    before, snapshot = session.program, session.snapshot()
    snapshot = snapshot if at_s is None else replace(snapshot, at_s=at_s)
    if (
        before.network.node_ids != after.network.node_ids
        or before.network.agent_ids != after.network.agent_ids
    ):
        raise UsageError("a run can't go on in a process with other nodes or agents, or in other places")
    releases = after.orders.table["release_s"]
    came = int((np.maximum(releases, before.begin_s) <= snapshot.at_s).sum())
    came = max(came, len(before.standing))
    if len(after.orders) != len(before.orders) or (releases[came:] <= snapshot.at_s).any():
        raise UsageError("a run can't go on with other orders, or orders that aren't sorted by their release")
    network = _remembering(after.network, max(before.network.span, after.network.span))
    return Continued(
        network,
        after.orders,
        (_GONE,) * came,
        after.origin,
        snapshot.at_s,
        _opened(snapshot, before.network, network, came, after.orders.material),
        before.began_s if isinstance(before, Continued) else before.begin_s,
    )


def began_s(program: Program) -> float:
    """From when on breakdowns and shifts are drawn."""
    return program.began_s if isinstance(program, Continued) else program.begin_s


def _remembering(network: Network, span: int) -> Network:
    """The network that keeps histories so long: a process to come may ask for more than this one does."""
    if network.span == span:
        return network
    return _networks.get((network,), span, lambda: replace(network, span=span))


def _opened(
    snapshot: Snapshot, before: Network, after: Network, came: int, material: Floats | None
) -> Opening:
    from simulation.opening import Opening

    live = snapshot.journeys
    at = live["order"]
    journeys = np.zeros(came, JOURNEY)
    journeys["order"] = np.arange(came)
    journeys[at] = live
    journeys["history"][at] = [_history(int(code), before, after) for code in live["history"]]
    visits = np.zeros((came, after.visits), np.int32)
    merged = np.zeros((came, after.merges), np.int32)
    visits[at], merged[at] = snapshot.visits, snapshot.merged
    presence = int(np.searchsorted(after.presence["t"], snapshot.at_s, side="right"))
    nodes = dict(zip(before.batches["node"].tolist(), snapshot.released.tolist(), strict=True))
    released = np.array([nodes.get(int(node), 0) for node in after.batches["node"]], np.int32)
    items = _items(snapshot.items, before, after, snapshot.at_s, material)
    return Opening(items, journeys, visits, merged, snapshot.present.copy(), presence, released)


def _history(code: int, before: Network, after: Network) -> int:
    """A history in the codes of another network."""
    if before.codes == after.codes:
        return code % after.span
    names = {number: name for name, number in before.codes.items()}
    digits = []
    while code:
        code, digit = divmod(code, before.base)
        digits.append(after.codes.get(names.get(digit, ""), UNKNOWN) if digit else 0)
    return reduce(lambda sum_, digit: (sum_ * after.base + digit) % after.span, reversed(digits), 0)


def _items(live: Records, before: Network, after: Network, at_s: float, material: Floats | None) -> Records:
    """What lives, as the new network finds it."""
    items = live.copy()
    place = {int(serial): i for i, serial in enumerate(items["serial"])}
    items["leader"] = [place.get(int(leader), -1) for leader in items["leader"]]
    items["serial"] = np.arange(len(items))
    if before.codes != after.codes:
        items["after"] = [_history(int(code), before, after) for code in items["after"]]
    queues = {name: i for i, name in enumerate(after.queue_ids)}
    moved = np.array([*(queues.get(name, -1) for name in before.queue_ids), -1], np.int32)
    items["queue"] = moved[items["queue"]]
    for i in range(len(items)):
        there_s = -inf
        if material is not None:
            there_s = float(material[items["order"][i], after.nodes["task"][items["node"][i]]])
        _fit(items[i : i + 1], before, after, at_s, there_s)
    working = items["status"] == WORKING
    items["finish_s"][working & (items["agent"] >= 0)] = np.nan
    items["since_s"][items["status"] != COLLECTED] = at_s
    items["place_s"] = np.where(np.isnan(items["place_s"]), items["ready_s"], items["place_s"])
    return items


def _fit(item: Records, before: Network, after: Network, at_s: float, there_s: float) -> None:
    """Change one item, a row, to what its task asks for now; `there_s`: when its material is there."""
    node, agent, status = int(item["node"][0]), int(item["agent"][0]), int(item["status"][0])
    old, new = before.nodes[node], after.nodes[node]
    queues = _queues(after, node)
    if item["queue"][0] not in queues:
        item["queue"] = -1
    if status == DELAYED and old["delay"] >= 0 and new["delay"] < 0:
        item["ready_s"] = max(at_s, there_s)
        status = DELAYED if there_s > at_s else WAITING
    if status == COLLECTED and new["batch"] < 0:
        item["ready_s"] = at_s
        status = WAITING
    able, could = _crew(after, queues), _crew(before, _queues(before, node))
    begun = not np.isnan(item["start_s"][0])
    if begun and could and not able & could:
        _anew(item, at_s)
        status = WAITING
    elif status == WORKING and agent >= 0 and agent not in able:
        status = WAITING
        item["queue"] = -1
    elif status == WORKING and agent >= 0 and item["queue"][0] < 0:
        item["queue"] = next(q for q in queues if agent in _crew(after, {q}))
    item["status"] = status


def _anew(item: Records, at_s: float) -> None:
    """Nothing of the item's work has been done."""
    for name in ("start_s", "finish_s"):
        item[name] = np.nan
    for name in ("done_s", "left_s"):
        item[name] = 0.0
    item["agent"] = item["queue"] = item["leader"] = -1
    item["ready_s"], item["scale"], item["again"] = at_s, 1.0, 0


def _queues(network: Network, node: int) -> set[int]:
    record = network.nodes[node]
    return set(network.task_queues[record["queue"] : record["queue"] + record["queues"]].tolist())


def _crew(network: Network, queues: set[int]) -> set[int]:
    """Who serves the queues."""
    found: set[int] = set()
    for queue in queues:
        record = network.queues[queue]
        found.update(network.queue_agents[record["agent"] : record["agent"] + record["agents"]].tolist())
    return found


def spliced(runs: Sequence[Run]) -> Run:
    """One run of several that went on with each other: what became of the orders, and sums over all of them.

    Queues are those of the last one, so the sums by queue are of it alone; there is no log and no path.
    """
    return reduce(_joined, runs)


def _joined(first: Run, second: Run) -> Run:
    gone = ~np.isnan(first.completed_s) | ~np.isnan(first.lost_s)
    return replace(
        second,
        log=None,
        paths=None,
        begin_s=first.begin_s,
        completed_s=_ends(gone, first.completed_s, second.completed_s),
        lost_s=_ends(gone, first.lost_s, second.lost_s),
        tally=_summed(first.tally, second.tally),
        engine=second.engine if first.engine == second.engine else "reference",
    )


def _ends(gone: NDArray[np.bool_], first: Floats, second: Floats) -> Floats:
    return frozen(np.where(gone, first, second))


def _summed(first: Tally, second: Tally) -> Tally:
    found = {}
    for part in fields(Tally):
        one, other = getattr(first, part.name), getattr(second, part.name)
        if part.name in ("waiting_s", "longest"):
            found[part.name] = other
        elif part.name == "wip_most":
            found[part.name] = max(one, other)
        else:
            found[part.name] = one + other
    return Tally(**found)


_networks: Kept[Network] = Kept(32)
