"""The rules that a twin works by, in sentences: at gateways, in queues, of work side by side, of heaps."""

from __future__ import annotations

from metagraph.agents import UNLIMITED
from metagraph.captions import rule_text
from metagraph.model import Metagraph
from metagraph.routing import Context
from twin.model_words import gateway_names
from twin.words import few, ways_text


def rules_told(metagraph: Metagraph) -> list[str]:
    """Business rules, what goes first, capacities, and heaps of durations; nothing where there is none."""
    return [*_business(metagraph), *_order_of_work(metagraph), *_at_once(metagraph), *_heaps(metagraph)]


def _business(metagraph: Metagraph) -> list[str]:
    names = gateway_names(metagraph) if any(r.rules for r in metagraph.routing) else {}
    told = []
    for routing in metagraph.routing:
        for number, rule in enumerate(routing.rules, 1):
            weights = routing.weights(Context("", "", 0, (), str(number)))
            ways = ", ".join(f"{to} {share}" for to, share in ways_text(metagraph, routing, weights, rule.n))
            seen = "set by hand" if rule.by_hand else f"from {rule.n:,} decisions"
            told.append(f"Business rule {names[routing.node]}: {rule_text(rule.when)} → {ways} ({seen}).")
    return told


def _order_of_work(metagraph: Metagraph) -> list[str]:
    """What goes first, by the tasks whose queues have the rule."""
    tasks: dict[str, list[str]] = {}
    for queue in metagraph.queues:
        if queue.priority != "FIFO":
            rule = metagraph.orders.rule if queue.priority == "RULE" and metagraph.orders else ""
            labels = [task.label for task in metagraph.tasks() if queue.id in task.queues]
            tasks.setdefault(rule or queue.priority, []).extend(labels or [queue.id])
    return [f"What goes first at {few(dict.fromkeys(labels))}: {rule}." for rule, labels in tasks.items()]


def _at_once(metagraph: Metagraph) -> list[str]:
    """Agents who have several things in hand."""
    divided = {"shared": " (dividing its time among them)", "parallel": ""}
    found = [
        f"{agent.id} {agent.capacity:,}{divided[agent.sharing]}"
        for agent in metagraph.agents
        if 1 < agent.capacity < UNLIMITED
    ]
    return [f"Items in hand at once, at most: {few(found)}; all others 1."] if found else []


def _heaps(metagraph: Metagraph) -> list[str]:
    notes = {t.label: t.durations.default.note for t in metagraph.tasks()}
    found = [f"{label} ({note.partition(':')[0]})" for label, note in notes.items() if "multiples of" in note]
    return [f"Durations are heaped at round numbers and kept so: {few(found)}."] if found else []
