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
WINDOWS = ("contained", "intersecting", "started", "ended", "events")


def window(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda low, high: {"window": kind, "after": min(low, high), "before": max(low, high)}, hours, hours
    )


def named(key: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {key: value})


shares = st.integers(1, 20).map(lambda n: n / 20)
lengths = st.integers(0, 6).map(lambda n: n * 3600.0)
CONDITIONS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    **{kind: window(kind) for kind in WINDOWS},
    **{key: named(key, hours) for key in ("after", "before")},
    **{
        key: named(key, some("a b c"))
        for key in ("with_activities", "without_activities", "starts", "ends", "rework", "activities")
    },
    "path": named("path", some("a b c").filter(lambda path: len(path) > 1)),
    **{key: named(key, some("r1 r2")) for key in ("with_resources", "resources")},
    "cases": named("cases", some("c1 c2 c'3 4")),
    "case_attributes": named("case_attributes", some("key standard none").map(lambda v: {"segment": v})),
    **{
        key: named(key, some("x y z").map(lambda v: {STRANGE: v}))
        for key in ("with_attributes", "attributes")
    },
    **{key: named(key, lengths) for key in ("min_cycle_s", "max_cycle_s")},
    "top_variants": named("top_variants", st.integers(1, 3)),
    **{key: named(key, shares) for key in ("variant_share", "min_variant_share")},
}
one_condition = st.one_of(*CONDITIONS.values())
filters = st.lists(one_condition, min_size=1, max_size=3).map(
    # Two windows would not always make one.
    lambda parts: LogFilter(
        **{
            key: value
            for i, part in enumerate(parts)
            if i == 0 or not {"after", "before"} & part.keys()
            for key, value in part.items()
        }
    )
)
# Every name occurs, so that none is refused as unknown.
ALL_NAMES = [
    Done("c1", "a", "r1", 0, 1, "x"),
    Done("c2", "b", "r2", 2, 3, "x"),
    Done("c'3", "c", "r1", 4, 5, "x"),
    Done("4", "a", "r2", 6, 7, "x"),
]


def check(con: DuckDBPyConnection, log: list[Done], chain: list[LogFilter]) -> None:
    """SQL leaves the rows that Python leaves."""
    log = ALL_NAMES + log
    fill(con, log)
    found = select(con, "log", chain).ask(con, "SELECT row FROM executions ORDER BY row")["row"].to_pylist()
    left = list(enumerate(log))
    for wanted in chain:
        kept = filtered([done for _, done in left], wanted)
        # Equal rows are kept or dropped together, so which of them is which does not matter.
        left = [(row, done) for row, done in left if done in kept]
    assert found == [row for row, _ in left]


@pytest.mark.parametrize("condition", CONDITIONS)
@settings(max_examples=30)
@given(logs, st.data())
def test_each_condition_leaves_what_the_obvious_filter_leaves(
    condition: str, con: DuckDBPyConnection, log: list[Done], data: st.DataObject
) -> None:
    check(con, log, [LogFilter(**data.draw(CONDITIONS[condition]))])


@settings(max_examples=40)
@given(logs, st.lists(filters, min_size=1, max_size=2))
def test_conditions_together_and_in_a_row(
    con: DuckDBPyConnection, log: list[Done], chain: list[LogFilter]
) -> None:
    check(con, log, chain)


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
