"""Orders to come: edges of days, and how often what comes lies in the intervals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from calibration.arrivals import fit_arrivals
from calibration.settings import Settings
from metagraph.errors import DataError
from metagraph.model import Default
from metagraph.orders import ArrivalChange, ArrivalLevel, Arrivals, OrderClass
from tests.calibration.builders import HOUR, WEEK
from tests.calibration.test_arrivals import PROFILE, log_of, poisson
from tests.simulation.test_arrivals import twin
from tests.twin import handmade
from twin.volume import foresee

START = datetime(2024, 3, 4, 9, tzinfo=UTC)


def test_days_are_local_and_counts_are_poisson() -> None:
    """Across the change to summer time: that day has 23 hours."""
    volume = foresee(
        twin(Arrivals((10.0,) * 168, "Europe/Berlin")), periods=30, by="day", start=START, replications=400
    )
    hours = [(c.end - c.begin) / timedelta(hours=1) for c in volume.counts]
    assert sorted(hours) == [23.0] + [24.0] * 29
    assert all(c.begin.astimezone(ZoneInfo("Europe/Berlin")).hour == 0 for c in volume.counts)
    for c, h in zip(volume.counts, hours, strict=True):
        assert c.mean == pytest.approx(10 * h, abs=4 * np.sqrt(10 * h / 400))
        assert c.q90 - c.q10 == pytest.approx(2 * 1.2816 * np.sqrt(10 * h), rel=0.35)
        assert c.q025 <= c.q10 <= c.q50 <= c.q90 <= c.q975


def test_it_begins_with_the_first_whole_day_after_the_log() -> None:
    level = ArrivalLevel(datetime(2024, 5, 1, 22, 30, tzinfo=UTC))
    volume = foresee(twin(Arrivals((1.0,) * 168, "Europe/Berlin", level=level)), periods=1, replications=2)
    assert volume.counts[0].begin == datetime(2024, 5, 2, 22, tzinfo=UTC)
    with pytest.raises(DataError, match="there is no end of it to begin at: give --start"):
        foresee(twin(Arrivals((1.0,) * 168)), periods=1)
    with pytest.raises(DataError, match="knows no arrivals"):
        foresee(twin(None), periods=1, start=START)


def test_a_change_of_one_class_leaves_the_others_as_they_are() -> None:
    """Four times as many of gold from the second day on, none of iron on the third: within 4 standard errors
    of Poisson counts."""
    kinds = tuple(OrderClass(name, "", share, 9) for name, share in (("gold", 0.25), ("iron", 0.75)))
    day = [START.replace(hour=0) + timedelta(days=k) for k in range(4)]
    changes = (ArrivalChange(4.0, day[1], None, "gold"), ArrivalChange(0.0, day[2], day[3], "iron"))
    model = twin(Arrivals((4.0,) * 168, changes=changes), kinds)
    volume = foresee(model, periods=4, by="day", start=START, replications=200)
    expected = {"gold": (24, 96, 96, 96), "iron": (72, 72, 0, 72)}
    for name, counts in volume.by_class.items():
        for count, mean in zip(counts, expected[name], strict=True):
            assert count.mean == pytest.approx(mean, abs=4 * np.sqrt(mean / 200))


def test_the_same_seed_gives_the_same_volume() -> None:
    model = twin(Arrivals((1.0,) * 168, dispersion=0.3))
    one, two, other = (
        foresee(model, periods=4, start=START, replications=20, seed=seed) for seed in (1, 1, 2)
    )
    assert one == two != other
    assert foresee(model, periods=2, start=START, replications=20, seed=1).counts == one.counts[:2]


@pytest.mark.parametrize("wanders", [False, True])
def test_intervals_hold_what_comes(wanders: bool) -> None:
    """60 histories of 30 weeks, forecast 4 weeks ahead by models fitted to them: of the 240 weeks 80 % lie in
    the 80 % intervals and 95 % in the 95 % ones, give or take 8 and 4 points (weeks of one
    history agree). Where the level wanders (memory 0.8, steps of 0.15), 30 weeks tell too little of how."""
    inside_80, inside_95 = [], []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        level = np.zeros(34)
        for t in range(1, 34):
            level[t] = 0.8 * level[t - 1] + draw.normal(0, 0.15) * wanders
        days = np.repeat(np.exp(level), 7) * draw.gamma(1 / 0.05, 0.05, 34 * 7)
        release = poisson(PROFILE, 34, 5000 + seed, days)
        past = release[release < 30 * WEEK]
        log = log_of(past, np.full(len(past), HOUR), until_s=30 * WEEK)
        model = twin(fit_arrivals(log, Settings(arrivals="recent"))[0])
        start = log.origin + timedelta(weeks=30)
        volume = foresee(model, periods=4, start=start, replications=200, seed=seed)
        came = np.histogram(release, np.arange(30, 35) * WEEK)[0]
        for n, c in zip(came.tolist(), volume.counts, strict=True):
            inside_80.append(c.q10 <= n <= c.q90)
            inside_95.append(c.q025 <= n <= c.q975)
    assert (0.69 if wanders else 0.72) <= np.mean(inside_80) <= 0.88
    assert (0.88 if wanders else 0.91) <= np.mean(inside_95) <= 0.99


def test_a_single_order_foretells_nothing() -> None:
    model = twin(fit_arrivals(log_of(np.array([9 * HOUR]), np.array([HOUR])), Settings())[0])
    with pytest.raises(DataError, match=r"has a single order, .* nothing can be foretold"):
        foresee(model, periods=1, start=START)


def test_days_without_orders_are_said() -> None:
    """And that nothing is known of them where the log has no such days."""
    rates = (1.0,) * 120 + (0.0,) * 48
    model = twin(Arrivals(rates))
    assert foresee(model, periods=1, start=START, replications=2).notes == (
        "No orders are foreseen on Sat, Sun: none came then in the part of the log that the rates are from.",
    )
    assert foresee(twin(Arrivals((1.0,) * 168)), periods=1, start=START, replications=2).notes == ()
    unseen = Default("arrivals", "a whole week: 5.0 days were seen", "other days are like these")
    known = replace(handmade.provenance(), defaults=(unseen,))
    assert foresee(replace(model, provenance=known), periods=1, start=START, replications=2).notes == (
        "No orders are foreseen on Sat, Sun.",
        "Missing: a whole week: 5.0 days were seen; assumed: other days are like these.",
    )
