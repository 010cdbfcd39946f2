"""A quote of an order that comes now is the forecast of one that has just come; what is learnt is kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from eventlogs.snapshot import Snapshot
from eventlogs.split import known_at
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.policies import Policy
from tests.simulation.builders import expon, process, row
from tests.twin.test_learned_forecast import DAY, MIDDLE, lived
from twin import learned_forecast, learned_hazard, learned_past
from twin.forecast import forecast
from twin.outlook import LEVELS
from twin.progress import Progress
from twin.quote import quote
from twin.quote_asked import Asked


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> tuple[Metagraph, Snapshot]:
    """A log of orders that live two days, and a twin that takes them to live one; half and half of each."""
    monkeypatch.setattr(learned_past, "FUTURES", 10)
    monkeypatch.setattr(learned_past, "MOST_TIMES", 4)
    monkeypatch.setattr(learned_past, "_ROWS", 1200)
    monkeypatch.setattr(learned_hazard, "ROUNDS", 15)
    monkeypatch.setattr(learned_forecast, "WEIGHTS", (0.5,))
    known = lived(np.random.default_rng(6).exponential(2 * DAY, 300), 24 * DAY)
    # The newest order has just come.
    at_s = float(known.start_s[known.offsets[:-1]].max()) + 1.0
    twin = process(row("fast", "end"), {"fast": Constant(0.0), "end": expon(DAY)})
    twin = replace(
        twin,
        nodes=tuple(
            replace(node, label=node.label.capitalize()) if node.kind == "task" else node
            for node in twin.nodes
        ),
    )
    return twin, known_at(replace(known, activities=("End", "Fast", "Slow")), at_s)


def test_a_quote_is_the_forecast_of_an_order_that_has_just_come(
    watched: tuple[Metagraph, Snapshot], tmp_path: Path
) -> None:
    twin, known = watched
    found = forecast(twin, known, open_rule="", replications=300, learning=True, keep=tmp_path)
    newest = found.orders[-1]
    asked = Asked(alternatives=False, policy=Policy())
    given = quote(twin, known, asked, replications=300, learning=True, keep=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1, "what the forecast has learnt"
    assert given.learnt is not None

    def hours(dates: Sequence[datetime]) -> np.ndarray:
        return np.array([(date - found.as_of).total_seconds() / 3600 for date in dates])

    both, alone = hours(newest.quantiles), hours(newest.simulated)
    assert hours(given.simulated)[1:-1] == pytest.approx(alone[1:-1], rel=0.35)
    assert hours(given.quantiles)[1:-1] == pytest.approx(both[1:-1], rel=0.2)
    # Both differ from the simulation alone, and by as much.
    assert both[MIDDLE] > 1.2 * alone[MIDDLE]
    assert given.dates["50"] == given.quantiles[LEVELS.index(0.5)]
    assert any("as in a forecast" in words for words in given.origin_words)
    # Of another policy the log says nothing.
    asked = Asked(alternatives=False, policy=Policy(priorities=("FIFO",)), named="FIFO")
    other = quote(twin, known, asked, replications=2, learning=True)
    assert other.learnt is None
    assert "another policy" in other.notes[-1]


def test_what_is_learnt_is_kept(
    watched: tuple[Metagraph, Snapshot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, known = watched
    folder = tmp_path / "kept"
    learn = learned_forecast.taught
    first = learn(twin, known, (24.0,), 0, Progress(), folder)
    (file,) = folder.iterdir()
    monkeypatch.setattr(learned_forecast, "_learnt", lambda *_: "learnt anew")
    again = learn(twin, known, (24.0,), 0, Progress(), folder)
    assert not isinstance(first, str)
    assert not isinstance(again, str)
    levels = np.array(LEVELS)
    assert (again.quantiles(again.cases, levels) == first.quantiles(first.cases, levels)).all()
    np.testing.assert_array_equal(again.arriving("", "", levels), first.arriving("", "", levels))
    assert again.summary() == first.summary()
    for one, same in zip(again.found, first.found, strict=True):
        assert (one.at_s, one.seen_s) == (same.at_s, same.seen_s)
        np.testing.assert_array_equal(one.wip_simulated, same.wip_simulated)
    # Of another instant, seed or twin nothing is known.
    later = replace(known, until_s=known.until_s + 1)
    cases = [
        (twin, later, 24.0, 0),
        (twin, known, 24.0, 1),
        (twin, known, 48.0, 0),
        (replace(twin, name="x"), known, 24.0, 0),
    ]
    for model, log, hour, seed in cases:
        assert learn(model, log, (hour,), seed, Progress(), folder) == "learnt anew"
    file.write_bytes(b"damaged")
    assert learn(twin, known, (24.0,), 0, Progress(), folder) == "learnt anew"
