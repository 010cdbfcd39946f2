"""Expressions on orders: `segment == 'gold' and value > 1000`, `value * (1 if country == 'AT' else 0.5)`.

A small part of Python's grammar, read by Python's parser and interpreted here; nothing is ever executed.
docs/formats.md describes the language.
"""

from __future__ import annotations

import ast
import math
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from metagraph.errors import DataError
from metagraph.expression_values import (
    FIELDS,
    Give,
    Value,
    attribute_of,
    binary,
    compare,
    field_of,
    logical,
    negated,
    numeric,
)
from metagraph.faults import shown
from metagraph.orders import Order

MOST_CHARACTERS = 2000
MOST_PARTS = 400
MOST_DEPTH = 100

_ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_FUNCTIONS = ("min", "max", "abs", "has", "attr")


@dataclass(frozen=True, slots=True)
class Expression:
    """A question about an order, or a number found from it."""

    text: str
    where: str
    """What the expression belongs to; begins every error."""
    names: frozenset[str]
    """Fields and attributes of orders that it looks at."""
    _give: Give = field(repr=False, compare=False)

    def value(self, order: Order) -> float:
        """The number that it gives for the order; yes counts 1 and no 0.

        Raises DataError, naming the order, where it gives text or nothing finite, or where the order lacks
        what it looks at.
        """
        given = self._of(order)
        try:
            number = numeric(given)
        except ValueError as error:
            raise self._refused(order, str(error)) from None
        if not math.isfinite(number):
            raise self._refused(order, f"it gives {number}; expected a finite number")
        return number

    def holds(self, order: Order) -> bool:
        """Whether the order is one of those meant. Raises DataError as `value` does, and for numbers."""
        try:
            return logical(self._of(order))
        except ValueError as error:
            raise self._refused(order, str(error)) from None

    def meets(self, order: Order) -> bool:
        """As `holds`, but an order that lacks what is asked for isn't one of those meant."""
        try:
            given = self._give(order)
        except LookupError:
            return False
        except (ValueError, ArithmeticError):
            given = self._of(order)
        try:
            return logical(given)
        except ValueError as error:
            raise self._refused(order, str(error)) from None

    def _of(self, order: Order) -> Value:
        try:
            return self._give(order)
        except LookupError as error:
            raise self._refused(order, str(error.args[0])) from None
        except ZeroDivisionError:
            raise self._refused(
                order, "it divides by 0; test for 0 first, with `... if ... else ...`"
            ) from None
        except (ValueError, OverflowError) as error:
            raise self._refused(order, str(error)) from None

    def _refused(self, order: Order, what: str) -> DataError:
        return DataError(f"{self.where}: {shown(self.text)} can't be found for order {order.id}: {what}")


def parse(text: str, where: str) -> Expression:
    """The expression that a text holds.

    Raises DataError, naming `where` and the position, for what isn't of the language or exceeds its limits
    (2,000 characters, 400 parts, 100 levels).
    """
    if not text.strip():
        raise DataError(
            f"{where}: the expression is empty; expected one like segment == 'gold' and value > 1000"
        )
    if "#" in text and any(part.type == tokenize.COMMENT for part in _tokens(text)):
        raise DataError(f"{where}: {shown(text)} holds a comment; remove the # and what follows it")
    if len(text) > MOST_CHARACTERS:
        raise DataError(
            f"{where}: the expression has {len(text)} characters; at most {MOST_CHARACTERS} can be read"
        )
    reader = _Reader(text, where)
    try:
        body = ast.parse(reader.line.lstrip(), mode="eval").body
    except SyntaxError as error:
        raise reader.unread(error) from None
    except (RecursionError, MemoryError, ValueError):
        raise DataError(f"{where}: {shown(text)} can't be read as an expression; simplify it") from None
    n = sum(isinstance(part, ast.expr) for part in ast.walk(body))
    if n > MOST_PARTS:
        raise DataError(f"{where}: the expression has {n} parts; at most {MOST_PARTS} can be read")
    give = reader.read(body, 1)
    return Expression(text, where, frozenset(reader.names), give)


