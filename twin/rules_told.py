"""The rules that a twin works by, in sentences: at gateways, in queues, of work side by side, of heaps."""

from __future__ import annotations

import re

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
    return [
        f"What goes first at {few(dict.fromkeys(labels))}: {order_text(rule)}."
        for rule, labels in tasks.items()
    ]


_RULES = {
    "LIFO": "last come, first served",
    "SDD": "the soonest due date",
    "SERPT": "the shortest expected remaining work",
    "HP": "the highest profit",
    "HPCS": "the most important customers",
}
_VALUE = re.compile(r"(\d+) \* \(([^()]+|attr\([^()]*\)) == ('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)")
_AMOUNT = re.compile(r"(-?)\((.+) if has\(\2\) else \S+\)")


def order_text(rule: str) -> str:
    """A rule of queues as a person would say it: 'customer = vip, then gold, then all others'."""
    if rule in _RULES:
        return _RULES[rule]
    if amount := _AMOUNT.fullmatch(rule):
        sign, name = amount.groups()
        return f"the {'lowest' if sign else 'highest'} {rule_text(name)}"
    values = _VALUE.findall(rule)
    names = {name for _, name, _ in values}
    rest = _VALUE.sub("", rule).replace(" + ", "").strip("() ")
    if not values or len(names) > 1 or not re.fullmatch(r"(if has\(.*\) else -1)?", rest):
        return rule_text(rule)
    ranked = [value[1:-1] for _, _, value in sorted(values, key=lambda one: -int(one[0]))]
    return f"{rule_text(names.pop())} = {', then '.join(ranked)}, then all others"


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
