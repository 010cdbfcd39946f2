"""Forecasts that learn little from the log: for tests of what doesn't depend on how much was learnt."""

import pytest

from twin import learned_hazard, learned_past


def learn_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few futures of past instants, few rows, few rounds of boosting; all that is learnt at all is still."""
    monkeypatch.setattr(learned_past, "FUTURES", 3)
    monkeypatch.setattr(learned_past, "_ROWS", 300)
    monkeypatch.setattr(learned_hazard, "ROUNDS", 5)
