"""What can be asked of a log, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from duckdb import DuckDBPyConnection

from eventlogs.mining import durations, flow, follows, resources, rework, values, variants
from eventlogs.mining.filters import LogFilter
from eventlogs.mining.periods import PERIODS, check_zone
from eventlogs.mining.selecting import select
from metagraph.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Question:
    """One aggregate."""

    answer: Callable[..., pa.Table]
    """Called with the connection, the selection and what `by` and `zone` name, where they matter."""
    about: str
    by: tuple[str, ...] = ()
    """What it can be told by, the default first."""
    by_attribute: str = ""
    """Kind of attribute whose name is an answer to `by` as well: "a case attribute" or "an attribute"."""
    zoned: bool = False
    """Its periods are by the clock of a zone."""


QUESTIONS: Mapping[str, Question] = {
    "summary": Question(
        flow.summary, "counts, first and last instant, arrival gap and cycle time, in one row"
    ),
    "follows": Question(
        follows.follows,
        "which activity directly follows which, how often and how long after",
        ("end", "start"),
    ),
    "variants": Question(variants.variant_table, "activity sequences with cases, shares and cycle times"),
    "starts": Question(follows.starts, "first activities of cases"),
    "ends": Question(follows.ends, "last activities of cases"),
    "durations": Question(
        durations.durations,
        "time from start to end of executions",
        ("activity", "resource"),
        "a case attribute",
    ),
    "waits": Question(
        durations.waits, "time from the end before to the start of executions", ("activity", "transition")
    ),
    "handovers": Question(resources.handovers, "which resource follows which in a case"),
    "workload": Question(
        resources.workload,
        "executions, busy time and concurrency of resources in time",
        ("day", "hour", "week", "month", resources.HOUR_OF_WEEK),
        zoned=True,
    ),
    "arrivals": Question(
        flow.arrivals,
        "new cases in time, and gaps between them",
        ("day", "hour", "week", "month"),
        zoned=True,
    ),
    "throughput": Question(
        flow.throughput,
        "arrivals, completions and cases in process in time",
        ("day", "hour", "week", "month"),
        zoned=True,
    ),
    "cycle_times": Question(
        flow.cycle_times,
        "time from first start to last end of cases",
        (flow.LOG, *PERIODS),
        "a case attribute",
        zoned=True,
    ),
    "cases": Question(flow.cases, "every case: first, last, cycle time, executions"),
    "rework": Question(rework.rework, "activities that are repeated in a case"),
    "dotted": Question(
        flow.dotted, "executions of up to 5,000, of cases drawn evenly, to be pictured as dots"
    ),
    "values": Question(
        values.values, "values with their cases and executions", ("activity", "resource"), "an attribute"
    ),
}


def mine(
    con: DuckDBPyConnection,
    log: str,
    what: str,
    filters: Sequence[LogFilter] = (),
    by: str = "",
    zone: str = "UTC",
) -> pa.Table:
    """The answer to question `what` (a key of QUESTIONS) about what the filters leave of a log.

    `by` is one of the question's own, or the name of an attribute where it takes one. Raises DataError for
    an unknown log; UsageError for a question, a `by`, a zone or a name in a filter that is unknown.
    """
    if what not in QUESTIONS:
        raise UsageError(f"{what!r} can't be mined; there are {', '.join(QUESTIONS)}")
    question = QUESTIONS[what]
    if by and by not in question.by and not question.by_attribute:
        choices = f"choose {', '.join(question.by)}" if question.by else "leave it out"
        raise UsageError(f"{what} can't be told by {by!r}; {choices}")
    check_zone(zone)
    options: dict[str, Any] = {"by": by or question.by[0]} if question.by else {}
    if question.zoned:
        options["zone"] = zone
    return question.answer(con, select(con, log, filters), **options)
