"""How the graphs of two twins differ: tasks, how they stand to each other, and which ways are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from metagraph.blocks import Block, Choice, Leaf, Loop, Parallel, labels, parts_of
from metagraph.blocks import Sequence as Row
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.parse_blocks import parse_blocks
from twin.diff import Difference, Test, Verdict, both
from twin.diff_gateways import WHOLE, gateway_differences
from twin.diff_tests import Basis, Logs, counts_test, share_change
from twin.renames import renames
from twin.words import few, percent

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

BEFORE, AFTER, BESIDE, INSTEAD, LOOP = "before", "after", "beside", "instead of", "repeated through"
_OTHER = {BEFORE: AFTER, AFTER: BEFORE}


def differences(
    before: Metagraph,
    after: Metagraph,
    basis: Basis,
    logs: Logs | None,
    tell: Callable[[str], None],
) -> list[Difference]:
    """Of structure and routing. `tell` is told where a graph can't be compared."""
    found = list(_presence(before, after, basis, logs))
    try:
        blocks = both(lambda model: _in_log_words(parse_blocks(model), model), (before, after))
    except DataError as error:
        tell(f"Structure and routing were not compared: {error}.")
        return found
    stands = list(_standing(blocks[0], blocks[1], basis, logs))
    touched = {d.what for d in (*found, *stands)}
    found += stands
    return found + list(gateway_differences((before, after), blocks, basis, logs, touched))


def log_names(model: Metagraph) -> dict[str, str]:
    """The twin's name of each activity -> the log's."""
    old = {new: log for log, new in renames(model).items()}
    return {task.label: old.get(task.label, task.label) for task in model.tasks()}


def tasks_of(model: Metagraph) -> dict[str, Task]:
    """Tasks by the log's name of their activity."""
    names = log_names(model)
    return {names[task.label]: task for task in model.tasks()}


def executions(task: Task) -> int:
    """How often the log shows the task, as far as the twin tells."""
    return max(task.durations.default.n, task.waits.n if task.waits else 0)


def _presence(before: Metagraph, after: Metagraph, basis: Basis, logs: Logs | None) -> Iterator[Difference]:
    """Tasks that only one of the twins has."""
    models, known = (before, after), logs.basis if logs else basis
    tasks = both(tasks_of, models)
    cases = both(lambda model: float(model.provenance.cases if model.provenance else 0), models)
    for name in sorted(tasks[0].keys() ^ tasks[1].keys()):
        if logs is not None:
            seen = both(_cases_with, logs.pair, name)
        else:
            seen = _least(tasks[0].get(name), cases[0]), _least(tasks[1].get(name), cases[1])
        hand = _by_hand(name, before, after)
        absent = max(cases[0] - seen[0], 0.0), max(cases[1] - seen[1], 0.0)
        table = (seen[0], absent[0]), (seen[1], absent[1])
        test = None if hand else counts_test(table, known)
        shares = seen[0] / max(cases[0], 1.0), seen[1] / max(cases[1], 1.0)
        told = _in_orders(shares[0], name in tasks[0]), _in_orders(shares[1], name in tasks[1])
        # That there is such a task at all is never small.
        change = replace(share_change(shares, cases, "of the orders", known), scale="number")
        decided = hand or basis.same
        yield Difference("structure", name, told, change, test, "decided" if decided else "untested")


def _least(task: Task | None, cases: float) -> float:
    """In how many orders a task was done at most, as far as its twin tells."""
    return min(float(executions(task)), cases) if task is not None else 0.0


def _in_orders(share: float, there: bool) -> str:
    return f"in {percent(share)} of the orders" if there else "no such task"


def _by_hand(name: str, before: Metagraph, after: Metagraph) -> bool:
    dropped = {o.target for model in (before, after) for o in model.overrides if o.field == "drop"}
    return f"activity {name}" in dropped


def _cases_with(snapshot: Snapshot, activity: str) -> float:
    import numpy as np

    if activity not in snapshot.activities:
        return 0.0
    rows = snapshot.activity == snapshot.activities.index(activity)
    return float(len(np.unique(snapshot.case_of_row()[rows])))


