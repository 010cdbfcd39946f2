"""The figures that benchmarks/accuracy.py derives from what it measured, on small numbers done by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.ablation import CHOSEN
from benchmarks.accuracy_bars import COPY, JUDGED, US, bars, cells_of, mean_ranks
from benchmarks.accuracy_page import page
from benchmarks.accuracy_units import logs_in
from benchmarks.promises_page import write
from benchmarks.published import EXTRA, Peer, peers


def cells(ours: float, copy: float, *others: float) -> dict[tuple[str, str], dict[str, float]]:
    found = [Peer(f"peer {i}", dict.fromkeys(JUDGED, value), False) for i, value in enumerate(others)]
    mine, theirs = ({"a log": dict.fromkeys(JUDGED, value)} for value in (ours, copy))
    return cells_of(mine, theirs, {"a log": found})


def test_ranks_share_ties_and_the_best_comes_first() -> None:
    ranks = mean_ranks(cells(2.0, 1.0, 2.0, 5.0))
    assert list(ranks) == [COPY, US, "peer 0", "peer 1"]
    assert [rank for rank, _ in ranks.values()] == [1.0, 2.5, 2.5, 4.0]
    assert {n for _, n in ranks.values()} == {len(JUDGED)}


def test_bars_count_cells_against_simulators_median_and_copy() -> None:
    means = {"a log": dict.fromkeys(JUDGED, 2.0)}
    told = bars(means, cells(2.0, 1.0, 2.0, 5.0), {"a log": (50.0, 500.0)})
    assert [bar.met for bar in told] == [False, True, True, False, True]
    told = bars(means, cells(2.0, 3.0, 1.0, 1.0), {"a log": (121.0, 500.0)})
    assert [bar.met for bar in told] == [False, False, False, True, False]


def test_a_page_of_any_log_tells_what_failed() -> None:
    row: dict[str, Any] = {
        "distances": {metric: [1.0, 2.0] for metric in (*JUDGED, "CADD")},
        "references": {COPY: {metric: [3.0] for metric in (*JUDGED, "CADD")}},
        "runs": 2,
        "cpu_s": 1.0,
        "memory_mb": 2.0,
        "wall_s": 3.0,
        "choices": {"control flow": "one"},
        "version": "v",
    }
    base = {"log": "mine", "variant": CHOSEN, "distances": row["distances"], "runs": 2, "version": "v"}
    double = {metric: [2.0, 4.0] for metric in JUDGED}
    without = {**base, "variant": "without it", "distances": double}
    idle = {**base, "variant": "with that", "distances": {}}
    text = page({"mine": row}, {}, [base, without, idle], None, {"other": "it broke"})
    assert "5 of 5 cells" in text
    assert "| without it | 3 ± 1.4 |" in text
    assert "+0.693" in text, "the logarithm of 2"
    assert "No difference to the model: with that." in text
    assert "it broke" in text


def test_logs_are_found_in_pairs(tmp_path: Path) -> None:
    for name in ("b_train", "b_test", "a_train", "a_test", "lonely_train"):
        (tmp_path / f"{name}.csv.gz").touch()
    assert [pair.name for pair in logs_in(tmp_path)] == ["a", "b"]


def test_every_peer_has_all_judged_cells(tmp_path: Path) -> None:
    assert EXTRA.exists()
    for found in peers(tmp_path / "none.csv").values():
        assert all(set(peer.means) == set(JUDGED) and peer.ours for peer in found)


def test_promises_are_counted_by_state(tmp_path: Path) -> None:
    """Ten of eleven orders inside, by hand; states weigh by their orders."""
    inside = {"levels": [1, 18, 9, 9, 9], "quotes": [[1.0, 1.0, 1.0, 5.0, 4.0]]}
    outside = {"levels": [0, 5, 5, 5, 14, 14], "quotes": [[0.0, 0.0, 1.0, 5.0, 8.0]]}
    rows = [
        {"world": "one", "state": i, "open": 5, "true": said, "rediscovered": said, "cpu_s": 60.0}
        for i, said in enumerate((inside, outside))
    ]
    tables = write(rows, tmp_path)
    line = next(text for text in tables.splitlines() if text.startswith("| one, true | 11 "))
    assert line.startswith("| one, true | 11 | 2 | 90.9% ± ")
    assert "| 9.1% | 0.0% |" in line
    assert "| one, true | 2 | 50.0% ± " in tables
    assert "2 independent states" in (tmp_path / "promises.md").read_text(encoding="utf-8")
