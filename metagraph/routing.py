"""How gateways choose: weights of outgoing flows by context, backed off to shorter contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_VISIT = 5
MOST_RULES = 255
"""Business rules that one gateway may have."""


@dataclass(frozen=True, slots=True)
class Level:
    """Which parts of the context a table row is conditioned on."""

    cls: bool = False
    segment: bool = False
    visit: bool = False
    rule: bool = False
    """Which of the gateway's business rules is the first that the order meets."""
    history: int = 0
    """How many of the last completed activities."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of an order when it reaches a gateway."""

    cls: str
    segment: str
    visit: int
    """1 for the first time this order reaches this gateway."""
    history: Sequence[str]
    """Completed activities of the order, oldest first."""
    rule: str = ""
    """Number of the first rule that the order meets, '1' for the first of them; '' if it meets none."""

    def key(self, level: Level) -> tuple[str, ...]:
        """The row key at a level; a history shorter than asked is padded with '' in front."""
        parts: list[str] = []
        if level.cls:
            parts.append(self.cls)
        if level.segment:
            parts.append(self.segment)
        if level.visit:
            parts.append(str(min(self.visit, MAX_VISIT)))
        if level.rule:
            parts.append(self.rule)
        if level.history:
            last = tuple(self.history[-level.history :])
            parts.extend(("",) * (level.history - len(last)) + last)
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class RoutingRow:
    """Weights of the outgoing flows in one context."""

    level: int
    """Index into Routing.levels."""
    key: tuple[str, ...]
    weights: tuple[float, ...]
    """One per flow of the Routing (of an or_split: per subset); non-negative, summing to 1."""
    n: int = 0
    """Decisions observed in this context; 0 if set by hand or by default."""


@dataclass(frozen=True, slots=True)
class BusinessRule:
    """Orders for which a gateway chooses in a way of its own."""

    when: str
    """An expression on orders; an order that lacks what it asks for doesn't meet it."""
    n: int = 0
    """Decisions observed of such orders; 0 if set by hand."""
    by_hand: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Routing:
    """The choice at one gateway. Levels go from the most specific to the least; the first level that has a
    row for the context decides; the last level is the empty one and always has a row."""

    node: str
    flows: tuple[str, ...]
    """Outgoing flow ids, in the order of the weights."""
    levels: tuple[Level, ...]
    rows: tuple[RoutingRow, ...]
    rules: tuple[BusinessRule, ...] = ()
    """Numbered from 1 on; the first that an order meets is its rule, where levels ask for it."""
    subsets: tuple[tuple[str, ...], ...] = ()
    """Of an or_split: flows that are taken together, in the order of the weights; () passes on at once."""

    def outcomes(self) -> tuple[tuple[str, ...], ...]:
        """The flows that each weight stands for."""
        return self.subsets or tuple((flow,) for flow in self.flows)

    def shares(self, weights: Sequence[float]) -> tuple[float, ...]:
        """How often each flow is taken, in the order of the flows, under weights of a row."""
        taken = list(zip(self.outcomes(), weights, strict=True))
        return tuple(sum(w for flows, w in taken if flow in flows) for flow in self.flows)

    def overall(self) -> RoutingRow:
        """The row without context.

        Raises KeyError if there is none.
        """
        for row in self.rows:
            if not row.key:
                return row
        raise KeyError(f"gateway {self.node} has no row without context")

    def weights(self, context: Context) -> tuple[float, ...]:
        """Weights in this context, backed off."""
        table = {(row.level, row.key): row.weights for row in self.rows}
        for i, level in enumerate(self.levels):
            found = table.get((i, context.key(level)))
            if found is not None:
                return found
        return self.overall().weights