def _in_log_words(block: Block, model: Metagraph) -> Block:
    names = log_names(model)
    match block:
        case Leaf(node, label):
            return Leaf(node, names[label])
        case Row(items):
            return Row(tuple(_in_log_words(item, model) for item in items))
        case Choice(split, merge, branches):
            return Choice(split, merge, tuple(_in_log_words(b, model) for b in branches))
        case Parallel(split, merge, branches, some):
            return Parallel(split, merge, tuple(_in_log_words(b, model) for b in branches), some)
        case Loop(start, end, body, redos):
            return Loop(start, end, _in_log_words(body, model), tuple(_in_log_words(r, model) for r in redos))
    return block


def relations(block: Block) -> dict[tuple[str, str], str]:
    """How each activity stands to each other one, both ways."""
    found: dict[tuple[str, str], str] = {}
    match block:
        case Row():
            how = BEFORE
        case Choice():
            how = INSTEAD
        case Parallel():
            how = BESIDE
        case _:
            how = LOOP
    parts = parts_of(block)
    for i, part in enumerate(parts):
        found |= relations(part)
        for other in parts[i + 1 :]:
            # Ways to redo stand for each other, as the branches of a choice do.
            between = INSTEAD if isinstance(block, Loop) and i else how
            for a in labels(part):
                for b in labels(other):
                    found[a, b], found[b, a] = between, _OTHER.get(between, between)
    return found


def _standing(before: Block, after: Block, basis: Basis, logs: Logs | None) -> Iterator[Difference]:
    """Activities that stand to others in another way, as few as tell it all."""
    old, new = relations(before), relations(after)
    common = labels(before) & labels(after)
    changed = {
        pair: (how, new[pair])
        for pair, how in old.items()
        if pair in new and common.issuperset(pair) and how != new[pair]
    }
    pairs = len(common) * (len(common) - 1)
    if len(changed) > max(pairs / 2, 6):
        many = f"{len(changed) // 2} of {pairs // 2} pairs of tasks stand otherwise to each other"
        note = "the two drawings have little in common"
        verdict: Verdict = "decided" if basis.same else "untested"
        yield Difference("structure", WHOLE, ("", many), verdict=verdict, note=note)
        return
    while changed:
        counted = Counter(a for a, _ in changed)
        name = min(counted, key=lambda a: (-counted[a], a))
        mine = {b: how for (a, b), how in changed.items() if a == name}
        changed = {pair: how for pair, how in changed.items() if name not in pair}
        told = both(_stands, (0, 1), mine)
        test = neighbours_test(logs, name)
        verdict = "decided" if basis.same else "untested"
        yield Difference("structure", name, told, test=test, verdict=verdict)


def _stands(side: int, changed: Mapping[str, tuple[str, str]]) -> str:
    """'before A, B; beside C'."""
    others = {name: how[side] for name, how in changed.items()}
    ways = {
        how: sorted(b for b, found in others.items() if found == how) for how in sorted(set(others.values()))
    }
    return "; ".join(f"{how} {few(names, 4)}" for how, names in ways.items())


def neighbours_test(logs: Logs | None, activity: str) -> Test | None:
    """Whether other activities come right after or right before it (the likelier of both, corrected)."""
    if logs is None or logs.basis.same:
        return None
    best: Test | None = None
    for step in (1, -1):
        old, new = (_neighbours(snapshot, activity, step) for snapshot in logs.pair)
        names = sorted(old.keys() | new.keys())
        test = counts_test(([old[n] for n in names], [new[n] for n in names]), logs.basis)
        if test is not None and (best is None or test.p < best.p):
            best = test
    if best is None:
        return None
    return Test(
        f"{best.name} of what comes right after and before it",
        best.n_before,
        best.n_after,
        min(1.0, 2 * best.p),
    )


def _neighbours(snapshot: Snapshot, activity: str, step: int) -> Counter[str]:
    """How often which activity is the next one (step 1) or the one before (−1), in the order of ends.

    Where a case ends isn't counted: whether it is over is judged, and for each log in its own way.
    """
    import numpy as np

    if activity not in snapshot.activities:
        return Counter()
    case = snapshot.case_of_row()
    done = ~np.isnan(snapshot.end_s)
    rows = np.flatnonzero((snapshot.activity == snapshot.activities.index(activity)) & done)
    beside = rows + step
    inside = (beside >= 0) & (beside < snapshot.n_events)
    rows, beside = rows[inside], beside[inside]
    beside = beside[(case[beside] == case[rows]) & done[beside]]
    return Counter(snapshot.activities[code] for code in snapshot.activity[beside].tolist())
