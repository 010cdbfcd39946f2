"""Filters as SQL: values are parameters, never part of the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from duckdb import DuckDBPyConnection

from eventlogs.instants import to_us
from eventlogs.mining.filters import LogFilter
from eventlogs.mining.selection import END_ORDER, LAST_US, Selection, whole_log
from metagraph.errors import UsageError


def select(con: DuckDBPyConnection, log: str, filters: Sequence[LogFilter] = ()) -> Selection:
    """The executions of a log that the filters leave, each applied to what the one before left.

    Raises DataError for an unknown log, UsageError for a case, activity, resource or attribute that the log
    doesn't have: a misspelt name must not give an empty answer.
    """
    selection = whole_log(con, log)
    for number, wanted in enumerate(filters):
        _check_names(con, selection, log, wanted)
        selection = _Compiler(number, wanted).applied_to(selection)
    return selection


class _Compiler:
    """One filter's steps; its names and parameters end in the filter's number."""

    def __init__(self, number: int, wanted: LogFilter) -> None:
        self.number = number
        self.wanted = wanted
        self.parameters: dict[str, object] = {}

    def applied_to(self, selection: Selection) -> Selection:
        before = selection.steps[-1].partition(" ")[0]
        steps = []
        conditions = self._of_executions()
        if cases := self._of_cases(before):
            steps.append(f"cases{self.number} AS ({cases})")
            conditions.append(f"case_id IN (FROM cases{self.number})")
        left = f"left{self.number}"
        if conditions:
            steps.append(
                f"{left} AS NOT MATERIALIZED (SELECT * FROM {before} WHERE {' AND '.join(conditions)})"
            )
            before = left
        steps += self._of_variants(before)
        return selection.then(*steps, parameters=self.parameters) if steps else selection

    def _given(self, value: object, kind: str) -> str:
        """A parameter's place in the text."""
        name = f"p{self.number}_{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}::{kind}"

    def _one_of(self, what: str, values: Iterable[str]) -> str:
        return f"list_contains({self._given(list(values), 'VARCHAR[]')}, {what})"

    def _attribute(self, name: str) -> str:
        """An execution's attribute as text; its name is a step of a JSON pointer."""
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        return f"json_extract_string(attributes, {self._given(pointer, 'VARCHAR')})"

    def _within(self, first: str, last: str, bounds: str = "=") -> list[str]:
        """`first` not before the window and `last` not after it; `bounds` are included or not ("")."""
        tests = []
        if self.wanted.after:
            tests.append(f"{first} >{bounds} {self._given(to_us(self.wanted.after), 'BIGINT')}")
        if self.wanted.before:
            tests.append(f"{last} <{bounds} {self._given(to_us(self.wanted.before), 'BIGINT')}")
        return tests

    def _of_executions(self) -> list[str]:
        wanted = self.wanted
        at = "coalesce(end_us, start_us)"
        conditions = self._within(at, at) if wanted.window == "events" else []
        conditions += [
            self._one_of(what, values)
            for what, values in (("activity", wanted.activities), ("resource", wanted.resources))
            if values
        ]
        conditions += [self._one_of(self._attribute(a), values) for a, values in wanted.attributes.items()]
        return conditions

    def _of_cases(self, before: str) -> str:
        """A query for the ids of the cases wanted; empty when all are."""
        conditions = self._of_ids()
        having = [*self._of_span(), *self._of_contents()]
        if path := self._of_path(before):
            conditions.append(f"case_id IN ({path})")
        if not conditions and not having:
            return ""
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        which = f" HAVING {' AND '.join(having)}" if having else ""
        return f"SELECT case_id FROM {before}{where} GROUP BY case_id{which}"

    def _of_ids(self) -> list[str]:
        conditions = [self._one_of("case_id", self.wanted.cases)] if self.wanted.cases else []
        for name, values in self.wanted.case_attributes.items():
            conditions.append(
                f"case_id IN (SELECT case_id FROM log_attributes WHERE log = $log AND name = "
                f"{self._given(name, 'VARCHAR')} AND {self._one_of('value', values)})"
            )
        return conditions

    def _of_span(self) -> list[str]:
        first, last = "min(start_us)", f"max({LAST_US})"
        spans = {"contained": (first, last), "started": (first, first), "ended": (last, last)}
        having = self._within(*spans[self.wanted.window]) if self.wanted.window in spans else []
        if self.wanted.window == "intersecting":
            having = self._within(last, first, "")
        cycle = f"({last} - {first}) / 1e6"
        if self.wanted.min_cycle_s is not None:
            having.append(f"{cycle} >= {self._given(self.wanted.min_cycle_s, 'DOUBLE')}")
        if self.wanted.max_cycle_s is not None:
            having.append(f"{cycle} <= {self._given(self.wanted.max_cycle_s, 'DOUBLE')}")
        return having

    def _of_contents(self) -> list[str]:
        wanted = self.wanted
        having = [
            f"{test}({self._one_of(what, values)})"
            for test, what, values in (
                ("bool_or", "activity", wanted.with_activities),
                ("NOT bool_or", "activity", wanted.without_activities),
                ("bool_or", "resource", wanted.with_resources),
            )
            if values
        ]
        having += [
            f"bool_or({self._one_of(self._attribute(name), values)})"
            for name, values in wanted.with_attributes.items()
        ]
        if wanted.starts:
            having.append(self._one_of(f"first(activity ORDER BY {END_ORDER})", wanted.starts))
        if wanted.ends:
            having.append(self._one_of(f"last(activity ORDER BY {END_ORDER})", wanted.ends))
        if wanted.rework:
            again = [
                f"count_if(activity = {self._given(activity, 'VARCHAR')}) > 1" for activity in wanted.rework
            ]
            having.append(f"({' OR '.join(again)})")
        return having

    def _of_path(self, before: str) -> str:
        if not self.wanted.path:
            return ""
        steps = ", ".join(
            f"lead(activity, {i}) OVER in_order AS next{i}" for i in range(1, len(self.wanted.path))
        )
        tests = " AND ".join(
            f"{f'next{i}' if i else 'activity'} = {self._given(activity, 'VARCHAR')}"
            for i, activity in enumerate(self.wanted.path)
        )
        return (
            f"SELECT case_id FROM (SELECT case_id, activity, {steps} FROM {before} "
            f"WINDOW in_order AS (PARTITION BY case_id ORDER BY {END_ORDER})) WHERE {tests}"
        )

    def _of_variants(self, before: str) -> list[str]:
        wanted = self.wanted
        tests = []
        if wanted.top_variants is not None:
            tests.append(f"place <= {self._given(wanted.top_variants, 'BIGINT')}")
        # A share such as 0.07 can't be held exactly; that must not cost a variant.
        if wanted.variant_share is not None:
            tests.append(f"covered - cases < {self._given(wanted.variant_share, 'DOUBLE')} * total - 1e-6")
        if wanted.min_variant_share is not None:
            tests.append(f"cases >= {self._given(wanted.min_variant_share, 'DOUBLE')} * total - 1e-6")
        if not tests:
            return []
        n = self.number
        return [
            f"traces{n} AS (SELECT case_id, list(activity ORDER BY {END_ORDER}) AS trace FROM {before} "
            "GROUP BY case_id)",
            f"ranked{n} AS (SELECT trace, cases, row_number() OVER ranking AS place, "
            "sum(cases) OVER (ranking ROWS UNBOUNDED PRECEDING) AS covered, sum(cases) OVER () AS total "
            f"FROM (SELECT trace, count(*) AS cases FROM traces{n} GROUP BY trace) "
            "WINDOW ranking AS (ORDER BY cases DESC, trace))",
            f"frequent{n} AS NOT MATERIALIZED (SELECT * FROM {before} WHERE case_id IN (SELECT case_id FROM "
            f"traces{n} WHERE trace IN (SELECT trace FROM ranked{n} WHERE {' AND '.join(tests)})))",
        ]


