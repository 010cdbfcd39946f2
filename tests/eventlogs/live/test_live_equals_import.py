"""Events fed one by one, in any order, more than once, make the log that importing the file makes."""

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.live.inbox import RawEvent
from tests.eventlogs.live.feeding import event, feed, live
from tests.eventlogs.logs import lines, stamp

Event = tuple[str, str, str, str, int, str]
"""Case, activity, instance, resource, second, transition."""
HEADER = "case_id,activity,concept:instance,resource,timestamp,lifecycle:transition,case:class"
WORDS = ["start", "complete", "START", "Complete", "schedule", "", "suspend", "resume", "ate_abort"]

logs = st.lists(
    st.tuples(
        st.sampled_from("123"),
        st.sampled_from("AB"),
        st.sampled_from(["", "", "i1"]),
        st.sampled_from(["", "x", "y"]),
        st.integers(0, 12),
        st.sampled_from(WORDS),
    ),
    max_size=16,
)


def as_file(folder: Path, log: Sequence[Event]) -> Path:
    rows = (f"{c},{a},{i},{r},{stamp(s)},{w},class {c}" for c, a, i, r, s, w in log)
    return lines(folder / "log.csv", HEADER, *rows)


def as_event(row: int, told: Event) -> RawEvent:
    case, activity, instance, resource, second, transition = told
    return event(
        row, second, "log", case=case, activity=activity, instance=instance, resource=resource,
        lifecycle=transition, sequence=row, attributes={"case:class": f"class {case}", "row": row},
    )  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(logs, st.randoms(use_true_random=False), st.integers(1, 20), st.integers(1, 20))
def test_any_order_of_arrival_makes_the_imported_log(
    log: list[Event], chance: random.Random, batch: int, limit: int
) -> None:
    log = [*log, ("1", "A", "", "", 12, "complete")]
    events = [as_event(row, told) for row, told in enumerate(log)]
    sent = events + chance.choices(events, k=5)
    chance.shuffle(sent)
    with live() as (fed, inbox), TemporaryDirectory() as folder, Historian(":memory:") as imported:
        for i in range(0, len(sent), batch):
            feed(fed, inbox, sent[i : i + batch], limit)
        report = imported.import_log(as_file(Path(folder), log))
        assert fed.snapshot("log").content_hash == imported.snapshot("log").content_hash
        assert fed.variants("log") == imported.variants("log")
        told = fed.report("log")
    assert (told.first, told.last, told.single_timestamp) == (
        report.first,
        report.last,
        report.single_timestamp,
    )
    assert (told.events, told.cases, told.running) == (report.events, report.cases, report.running)
    assert told.rows_read == told.rows_kept + told.rows_ignored == len(log)
