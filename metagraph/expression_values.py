"""What expressions on orders compute with: numbers, yes and no, texts, and what orders say of themselves."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from metagraph.faults import listed, shown
from metagraph.orders import Order

FIELDS: Mapping[str, str] = {
    "id": "id",
    "cls": "cls",
    "segment": "segment",
    "value": "value",
    "release_h": "release_s",
    "early_h": "early_s",
    "due_h": "due_s",
    "lost_h": "lost_s",
}
"""Name in expressions -> field of Order; those that end in _h are in hours."""
_SAID = ("id", "cls", "segment")


class Said(str):
    """A text that an order brings: it counts as a number where it is one and a number is asked for."""

    __slots__ = ()


Value = float | bool | str
Give = Callable[[Order], Value]

_ORDERED: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def field_of(name: str) -> Give:
    """One of FIELDS. Raises LookupError where an order doesn't have it."""
    field = FIELDS[name]
    if name in _SAID:
        return lambda order: Said(getattr(order, field))
    unit = 1.0 if name == "value" else 3600.0

    def give(order: Order) -> float:
        found: float | None = getattr(order, field)
        if found is None:
            raise LookupError(f"it has no {name}; give it one, or ask has({name}) first")
        return found / unit

    return give


def attribute_of(name: str) -> Give:
    """An attribute. Raises LookupError, listing those that an order has, where it isn't among them."""

    def give(order: Order) -> Value:
        found = order.attributes.get(name)
        if not found:
            others = listed([*FIELDS, *sorted(order.attributes)], 20)
            raise LookupError(f"it has no attribute {name}; known of it are {others}")
        return Said(found)

    return give


def numeric(value: Value) -> float:
    """The value as a number, yes as 1 and no as 0. Raises ValueError for text."""
    if isinstance(value, str):
        number = number_in(value) if isinstance(value, Said) else None
        if number is None:
            raise ValueError(f"{shown_value(value)} is text where a number is needed")
        return number
    return float(value)


def logical(value: Value) -> bool:
    """The value of a yes-or-no question. Raises ValueError for anything else."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{shown_value(value)} is neither yes nor no; compare it with something")


def number_in(text: str) -> float | None:
    """The finite number that a text is, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def compare(name: str, one: Value, other: Value | tuple[Value, ...]) -> bool:
    """`one name other`. Raises ValueError where text is compared with a number."""
    if isinstance(other, tuple):
        found = any(_equal(one, item) for item in other)
        return found if name == "in" else not found
    if name in ("==", "!="):
        return _equal(one, other) == (name == "==")
    if isinstance(one, str) and isinstance(other, str):
        a, b = _alike(one, other)
        return _ORDERED[name](a, b)  # type: ignore[arg-type]
    return _ORDERED[name](numeric(one), numeric(other))


def _equal(one: Value, other: Value) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        a, b = _alike(one, other)
        return a == b
    return numeric(one) == numeric(other)


def _alike(one: str, other: str) -> tuple[Value, Value]:
    """Two texts as numbers if orders said both and both are numbers, else as they are."""
    if isinstance(one, Said) and isinstance(other, Said):
        a, b = number_in(one), number_in(other)
        if a is not None and b is not None:
            return a, b
    return str(one), str(other)


def binary(name: str, left: Give, right: Give) -> Give:
    """Arithmetic on two numbers."""
    function = _ARITHMETIC[name]
    return lambda order: function(numeric(left(order)), numeric(right(order)))


def negated(inner: Give) -> Give:
    return lambda order: -numeric(inner(order))


def shown_value(value: Value) -> str:
    """A value as a reader would write it."""
    return shown(str(value)) if isinstance(value, str) else f"{value:g}" if value is not True else "True"
