"""Arrival rates against the truth that made them, whole logs and logs cut at their end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from calibration.arrival_rates import smooth_rates, steady_gap
from calibration.arrivals import arrival_defaults, fit_arrivals
from calibration.inclusion import inclusion_weights, judge_end
from calibration.local_time import local_time
from calibration.settings import Settings
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.orders import Arrivals
from tests.calibration.builders import DAY, HOUR, ORIGIN, WEEK, Row, snapshot

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

PROFILE = np.zeros(168)
for _day in range(5):
    PROFILE[_day * 24 + 8 : _day * 24 + 18] = (1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 2.0, 2.0, 1.0, 0.5)


def poisson(rates: Floats, weeks: int, seed: int, factor: Floats | None = None) -> Floats:
    """Arrival instants of a Poisson stream with these rates per hour of the week and day factors."""
    random = np.random.default_rng(seed)
    hours = np.arange(weeks * 168)
    mean = rates[hours % 168] * (1.0 if factor is None else factor[hours // 24])
    counts = random.poisson(mean)
    return np.sort(np.repeat(hours * HOUR, counts) + random.uniform(0, HOUR, counts.sum()))


def log_of(
    release: Floats, cycle: Floats, until_s: float | None = None, open_cases: bool = False
) -> Snapshot:
    rows: list[Row] = []
    still = []
    for i, (r, c) in enumerate(zip(release.tolist(), cycle.tolist(), strict=True)):
        rows.append((str(i), "A", "ann", r, r + min(60.0, c)))
        if until_s is None or r + c <= until_s:
            rows.append((str(i), "B", "ann", r + c, r + c))
        else:
            still.append(str(i))
    return snapshot(rows, until_s=until_s, open_cases=still if open_cases else ())


def fitted(log: Snapshot, settings: Settings | None = None) -> Arrivals:
    settings = settings or Settings()
    return fit_arrivals(log, settings)[0]


def test_rates_lie_inside_poisson_intervals() -> None:
    release = poisson(PROFILE, 52, 41)
    found = fitted(log_of(release, np.full(len(release), HOUR)))
    rates = np.array(found.rates_per_h)
    # 4.5 standard errors for 168 comparisons; smoothing adds its bias of at most a / (a + n).
    allowed = 4.5 * np.sqrt(PROFILE / 52) + 0.15 * PROFILE
    assert (np.abs(rates - PROFILE) <= allowed + 1e-9).all()
    assert rates.sum() == pytest.approx(len(release) / 52, rel=0.01)
    assert (rates[PROFILE == 0] == 0).all()
    assert found.n == len(release)
    assert found.dispersion < 0.02


def test_hours_are_local() -> None:
    release = poisson(PROFILE, 8, 42)
    shifted = fitted(
        log_of(release - HOUR + WEEK, np.full(len(release), HOUR)), Settings(time_zone="Europe/Paris")
    )
    assert np.flatnonzero(shifted.rates_per_h).tolist() == np.flatnonzero(PROFILE).tolist()
    assert shifted.time_zone == "Europe/Paris"


def test_busy_days_are_dispersion() -> None:
    factor = np.random.default_rng(43).gamma(1 / 0.3, 0.3, 40 * 7)
    release = poisson(PROFILE, 40, 44, factor)
    assert fitted(log_of(release, np.full(len(release), HOUR))).dispersion == pytest.approx(0.3, abs=0.1)


def dropped(seed: int, mean_cycle: float, weeks: int = 20) -> tuple[Floats, Snapshot]:
    """A steady stream of which the log holds only the cases that ended in time; and the true rates."""
    rates = PROFILE * 2
    release = poisson(rates, weeks, seed)
    cycle = np.random.default_rng(seed + 1).exponential(mean_cycle, len(release)) + 60
    kept = release + cycle <= weeks * WEEK
    return rates, log_of(release[kept], cycle[kept], weeks * WEEK)


def test_cases_left_out_at_the_end_are_made_up_for() -> None:
    corrected, plain, truth = [], [], 1.0
    for seed in range(45, 53):
        rates, log = dropped(seed, 3.5 * WEEK, weeks=10)
        truth = rates.sum()
        corrected.append(sum(fitted(log).rates_per_h) / truth)
        plain.append(sum(fitted(log, Settings(arrivals_corrected=False)).rates_per_h) / truth)
    assert np.mean(corrected) == pytest.approx(1, abs=0.10)
    assert np.mean(plain) < 0.72, "uncorrected, three in ten are missing"


def test_the_weights_are_one_over_the_chance_of_being_seen() -> None:
    random = np.random.default_rng(49)
    release = random.uniform(0, 100, 40000)
    cycle = random.gamma(3, 5, 40000)
    kept = release + cycle <= 100
    weights, until = inclusion_weights(release[kept], cycle[kept], 100.0)
    early = release[kept] < until
    truth = 1 / gamma(3, scale=5).cdf(100 - release[kept][early])
    assert np.abs(weights[early] / truth - 1).max() < 0.06
    assert until == pytest.approx(100 - gamma(3, scale=5).ppf(0.2), abs=0.5)


def test_the_end_of_the_log_is_judged_by_little_s_law() -> None:
    _, log = dropped(50, 2 * WEEK)
    assert judge_end(log, None).cut
    assert "been left out (set arrivals_corrected = false" in judge_end(log, None).words
    assert not judge_end(log, False).cut
    release = poisson(PROFILE, 10, 51)
    quick = log_of(release, np.full(len(release), 60.0))
    assert not judge_end(quick, None).cut
    assert judge_end(quick, True).cut


def test_open_cases_in_the_log_mean_that_nothing_is_missing() -> None:
    release = poisson(PROFILE, 20, 52)
    cycle = np.random.default_rng(53).exponential(2 * WEEK, len(release))
    log = log_of(release, cycle, 20 * WEEK, open_cases=True)
    end = judge_end(log, None)
    assert not end.cut
    assert "open at the end" in end.words
    assert sum(fitted(log).rates_per_h) == pytest.approx(PROFILE.sum(), rel=0.08)


@pytest.mark.parametrize("model", ["weekly", "recent"])
def test_cases_of_a_period_followed_to_their_end_make_no_silence(model: str) -> None:
    """The log goes on for weeks after the last case began; that nothing comes then isn't what orders do."""
    release = poisson(PROFILE, 20, 52)
    cycle = np.random.default_rng(53).exponential(2 * WEEK, len(release))
    found = fitted(log_of(release, cycle), Settings(arrivals=model))
    assert sum(found.rates_per_h) == pytest.approx(PROFILE.sum(), rel=0.12)


