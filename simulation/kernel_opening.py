"""A state's orders put into the kernel's arrays; the compiled code then gives them to agents and lines."""

from __future__ import annotations

import numpy as np

from metagraph.orders import tabulated
from metagraph.rules import profit
from simulation.kernel_layout import ITEM, JOURNEY
from simulation.kernel_memory import Array, Memory
from simulation.opening import Opening
from simulation.order_extras import points_at
from simulation.program import Program, Rule
from simulation.session import COLLECTED, FOLLOWING, WAITING, WORKING

_SAME = (
    *("order", "node", "visit", "status", "agent", "queue", "after", "again", "preemptions", "serial"),
    *("scale", "leader"),
)
_SHAPE = ("early", "due", "late", "final", "lost")
_COLUMNS = {Rule.SDD: ("due_s", 1.0), Rule.HPCS: ("importance", -1.0), Rule.RULE: ("rule", -1.0)}
"""Rules that go by a column of the orders, and its sign in the key."""
_TIMES = {
    "enabled_s": "enabled",
    "ready_s": "ready",
    "place_s": "place",
    "start_s": "start",
    "done_s": "done",
    "left_s": "left",
    "finish_s": "finish",
}


def put_opening(memory: Memory, program: Program, found: Opening, begin_s: float) -> None:
    """Items in the slots of their serials, journeys in those of their orders; arg0 of them wait, arg1 are
    collected."""
    _present(memory, found)
    if found.released is not None:
        memory.kept["collectors"]["released"][: len(found.released)] = found.released
    world, n, orders = memory.world, len(found.items), len(found.journeys)
    memory.world["arg0"] = memory.world["arg1"] = 0
    if not orders:
        return
    memory.items_for(n + 20_000)
    memory.journeys_for(orders + 64)
    if memory.number("keep_log"):
        memory.log_for(2 * n + 20_000)
    _journeys(memory, program, found, begin_s)
    items = memory.kept["items"][:n]
    items[:] = np.zeros(1, ITEM)
    for name in _SAME:
        items[name] = found.items[name]
    for name, mine in _TIMES.items():
        items[mine] = found.items[name]
    items["journey"] = found.items["order"]
    items["line"] = -1
    items["halted"] = -np.inf
    items["since"] = found.items["since_s"]
    _follow(items)
    _value(items, program, begin_s)
    waiting = np.flatnonzero(items["status"] == WAITING)
    collected = np.flatnonzero(items["status"] == COLLECTED)
    listed = np.concatenate([_by(items, waiting, "ready"), _by(items, collected, "since")])
    memory.kept["slot_scratch"][: len(listed)] = listed
    world["arg0"], world["arg1"] = len(waiting), len(collected)
    world["fresh_item"] = world["used_items"] = world["serial"] = n


def _value(items: Array, program: Program, t: float) -> None:
    """What decides how urgent the work under way is, or nothing could tell whether to interrupt it."""
    network, orders = program.network, program.orders
    rules = network.queues["rule"]
    shape = [float(network.policy[0][name]) for name in _SHAPE]
    for slot in np.flatnonzero((items["status"] == WORKING) & (items["queue"] >= 0)).tolist():
        item, rule = items[slot], Rule(int(rules[items["queue"][slot]]))
        order = orders.table[item["order"]]
        if rule in (Rule.HP, Rule.AVERAGE):
            dates = [float(order[name]) for name in ("value", "early_s", "due_s", "lost_s")]
            curve = shape if orders.curves is None else orders.curves[item["order"]].tolist()
            points = points_at(orders, int(item["order"]))
            items["profit"][slot] = tabulated(points, t) if points else profit(t, *dates, *curve)
        if rule == Rule.HP:
            items["key"][slot] = -items["profit"][slot]
        elif rule == Rule.LIFO:
            items["key"][slot] = -item["place"]
        elif rule in _COLUMNS:
            name, sign = _COLUMNS[rule]
            items["key"][slot] = sign * order[name]
        elif rule == Rule.RANK:
            task = network.nodes["task"][item["node"]]
            items["key"][slot] = np.inf if orders.ranks is None else orders.ranks[item["order"], task]


def _by(items: Array, slots: Array, name: str) -> Array:
    """Slots by an instant, then order and serial."""
    found: Array = slots[np.lexsort((items["serial"][slots], items["order"][slots], items[name][slots]))]
    return found


def _follow(items: Array) -> None:
    """Chain those that follow another item."""
    items["follow"] = -1
    last: dict[int, int] = {}
    for slot in np.flatnonzero(items["leader"] >= 0).tolist():
        leader = int(items["leader"][slot])
        before = last.get(leader, -1)
        items["status"][slot], items["sibling"][slot], items["before"][slot] = FOLLOWING, -1, before
        if before < 0:
            items["follow"][leader] = slot
        else:
            items["sibling"][before] = slot
        last[leader] = slot


def _journeys(memory: Memory, program: Program, found: Opening, begin_s: float) -> None:
    n = len(found.journeys)
    journeys = memory.kept["journeys"][:n]
    journeys[:] = np.zeros(1, JOURNEY)
    for name in ("order", "tokens", "steps", "history"):
        journeys[name] = found.journeys[name]
    for name in ("cls", "segment"):
        journeys[name] = program.orders.table[name][journeys["order"]]
    journeys["head"] = journeys["tail"] = -1
    journeys["open"] = journeys["tokens"] > 0
    for name, given in (("visits", found.visits), ("merged", found.merged)):
        memory.kept[name][: given.size] = given.reshape(-1)
    memory.kept["completed"][journeys["order"][journeys["tokens"] == 0]] = begin_s
    memory.world["fresh_journey"] = n


def _present(memory: Memory, found: Opening) -> None:
    """Who is there, and the places of all who are idle."""
    idle = memory.tables.idle(np.asarray(found.present) != 0)
    memory.kept["crew"]["present"][: len(found.present)] = found.present
    memory.world["shown"] = found.presence
    lines = memory.kept["lines"]
    lines["present"][: len(idle.present)] = idle.present
    lines["idle"][: len(idle.idle)] = idle.idle
    memory.kept["idle_bits"][: len(idle.bits)] = idle.bits
