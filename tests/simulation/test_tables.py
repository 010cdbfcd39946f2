"""Tabulated laws against the laws themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.distributions import Constant, Distribution, Empirical, Parametric, ZeroInflated
from simulation.tables import tabulate

LAWS: list[Parametric] = [
    Parametric("expon", (0.0, 300.0)),
    Parametric("lognorm", (0.5, 0.0, 600.0)),
    Parametric("lognorm", (2.0, 0.0, 600.0)),
    Parametric("gamma", (0.3, 0.0, 1000.0)),
    Parametric("gamma", (4.0, 0.0, 100.0)),
    Parametric("weibull_min", (0.6, 0.0, 100.0)),
    Parametric("norm", (600.0, 60.0)),
    Parametric("uniform", (10.0, 50.0)),
    Parametric("lognorm", (1.0, 0.0, 600.0), upper=5000.0),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.family}{law.params}")
def test_mean_is_kept_to_a_thousandth(law: Parametric) -> None:
    assert tabulate(law).mean == pytest.approx(law.mean(), rel=1e-3)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.family}{law.params}")
def test_quantiles_agree_deep_into_both_tails(law: Parametric) -> None:
    table = tabulate(law)
    u = np.concatenate([np.geomspace(1.1e-6, 0.5, 301), 1 - np.geomspace(1.1e-6, 0.5, 301)])
    mine, theirs = np.array([table.draw(x) for x in u]), law.ppf(u)
    assert np.abs(mine - theirs).max() <= 0.002 * max(theirs.max(), law.mean())
    middle = (u > 0.05) & (u < 0.95)
    assert mine[middle] == pytest.approx(theirs[middle], rel=0.01)


@given(st.floats(0.0, 1e9), st.floats(0.001, 0.999))
def test_constants_stay_exact(value: float, u: float) -> None:
    assert tabulate(Constant(value)).draw(u) == value
    assert tabulate(Constant(value)).mean == value


quantiles = st.lists(st.floats(0, 1e6), min_size=2, max_size=20).map(sorted).map(tuple)
laws = st.one_of(
    quantiles.map(Empirical), st.builds(ZeroInflated, st.floats(0.05, 0.95), quantiles.map(Empirical))
)


@given(laws, st.floats(0.001, 0.999))
def test_empirical_laws_are_interpolated_as_they_are(law: Distribution, u: float) -> None:
    assert tabulate(law).draw(u) == pytest.approx(float(law.ppf(u)), rel=1e-9, abs=1e-6)
    assert tabulate(law).mean == pytest.approx(law.mean(), rel=1e-9, abs=1e-9)


@given(laws, st.floats(0.0, 1e6), st.floats(0.001, 0.999))
def test_beyond_an_elapsed_time_never_less_than_it(law: Distribution, elapsed: float, u: float) -> None:
    table = tabulate(law)
    whole = table.draw_beyond(elapsed, u)
    assert whole >= min(elapsed, table.xs[-1]) - 1e-6
    assert whole <= table.xs[-1]


@pytest.mark.parametrize("law", LAWS[:6], ids=lambda law: f"{law.family}{law.params}")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_residuals_agree_with_the_law(law: Parametric, share: float) -> None:
    elapsed, table = float(law.ppf(share)), tabulate(law)
    for u in (0.05, 0.5, 0.95):
        rest = table.draw_beyond(elapsed, u) - elapsed
        assert rest == pytest.approx(float(law.residual(u, elapsed)), rel=0.03, abs=0.005 * law.mean())


def test_an_exponential_forgets() -> None:
    table = tabulate(Parametric("expon", (0.0, 100.0)))
    u = (np.arange(2000) + 0.5) / 2000
    for elapsed in (0.0, 30.0, 100.0, 500.0):
        rest = np.array([table.draw_beyond(elapsed, x) - elapsed for x in u])
        assert rest.mean() == pytest.approx(100.0, rel=0.005)
        assert np.median(rest) == pytest.approx(100.0 * np.log(2), rel=0.005)


def test_what_has_outlasted_its_law_is_due_at_once() -> None:
    assert tabulate(Constant(60.0)).draw_beyond(90.0, 0.5) == 60.0
    assert tabulate(Empirical((1.0, 5.0))).draw_beyond(7.0, 0.5) == 5.0


@given(laws, st.floats(0.0, 1.2e6))
def test_what_is_still_expected_is_the_mean_beyond(law: Distribution, done: float) -> None:
    """E[X | X > done] - done, by integrating the quantile function above P(X <= done) piece by piece."""
    table = tabulate(law)
    passed = table.level(done)
    if done <= 0.0 or done >= table.xs[-1] or passed >= 1.0 - 1e-9:
        assert table.beyond(done) == (table.mean if done <= 0.0 else pytest.approx(0.0, abs=1e-3))
        return
    edges = np.unique([passed, *(u for u in table.us if u > passed)])
    middles = (edges[1:] + edges[:-1]) / 2  # the trapezium of a linear piece is its value in the middle
    above = float((np.array([table.draw(u) for u in middles]) * np.diff(edges)).sum())
    assert table.beyond(done) == pytest.approx(above / (1 - passed) - done, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.family}{law.params}")
def test_what_is_still_expected_agrees_with_the_law(law: Parametric) -> None:
    """By quadrature over the law's own survival function."""
    from scipy.integrate import quad

    table = tabulate(law)
    for u in (0.1, 0.5, 0.9):
        done = float(law.ppf(u))
        end = float(law.ppf(1 - 1e-12)) if law.upper is None else law.upper
        points = [float(law.ppf(v)) for v in (0.5, 0.95, 0.999) if v > u]
        left = quad(lambda x: 1.0 - float(law.cdf(x)), done, end, points=points, limit=400)[0]
        assert table.beyond(done) == pytest.approx(left / (1 - u), rel=0.01)


def test_an_exponential_expects_the_same_at_any_age() -> None:
    table = tabulate(Parametric("expon", (0.0, 300.0)))
    for done in (1.0, 100.0, 300.0, 1500.0):
        assert table.beyond(done) == pytest.approx(300.0, rel=0.01)


def test_the_ends_of_what_is_still_expected() -> None:
    assert tabulate(Constant(60.0)).beyond(0.0) == 60.0
    assert tabulate(Constant(60.0)).beyond(45.0) == 15.0
    assert tabulate(Constant(60.0)).beyond(60.0) == 0.0
    assert tabulate(Constant(60.0)).beyond(1e9) == 0.0
    half_zero = tabulate(ZeroInflated(0.5, Constant(60.0)))
    assert half_zero.beyond(0.0) == 30.0
    assert half_zero.beyond(1e-9) == pytest.approx(60.0)
    assert tabulate(Empirical((10.0, 20.0))).beyond(4.0) == 11.0


@given(laws, st.lists(st.floats(0.0, 1.0, exclude_min=True, exclude_max=True), min_size=1, max_size=30))
def test_many_draws_at_once_are_those_one_by_one(law: Distribution, us: list[float]) -> None:
    table = tabulate(law)
    assert table.draws(np.array(us)).tolist() == [table.draw(u) for u in us]


def test_a_table_and_its_grid_say_the_same() -> None:
    table = tabulate(LAWS[1])
    assert table.grid.tolist() == [list(p) for p in (table.us, table.xs, table.slopes, table.tails)]
    assert not table.grid.flags.writeable
    assert table.tails[-1] == 0.0
