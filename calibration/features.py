"""Attributes of cases as numbers that a tree can split, and conditions on them as people write them."""

from __future__ import annotations

import keyword
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats
from calibration.order_sample import usable_attributes
from calibration.settings import OrderSpec
from eventlogs.snapshot import Snapshot
from metagraph.expression_values import FIELDS, number_in

MOST_VALUES = 10
"""Values of an attribute that are told apart, the most frequent ones."""
MOST_COLUMNS = 200
RARE = 30
"""Cases that must have a value for it to be told apart."""
_FUNCTIONS = ("min", "max", "abs", "has", "attr")

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One column of the matrix: an amount, or whether an attribute has a value."""

    attribute: str
    value: str | None
    """None: the attribute is a number."""
    column: Floats
    """One per case; NaN where a number is missing; 1 or 0 for a value."""
    known: Flags
    """Per case: it has the attribute."""


@dataclass(frozen=True, slots=True)
class Condition:
    """On one feature: a number above `low` and at most `high`, or a value that is there or not."""

    feature: int
    low: float = -np.inf
    high: float = np.inf

    def holds(self, features: tuple[Feature, ...]) -> Flags:
        """Per case; not where the attribute is missing."""
        one = features[self.feature]
        found: Flags = one.known & (one.column > self.low) & (one.column <= self.high)
        return found

    def text(self, features: tuple[Feature, ...]) -> str:
        """As an expression on orders."""
        one = features[self.feature]
        name = name_in_expressions(one.attribute)
        if one.value is not None:
            return f"{name} {'==' if self.low >= 0 else '!='} {one.value!r}"
        if np.isinf(self.high):
            return f"{name} > {_written(self.low)}"
        if np.isinf(self.low):
            return f"{name} <= {_written(self.high)}"
        return f"{_written(self.low)} < {name} <= {_written(self.high)}"


def name_in_expressions(attribute: str) -> str:
    """How an expression asks for an attribute."""
    plain = attribute.isidentifier() and attribute.isascii() and not keyword.iskeyword(attribute)
    return attribute if plain and attribute not in (*FIELDS, *_FUNCTIONS) else f"attr({attribute!r})"


def _written(value: float) -> str:
    return f"{value:.15g}"


def features_of(snapshot: Snapshot, spec: OrderSpec) -> tuple[Feature, ...]:
    """Of every case, from its attributes but those that are classes, segments or dates already, or point to
    single orders."""
    names, _ = usable_attributes(snapshot, (spec.due_column, spec.lost_column))
    found: list[Feature] = []
    for name in names:
        if name in (spec.class_column, spec.segment_column):
            continue
        texts = [(value or "").strip() for value in snapshot.attributes[name]]
        known = np.array([bool(text) for text in texts], np.bool_)
        numbers = [number_in(text) if text else None for text in texts]
        column = np.array([np.nan if number is None else number for number in numbers], np.float64)
        if not np.isnan(column[known]).any() and len(np.unique(column[known])) > 2:
            found.append(Feature(name, None, column, known))
            continue
        common = [v for v, n in Counter(filter(None, texts)).most_common(MOST_VALUES) if n >= RARE]
        if len(common) == 1 and sum(known) == texts.count(common[0]):
            continue
        found += [
            Feature(name, value, np.array([float(text == value) for text in texts]), known)
            for value in common
        ]
    return tuple(found[:MOST_COLUMNS])
