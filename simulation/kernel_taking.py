"""What is taken out of the kernel's arrays: snapshots and results."""

from __future__ import annotations

import numpy as np

from simulation.kernel_layout import GONE
from simulation.kernel_memory import Array, Memory
from simulation.program import Floats, Program
from simulation.run import Log, Run, Stopped, Tally, frozen
from simulation.session import COLLECTED, DELAYED, FOLLOWING, JOURNEY, LIVE, WORKING, Snapshot

_SAME = ("serial", "order", "node", "visit", "after")
_SHOWN = ("status", "agent", "queue", "again", "preemptions", "scale")


def _live(memory: Memory) -> Array:
    """Copies of the live items, by serial; leaders are places among them."""
    items = memory.kept["items"][: memory.number("fresh_item")]
    slots = np.flatnonzero(items["status"] != GONE)
    slots = slots[np.argsort(items["serial"][slots])]
    found: Array = items[slots]
    place = np.full(len(items), -1)
    place[slots] = np.arange(len(slots))
    following = (found["status"] == FOLLOWING) & (found["leader"] >= 0)
    found["leader"] = np.where(following, place[found["leader"]], -1) if len(found) else -1
    return found


def worked(memory: Memory, clocks: Array, t: Array) -> Floats:
    """Working seconds of clocks up to instants, as kernel_clocks.worked finds them."""
    known = memory.known
    found = np.array(t, np.float64)
    for i, (number, at_s) in enumerate(zip(clocks.tolist(), found.tolist(), strict=True)):
        line = known.clocks[number]
        if line["always"]:
            continue
        first, n = int(line["first"]), int(line["n"])
        k = int(np.searchsorted(known.starts[first : first + n], at_s, side="right")) - 1
        if k < 0:
            found[i] = 0.0
            continue
        start, end = known.starts[first + k], known.ends[first + k]
        found[i] = known.done[int(line["done"]) + k] + min(at_s, end) - start
    return found


def _progress(memory: Memory, program: Program, items: Array, t: float) -> Floats:
    """Work done on items since it was counted last; 0 for those that nobody works on now."""
    found = np.zeros(len(items))
    working = items["status"] == WORKING
    alone = working & (items["agent"] < 0)
    found[alone] = t - items["since"][alone]
    mine = np.flatnonzero(working & (items["agent"] >= 0))
    agents = items["agent"][mine]
    clocks = program.network.agents["clock"][agents]
    moved = worked(memory, clocks, np.full(len(mine), t)) - worked(memory, clocks, items["since"][mine])
    shared = program.network.agents["shared"][agents] != 0
    k = memory.kept["crew"]["k"][agents]
    found[mine] = np.where(shared, moved / np.maximum(k, 1), moved)
    return found


def snapshot_of(memory: Memory, program: Program, t: float) -> Snapshot:
    """Everything that lives at t."""
    items = _live(memory)
    progress = _progress(memory, program, items, t)
    rows = np.zeros(len(items), LIVE)
    for name in _SAME:
        rows[name] = items[name]
    rows["enabled_s"] = items["enabled"]
    follows = items["leader"] >= 0
    rows["leader"] = np.where(follows, items["serial"][items["leader"]], -1) if len(items) else -1
    # What follows another one is shown as that one is.
    which = np.where(follows, items["leader"], np.arange(len(items)))
    items, progress = items[which], progress[which]
    for name in _SHOWN:
        rows[name] = items[name]
    rows["status"][items["status"] == FOLLOWING] = WORKING
    status = rows["status"]
    working = status == WORKING
    rows["start_s"] = items["start"]
    rows["ready_s"] = items["ready"]
    rows["place_s"] = np.where((status == DELAYED) | (status == COLLECTED), np.nan, items["place"])
    rows["since_s"] = np.where(working, t, np.where(status == COLLECTED, items["since"], np.nan))
    rows["finish_s"] = np.where(working, items["finish"], np.nan)
    rows["done_s"] = items["done"] + progress
    rows["left_s"] = np.maximum(items["left"] - progress, 0.0)
    n = memory.number("fresh_journey")
    journeys = memory.kept["journeys"][:n]
    slots = np.flatnonzero(journeys["open"])
    slots = slots[np.argsort(journeys["order"][slots])]
    open_ = np.zeros(len(slots), JOURNEY)
    for name in ("order", "tokens", "steps", "history"):
        open_[name] = journeys[name][slots]
    tables = []
    for name, columns in (("visits", "n_visits"), ("merged", "n_merges")):
        width = memory.number(columns)
        tables.append(frozen(memory.kept[name][: n * width].reshape(n, width)[slots]))
    present = memory.kept["crew"]["present"][: memory.number("n_agents")].copy()
    released = memory.kept["collectors"]["released"][: len(program.network.batches)].astype(np.int32)
    return Snapshot(t, frozen(rows), frozen(open_), tables[0], tables[1], frozen(present), frozen(released))


