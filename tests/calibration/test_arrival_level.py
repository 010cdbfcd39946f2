"""The level of arrivals against weeks made of known levels."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.arrival_level import FREE, Weeks, fit_level
from calibration.arrivals import fit_arrivals, models
from calibration.settings import Settings
from metagraph.errors import UsageError
from metagraph.orders import Arrivals
from tests.calibration.builders import HOUR, WEEK
from tests.calibration.test_arrivals import PROFILE, dropped, log_of, poisson

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
MEAN = 60.0


def weeks(log_level: Floats, seed: int, phi: float = 1.5) -> Weeks:
    """Counts with this variance over mean, as a negative binomial, of weeks with these log levels."""
    mean = MEAN * np.exp(log_level)
    count = np.random.default_rng(seed).negative_binomial(mean / (phi - 1), 1 / phi)
    n = len(log_level)
    return Weeks(count.astype(np.float64), np.full(n, MEAN), np.full(n, phi))


def wander(memory: float, week_sd: float, n: int, seed: int) -> Floats:
    draw = np.random.default_rng(seed)
    level = np.zeros(n)
    level[0] = draw.normal(0, week_sd / np.sqrt(1 - memory**2))
    for t in range(1, n):
        level[t] = memory * level[t - 1] + draw.normal(0, week_sd)
    return level


@pytest.mark.parametrize("trend", [False, True])
def test_steady_weeks_stay_steady(trend: bool) -> None:
    """20 weeks without change: a wandering level or a trend is seen in at most 8 of 100. Intervals are a
    little too wide, for they reckon with a level that wanders unseen."""
    fits = [fit_level(weeks(np.zeros(20), seed), trend=trend) for seed in range(100)]
    assert sum(fit.wanders or fit.trend != 0 for fit in fits) <= 8
    off = np.array([fit.now / fit.now_sd for fit in fits])
    assert (np.abs(off) < 1.645).sum() >= 85


def test_the_level_at_the_end_is_inside_its_interval() -> None:
    """Levels with memory 0.8 and steps of 0.2, 40 weeks: 90 % of the intervals hold the last one (3 sd), and
    38 % of those of half a deviation do: they are no wider than they must be."""
    inside, within, closer, steady = [], [], [], []
    for seed in range(100):
        truth = wander(0.8, 0.2, 40, 1000 + seed)
        fit = fit_level(weeks(truth, seed))
        inside.append(abs(fit.now - truth[-1]) < 1.645 * fit.now_sd)
        within.append(abs(fit.now - truth[-1]) < 0.5 * fit.now_sd)
        closer.append(abs(fit.now - truth[-1]))
        steady.append(abs(truth.mean() - truth[-1]))
    assert np.mean(inside) > 0.81
    assert abs(np.mean(within) - 0.383) < 3 * np.sqrt(0.383 * 0.617 / 100)
    assert np.mean(closer) < 0.6 * np.mean(steady)


def test_memory_and_noise_are_found() -> None:
    fits = [fit_level(weeks(wander(0.7, 0.25, 150, 2000 + seed), seed)) for seed in range(12)]
    kept = [fit for fit in fits if fit.week_sd > 0]
    assert len(kept) >= 9
    assert np.median([fit.memory for fit in kept]) == pytest.approx(0.7, abs=0.21)
    sd = [fit.week_sd / np.sqrt(1 - fit.memory**2) for fit in kept]
    assert np.median(sd) == pytest.approx(0.25 / np.sqrt(1 - 0.7**2), rel=0.35)


def test_a_level_that_never_comes_back_stays_where_it_is() -> None:
    """In short logs it looks like one that comes back slowly; in 150 weeks it is told from it mostly."""
    walks = [np.cumsum(np.random.default_rng(seed).normal(0, 0.2, 150)) for seed in range(10)]
    free = [fit for fit in (fit_level(weeks(walk, 3)) for walk in walks) if fit.wanders and fit.drift_sd > 0]
    assert len(free) >= 6
    assert np.median([fit.drift_sd for fit in free]) == pytest.approx(0.2, abs=0.06)
    assert all((fit.settles, fit.memory) == (fit.now, FREE) for fit in free)


def test_a_trend_is_found_and_ebbs_away() -> None:
    fits = [fit_level(weeks(0.05 * np.arange(-29, 1.0), seed), trend=True) for seed in range(20)]
    assert all(abs(fit.trend - 0.05) < 3.5 * fit.trend_sd for fit in fits)
    assert all(0 < fit.settles - fit.now < 0.5 for fit in fits)
    assert np.mean([fit.now for fit in fits]) == pytest.approx(0, abs=0.06)


def fitted(log: object, model: str) -> Arrivals:
    return fit_arrivals(log, Settings(arrivals=model))[0]  # type: ignore[arg-type]


def test_a_log_that_grew_is_taken_at_its_end() -> None:
    release = np.concatenate((poisson(PROFILE, 20, 54), poisson(3 * PROFILE, 6, 55) + 20 * WEEK))
    log = log_of(release, np.full(len(release), HOUR), until_s=26 * WEEK)
    recent = fitted(log, "recent")
    assert sum(recent.rates_per_h) == pytest.approx(3 * PROFILE.sum(), rel=0.1)
    assert recent.level is not None
    assert recent.level.drift_sd > 0
    assert (np.array(recent.rates_per_h)[PROFILE == 0] == 0).all()


def test_cases_missing_at_the_end_are_no_decline() -> None:
    """Streams that stay as they are, seen through logs without unfinished cases."""
    found = []
    for seed in range(45, 57):
        rates, log = dropped(seed, 2 * WEEK, weeks=16)
        arrivals = fitted(log, "recent")
        assert arrivals.level is not None
        level = arrivals.level
        found.append((sum(arrivals.rates_per_h) / rates.sum(), level.week_sd))
    assert np.mean([ratio for ratio, _ in found]) == pytest.approx(1, abs=0.06)
    assert sum(sd > 0 for _, sd in found) <= 2


def test_even_gaps_leave_nothing_unknown() -> None:
    office = np.concatenate([d * 86400 + 8 * HOUR + 1800 * np.arange(16) for d in range(70) if d % 7 < 5])
    arrivals = fitted(log_of(office, np.full(len(office), HOUR), until_s=10 * WEEK), "recent")
    assert arrivals.gap is not None
    assert arrivals.level is not None
    assert arrivals.level.now_sd < 0.01


def test_short_logs_have_fewer_models() -> None:
    release = poisson(PROFILE, 20, 54)
    assert models(log_of(release, np.full(len(release), HOUR))) == ("weekly", "recent", "trend")
    assert models(log_of(release, np.full(len(release), HOUR)), 8.0) == ("fading",)
    few = release[:50]
    assert models(log_of(few, np.full(len(few), HOUR))) == ("weekly",)


def test_an_unknown_model_is_told() -> None:
    with pytest.raises(UsageError, match="arrivals is 'monthly'; expected one of: weekly; "):
        Settings(arrivals="monthly")
