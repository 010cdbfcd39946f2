"""Where open orders stand, against cases worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.order_model import fit_orders
from calibration.settings import OrderSpec, Promise, Rule
from eventlogs.live.state import Eta
from eventlogs.snapshot import Pauses, Snapshot
from metagraph.agents import Agent
from metagraph.errors import DataError
from metagraph.model import Metagraph, Override
from metagraph.nodes import Task
from metagraph.orders import Arrivals, OrderModel
from metagraph.state import OpenOrder
from tests.eventlogs.logs import T0, Row, frozen
from tests.simulation.builders import OFFICE
from tests.twin.small import HOUR, deterministic, snapshot
from twin.state import stale, state_of

A = Row("1", "A", "ann", 0.0, HOUR)
B = Row("1", "B", None, HOUR, 2 * HOUR)
C = Row("1", "C", "bob", HOUR, 3 * HOUR)
D = Row("1", "D", None, 3 * HOUR, 4 * HOUR)
E = Row("1", "E", None, 4 * HOUR, 5 * HOUR)
F = Row("1", "F", None, 4 * HOUR, 5 * HOUR)
Token = tuple[str, float, float | None, str | None, str]
"""Node, enabled, started (hours after the first start), agent, activity before."""

CASES: dict[str, tuple[list[Row], list[Token], dict[str, int]]] = {
    "running at the start": ([A._replace(end_s=None)], [("a", 0, 0, "ann", "")], {}),
    "both branches wait": ([A], [("b", 1, None, None, "A"), ("c", 1, None, None, "A")], {}),
    "one branch waits": ([A, B], [("c", 1, None, None, "A")], {"merge": 1}),
    "one branch runs": ([A, B, C._replace(end_s=None)], [("c", 1, 1, "bob", "A")], {"merge": 1}),
    "both branches run": (
        [A, B._replace(end_s=None), C._replace(end_s=None)],
        [("b", 1, 1, None, "A"), ("c", 1, 1, "bob", "A")],
        {},
    ),
    "joined": ([A, B, C], [("d", 3, None, None, "C")], {}),
    "before a decision": ([A, B, C, D], [("enough", 4, None, None, "D")], {}),
    "again": ([A, B, C, D, E], [("d", 5, None, None, "E")], {}),
    "redo runs": ([A, B, C, D, E._replace(end_s=None)], [("e", 4, 4, None, "D")], {}),
}


def stand(folder: Path, rows: list[Row]) -> tuple[OpenOrder, tuple[str, ...], float]:
    """The only open order, the notes, and the hours from the origin to the first start."""
    frozen = snapshot(folder, rows, T0 + timedelta(hours=6), ["1"])
    state, notes = state_of(deterministic(), frozen)
    assert state.at_s == frozen.until_s
    return state.orders[0], notes, (T0 - frozen.origin) / timedelta(hours=1)


@pytest.mark.parametrize("case", CASES)
def test_the_tokens_of_an_order(case: str, tmp_path: Path) -> None:
    rows, tokens, merged = CASES[case]
    order, notes, shift = stand(tmp_path, rows)
    found = [
        (
            p.node,
            p.enabled_s / HOUR - shift,
            None if p.started_s is None else p.started_s / HOUR - shift,
            p.agent,
            p.after,
        )
        for p in order.positions
    ]
    assert sorted(found) == sorted(tokens)
    assert order.merged == merged
    assert order.history == tuple(row.activity for row in rows if row.end_s is not None)
    assert order.order.release_s / HOUR == shift
    assert notes == ()


def test_visits_count_what_was_reached(tmp_path: Path) -> None:
    order, _, _ = stand(tmp_path, CASES["again"][0])
    assert {node: order.visits[node] for node in ("a", "d", "e", "enough")} == {
        "a": 1,
        "d": 2,
        "e": 1,
        "enough": 1,
    }


def test_what_finds_no_place_is_passed_over_and_said(tmp_path: Path) -> None:
    order, notes, _ = stand(tmp_path, [A, Row("1", "X", None, HOUR, 2 * HOUR), C])
    assert [p.node for p in order.positions] == ["b"]
    assert notes == ("case 1: X found no place in the model and was passed over",)


def test_the_log_of_another_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the twin's activities \(the log: X; the twin: A, B"):
        stand(tmp_path, [Row("1", "X", None, HOUR, 2 * HOUR)])


def test_an_order_with_nothing_left_to_do_is_named(tmp_path: Path) -> None:
    _, notes, _ = stand(tmp_path, [A, B, C, D, F])
    assert notes == ("case 1: nothing is left to do in the model; taken to complete now",)


def test_only_open_cases_are_orders(tmp_path: Path) -> None:
    rows = [A, A._replace(case="2"), B._replace(case="2", start_s=2 * HOUR, end_s=None)]
    state, _ = state_of(deterministic(), snapshot(tmp_path, rows, T0 + timedelta(hours=6), ["2"]))
    assert [order.order.id for order in state.orders] == ["2"]


def test_an_activity_renamed_by_hand_is_known_by_the_logs_name(tmp_path: Path) -> None:
    rows = [A._replace(activity="Accept"), B]
    twin = replace(deterministic(), overrides=(Override("activity Accept", "name", "A"),))
    state, notes = state_of(twin, snapshot(tmp_path, rows, T0 + timedelta(hours=6), ["1"]))
    assert notes == ()
    assert [p.node for p in state.orders[0].positions] == ["c"]
    assert state.orders[0].history == ("A", "B")


def test_attributes_become_what_the_order_model_calls_them(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "case_id,activity,start_time,end_time,kind,worth,promised\n"
        "1,A,2024-03-04T08:00Z,2024-03-04T09:00Z,gold,12.5,2024-03-05T08:00\n"
        "2,A,2024-03-04T08:00Z,2024-03-04T09:00Z,,much,some day\n"
    )
    columns = {"segment": "kind", "value": "worth", "due": "promised"}
    twin = replace(deterministic(), orders=OrderModel(columns=columns))
    known = frozen(log, None, ["1", "2"])
    first, second = (o.order for o in state_of(twin, known)[0].orders)
    assert (first.segment, first.value, second.segment, second.value) == ("gold", 12.5, "", None)
    assert first.due_s == first.release_s + 24 * HOUR
    assert second.due_s is None


def test_what_no_column_says_is_what_was_said_of_such_orders(tmp_path: Path) -> None:
    """As in the calibration, which learns from the groups that rules make, and as new orders have it."""
    log = tmp_path / "log.csv"
    log.write_text(
        "case_id,activity,start_time,end_time,customer\n"
        "1,A,2024-03-07T23:30Z,2024-03-08T09:00Z,ACME\n"
        "2,A,2024-03-04T08:00Z,2024-03-04T09:00Z,other\n"
    )
    spec = OrderSpec(
        segment_rules=(Rule("key", (("customer", "ACME"),)),),
        promises=(Promise(segment="key", value=70.0, due_working_days=2, lost_after_s=99 * HOUR),),
    )
    known = frozen(log, None, ["1", "2"])
    made = fit_orders(known, spec)
    # There it is Friday already.
    zone = Arrivals((1.0,) * 168, "Europe/Vienna")
    twin = replace(deterministic(), orders=made, arrivals=zone)
    second, first = (o.order for o in state_of(twin, known)[0].orders)
    assert (first.segment, first.value, second.segment, second.value) == ("key", 70.0, "", None)
    assert first.lost_s == first.release_s + 99 * HOUR
    assert first.due_s is not None
    due = known.origin + timedelta(seconds=first.due_s)
    assert due == datetime(2024, 3, 12, 23, tzinfo=UTC)
    assert (second.due_s, second.lost_s) == (None, None)


def paused(known: Snapshot, row: int, *times: tuple[float, float]) -> Snapshot:
    """The snapshot with pauses of one execution, in hours after T0."""
    shift = (T0 - known.origin).total_seconds()
    starts, ends = (np.array([shift + HOUR * t for t in edge]) for edge in zip(*times, strict=True))
    return replace(known, pauses=Pauses(np.full(len(times), row), starts, ends))


def test_suspended_work_is_known_by_what_was_done(tmp_path: Path) -> None:
    """C runs since 9:00, bob works from 9:00 to 17:00; suspended from 10:00 to 10:30 and since 12:00."""
    known = snapshot(tmp_path, [A, B, C._replace(end_s=None)], T0 + timedelta(hours=6), ["1"])
    known = paused(known, 2, (2, 2.5), (4, 6))
    manned = replace(deterministic(), agents=(Agent("bob", "office"),), calendars=(OFFICE,))
    for twin in (deterministic(), manned):
        (position,) = state_of(twin, known)[0].orders[0].positions
        assert position.worked_s == 2.5 * HOUR
    late = replace(OFFICE, hours=((11 * HOUR, 17 * HOUR),))
    twin = replace(deterministic(), agents=(Agent("bob", "office"),), calendars=(late,))
    (position,) = state_of(twin, known)[0].orders[0].positions
    assert position.worked_s == HOUR, "nobody is there before eleven"
    assert stand(tmp_path, [A, B, C._replace(end_s=None)])[0].positions[0].worked_s is None


def test_announced_ends_are_known_where_nobody_is_needed(tmp_path: Path) -> None:
    known = snapshot(tmp_path, [A, B], T0 + timedelta(hours=6), ["1"])
    soon, told = T0 + timedelta(hours=8), T0 + timedelta(hours=2)

    def eta(twin: Metagraph, *etas: Eta) -> float | None:
        (position,) = state_of(twin, known, {"1": etas, "9": ()})[0].orders[0].positions
        return None if position.eta_s is None else position.eta_s / HOUR - shift

    shift = (T0 - known.origin) / timedelta(hours=1)
    nobody = deterministic()
    assert eta(nobody, Eta("C", soon, told)) == 8
    assert eta(nobody, Eta("D", soon, told)) is None, "another task"
    assert eta(nobody, Eta("C", T0 + timedelta(hours=5), told)) is None, "it has passed"
    tasks = tuple(replace(n, queues=("q",)) if isinstance(n, Task) else n for n in nobody.nodes)
    assert eta(replace(nobody, nodes=tasks), Eta("C", soon, told)) is None, "when work begins isn't known"
    renamed = replace(nobody, overrides=(Override("activity Check", "name", "C"),))
    assert eta(renamed, Eta("Check", soon, told)) == 8


def test_an_end_announced_before_an_earlier_execution_ended_is_over(tmp_path: Path) -> None:
    again = [A, B, C, D, E._replace(end_s=None)]
    known = snapshot(tmp_path, again, T0 + timedelta(hours=6), ["1"])
    for hours, kept in ((3.5, True), (1.0, True)):
        told = {"1": (Eta("E", T0 + timedelta(hours=8), T0 + timedelta(hours=hours)),)}
        assert (state_of(deterministic(), known, told)[0].orders[0].positions[0].eta_s is not None) == kept
    known = snapshot(tmp_path, [*again[:-1], E], T0 + timedelta(hours=6), ["1"])
    for hours, kept in ((4.5, True), (3.5, False)):
        told = {"1": (Eta("D", T0 + timedelta(hours=8), T0 + timedelta(hours=hours)),)}
        assert (state_of(deterministic(), known, told)[0].orders[0].positions[0].eta_s is not None) == kept


def test_people_of_a_merged_agent_are_known_by_its_name(tmp_path: Path) -> None:
    """Its people are the log's resources."""
    merged = Agent("the crew", OFFICE.id, members=("ann", "eve"))
    crew = replace(deterministic(), agents=(merged,), calendars=(OFFICE,))
    frozen = snapshot(tmp_path, [A._replace(end_s=None)], T0 + timedelta(hours=6), ["1"])
    state, _ = state_of(crew, frozen)
    assert [p.agent for p in state.orders[0].positions] == ["the crew"]


@pytest.mark.parametrize(("days", "said"), [(0.5, []), (30, ["nothing is known of the 30 days since"])])
def test_a_log_that_stops_long_before_is_told(days: float, said: list[str], tmp_path: Path) -> None:
    told = stale(snapshot(tmp_path, [A], T0 + timedelta(days=days), ["1"]))
    assert [text.partition(": ")[2] for text in told] == said
