"""Numbers in words are near the numbers; parts of a model are named by what a reader knows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Fitted, Parametric
from metagraph.nodes import WaitBreakdown
from metagraph.shifts import Shift
from tests.twin import handmade
from twin import model_words, words

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


@given(st.floats(1e-3, 1e9))
def test_a_time_in_words_is_the_time(seconds: float) -> None:
    value, unit = words.span(seconds).split()
    assert float(value.replace(",", "")) * SECONDS[unit] == pytest.approx(seconds, rel=0.006)


@given(st.integers(0, 500), st.integers(1, 500))
def test_interval_of_a_share_holds_it(taken: int, n: int) -> None:
    share = min(taken, n) / n
    low, high = words.share_interval(share, n)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


def test_interval_of_a_share_matches_the_published_example() -> None:
    low, high = words.share_interval(81 / 263, 263)  # Newcombe (1998), table I
    assert (low, high) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_mean_with_its_interval() -> None:
    exponential = Fitted(Parametric("expon", (0.0, 600.0)), 400, "task")
    half = words.mean_half_width(exponential)
    assert half == pytest.approx(1.96 * 600 / np.sqrt(400), rel=0.03)
    assert words.mean_text(exponential) == "10.0 ± 1.0 min"
    assert words.mean_text(Fitted(Constant(90.0), 400, "task")) == "90 s"


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (handmade.OFFICE, "Mon–Fri 09:00–17:00"),
        (((9 * 3600.0, 12 * 3600.0), (13 * 3600.0, 17.5 * 3600.0)), "Mon 09:00–12:00, 13:00–17:30"),
        (((86400.0 * 1.5, 86400.0 * 2.5),), "Tue 12:00–24:00; Wed 00:00–12:00"),
        ((), "never"),
    ],
)
def test_weekly_hours(hours: tuple[tuple[float, float], ...], text: str) -> None:
    assert words.hours_text(Calendar("c", hours)) == text
    assert words.hours_text(Calendar("c")) == "always"


def test_choices_alike_are_numbered_as_they_are_met() -> None:
    twin = handmade.twin()
    assert model_words.gateway_names(twin) == {"l2": f"after {handmade.EVIL}"}
    second = replace(twin.routing[0], node="a1", flows=("f7", "f8"))
    names = model_words.gateway_names(replace(twin, routing=(second, *twin.routing)))
    assert names == {node: f"after {handmade.EVIL}, choice {i} of 2" for i, node in ((1, "l2"), (2, "a1"))}


def test_branches_and_gateways_are_named_by_tasks() -> None:
    twin = handmade.twin()
    assert words.branch_text(twin, "f4") == "Correct Order"
    assert words.branch_text(twin, "f6") == "Ship, Invoice"
    assert words.branch_text(twin, "f11") == "end"
    assert words.gateway_text(twin, "l2") == f"after {handmade.EVIL}"
    assert words.gateway_text(twin, "l1") == "after Create Order, Correct Order"
    assert words.serving(twin, replace(twin.tasks()[0], queues=("q2", "q1"))) == ("Ann", "Bob", "Robot")


def test_drawn_hours_say_how_often_and_when() -> None:
    office = (Shift(8 * 3600.0, 16 * 3600.0, 0.5), Shift(9 * 3600.0, 17 * 3600.0, 0.35))
    night = (Shift(22 * 3600.0, 30 * 3600.0, 0.004),)
    drawn = Calendar("c", shifts=(*(office for _ in range(5)), (), night))
    assert words.hours_text(drawn) == (
        "Mon–Fri present 85 %, about 08:25–16:25; Sun present 0.4 %, about 22:00–06:00"
    )


def test_usual_hours_with_rare_others() -> None:
    """A day that is nearly always the same shows its hours, with their break, and how often others."""
    day = (Shift(8 * 3600.0, 20 * 3600.0, 0.04), Shift(8 * 3600.0, 17 * 3600.0, 0.96))
    noon = tuple((k * 86400.0, k * 86400.0 + 12 * 3600.0) for k in range(7))
    after = tuple((k * 86400.0 + 13 * 3600.0, (k + 1) * 86400.0) for k in range(7))
    calendar = Calendar("c", tuple(sorted(noon + after)), shifts=(*(day for _ in range(5)), (), ()))
    assert words.hours_text(calendar) == "Mon–Fri 08:00–12:00, 13:00–17:00 (others on 4 %)"


def test_delays_that_come_to_nearly_all_waiting_are_told() -> None:
    twin = handmade.twin()
    assert model_words.congestion_text(twin) == ""
    delay = next(task.delay for task in twin.tasks() if task.delay)
    mean_s = delay.default.law.mean()
    for factor, told in ((1.3, False), (1.1, True), (0.5, True)):
        waits = WaitBreakdown(100, 0.0, mean_s * factor, 0.0, work_s=1e6)
        tasks = {t.id: replace(t, waits=waits if t.delay else None) for t in twin.tasks()}
        said = model_words.congestion_text(
            replace(twin, nodes=tuple(tasks.get(node.id, node) for node in twin.nodes))
        )
        assert bool(said) == told
        assert ("come to 91 % of the waiting" in said) == (factor == 1.1)
    assert "come to 100 %" in said
