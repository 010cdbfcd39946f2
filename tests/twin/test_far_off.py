"""What is told of tasks whose times are far off in a twin, and how sure it is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.twin import handmade
from twin.far_off import far_off, far_off_text
from twin.task_checks import task_checks
from twin.validation import TaskCheck, Validation


def checked(*tasks: TaskCheck) -> Validation:
    return replace(handmade.validation(), tasks=tasks)


def check(name: str, log: float, twin: float, half: float | None = 60.0, gap: float = 0.0) -> TaskCheck:
    return TaskCheck(name, 1.0, 1.0, log, twin, gap, gap, half, half, half, half)


def test_the_worst_is_told_first_with_both_intervals() -> None:
    found = checked(check("A", 3600.0, 1800.0), check("B", 3600.0, 7200.0), check("C", 3600.0, 3700.0))
    assert [off.activity for off in far_off(found)] == ["B", "A"]
    assert "B from start to end is 2.00 ± 0.02 h in the twin, 60 ± 1 min in the log" in far_off_text(found)


def test_only_three_are_named_and_the_rest_counted() -> None:
    found = checked(*(check(f"T{i}", 3600.0, 7200.0 + i) for i in range(5)))
    assert far_off_text(found).endswith("; 2 more stand in the table.")
    assert "T4" in far_off_text(found)
    assert "T0" not in far_off_text(found)


@pytest.mark.parametrize(
    "task",
    [
        check("overlapping intervals", 3600.0, 7200.0, 1800.0),
        check("less than a quarter", 3600.0, 4400.0, 1.0),
        check("nothing for the order", 60.0, 120.0, 1.0, gap=86400.0),
        check("no interval", 3600.0, 7200.0, None),
    ],
    ids=lambda task: task.activity,
)
def test_what_may_be_chance_or_is_little_is_not_told(task: TaskCheck) -> None:
    assert far_off(checked(task)) == ()


def test_tasks_done_too_often_or_rarely_are_told() -> None:
    often = replace(
        check("A", 3600.0, 3600.0),
        simulated_per_case=0.5,
        observed_per_case_half=0.1,
        simulated_per_case_half=0.05,
    )
    assert "a case has 0.50 ± 0.05 executions of A in the twin, 1.00 ± 0.10 in the log" in far_off_text(
        checked(often)
    )
    assert far_off(checked(replace(often, observed_per_case_half=0.5))) == ()


def test_results_without_intervals_say_nothing() -> None:
    assert far_off_text(checked(check("A", 3600.0, 7200.0, None))) == ""


def a_log(work_s: np.ndarray) -> pd.DataFrame:
    start = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(np.arange(len(work_s)) * 3600, unit="s")
    end = start + pd.to_timedelta(work_s, unit="s")
    cases = [str(i) for i in range(len(work_s))]
    columns = {"case_id": cases, "activity": "A", "resource": "R", "start_time": start, "end_time": end}
    return pd.DataFrame(columns)


@pytest.mark.parametrize("kept", [0.0, 0.9], ids=["independent", "like what came before"])
def test_intervals_hold_the_true_mean_as_often_as_they_say(kept: float) -> None:
    """Also where executions resemble those at about the same time, as in queues."""
    random = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        noise, level = random.normal(size=600), 0.0
        steps = np.array([level := kept * level + one for one in noise])
        log = a_log(1000.0 + 50.0 * steps)
        (task,) = task_checks(log, [log])
        assert task.observed_work_s is not None
        assert task.observed_work_half_s is not None
        held += abs(task.observed_work_s - 1000.0) < task.observed_work_half_s
    assert 0.87 <= held / 200 <= 0.99
