"""Known processes drawn at random come back from their logs: structure, parameters and distances.

`python -m benchmarks.roundtrip` does the same at length, with the choices that a build makes; here the twin
is fitted in one way that can tell everything, so that what fails is the fitting.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest

from benchmarks.known_logs import START, log_of, seen_ready, write_log
from benchmarks.known_twins import load, random_plan, random_twin, visits
from benchmarks.roundtrip_compare import checks, distance_ratios, footprint_agreement, structure
from calibration.settings import Settings
from metagraph.model import Metagraph
from metagraph.validate import validate
from twin.build import fitted
from twin.source import LogRequest, read_log
from twin.structures import Recipe

CASES = 600
TIMES = ("REDD", "CTDD")
APART = 2.0
"""So many times as far from the truth as two samples of the truth from each other may the twin's times be."""


def rebuilt(known: Metagraph, seed: int, folder: Path) -> Metagraph:
    """The twin that the log alone gives, with nothing chosen."""
    path = write_log(folder / "known.csv", log_of(known, CASES, seed))
    source = read_log(LogRequest(str(path), db=str(folder / "known.duckdb")))
    return fitted(source.snapshot, Recipe(0.0), Settings(), 0)


@pytest.mark.parametrize("seed", [7, 14, 24])
def test_a_known_twin_comes_back(seed: int, tmp_path: Path) -> None:
    known, special = random_twin(seed)
    log = log_of(known, CASES, seed)
    found = rebuilt(known, seed, tmp_path)
    assert structure(found) == structure(known), special
    outside = [
        check for check in checks(known, found, log, seen_ready(known, CASES, seed)) if not check.inside
    ]
    assert not outside
    start = START + timedelta(weeks=520)
    truth = [log_of(known, 150, 7, r, cut=False, start=start) for r in range(4)]
    twin = [log_of(found, 150, 8, r, cut=False, start=start) for r in range(4)]
    assert footprint_agreement(truth[0], twin[0]) > 0.9
    ratios = distance_ratios(truth, twin, TIMES)
    assert median(ratios.values()) <= APART, ratios


@pytest.mark.parametrize("seed", range(12))
def test_what_is_drawn_is_a_process(seed: int) -> None:
    known, _ = random_twin(seed)
    assert validate(known) == ()
    again, _ = random_twin(seed)
    assert again == known


@pytest.mark.parametrize("seed", [3, 6, 9])
def test_expected_visits_and_load_are_what_a_simulation_counts(seed: int) -> None:
    plan, _, _ = random_plan(seed)
    known, _ = random_twin(seed)
    log = log_of(known, 3000, seed, cut=False)
    counted = log["activity"].value_counts() / 3000
    for label, often in visits(plan).items():
        assert counted[label] == pytest.approx(often, rel=0.1)
    assert known.arrivals is not None
    assert max(load(plan).values()) > 0
