"""Validation measures what was simulated, with the library's own functions."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from examples.order_to_cash import START, known_twin
from metagraph.distributions import Constant, Fitted
from metagraph.errors import DataError
from metagraph.model import Metagraph, Override
from metagraph.nodes import DelayTable
from tests.eventlogs.logs import T0, Row
from tests.twin.small import deterministic, known_log, snapshot
from twin.distances import distances
from twin.far_off import far_off, far_off_text
from twin.frames import frame_of_run, frame_of_snapshot
from twin.json_out import dump, read
from twin.reference import CHANCE, LAST_PERIOD, RESAMPLED, last_period, resampled
from twin.simulate import simulate
from twin.source import LogRequest, LogSource, read_log
from twin.validate import one_sided, validate
from twin.validation import METRICS, Validation

KNOWN = known_twin()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogSource, LogSource]:
    """Two periods of the known process: before and after."""
    folder = tmp_path_factory.mktemp("validate")
    later = START + timedelta(weeks=2)
    paths = known_log(folder / "train.csv", 12, 1), known_log(folder / "test.csv", 12, 2, later)
    before, after = (read_log(LogRequest(str(p), str(folder / "db"), all_closed=True)) for p in paths)
    return before, after


@pytest.fixture(scope="module")
def found(logs: tuple[LogSource, LogSource]) -> Validation:
    train, test = logs
    return validate(KNOWN, test.snapshot, train.snapshot, runs=3, seed=5)


def test_each_run_is_measured_as_the_library_measures_it(
    logs: tuple[LogSource, LogSource], found: Validation
) -> None:
    observed = frame_of_snapshot(logs[1].snapshot)
    start = observed["start_time"].min().to_pydatetime()
    cases = observed["case_id"].nunique()
    for i in range(3):
        log = frame_of_run(simulate(KNOWN, start=start, cases=cases, seed=5, replication=i))
        assert log["case_id"].nunique() == cases
        assert log["start_time"].min() >= observed["start_time"].min()
        measured = distances(observed, log)
        assert {m: found.distances[m][i] for m in METRICS} == measured
    copied = distances(observed, last_period(frame_of_snapshot(logs[0].snapshot), observed))
    assert {m: found.references[LAST_PERIOD][m] for m in METRICS} == {m: (copied[m],) for m in METRICS}
    assert found.references[RESAMPLED]["CADD"] == (0.0, 0.0, 0.0), "it knows the arrivals"
    history = frame_of_snapshot(logs[0].snapshot)
    drawn = [resampled(history, observed, 5 + k) for k in range(3)]
    for k in range(3):
        apart = distances(drawn[k - 1], drawn[k])
        assert [found.references[CHANCE][m][k] for m in METRICS] == pytest.approx(list(apart.values()))


def test_the_same_seed_gives_the_same_figures(logs: tuple[LogSource, LogSource], found: Validation) -> None:
    again = validate(KNOWN, logs[1].snapshot, logs[0].snapshot, runs=3, seed=5)
    assert again == found
    assert read(Validation, dump(found)) == found


def test_the_true_process_is_nearer_than_a_wrong_one(
    logs: tuple[LogSource, LogSource], found: Validation
) -> None:
    slow = replace(KNOWN, agents=tuple(a for a in KNOWN.agents if a.id != "Jonas Lindqvist"))
    queues = tuple(
        replace(q, agents=tuple(a for a in q.agents if a != "Jonas Lindqvist")) for q in KNOWN.queues
    )
    wrong = validate(replace(slow, queues=queues), logs[1].snapshot, runs=2, seed=5)
    assert wrong.mean("CTDD") > found.mean("CTDD")
    assert wrong.references == {}


def test_counts_per_case_and_shares_are_those_of_the_logs(found: Validation) -> None:
    tasks = {t.activity: t for t in found.tasks}
    assert set(tasks) == {task.label for task in KNOWN.tasks()}
    assert tasks["Create Order"].observed_per_case == tasks["Create Order"].simulated_per_case == 1
    assert tasks["Create Order"].observed_wait_s == 0
    assert sum(a.observed_share for a in found.agents) == pytest.approx(1)
    assert sum(a.simulated_share for a in found.agents) == pytest.approx(1)


def test_the_task_that_takes_too_long_is_named_first(
    logs: tuple[LogSource, LogSource], found: Validation
) -> None:
    assert far_off(found) == ()
    assert "No task's mean time" in far_off_text(found)
    label = "Check-in Shipment"
    node = next(task for task in KNOWN.tasks() if task.label == label)
    late = replace(node, delay=DelayTable(Fitted(Constant(40 * 3600.0), 0, "task", 0.0, {}), {}))
    wrong = replace(KNOWN, nodes=tuple(late if n is node else n for n in KNOWN.nodes))
    worst = far_off(validate(wrong, logs[1].snapshot, runs=3, seed=5))[0]
    assert (worst.activity, worst.what) == (label, "gap")
    assert worst.simulated[0] > worst.observed[0]


def test_a_task_of_one_side_has_no_times_on_the_other(logs: tuple[LogSource, LogSource]) -> None:
    first, *others = logs[1].snapshot.activities
    strange = replace(logs[1].snapshot, activities=(f"{first} abroad", *others))
    one = validate(KNOWN, strange, runs=2, seed=5)
    tasks = {t.activity: t for t in one.tasks}
    assert tasks[first].observed_work_s is None
    assert tasks[first].observed_per_case == tasks[f"{first} abroad"].simulated_per_case == 0
    assert read(Validation, dump(one)) == one
    assert all(off.what == "count" for off in far_off(one) if off.activity.startswith(first))


def test_renamed_activities_are_compared_under_one_name(
    logs: tuple[LogSource, LogSource], found: Validation
) -> None:
    renamed = _renamed(KNOWN, "Credit Check", "Check credit")
    again = validate(renamed, logs[1].snapshot, logs[0].snapshot, runs=1, seed=5)
    assert "Check credit" in {t.activity for t in again.tasks}
    assert "Credit Check" not in {t.activity for t in again.tasks}
    assert {m: v[0] for m, v in again.distances.items()} == {
        m: pytest.approx(v[0]) for m, v in found.distances.items()
    }
    assert again.references[LAST_PERIOD] == found.references[LAST_PERIOD]


def _renamed(twin: Metagraph, old: str, new: str) -> Metagraph:
    from calibration.graph_edits import relabelled

    task = next(t for t in twin.tasks() if t.label == old)
    return replace(relabelled(twin, task, new), overrides=(Override(f"activity {old}", "name", new),))


def test_a_log_in_which_nothing_ends_is_refused(tmp_path: Path) -> None:
    running = snapshot(tmp_path, [Row("1", "A", None, 0.0, None)], T0 + timedelta(hours=1), [])
    with pytest.raises(DataError, match="log 'log' has no finished execution"):
        validate(deterministic(per_hour=1.0), running, runs=1)


def test_a_twin_without_arrivals_is_refused(tmp_path: Path) -> None:
    log = snapshot(tmp_path, [Row("1", "A", None, 0.0, 60.0)], T0 + timedelta(hours=1), [])
    with pytest.raises(DataError, match="knows no arrivals"):
        validate(deterministic(), log, runs=1)


def test_activities_of_one_side_are_named_and_another_process_is_refused(
    logs: tuple[LogSource, LogSource],
) -> None:
    test = logs[1].snapshot
    assert one_sided(KNOWN, test) == ""
    first, *others = test.activities
    named = one_sided(KNOWN, replace(test, activities=("Bake", *others)))
    assert named == f"only the log has Bake and only the twin has {first}"
    foreign = replace(test, activities=tuple(f"{name} abroad" for name in test.activities))
    with pytest.raises(DataError, match=r"none of the twin's activities .* of another process"):
        validate(KNOWN, foreign, runs=1)
