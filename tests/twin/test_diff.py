"""What is said of two twins: nothing of the same, nothing that chance explains, and exactly what changed."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.changed_twins import HELD, LEFT, REROUTED, SLOWER, busier, left, rerouted, slower
from calibration.settings import Settings
from eventlogs.historian import Historian
from eventlogs.snapshot import Snapshot
from eventlogs.split import known_at
from examples.order_to_cash import START, known_twin, log_text
from metagraph.distributions import Constant, Empirical, Fitted
from metagraph.errors import UsageError
from metagraph.json_io import save
from metagraph.model import Metagraph, Override
from tests.simulation.builders import process
from tests.twin.small import BLOCK, WORK, deterministic
from twin.build import fitted
from twin.diff import CONSEQUENCES, Compared, diff
from twin.diff_charts import diff_chart
from twin.diff_command import COLUMNS, diff_command
from twin.diff_tests import Basis, counts_test, holm, laws_test, share_change
from twin.diff_words import NOTHING, THE_SAME, TITLES, headline, sentence, told
from twin.drawing_tools import to_svg
from twin.structures import Recipe

DAYS = 30.0
APART = Basis(False, False, False, None, "")


CHANGES: dict[str, tuple[tuple[str, str], float, Metagraph]] = {
    "slower": (("durations", SLOWER), 0.35, slower(known_twin(), 1.35)),
    "busier": (("arrivals", "all orders"), 0.5, busier(known_twin(), 1.5)),
    "rerouted": (("routing", REROUTED), 0.4 - HELD, rerouted(known_twin(), 0.4)),
    "left": (("agents", LEFT), -1 / 13, left(known_twin())),
}
"""What is to be named, its size (of the agent about, as one of thirteen), and the process then."""


@cache
def log(seed: int, change: str = "") -> Snapshot:
    """What the process, changed or not, leaves behind."""
    twin = CHANGES[change][2] if change else known_twin()
    with Historian(":memory:") as historian:
        historian.import_log(
            _written(log_text(twin, START, START + timedelta(days=DAYS), seed)), f"log{seed}"
        )
        return historian.snapshot(f"log{seed}")


def _written(text: str) -> Path:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False, encoding="utf-8") as file:
        file.write(text)
    return Path(file.name)


@cache
def fit(snapshot: Snapshot) -> Metagraph:
    return fitted(snapshot, Recipe(0.0), replace(Settings(), fast=True), 0)


def compared(before: Snapshot, after: Snapshot) -> Compared:
    return diff(fit(before), fit(after), (before, after))


def found(comparison: Compared) -> set[tuple[str, str]]:
    """What more than chance explains, but for what follows from it."""
    return {(d.kind, d.what) for d in comparison.found("real") if d.kind not in CONSEQUENCES}


def test_a_twin_does_not_differ_from_itself() -> None:
    for snapshots in (None, (log(1), log(1))):
        same = diff(fit(log(1)), fit(log(1)), snapshots)
        assert (same.differences, same.tests, same.notes) == ((), 0, ())
        assert headline(same) == THE_SAME
        assert list(told(same)) == []
    assert THE_SAME in to_svg(diff_chart(same))
    by_hand = replace(fit(log(1)), provenance=None)
    assert diff(by_hand, by_hand).differences == ()


def test_chance_alone_is_said_to_be_chance() -> None:
    """Two logs of one process: their twins differ in every number, and in nothing that means anything."""
    comparison = compared(log(1), log(3))
    assert comparison.tests > 20
    assert found(comparison) == set()
    assert headline(comparison).startswith(NOTHING)
    assert "chance" in {d.verdict for d in comparison.differences}


@pytest.mark.parametrize("change", CHANGES)
def test_exactly_what_was_changed_is_named(change: str) -> None:
    named, size, _ = CHANGES[change]
    comparison = compared(log(1), log(900, change))
    assert found(comparison) == {named}
    (one,) = (d for d in comparison.found("real") if d.kind not in CONSEQUENCES)
    assert one.change is not None
    assert one.test is not None
    assert one.change.low is not None
    assert one.change.high is not None
    assert one.change.low < size < one.change.high
    assert headline(comparison).startswith(
        f"More than chance explains: {TITLES[one.kind].lower()} ({one.what})."
    )


def test_of_one_log_only_what_came_later_is_tested() -> None:
    whole = log(1)
    early = known_at(whole, 0.6 * whole.until_s)
    grown = compared(early, whole)
    assert "held against what came later" in grown.basis
    assert found(grown) == set()
    work = next(d.test for d in grown.differences if d.kind == "durations" and d.test)
    assert work.n_before + work.n_after <= max(task.durations.default.n for task in fit(whole).tasks())
    backwards = compared(whole, early)
    assert [d.test.p for d in grown.differences if d.test and d.kind == "durations"] == pytest.approx(
        [d.test.p for d in backwards.differences if d.test and d.kind == "durations"]
    )


def test_a_log_of_the_same_name_that_is_no_part_is_held_to_be_another() -> None:
    other = replace(log(900, "slower"), name="log1")
    model = fit(log(900, "slower"))
    assert model.provenance is not None
    named = replace(model, provenance=replace(model.provenance, log="log1"))
    assert "held against what came later" in diff(fit(log(1)), named).basis
    assert "independent" in diff(fit(log(1)), named, (log(1), other)).basis


def test_structures_are_told_by_tasks_and_how_they_stand() -> None:
    before = deterministic()
    swapped = process(
        replace(BLOCK, items=(BLOCK.items[1], BLOCK.items[0], *BLOCK.items[2:])), dict_of_work()
    )
    changed = diff(before, swapped)
    assert [(d.what, d.told) for d in changed.differences if d.kind == "structure"] == [
        ("A", ("before B, C", "after B, C"))
    ]
    fewer = process(replace(BLOCK, items=BLOCK.items[:-1]), dict_of_work())
    gone = diff(before, fewer).differences[0]
    assert (gone.kind, gone.what, gone.told[1]) == ("structure", "F", "no such task")


def dict_of_work() -> dict[str, Constant]:
    return {node: Constant(seconds) for node, seconds in WORK.items()}


def test_what_was_decided_needs_no_test() -> None:
    model = fit(log(1))
    assert model.provenance is not None
    other = fitted(log(1), Recipe(0.0), replace(Settings(), fast=True, use_delay=False), 0)
    other = replace(other, overrides=(Override("activity Load Goods", "preemptible", "True"),))
    comparison = diff(model, other)
    assert comparison.tests == 0
    assert {d.verdict for d in comparison.differences} == {"decided"}
    assert "nothing between them is chance" in comparison.basis
    hand = next(d for d in comparison.differences if d.kind == "overrides")
    assert sentence(hand) == "activity Load Goods, preemptible: as in the log → True (decided)"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_no_stricter_than_bonferroni_and_keeps_the_order(values: list[float]) -> None:
    adjusted = holm(values)
    pairs = sorted(zip(values, adjusted, strict=True))
    assert [a for _, a in pairs] == sorted(adjusted)
    assert all(p <= a <= min(1.0, len(values) * p) + 1e-12 for p, a in zip(values, adjusted, strict=True))


def test_samples_of_one_law_are_found_to_differ_as_rarely_as_meant() -> None:
    """Also where one sample is a part of the other: then its later part is held against its first one."""
    draw = np.random.default_rng(5)
    nested = Basis(False, True, False, None, "")
    low = {"apart": 0, "nested": 0}
    for _ in range(400):
        whole = draw.lognormal(8, 0.7, 700)
        first, rest = _kept(whole[:400]), _kept(whole[400:])
        for name, pair, basis in (("apart", (first, rest), APART), ("nested", (first, _kept(whole)), nested)):
            test = laws_test(*pair, basis)
            assert test is not None
            assert (test.n_before, test.n_after) == (400, 300)
            low[name] += test.p < 0.05
    assert max(low.values()) <= 33  # 400 · 0.05 and three deviations


def test_a_law_that_changed_is_found_in_a_part() -> None:
    draw = np.random.default_rng(6)
    first, rest = draw.lognormal(8, 0.7, 400), 1.3 * draw.lognormal(8, 0.7, 300)
    test = laws_test(_kept(first), _kept(np.concatenate((first, rest))), Basis(False, True, False, None, ""))
    assert test is not None
    assert test.p < 0.01


def _kept(sample: np.ndarray) -> Fitted:
    """As twins keep a sample."""
    quantiles = tuple(np.quantile(sample, np.linspace(0, 1, 101)).tolist())
    return Fitted(Empirical(quantiles), len(sample), "task", observed=quantiles)


def test_counts_and_shares_agree_with_what_is_published() -> None:
    """Newcombe (1998), table II, method 10: 56/70 and 48/80 differ by 0.0524 to 0.3339."""
    change = share_change((48 / 80, 56 / 70), (80, 70), "", APART)
    assert (change.low, change.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    tea = counts_test(([3, 1], [1, 3]), APART)
    assert tea is None  # Fisher's eight cups are too few for our tests.
    more = counts_test(([30, 10], [10, 30]), APART)
    assert more is not None
    assert more.p == pytest.approx(1.6e-5, rel=0.1)


def test_a_comparison_is_written_as_a_table_and_a_picture(tmp_path: Path) -> None:
    save(fit(log(1)), tmp_path / "one.json")
    save(fit(log(900, "slower")), tmp_path / "other.json")
    one, other, out = str(tmp_path / "one.json"), str(tmp_path / "other.json"), tmp_path / "d.csv"
    comparison = diff_command(str(tmp_path / "none"), one, other, tmp_path / "d.svg", out)
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(comparison.differences)
    assert [r["what"] for r in rows if r["verdict"] == "real" and r["kind"] == "durations"] == ["Load Goods"]
    assert "Load Goods" in (tmp_path / "d.svg").read_text("utf-8")
    with pytest.raises(
        UsageError, match="models diff orders: name two twins, or one version such as orders@2"
    ):
        diff_command(str(tmp_path / "none"), "orders", None)
