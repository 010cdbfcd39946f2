"""Orders as CSV or JSON, for hand-written use; docs/formats.md describes both."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from metagraph.errors import DataError
from metagraph.faults import Fault, refusal, shown
from metagraph.json_text import parsed, plain, read_text, write_text, written
from metagraph.order_extras import EXTRAS, check_points, extras_row, material_of, points_of
from metagraph.orders import Order, ProfitShape
from metagraph.records import Record, records
from metagraph.sheets import read_sheet, sheet
from metagraph.timelines import FORMS, TimeLine, instant_of, time_line, unread_instant

DATES = ("release", "early", "due", "lost")
INSTANTS = (*DATES, *EXTRAS)
"""Fields of an order that hold instants, by what comes before the suffix."""
_CALLED = {"release": "release", "early": "early date", "due": "due date", "lost": "lost-sale date"}
SHARES = tuple(field.name for field in fields(ProfitShape))
OWN = {"id", "class", "cls", "segment", "value", "profit", "attributes"}
_SECONDS = {f"{date}_s" for date in DATES}
OWN |= {date + suffix for date in INSTANTS for suffix in FORMS} | _SECONDS
OWN |= {f"profit_{share}" for share in SHARES}
"""Fields of an order: in CSV no attribute can have such a name."""
_WHAT = "a file of orders, CSV or JSON"


def read_orders(path: str | Path, origin: datetime | None = None) -> tuple[tuple[Order, ...], datetime]:
    """The orders of a file, by release, and the origin that their seconds count from.

    `origin`, a Monday 00:00 UTC, is found if it isn't given: the one at or before the first release. Raises
    DataError with every fault.
    """
    path = Path(path)
    faults: list[Fault] = []
    if ".csv" in path.suffixes:
        told, rows = None, [*read_sheet(path, faults)]
    else:
        told, rows = _json_rows(path, faults)
    line = time_line((row.raw for row in rows), INSTANTS, told=told, origin=origin, faults=faults)
    orders = tuple(order_of(row, line) for row in rows)
    faults += doubled_ids(orders)
    if not orders and not faults:
        faults.append(Fault("", "there are no orders in it"))
    if faults:
        raise refusal(str(path), faults)
    return tuple(sorted(orders, key=lambda order: order.release_s)), line.origin


def write_orders(orders: Sequence[Order], path: str | Path, origin: datetime, *, hours: bool = False) -> None:
    """Write orders as CSV or JSON, by the file's name, with UTC instants or with hours since `origin`.

    Instants are rounded to microseconds. Raises DataError for what CSV can't hold.
    """
    line = TimeLine("_h" if hours else "", origin, origin)
    rows = [order_row(order, line) for order in orders]
    if ".csv" in Path(path).suffixes:
        write_text(path, sheet([_flat(row) for row in rows], str(path)))
        return
    told = {"origin": TimeLine("", origin, origin).shown(0.0)} if hours else {}
    write_text(path, written({**told, "orders": rows}))


def order_of(record: Record, line: TimeLine) -> Order:
    """The order in a record; fields that mean nothing else are its attributes. Faults go to the record."""
    early_s, due_s, lost_s = (record.time(name, line) for name in DATES[1:])
    name = "cls" if record.has("cls") else "class"
    if record.has("cls") and record.has("class"):
        record.fault("cls", "given beside class; one of them is enough")
    called, known = record.text("id"), len(record.faults)
    release_s = record.needed_time("release", line)
    released = len(record.faults) == known
    points, value = points_of(record, line), record.number("value", least=0.0)
    if points and value is None:
        value = max(0.0, *(money for _, money in points))
    order = Order(
        id=called,
        release_s=release_s,
        cls=record.text(name, ""),
        segment=record.text("segment", ""),
        value=value,
        early_s=early_s,
        due_s=due_s,
        lost_s=lost_s,
        profit=_profit(record),
        profit_points=points,
        material_s=material_of(record, line),
        attributes=_attributes(record),
    )
    _check_dates(record, order, line.suffix, released)
    check_points(record, order, line.suffix)
    return order


def order_row(order: Order, line: TimeLine) -> dict[str, Any]:
    """An order as plain values; `order_of` gives it back."""
    row: dict[str, Any] = {"id": order.id, f"release{line.suffix}": line.shown(order.release_s)}
    texts = {"class": order.cls, "segment": order.segment}
    row |= {name: text for name, text in texts.items() if text}
    if order.value is not None:
        row["value"] = order.value
    for name in DATES[1:]:
        at: float | None = getattr(order, f"{name}_s")
        if at is not None:
            row[name + line.suffix] = line.shown(at)
    if order.profit is not None:
        row["profit"] = plain(order.profit)
    row |= extras_row(order, line)
    if order.attributes:
        row["attributes"] = plain(order.attributes)
    return row


def doubled_ids(orders: Iterable[Order]) -> list[Fault]:
    """Faults of orders that share an id."""
    counted = Counter(order.id for order in orders if order.id)
    return [
        Fault(f"order {shown(name)}", f"given {n} times; ids must differ")
        for name, n in counted.items()
        if n > 1
    ]


def told_origin(raw: Mapping[str, Any], faults: list[Fault]) -> datetime | None:
    """The instant of hour 0 that a JSON file names."""
    found = raw.get("origin")
    if found is None:
        return None
    instant = instant_of(found)
    if instant is None:
        faults.append(Fault("origin", unread_instant(found, "")))
    return instant


def _json_rows(path: Path, faults: list[Fault]) -> tuple[datetime | None, list[Record]]:
    source = str(path)
    raw = parsed(read_text(path, _WHAT), source, what="orders")
    if isinstance(raw, list):
        raw = {"orders": raw}
    if not isinstance(raw, dict):
        raise DataError(f"{source} holds {shown(raw)}; expected a list of orders, or an object with `orders`")
    whole = Record(raw, "", faults)
    told = told_origin(raw, faults)
    rows = whole.take("orders")
    whole.take("origin")
    whole.close()
    if not isinstance(rows, list):
        faults.append(Fault("orders", f"{shown(rows)}; expected a list of orders"))
        raise refusal(source, faults)
    return told, list(records(rows, "", faults))


def _profit(record: Record) -> ProfitShape | None:
    """Five shares of the value: an object in JSON, five columns in CSV."""
    for inner in record.inner("profit"):
        return _shares(inner, "")
    if any(record.has(f"profit_{share}") for share in SHARES):
        return _shares(record, "profit_")
    for share in SHARES:
        record.take(f"profit_{share}")
    return None


def _shares(record: Record, prefix: str) -> ProfitShape:
    found = {share: record.number(prefix + share) for share in SHARES}
    for share, number in found.items():
        if number is None and not record.has(prefix + share):
            record.fault(prefix + share, "missing; a profit curve needs all of " + ", ".join(SHARES))
    if not prefix:
        record.close()
    return ProfitShape(**{share: number or 0.0 for share, number in found.items()})


def _attributes(record: Record) -> dict[str, str]:
    found: dict[str, str] = {}
    nested = [dict(inner.raw) for inner in record.inner("attributes")]
    rest = record.rest()
    for name, value in [*rest.items(), *(item for inner in nested for item in inner.items())]:
        if name in rest and name in _SECONDS:
            record.fault(name, f"no such field; expected {name[:-2]}, {name[:-2]}_utc or {name[:-2]}_h")
        elif name in rest and name in OWN:
            continue  # Told already: times in several ways.
        elif isinstance(value, bool):
            found[name] = str(value).lower()
        elif isinstance(value, (str, int, float)):
            found[name] = value if isinstance(value, str) else json.dumps(value)
        elif value is not None:
            record.fault(name, f"{shown(value)}; an attribute is text or a number")
    return {name: value for name, value in found.items() if value}


def _check_dates(record: Record, order: Order, suffix: str, released: bool) -> None:
    """Nothing is due or lost before the dates ahead of it in DATES; `released`: the release could be read.

    An early date may lie before the release, as one rule for all orders may give it: profit falls from then.
    """
    last, last_s = "", -math.inf
    for name in DATES if released else DATES[1:]:
        at: float | None = getattr(order, f"{name}_s")
        if at is None:
            continue
        if at < last_s and name != "early":
            record.fault(
                name + suffix, f"{shown(record.raw[name + suffix])} lies before the order's {_CALLED[last]}"
            )
        elif at >= last_s:
            last, last_s = name, at


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without objects inside. Raises DataError for what a table can't hold."""
    for name in EXTRAS:
        if name in row or f"{name}_h" in row:
            raise DataError(f"order {row['id']} has {name}, which CSV can't hold: write JSON")
    flat = {name: value for name, value in row.items() if name not in ("profit", "attributes")}
    flat |= {f"profit_{share}": value for share, value in row.get("profit", {}).items()}
    for name, value in row.get("attributes", {}).items():
        if name in OWN or not name or name != name.strip() or set(name) & set(',;\t\n"'):
            raise DataError(
                f"order {row['id']} has an attribute {shown(name)}, which can't be the name of a column "
                "in CSV: rename it, or write JSON"
            )
        flat[name] = value
    return flat