def run_of(
    memory: Memory, program: Program, begin_s: float, end_s: float, stopped: Stopped, *, handed: bool
) -> Run:
    """What happened so far, counted to `end_s`; `handed`: the arrays of ends need not be copied."""
    items = _live(memory)
    ends = [memory.kept[name] if handed else memory.kept[name].copy() for name in ("completed", "lost")]
    return Run(
        program=program,
        engine="kernel",
        log=_log(memory, items) if memory.number("keep_log") else None,
        tally=_tally(memory, program, items, begin_s, end_s),
        completed_s=frozen(ends[0]),
        lost_s=frozen(ends[1]),
        begin_s=begin_s,
        until_s=end_s,
        stopped=stopped,
    )


def _log(memory: Memory, items: Array) -> Log:
    rows = memory.kept["log"][: memory.number("serial")]
    begun = items[~np.isnan(items["start"])]
    at = begun["serial"]
    for name in ("order", "node", "agent", "queue", "preemptions"):
        rows[name][at] = begun[name]
    for name in ("enabled", "ready", "start"):
        rows[f"{name}_s"][at] = begun[name]
    rows["end_s"][at] = np.nan
    rows["begun"][at] = 1
    mine = rows["begun"] != 0
    kept = rows if mine.all() else rows[mine]
    names = (
        "order",
        "node",
        "agent",
        "queue",
        "enabled_s",
        "ready_s",
        "start_s",
        "end_s",
        "preemptions",
    )
    return Log(**{name: frozen(kept[name].copy()) for name in names})


def _tally(memory: Memory, program: Program, items: Array, begin_s: float, end_s: float) -> Tally:
    network = program.network
    nodes, queues, agents = len(network.nodes), len(network.queues), len(network.agents)
    lines, crew = memory.kept["lines"][:queues], memory.kept["crew"][:agents]
    busy_s = crew["busy_s"].copy()
    working = items[(items["status"] == WORKING) & (items["agent"] >= 0)]
    for agent, progress in zip(
        working["agent"].tolist(), _progress(memory, program, working, end_s).tolist(), strict=True
    ):
        busy_s[agent] += progress
    on = np.arange(len(network.clocks))
    on_s = worked(memory, on, np.full(len(on), end_s)) - worked(memory, on, np.full(len(on), begin_s))
    later = end_s > lines["changed"]
    waiting_s = np.where(
        later, lines["waiting_s"] + lines["waiting"] * (end_s - lines["changed"]), lines["waiting_s"]
    )
    longest = np.where(later, np.maximum(lines["longest"], lines["waiting"]), lines["longest"])
    wip_s, wip_most = float(memory.world["wip_s"][0]), memory.number("wip_most")
    open_, since = memory.number("open"), float(memory.world["wip_since"][0])
    if end_s > since:
        wip_s += open_ * (end_s - since)
        wip_most = max(wip_most, open_)
    return Tally(
        started=frozen(memory.kept["started"][:nodes].copy()),
        wait_s=frozen(memory.kept["wait_s"][:nodes].copy()),
        collected_s=frozen(memory.kept["collected_s"][:nodes].copy()),
        busy_s=frozen(busy_s),
        on_s=frozen(on_s[network.agents["clock"]]),
        finished=frozen(crew["finished"].copy()),
        preempted=frozen(crew["preempted"].copy()),
        waiting_s=frozen(waiting_s),
        longest=frozen(longest.astype(np.int64)),
        wip_s=wip_s,
        wip_most=wip_most,
        executions=memory.number("executions"),
    )
