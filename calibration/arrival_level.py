"""How the weekly level of arrivals wanders: estimated for the end of the log, with what may come after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.local_time import Floats

MEMORIES = (0.0, 0.5, 0.7, 0.8, 0.9)
"""Correlations of the level from one week to the next that are tried for a level that returns to its mean."""
SPREADS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
"""Standard deviations of the log level that are tried with them."""
STEPS = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)
"""Standard deviations of weekly changes that are tried for a level that goes where it likes."""
FREE = 0.98
"""Such a level is simulated with this memory, so that in years to come it doesn't leave all bounds."""
AHEAD = 4
"""Weeks over which a level that may or may not wander is taken to move as far as one that does."""
DAMPING = 0.8
"""A trend's next week brings this much of the week before it (Gardner and McKenzie, 1985)."""
SURE = 2.6
"""Standard errors that a trend must differ from 0 by (chance: 1 %)."""
WANDERS = 4.6
"""Twice the gain in log likelihood from which the level is said to wander (chance: about 5 %)."""
_VAGUE = 3.0
_STEEP = 0.15
_NEWTON = 12


@dataclass(frozen=True, slots=True, eq=False)
class Weeks:
    """Arrivals by week, the last of which ends with the log."""

    count: Floats
    expected: Floats
    """What the mean rates and the chance of being seen give."""
    phi: Floats
    """Variance over mean of a week's count whose level is known."""


@dataclass(frozen=True, slots=True)
class LevelFit:
    """The log level, relative to the mean rates, and where it goes: after k weeks its mean is
    now + (settles - now)(1 - memory^k)."""

    now: float
    now_sd: float
    settles: float
    settles_sd: float
    memory: float
    week_sd: float = 0.0
    """Weekly noise of a level that returns to its mean."""
    drift_sd: float = 0.0
    """Weekly noise of one that doesn't, or that may or may not: for forecasts only."""
    trend: float = 0.0
    """Growth of the log level a week."""
    trend_sd: float = 0.0
    gain: float = 0.0
    """Twice the log likelihood that wandering adds to a steady level."""

    @property
    def wanders(self) -> bool:
        """Whether the level is not taken to be steady."""
        return self.gain > WANDERS


def fit_level(weeks: Weeks, *, trend: bool = False) -> LevelFit:
    """The level mu + beta (t - T) + x_t with x_t = rho x_{t-1} + noise, counts being Poisson given it, but
    for their over-dispersion phi, as quasi-likelihood; T is the last week, and beta 0 without a trend.

    rho (1 for a random walk) and the noise are those on a grid with the highest one-step-ahead likelihood, no
    noise unless the likelihood gains by WANDERS. The filter is Gaussian about the mode of each week (Durbin
    and Koopman, Time series analysis by state space methods, 2012, ch. 10). With `trend`, beta goes on,
    damped by DAMPING a week, where it differs from 0 by SURE standard errors; else there is none.
    """
    rho, step, mean, cov, gain = _best(weeks, trend)
    if not trend:
        both = np.ones(2)
        now, now_sd = float(both @ mean), float(np.sqrt(both @ cov @ both))
        if rho == 1.0:
            return LevelFit(now, now_sd, now, now_sd, FREE, drift_sd=step, gain=gain)
        settles_sd = float(np.sqrt(cov[0, 0]))
        return LevelFit(now, now_sd, float(mean[0]), settles_sd, rho, week_sd=step, gain=gain)
    beta, beta_sd = float(mean[2]), float(np.sqrt(cov[2, 2]))
    if abs(beta) < SURE * beta_sd:
        return fit_level(weeks)
    both, later = np.array([1.0, 1.0, 0.0]), np.array([1.0, 1.0, DAMPING / (1 - DAMPING)])
    return LevelFit(
        now=float(both @ mean),
        now_sd=float(np.sqrt(both @ cov @ both)),
        settles=float(later @ mean),
        settles_sd=float(np.sqrt(later @ cov @ later)),
        memory=DAMPING,
        drift_sd=step,
        trend=beta,
        trend_sd=beta_sd,
        gain=gain,
    )


