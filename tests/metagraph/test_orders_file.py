"""Orders as CSV and JSON: what is written reads the same, and every fault is named."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.errors import DataError
from metagraph.orders import Order, ProfitShape
from metagraph.orders_file import OWN, read_orders, write_orders
from tests.metagraph.strategies import finite

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8).filter(
    lambda name: not {*name} & {*',;"'} and name not in OWN
)
micros = st.integers(-(10**15), 10**15)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Order, ...]:
    """Orders in the order of their releases, with dates of whole microseconds that follow each other."""
    found = []
    for name in draw(st.lists(texts.filter(str.strip), min_size=1, max_size=4, unique=True)):
        first, *dates = sorted(draw(st.lists(micros, min_size=4, max_size=4)))
        early, due, lost = (draw(st.sampled_from([None, at / 1e6])) for at in dates)
        attributes = draw(st.dictionaries(names, texts.filter(bool), max_size=3))
        profit = draw(st.none() | st.builds(ProfitShape, finite, finite, finite, finite, finite))
        value = draw(st.none() | finite.map(abs))
        release = first / 1e6
        cls, segment = draw(texts), draw(texts)
        found.append(Order(name, release, cls, segment, value, early, due, lost, attributes, profit))
    return tuple(sorted(found, key=lambda order: order.release_s))


@settings(max_examples=150, deadline=None)
@given(orders(), st.sampled_from(["o.json", "o.csv"]))
def test_orders_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, found: tuple[Order, ...], name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    write_orders(found, path, MONDAY)
    assert read_orders(path, MONDAY) == (found, MONDAY)


@settings(max_examples=50, deadline=None)
@given(orders())
def test_hours_read_as_they_were_written_to_a_millionth_of_a_second(
    tmp_path_factory: pytest.TempPathFactory, found: tuple[Order, ...]
) -> None:
    path = tmp_path_factory.getbasetemp() / "hours.json"
    write_orders(found, path, MONDAY, hours=True)
    again, origin = read_orders(path)
    assert origin == MONDAY
    for one, other in zip(found, again, strict=True):
        assert one.id == other.id
        assert one.release_s == pytest.approx(other.release_s, abs=1e-6)
        assert (one.due_s is None) == (other.due_s is None)


def csv(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


def written(tmp_path: Path, raw: Any) -> Path:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(raw), "utf-8")
    return path


def test_a_table_with_instants(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "id;release;class;segment;value;due;country",
        "b;2026-11-25T01:00:00+01:00;k;gold;1000;2026-11-26T00:00:00Z;AT",
        "",
        "a;2026-11-24T00:00:00.5Z;;;;;",
    )
    assert read_orders(path) == (
        (
            Order("a", 86400.5),
            Order("b", 2 * 86400.0, "k", "gold", 1000.0, due_s=3 * 86400.0, attributes={"country": "AT"}),
        ),
        MONDAY,
    )


def test_instants_without_a_zone_can_be_declared_utc(tmp_path: Path) -> None:
    found, origin = read_orders(csv(tmp_path, "id,release_utc", "a,2026-11-24 06:00"))
    assert (found[0].release_s, origin) == (108000.0, MONDAY)


def test_hours_count_from_a_monday_or_from_what_the_file_or_the_caller_says(tmp_path: Path) -> None:
    table = csv(tmp_path, "id,release_h,lost_h", "a,1.5,3")
    assert read_orders(table) == ((Order("a", 5400.0, lost_s=10800.0),), FIRST)
    assert read_orders(table, MONDAY) == ((Order("a", 5400.0, lost_s=10800.0),), MONDAY)
    told = written(
        tmp_path,
        {"origin": "2026-11-24T02:00:00Z", "orders": [{"id": 7, "release_h": 1, "vip": True, "n": 3}]},
    )
    order = Order("7", 97200.0, attributes={"vip": "true", "n": "3"})
    assert read_orders(told) == ((order,), MONDAY)
    week = timedelta(days=7)
    assert read_orders(told, MONDAY - week)[0][0].release_s == 97200.0 + week.total_seconds()


def test_a_compressed_table(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"id,release_h\na,1\n"))
    assert read_orders(path)[0] == (Order("a", 3600.0),)
    path.write_bytes(b"id,release_h\na,1\n")
    with pytest.raises(DataError, match=r"can't be read .* compressed by gzip"):
        read_orders(path)


def test_every_fault_of_a_table_is_told_with_its_line(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "id,release,value,early,due,lost,profit_early",
        "a,2026-11-24,much,,,,",
        "a,2026-11-24T00:00:00Z,nan,2026-11-26T00:00:00Z,2026-11-25T00:00:00Z,2026-11-24T00:00:00Z,",
        "c,,1",
        ",,1,,,,2",
    )
    with pytest.raises(DataError) as caught:
        read_orders(path)
    assert str(caught.value).splitlines()[1:] == [
        "  line 4: 3 fields; the first line has 7",
        '  line 2, release: "2026-11-24"; expected an instant like 2026-11-22T08:15:00Z; it has no zone: '
        "append Z for UTC, or call the field by its name with _utc",
        '  line 2, value: "much"; expected a number',
        '  line 3, value: "nan"; expected a number',
        '  line 3, due: "2026-11-25T00:00:00Z" lies before the order\'s early date',
        '  line 3, lost: "2026-11-24T00:00:00Z" lies before the order\'s early date',
        "  line 5, id: missing; it is needed",
        "  line 5, release: missing; it is needed",
        *(
            f"  line 5, profit_{share}: missing; a profit curve needs all of early, due, late, final, lost"
            for share in ("due", "late", "final", "lost")
        ),
        '  order "a": given 2 times; ids must differ',
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["id,release_h"], "can't be used: there are no orders in it"),
        (["id,release_h,x,x", "a,1,2,3"], 'line 1: column "x" is there 2 times'),
        (["id,release_h,", "a,1,2"], "line 1: a column has no name"),
        (['id,release_h\na,"1" 2'], "line 2: no CSV"),
        (
            ["id,release,due_h", "a,2026-11-24T00:00:00Z,3"],
            r"times are told in several ways, release .*, due_h \(hours since .*; use one for all of them$",
        ),
        (["id,release_h,due_h", "a,3,2"], r"line 2, due_h: \"2\" lies before the order's release$"),
        (["id,release_h,lost_h", "a,3,2"], r"line 2, lost_h: \"2\" lies before the order's release$"),
        (["id,release_h,due_h,lost_h", "a,1,3,2"], r"line 2, lost_h: \"2\" lies before the order's due date"),
        (["id,release_h,value", "a,1,-2"], 'line 2, value: "-2"; expected 0 or more'),
        (["id,release_h", "a,noon"], '"noon"; expected hours, a number'),
    ],
)
def test_what_is_no_table_of_orders(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(DataError, match=rf"orders\.csv.*{told}"):
        read_orders(csv(tmp_path, *lines))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (3, "holds 3; expected a list of orders"),
        ({"orders": 3}, "orders: 3; expected a list of orders"),
        ([3], "item 0: 3; expected an object"),
        ([{"id": "a", "release_h": "3"}], r'"a", release_h: "3"; expected hours, a number'),
        ([{"id": True, "release_h": 1}], "id: True; expected text"),
        ([{"id": "a", "release_h": 1, "x": [1]}], r"\"a\", x: \[1\]; an attribute is text or a number"),
        (
            [{"id": "a", "release_s": 1}],
            "release_s: no such field; expected release, release_utc or release_h",
        ),
        ([{"id": "a", "release_h": 1, "class": "k", "cls": "k"}], "cls: given beside class"),
        ([{"id": "a", "release_h": 1, "profit": {"early": 1}}], "profit, due: missing; a profit curve needs"),
        ({"orders": [], "colour": 1}, "colour: no such field; there are orders, origin"),
        ({"orders": [], "origin": "noon"}, 'origin: "noon"; expected an instant'),
    ],
)
def test_what_is_no_json_of_orders(tmp_path: Path, raw: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_orders(written(tmp_path, raw))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for name in ("no.csv", "no.json", "no.csv.gz"):
        with pytest.raises(DataError, match=r"no\.[a-z.]+ doesn't exist: name"):
            read_orders(tmp_path / name)


@pytest.mark.parametrize("name", ["id", "release", "due_h", "profit_early", " a", "a,b", ""])
def test_attributes_that_no_table_can_hold_go_into_json_only(tmp_path: Path, name: str) -> None:
    found = (Order("a", 0.0, attributes={name: "x"}),)
    with pytest.raises(DataError, match="can't be the name of a column in CSV: rename it, or write JSON"):
        write_orders(found, tmp_path / "o.csv", MONDAY)
    write_orders(found, tmp_path / "o.json", MONDAY)
    assert read_orders(tmp_path / "o.json")[0] == found
