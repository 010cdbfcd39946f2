"""What rests on little: parameters with few observations or a poor fit, and what was assumed instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from metagraph.distributions import ENOUGH, Fitted
from metagraph.model import Default, Metagraph
from twin.model_words import gateway_names


@dataclass(frozen=True, slots=True)
class Scarce:
    """A parameter that rests on fewer observations than ENOUGH, or was not fitted as hoped."""

    where: str
    n: int
    level: str
    """What was pooled; '' where that isn't a matter."""
    ks: float | None
    """Kolmogorov-Smirnov distance to what was observed; None where none was measured."""
    note: str
    """What was done instead; '' where nothing was."""
    few: bool


def scarce(metagraph: Metagraph) -> tuple[Scarce, ...]:
    """Every such parameter, those of durations first, then delays, choices, arrivals and orders."""
    found = []
    for where, fitted in _laws(metagraph):
        if fitted.few or fitted.note:
            found.append(Scarce(where, fitted.n, fitted.level, fitted.ks, fitted.note, fitted.few))
    names = gateway_names(metagraph)
    for routing in metagraph.routing:
        n = routing.overall().n
        if n < ENOUGH:
            note = "" if n else "never seen, or set by hand"
            found.append(Scarce(f"choice {names[routing.node]}", n, "", None, note, True))
    if metagraph.arrivals and metagraph.arrivals.n < ENOUGH:
        found.append(Scarce("arrivals", metagraph.arrivals.n, "", None, "", True))
    return tuple(found)


def _laws(metagraph: Metagraph) -> Iterator[tuple[str, Fitted]]:
    """The distributions in the model, with their names."""
    for task in metagraph.tasks():
        for row in task.durations.rows:
            yield (
                "work of " + " · ".join(filter(None, (task.label, row.cls, row.segment, row.agent))),
                row.fitted,
            )
        if task.delay:
            yield f"delay before {task.label}", task.delay.default
            for activity, fitted in task.delay.after.items():
                yield f"delay before {task.label} after {activity}", fitted
        if task.batch and task.batch.size:
            yield f"size of batches of {task.label}", task.batch.size
    for order_class in metagraph.orders.classes:
        name = " · ".join(filter(None, (order_class.cls, order_class.segment))) or "all orders"
        for what in ("value", "due_after", "patience"):
            law: Fitted | None = getattr(order_class, what)
            if law:
                yield f"{what.replace('_', ' ')} of {name}", law


_KINDS = {
    "People": ("agent", "resource", "calendar", "busy people", "role", "holiday"),
    "Tasks": ("duration", "task", "delay", "batch"),
    "Choices of the process": ("gateway", "choice"),
    "Arrivals and orders": ("arrivals", "attribute", "order", "value", "due"),
}


@dataclass(frozen=True, slots=True)
class Assumption:
    """What the twin assumes in one or more places where the log says nothing."""

    kind: str
    assumed: str
    places: tuple[tuple[str, str], ...]
    """Where, and what was missing there."""

    @property
    def told(self) -> str:
        """The places in words, those that lack the same together."""
        lacking: dict[str, list[str]] = {}
        for where, missing in self.places:
            lacking.setdefault(missing, []).append(where)
        return "; ".join(f"{', '.join(where)}: {missing}" for missing, where in lacking.items())


def assumptions(metagraph: Metagraph) -> tuple[Assumption, ...]:
    """The defaults by kind, those that assume the same together."""
    defaults = metagraph.provenance.defaults if metagraph.provenance else ()
    names = {f"gateway {node}": f"choice {name}" for node, name in gateway_names(metagraph).items()}
    together: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for default in defaults:
        together.setdefault((_kind(default), default.assumed), []).append(
            (names.get(default.where, default.where), default.missing)
        )
    order = [*_KINDS, "The log"]
    found = [Assumption(kind, assumed, tuple(places)) for (kind, assumed), places in together.items()]
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))


def _kind(default: Default) -> str:
    return next((kind for kind, heads in _KINDS.items() if default.where.startswith(heads)), "The log")


_FACTS = {
    "The log": ("import", "time zone", "timestamp", "end of log", "open orders", "window", "seen too rarely"),
    "Structure": (
        "fit",
        "replay",
        "precision",
        "generali",
        "simpl",
        "variant",
        "place",
        "left out",
        "deviat",
    ),
    "Change over time": ("drift", "change", "season"),
    "People": (
        "agent",
        "resource",
        "holiday",
        "side by side",
        "presence",
        "role",
        "calendar",
        "shift",
        "capacit",
    ),
    "Tasks": ("outlier", "heap", "round", "duration", "batch", "priorit", "timeout"),
    "Arrivals and orders": ("arrival", "order", "attribute", "forecast"),
}


def facts(metagraph: Metagraph) -> Mapping[str, Mapping[str, str]]:
    """What import, replay and calibration found, by what it is about."""
    found: dict[str, dict[str, str]] = {}
    for name, fact in (metagraph.provenance.facts if metagraph.provenance else {}).items():
        kind = next((kind for kind, words in _FACTS.items() if any(w in name for w in words)), "Other")
        found.setdefault(kind, {})[name] = fact
    return {kind: found[kind] for kind in (*_FACTS, "Other") if kind in found}