def _best(weeks: Weeks, trend: bool) -> tuple[float, float, Floats, Floats, float]:
    """The likeliest memory and weekly noise, the state's mean and covariance with them, and twice what the
    log likelihood gains by them."""
    grid = [(1.0, 0.0, 0.0), *((1.0, 0.0, step) for step in STEPS)]
    if not trend:
        grid += [(rho, s, s * float(np.sqrt(1 - rho**2))) for s in SPREADS for rho in MEMORIES]
    rho, spread, step = np.array(grid).T
    likelihood, mean, cov = _filtered(weeks, rho, spread, step, trend)
    best = int(np.argmax(likelihood))
    gain = 2 * float(likelihood[best] - likelihood[0])
    if gain <= WANDERS:
        # The level is taken to be steady, but a forecast reckons with what it may yet do.
        moved = (
            spread[best] ** 2 * (1 - rho[best] ** (2 * AHEAD)) / AHEAD if rho[best] < 1 else step[best] ** 2
        )
        return 1.0, float(np.sqrt(moved)), mean[0], np.maximum(cov[0], cov[best]), gain
    return float(rho[best]), float(step[best]), mean[best], cov[best], gain


def _filtered(
    weeks: Weeks, rho: Floats, spread: Floats, step: Floats, trend: bool
) -> tuple[Floats, Floats, Floats]:
    """One-step-ahead log likelihood, last mean and covariance of (mu, x[, beta]), for each memory rho,
    deviation of x in the first week, and of its weekly noise."""
    from scipy.special import gammaln

    n_states, n = (3 if trend else 2), len(weeks.count)
    start = np.log((weeks.count.sum() + 0.5) / max(float(weeks.expected.sum()), 1e-9))
    mean = np.zeros((len(rho), n_states))
    mean[:, 0] = start
    cov = np.zeros((len(rho), n_states, n_states))
    cov[:, 0, 0] = _VAGUE**2
    cov[:, 1, 1] = spread**2
    if trend:
        cov[:, 2, 2] = _STEEP**2
    likelihood = np.zeros(len(rho))
    for t in range(n):
        mean[:, 1] *= rho
        cov[:, 1, :] *= rho[:, None]
        cov[:, :, 1] *= rho[:, None]
        cov[:, 1, 1] += step**2
        e, y = weeks.expected[t] / weeks.phi[t], weeks.count[t] / weeks.phi[t]
        if e <= 0:
            continue
        h = np.array([1.0, 1.0, t - (n - 1.0)])[:n_states]
        a, v = mean @ h, np.einsum("i,gij,j->g", h, cov, h)
        eta = _mode(a, v, y, e)
        left = 1 / (1 / v + e * np.exp(eta))
        likelihood += y * (np.log(e) + eta) - e * np.exp(eta) - gammaln(y + 1)
        likelihood += -((eta - a) ** 2) / (2 * v) + 0.5 * np.log(left / v)
        gain = np.einsum("gij,j->gi", cov, h) / v[:, None]
        mean += gain * (eta - a)[:, None]
        cov -= gain[:, :, None] * gain[:, None, :] * (v - left)[:, None, None]
    return likelihood, mean, cov


def _mode(a: Floats, v: Floats, y: float, e: float) -> Floats:
    """Where y eta - e exp(eta) - (eta - a)^2 / 2v is highest, by Newton's method from the right side."""
    # From above the root the steps of this convex equation never overshoot.
    eta = np.maximum(a, np.log((y + 1.0) / e)) + 0.1
    for _ in range(_NEWTON):
        eta = eta - ((eta - a) / v + e * np.exp(eta) - y) / (1 / v + e * np.exp(eta))
    return np.asarray(eta)
