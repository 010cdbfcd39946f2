"""Orders as arrays: made from a metagraph's orders, numbered ones, and several put together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import overload

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.orders import Order, ProfitShape
from simulation.lowering_names import Names, names_of
from simulation.order_extras import (
    joined_material,
    joined_tables,
    material_at,
    material_of,
    points_at,
    tables_of,
)
from simulation.program import ORDER, Floats, Orders

WORTH = (1.0, 1.0, 1.0, 1.0, 0.0)
"""Shares of its value that an order without a profit curve yields: all of it until it is lost."""


class Ids(Sequence[str]):
    """Ids of orders: some as they are, some numbered; nothing is written before it is asked."""

    __slots__ = ("_ends", "parts")

    def __init__(self, *parts: tuple[str, ...] | Numbered) -> None:
        self.parts = parts
        self._ends = list(accumulate(len(part) for part in parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        index = range(len(self))[index]
        part = bisect_right(self._ends, index)
        return self.parts[part][index - self._ends[part]]

    def __iter__(self) -> Iterator[str]:
        for part in self.parts:
            yield from part


class Numbered(Sequence[str]):
    """The ids PREFIX1 to PREFIXn."""

    __slots__ = ("n", "prefix")

    def __init__(self, prefix: str, n: int) -> None:
        self.prefix = prefix
        self.n = n

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(self.n)[index])
        return f"{self.prefix}{range(1, self.n + 1)[index]}"

    def number(self, name: str) -> int:
        """Which one of PREFIX1, PREFIX2, ... a name is, however many there are; 0: none of them."""
        digits = name[len(self.prefix) :]
        if not name.startswith(self.prefix) or not (digits.isascii() and digits.isdigit()):
            return 0
        return 0 if digits.startswith("0") else int(digits)


class TakenAfter(Sequence[Mapping[str, str]]):
    """Attributes of orders of which many are alike: the few kinds, and which of them each order is."""

    __slots__ = ("kinds", "of")

    def __init__(self, kinds: Sequence[Mapping[str, str]], of: NDArray[np.int64]) -> None:
        self.kinds = tuple(kinds)
        self.of = of

    def __len__(self) -> int:
        return len(self.of)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Mapping[str, str], ...]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, str] | tuple[Mapping[str, str], ...]:
        if isinstance(index, slice):
            return tuple(self.kinds[i] for i in self.of[index].tolist())
        return self.kinds[int(self.of[index])]

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        return (self.kinds[i] for i in self.of.tolist())


def parts_of(ids: Sequence[str]) -> tuple[tuple[str, ...] | Numbered, ...]:
    """The pieces that ids are made of."""
    if isinstance(ids, Ids):
        return ids.parts
    return (ids if isinstance(ids, Numbered) else tuple(ids),)


def orders_of(metagraph: Metagraph, orders: Sequence[Order]) -> Orders:
    """Orders as arrays, by their place in the sequence; what they lack is written as ORDER says.

    Raises DataError for material of a task that the process doesn't have.
    """
    names, importance = names_of(metagraph), metagraph.orders.segment_priority
    table = np.array(
        [
            (
                order.release_s,
                0.0 if order.value is None else order.value,
                order.release_s if order.early_s is None else order.early_s,
                inf if order.due_s is None else order.due_s,
                inf if order.lost_s is None else order.lost_s,
                importance.get(order.segment, 0.0),
                0.0,
                names.classes.get(order.cls, 0),
                names.segments.get(order.segment, 0),
            )
            for order in orders
        ],
        ORDER,
    )
    own = any(order.profit is not None for order in orders)
    shape = metagraph.orders.profit
    points, points_first = tables_of(orders)
    return Orders(
        ids=tuple(order.id for order in orders),
        table=table,
        attributes=tuple(o.attributes for o in orders) if any(o.attributes for o in orders) else None,
        curves=np.array([_curve(order.profit or shape) for order in orders]) if own else None,
        points=points,
        points_first=points_first,
        material=material_of(orders, names.tasks),
    )


def _curve(shape: ProfitShape | None) -> tuple[float, float, float, float, float]:
    return WORTH if shape is None else (shape.early, shape.due, shape.late, shape.final, shape.lost)


def joined(metagraph: Metagraph, first: Orders, second: Orders) -> Orders:
    """The orders of both, one after the other; what only lowering fills in is left out."""
    if not len(first) or not len(second):
        found = first if len(first) else second
        return Orders(
            found.ids,
            found.table,
            found.attributes,
            curves=found.curves,
            points=found.points,
            points_first=found.points_first,
            material=found.material,
        )
    points, points_first = joined_tables(first, second)
    return Orders(
        ids=Ids(*parts_of(first.ids), *parts_of(second.ids)),
        table=np.concatenate([first.table, second.table]),
        attributes=_attributes(first, second),
        curves=_curves(metagraph, first, second),
        points=points,
        points_first=points_first,
        material=joined_material(first, second),
    )


def _attributes(first: Orders, second: Orders) -> Sequence[Mapping[str, str]] | None:
    if first.attributes is None and second.attributes is None:
        return None
    one, other = (_taken_after(part) for part in (first, second))
    return TakenAfter((*one.kinds, *other.kinds), np.concatenate([one.of, other.of + len(one.kinds)]))


def _taken_after(orders: Orders) -> TakenAfter:
    found = orders.attributes
    if isinstance(found, TakenAfter):
        return found
    if found is None:
        return TakenAfter(({},), np.zeros(len(orders), np.int64))
    return TakenAfter(found, np.arange(len(found)))


def attribute_names(orders: Orders, taken: Collection[str]) -> tuple[str, ...]:
    """Attributes that any order could have, as column names of a log that has those in `taken` already."""
    found = orders.attributes
    kinds = found.kinds if isinstance(found, TakenAfter) else found or ()
    names = dict.fromkeys(name for kind in kinds for name in kind)
    return tuple(name for name in names if name.casefold() not in taken)


def _curves(metagraph: Metagraph, first: Orders, second: Orders) -> Floats | None:
    if first.curves is None and second.curves is None:
        return None
    common = np.array(_curve(metagraph.orders.profit))
    parts = [np.tile(common, (len(p), 1)) if p.curves is None else p.curves for p in (first, second)]
    return np.concatenate(parts)


def as_orders(names: Names, orders: Orders) -> Iterator[Order]:
    """Each one as a plain value again; classes and segments that the metagraph doesn't name are ''."""
    codes = by_code(names.classes), by_code(names.segments), by_code(names.tasks)
    return (order_at(orders, index, *codes) for index in range(len(orders)))


def by_code(codes: Mapping[str, int]) -> dict[int, str]:
    """Names by their codes."""
    return {code: name for name, code in codes.items()}


def order_at(
    orders: Orders,
    index: int,
    classes: Mapping[int, str],
    segments: Mapping[int, str],
    tasks: Mapping[int, str],
) -> Order:
    """One order as a plain value again; its class and segment by their codes, '' if they aren't known."""
    points = points_at(orders, index)
    curves = None if points else orders.curves
    release_s, value, early_s, due_s, lost_s, _, _, cls, segment = orders.table[index].item()
    return Order(
        id=orders.ids[index],
        release_s=release_s,
        cls=classes.get(cls, ""),
        segment=segments.get(segment, ""),
        value=value or None,
        early_s=None if early_s == release_s else early_s,
        due_s=None if due_s == inf else due_s,
        lost_s=None if lost_s == inf else lost_s,
        attributes={} if orders.attributes is None else orders.attributes[index],
        profit=None if curves is None else ProfitShape(*curves[index].tolist()),
        profit_points=points,
        material_s=material_at(orders, index, tasks),
    )