class _Reader:
    """Turns syntax into functions of an order."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.line = re.sub(r"\s", " ", text)
        self.skipped = len(text) - len(self.line.lstrip())
        self.where = where
        self.names: set[str] = set()

    def read(self, node: ast.expr, depth: int) -> Give:
        if depth > MOST_DEPTH:
            raise self.refused(node, f"is nested more than {MOST_DEPTH} levels deep; simplify it")
        deeper = depth + 1
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.read(operand, deeper)
                return lambda order: not logical(inner(order))
            case ast.UnaryOp(op=(ast.USub() | ast.UAdd()) as sign, operand=operand):
                inner = self.read(operand, deeper)
                return negated(inner) if isinstance(sign, ast.USub) else (lambda order: numeric(inner(order)))
            case ast.BoolOp(op=op, values=values):
                return _joined([self.read(value, deeper) for value in values], isinstance(op, ast.And))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
                return binary(_ARITHMETIC[type(operator)], self.read(left, deeper), self.read(right, deeper))
            case ast.Compare():
                return self._comparison(node, deeper)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                asked, yes, no = (self.read(part, deeper) for part in (test, body, orelse))
                return lambda order: yes(order) if logical(asked(order)) else no(order)
            case ast.Call():
                return self._call(node, deeper)
            case ast.List() | ast.Tuple():
                raise self.refused(node, "is a list, which can only stand behind `in`")
            case _:
                raise self.refused(
                    node,
                    "is not of this language; there are comparisons, and, or, not, in, + - * / // %, "
                    "`... if ... else ...` and " + ", ".join(_FUNCTIONS),
                )

    def _constant(self, node: ast.Constant) -> Give:
        value = node.value
        if isinstance(value, (bool, str)):
            return lambda order: value
        if isinstance(value, (int, float)):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return lambda order: number
        raise self.refused(node, "is no number, text, True or False")

    def _name(self, name: str) -> Give:
        self.names.add(name)
        return field_of(name) if name in FIELDS else attribute_of(name)

    def _comparison(self, node: ast.Compare, depth: int) -> Give:
        left = self.read(node.left, depth)
        links: list[tuple[str, Callable[[Order], Value | tuple[Value, ...]]]] = []
        for op, right in zip(node.ops, node.comparators, strict=True):
            if type(op) not in _COMPARISONS:
                raise self.refused(right, "stands behind `is`; compare with == or !=")
            name = _COMPARISONS[type(op)]
            links.append((name, self._items(right, depth) if "in" in name else self.read(right, depth)))

        def holds(order: Order) -> bool:
            one = left(order)
            for name, right in links:
                other = right(order)
                if not compare(name, one, other):
                    return False
                one = other if not isinstance(other, tuple) else one
            return True

        if len(links) > 1 and any("in" in name for name, _ in links):
            raise self.refused(node, "compares more than once with `in`; join two comparisons by `and`")
        return holds

    def _items(self, node: ast.expr, depth: int) -> Callable[[Order], tuple[Value, ...]]:
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            raise self.refused(node, "stands behind `in`; expected a list like ['AT', 'DE']")
        items = [self.read(item, depth + 1) for item in node.elts]
        return lambda order: tuple(item(order) for item in items)

    def _call(self, node: ast.Call, depth: int) -> Give:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in _FUNCTIONS:
            raise self.refused(node.func, f"is no function; there are {', '.join(_FUNCTIONS)}")
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.refused(node, f"gives {name} something other than plain values")
        if name in ("has", "attr"):
            return self._named(name, node)
        arguments = [self.read(argument, depth) for argument in node.args]
        if name == "abs" and len(arguments) != 1:
            raise self.refused(node, f"gives abs {len(arguments)} values; it takes 1")
        if name != "abs" and len(arguments) < 2:
            raise self.refused(node, f"gives {name} {len(arguments)} values; it takes 2 or more")
        if name == "abs":
            return lambda order: abs(numeric(arguments[0](order)))
        best = min if name == "min" else max
        return lambda order: best(numeric(argument(order)) for argument in arguments)

    def _named(self, function: str, node: ast.Call) -> Give:
        """`has(country)` and `attr('Country of origin')`: the name itself is meant."""
        argument = node.args[0] if len(node.args) == 1 else None
        name = None
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            name = argument.value
        elif isinstance(argument, ast.Name) and function == "has":
            name = argument.id
        if not name:
            raise self.refused(node, f"needs one name in quotes, like {function}('country')")
        self.names.add(name)
        if function == "attr":
            return attribute_of(name)
        if name in FIELDS:
            return lambda order: getattr(order, FIELDS[name]) not in (None, "")
        return lambda order: bool(order.attributes.get(name))

    def refused(self, node: ast.expr, what: str) -> DataError:
        part = ast.get_source_segment(self.line.lstrip(), node) or self.text
        before = self.line.lstrip().encode()[: node.col_offset].decode()
        return DataError(f"{self.where}, position {self.skipped + len(before) + 1}: {shown(part)} {what}")

    def unread(self, error: SyntaxError) -> DataError:
        hint = ""
        if re.search(r"\bclass\b", self.text):
            hint = "; the class of an order is called cls"
        elif re.search(r"[^=!<>]=[^=]", self.text):
            hint = "; two values are compared with =="
        at = min(self.skipped + max(error.offset or 1, 1), len(self.text) + 1)
        return DataError(
            f"{self.where}, position {at}: {shown(self.text)} can't be read as an expression "
            f"({error.msg}){hint}"
        )


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(iter([text]).__next__)
    except (tokenize.TokenError, SyntaxError):
        return


def _joined(parts: list[Give], every: bool) -> Give:
    if every:
        return lambda order: all(logical(part(order)) for part in parts)
    return lambda order: any(logical(part(order)) for part in parts)