def _check_names(con: DuckDBPyConnection, selection: Selection, log: str, wanted: LogFilter) -> None:
    """Raise UsageError for the first name that the whole log doesn't have."""
    of_activity = (*wanted.with_activities, *wanted.without_activities, *wanted.starts, *wanted.ends)
    of_activity += (*wanted.rework, *wanted.path, *wanted.activities)
    columns: Mapping[str, tuple[str, ...]] = {
        "case_id": wanted.cases,
        "activity": of_activity,
        "resource": (*wanted.with_resources, *wanted.resources),
    }
    whole = Selection(selection.steps[:1], {"log": log})
    for column, names in columns.items():
        if names:
            known = whole.ask(con, f"SELECT DISTINCT {column} FROM executions WHERE {column} IS NOT NULL")
            _check(log, column.removesuffix("_id"), names, known[column].to_pylist())
    if wanted.case_attributes:
        found = con.execute(
            "SELECT DISTINCT name FROM log_attributes WHERE log = ? ORDER BY name", [log]
        ).fetchall()
        _check(log, "case attribute", wanted.case_attributes, [name for (name,) in found])
    if of_events := {**wanted.with_attributes, **wanted.attributes}:
        known = whole.ask(
            con,
            "SELECT DISTINCT unnest(json_keys(attributes)) AS name FROM known WHERE attributes IS NOT NULL",
        )
        _check(log, "attribute of executions", of_events, known["name"].to_pylist())


def _check(log: str, what: str, names: Iterable[str], known: Sequence[str]) -> None:
    held = set(known)
    for name in names:
        if name not in held:
            near = get_close_matches(name, known[:10_000], 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {len(held):,} others"
            raise UsageError(f"filter: log {log!r} has no {what} {name!r}; {hint}")
