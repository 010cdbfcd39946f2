"""Example 5, small: what it says of history, and that the twin starts from the seven orders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from examples.paper import example5
from examples.paper.example5_page import page, write


@pytest.fixture(scope="module")
def small() -> example5.Example5:
    return example5.run_example("fitted", 30, 2, 10)


def test_the_history_is_what_was_simulated(small: example5.Example5) -> None:
    history = small.history
    weeks = 60 * 24 * 7 / example5.BETWEEN_MIN
    assert len(history.lead_h) == pytest.approx(30 * weeks, rel=0.05)
    means = [history.lead_h[history.segment == i].mean() for i in range(3)]
    assert means == sorted(means, reverse=True), "what pays goes first"
    # Little's law: open orders on average are arrivals an hour times hours an order takes.
    assert history.wip.mean() == pytest.approx(history.lead_h.mean() * weeks / 168, rel=0.05)
    assert history.wip.shape == (15, 168)


def test_the_new_order_finds_the_seven(small: example5.Example5) -> None:
    segments = [order.order.segment for order in small.state.orders]
    assert {name: segments.count(name) for name in example5.OTHERS} == dict(example5.OTHERS)
    told = {name: one.lead_h for name, one in small.told.items()}
    assert all(lead_h.shape == (2, 20) for lead_h in told.values())
    assert told["high"].mean() < told["low"].mean()
    assert all(lead_h.min() > 0.5 for lead_h in told.values())
    same = example5.told_of(example5.twin_of("fitted"), small.state, "high", 1).lead_h
    np.testing.assert_array_equal(same[0], told["high"][0])


def test_the_page_has_the_tables_layout_and_its_pictures(small: example5.Example5, tmp_path: Path) -> None:
    assert "fitted: low" in write([small], tmp_path)
    text = page([small])
    assert "| Price | Class | Aggregated, mean (h) | deviation | Segmented, mean (h)" in text
    assert "[6.7]" in text
    assert "twin minus segmented" in text
    assert {path.name for path in tmp_path.iterdir()} == {
        "example5.md",
        "example5-fitted-22.svg",
        "example5-fitted-23.svg",
    }
