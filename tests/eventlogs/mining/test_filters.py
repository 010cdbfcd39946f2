"""Filters in SQL against the obvious ones in Python."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.mining.filters import LogFilter
from eventlogs.mining.selecting import select
from metagraph.errors import DataError, UsageError
from tests.eventlogs.mining.naive import STRANGE, Done, at, database, fill, filtered, logs
from twin.json_out import dump, read


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    with database() as made:
        yield made


def some(of: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of.split()), min_size=1, max_size=3).map(tuple)


hours = st.integers(-1, 16).map(at)
one_condition: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda window, low, high: {"window": window, "after": min(low, high), "before": max(low, high)},
        st.sampled_from(["contained", "intersecting", "started", "ended", "events"]),
        hours,
        hours,
    ),
    st.builds(lambda instant: {"after": instant}, hours),
    *(
        st.builds(lambda values, name=name: {name: values}, some("a b c"))
        for name in ("with_activities", "without_activities", "starts", "ends", "rework", "activities")
    ),
    st.builds(lambda values: {"path": values}, some("a b c").filter(lambda path: len(path) > 1)),
    *(
        st.builds(lambda values, name=name: {name: values}, some("r1 r2"))
        for name in ("with_resources", "resources")
    ),
    st.builds(lambda values: {"cases": values}, some("c1 c2 c'3 4")),
    st.builds(lambda values: {"case_attributes": {"segment": values}}, some("key standard none")),
    *(
        st.builds(lambda values, name=name: {name: {STRANGE: values}}, some("x y z"))
        for name in ("with_attributes", "attributes")
    ),
    st.builds(lambda n: {"min_cycle_s": n * 3600.0}, st.integers(0, 6)),
    st.builds(lambda n: {"max_cycle_s": n * 3600.0}, st.integers(0, 6)),
    st.builds(lambda k: {"top_variants": k}, st.integers(1, 3)),
    *(
        st.builds(lambda share, name=name: {name: share}, st.integers(1, 20).map(lambda n: n / 20))
        for name in ("variant_share", "min_variant_share")
    ),
)
filters = st.lists(one_condition, min_size=1, max_size=3).map(
    lambda parts: (
        LogFilter(**{key: value for part in parts for key, value in part.items()})
        if not any("after" in part for part in parts[1:])
        else LogFilter(**parts[-1])
    )
)
# Every name occurs, so that none is refused as unknown.
ALL_NAMES = [
    Done(case, activity, resource, 0, 1, "x")
    for case, activity, resource in (
        ("c1", "a", "r1"),
        ("c2", "b", "r2"),
        ("c'3", "c", "r1"),
        ("4", "a", "r2"),
    )
]


@settings(max_examples=60)
@given(logs, st.lists(filters, min_size=1, max_size=2))
def test_what_is_left_is_what_the_obvious_filter_leaves(
    con: DuckDBPyConnection, log: list[Done], chain: list[LogFilter]
) -> None:
    log = ALL_NAMES + log
    fill(con, log)
    found = select(con, "log", chain).ask(con, "SELECT row FROM executions ORDER BY row")["row"].to_pylist()
    left = list(enumerate(log))
    for wanted in chain:
        kept = filtered([done for _, done in left], wanted)
        # Equal rows are kept or dropped together, so which of them is which does not matter.
        left = [(row, done) for row, done in left if done in kept]
    assert found == [row for row, _ in left]


@given(filters)
def test_a_filter_survives_json(wanted: LogFilter) -> None:
    assert read(LogFilter, dump(wanted)) == wanted


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"activities": ("bb",)}, "no activity 'bb'"),
        ({"cases": ("c9",)}, "no case 'c9'; it has 4 others"),
        ({"with_resources": ("nobody",)}, "no resource 'nobody'"),
        ({"case_attributes": {"segmnt": ("key",)}}, "no case attribute 'segmnt'; did you mean 'segment'"),
        ({"attributes": {"channel": ("x",)}}, "no attribute of executions 'channel'"),
    ],
)
def test_a_misspelt_name_gives_a_sentence(
    con: DuckDBPyConnection, wanted: dict[str, Any], sentence: str
) -> None:
    fill(con, ALL_NAMES)
    with pytest.raises(UsageError, match=sentence):
        select(con, "log", [LogFilter(**wanted)])


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"after": datetime(2024, 1, 1)}, "no time zone"),  # noqa: DTZ001
        ({"after": at(2), "before": at(1)}, "ends before it begins"),
        ({"window": "around"}, "none of contained"),
        ({"variant_share": 0.0}, "no share"),
        ({"top_variants": 0}, "at least 1"),
        ({"min_cycle_s": float("nan")}, "0 or more"),
        ({"path": ("a",)}, "no path"),
    ],
)
def test_a_filter_that_makes_no_sense_gives_a_sentence(wanted: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        LogFilter(**wanted)


def test_values_are_never_part_of_the_question(con: DuckDBPyConnection) -> None:
    fill(con, [Done("c1", "'; DROP TABLE events; --", "$log", 0, 1)])
    wanted = LogFilter(activities=("'; DROP TABLE events; --",), with_resources=("$log",))
    assert select(con, "log", [wanted]).ask(con, "SELECT count(*) AS n FROM executions")["n"][0].as_py() == 1


def test_an_unknown_log_gives_a_sentence(con: DuckDBPyConnection) -> None:
    con.execute("DELETE FROM uploads")
    with pytest.raises(DataError, match="no log 'log' in the database; it holds: none"):
        select(con, "log")
