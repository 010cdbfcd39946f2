"""The goals on docs/forecasts.md, from small numbers done by hand."""

from __future__ import annotations

from typing import Any

from benchmarks.forecasts_page import page


def row(log: str, crps: float, cov90: float, ratio_hi: float, cuts: int = 2) -> dict[str, Any]:
    whole = {"n": 9, "mean_true_h": 5.0, "crps": crps, "mae": 1.0, "bias": -1.0, "cov50": 0.5, "cov90": cov90}
    whole |= {"width90": 3.0, "pit_dev": 0.1, "pit_mean": 0.5, "hit80": 0.8, "hit90": 0.9}
    wip = {"mape": 0.2, "mean_true": 4.0, "cov90": 1.0}
    compared = {"ratio": 0.9, "ratio_lo": 0.8, "ratio_hi": ratio_hi}
    return {
        "unit": "log",
        "log": log,
        "label": "v",
        "version": "v",
        "cuts": list(range(cuts)),
        "scores": {"all": whole, "system": {"wip@5h": wip, "wip@10h": wip}},
        "compared": {"lgbm": compared},
    }


def baseline(log: str, who: str, crps: float, wip: float) -> dict[str, Any]:
    system = {key: {"mape": wip} for key in ("wip@5h", "wip@10h")}
    scores = {"all": {"crps": crps}, "system": system}
    return {"unit": "baseline", "log": log, "label": who, "scores": scores, "last_value": system}


def cut(log: str, number: int, built: str, cpu_s: float) -> dict[str, Any]:
    costs = {"build_cpu_s": cpu_s, "forecast_cpu_s": 1.0}
    return {
        "unit": "cut",
        "log": log,
        "label": "v",
        "cut": number,
        "built": built,
        "version": "code",
        **costs,
    }


def test_goals_are_judged_by_the_harder_of_measured_and_told() -> None:
    rows = [row("mine", 2.0, 0.9, 0.95), row("LoanApp", 0.82, 0.7, 1.1), row("mine", 99.0, 0.9, 0.9, cuts=1)]
    rows += [baseline("mine", "km", 4.0, 0.1), baseline("mine", "lgbm", 1.0, 0.1)]
    rows += [baseline("LoanApp", "lgbm", 9.0, 0.9)]
    rows += [cut("mine", 0, "selected", 500.0), cut("mine", 1, "refitted", 61.0)]
    text = page(rows)
    assert "| must | CRPS below km on all logs | 2 of 2 | met |" in text
    # 2 / 1 of what was measured, and .82 / .82 of what the README tells: the geometric mean is the root of 2.
    assert "| must | CRPS / lgbm, geometric mean ≤ 1.05 | 1.414 | missed |" in text
    assert "| must | CRPS / lgbm never above 1.25 | at most 2.000 | missed |" in text
    assert "| must | 90 % intervals hold 85–95 % on three of four | 1 of 2 | missed |" in text
    assert "| must | a refitted twin ≤ 60 CPU s | at most 61 | missed |" in text
    assert "by the paired interval on two of four | 1 of 2 | met |" in text
    assert "| must | WIP no worse than lgbm and last value on two of four | 1 of 2 | met |" in text
    assert "| mine (9; 5) | **2** | 4 |" in text