def test_recent_weeks_count_more_if_asked() -> None:
    first, second = poisson(PROFILE, 20, 54), poisson(3 * PROFILE, 20, 55) + 20 * WEEK
    release = np.concatenate((first, second))
    log = log_of(release, np.full(len(release), HOUR))
    assert sum(fitted(log).rates_per_h) == pytest.approx(2 * PROFILE.sum(), rel=0.06)
    assert sum(fitted(log, Settings(arrivals="fading", half_life_weeks=3)).rates_per_h) == pytest.approx(
        3 * PROFILE.sum(), rel=0.08
    )
    with pytest.raises(UsageError, match="say how fast the past fades"):
        Settings(arrivals="fading")


def test_a_log_of_a_few_days_tells_the_other_weekdays_by_those_seen() -> None:
    release = poisson(PROFILE * 5, 1, 56)
    release = release[release < 3 * DAY]
    rates = np.array(fitted(log_of(release, np.full(len(release), 60.0))).rates_per_h)
    assert rates[3 * 24 : 4 * 24].sum() == pytest.approx(rates[: 3 * 24].sum() / 3, rel=0.2)


counts = st.lists(st.integers(0, 50), min_size=168, max_size=168)


@given(counts, st.floats(0.5, 60))
def test_smoothing_keeps_the_total_and_the_zeros(count: list[int], weeks: float) -> None:
    seen = np.array(count, np.float64)
    rates = smooth_rates(seen, np.full(168, weeks))
    assert rates.sum() * weeks == pytest.approx(seen.sum())
    assert (rates >= 0).all()
    days = seen.reshape(7, 24)
    assert (rates.reshape(7, 24)[days.sum(axis=1) == 0] == 0).all()
    assert (rates.reshape(7, 24)[:, days.sum(axis=0) == 0] == 0).all()


def test_one_case_is_enough_and_said_to_be_little() -> None:
    log = log_of(np.array([10 * HOUR]), np.array([HOUR]))
    found = fitted(log)
    said = [d.missing for d in arrival_defaults(log, found)]
    assert said == ["only 1 were seen", "a whole week: 0.0 days were seen"]
    assert found.n == 1
    assert sum(found.rates_per_h) > 0


def test_arrivals_steadier_than_chance_are_found_and_chance_is_left_alone() -> None:
    draw = np.random.default_rng(3)
    local = local_time(ORIGIN, 0.0, 10 * WEEK, "UTC")
    rates = np.zeros(168)
    for day in range(5):
        rates[day * 24 + 8 : day * 24 + 16] = 2.0
    mornings = [w * WEEK + d * DAY + 8 * HOUR for w in range(8) for d in range(5)]
    office = np.concatenate([t + 1800 * np.arange(16) for t in mornings])
    even = steady_gap(office, rates, local)
    assert even is not None
    assert even.law == Constant(1.0)
    shaken = steady_gap(np.sort(office + draw.uniform(-600, 600, len(office))), rates, local)
    assert shaken is not None
    assert shaken.law.mean() == pytest.approx(1.0, rel=0.02)
    chance = np.sort(np.concatenate([t + draw.uniform(0, 8 * HOUR, 16) for t in mornings]))
    assert steady_gap(chance, rates, local) is None


def test_cases_followed_to_their_end_are_not_missing() -> None:
    """What is told of the log's end is what weights make of it: all cases are there."""
    release = poisson(PROFILE, 20, 52)
    cycle = np.random.default_rng(53).exponential(1 * WEEK, len(release))
    log = log_of(release, cycle)
    end = judge_end(log, None)
    assert not end.cut
    assert "no case began after 2024-05-17" in end.words
    assert "nothing is missing (set arrivals_corrected = true" in end.words


def test_a_log_of_five_weekdays_foretells_none_for_the_weekend_unless_some_come_at_night() -> None:
    release = poisson(PROFILE * 5, 1, 56)
    rates = np.array(fitted(log_of(release, np.full(len(release), 60.0))).rates_per_h)
    assert rates[: 5 * 24].sum() == pytest.approx(len(release), rel=0.05)
    assert rates[5 * 24 :].sum() == 0
    release = poisson(np.full(168, 3.0), 1, 56)
    release = release[release < 5 * DAY]
    rates = np.array(fitted(log_of(release, np.full(len(release), 60.0))).rates_per_h)
    assert rates[5 * 24 :].sum() == pytest.approx(rates[: 5 * 24].sum() * 2 / 5, rel=0.1)
