"""How good are forecasts of open orders? Makes them at past instants of logs, for docs/forecasts.md.

    python -m benchmarks.forecasts [--logs LoanApp,P2P] [--cuts 0,4,9] [--data FOLDER ...] [--jobs 1]
        [--label NAME] [--twins-of NAME] [--again] [--baselines] [--page] [--work build/forecasts]

The as-of protocol (forecast/asof.py of the folder that TRACETWIN_LOGS names) makes the cuts of every log in
the `--data` folders, by default forecast/logs there, and scores the answers. At the first cut a twin is
chosen and fitted to what is visible; at later ones the same choices are fitted again, and made anew only
where the process has changed. Each cut and log is a row with the code's version and its CPU seconds, so that
a stopped run goes on; `--label` names a run otherwise, `--twins-of` forecasts with the twins of another run.
`--baselines` makes those of the baselines instead, once: they read the visible events alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.forecasts_cuts import Cut, compare, cuts_of, joined, logs_in, protocol, score, truth_of
from benchmarks.forecasts_page import page
from benchmarks.forecasts_twin import Places, forecast_cut
from benchmarks.keeping import append, rows_of, version

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    asked = _asked()
    data = asked.data or [protocol().parent / "logs"]
    logs = {name: log for name, log in logs_in(*data).items() if not asked.logs or name in asked.logs}
    if not logs:
        sys.exit(f"no such logs as CSV files in {', '.join(map(str, data))}")
    asked.work.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
        for ended in [pool.submit(_measured, name, log, asked) for name, log in logs.items()]:
            ended.result()
    text = page(rows_of(asked.work / "results.jsonl"))
    if asked.page:
        (ROOT / "docs" / "forecasts.md").write_text(text, encoding="utf-8")


def _asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--logs", type=_names, default=[], help="names, separated by commas; default: all")
    options.add_argument("--cuts", type=_numbers, default=[], help="numbers of cuts; default: all")
    options.add_argument("--data", type=Path, nargs="*")
    options.add_argument("--jobs", type=int, default=1, help="logs at once")
    options.add_argument("--label", default=version(ROOT), help="of the run; default: the code's version")
    options.add_argument("--twins-of", default="", help="use the twins of this run")
    options.add_argument("--again", action="store_true", help="forecast anew what this run has already")
    options.add_argument("--replications", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--baselines", action="store_true", help="make these, and nothing of the twin's")
    options.add_argument("--page", action="store_true", help="write docs/forecasts.md from all that is known")
    options.add_argument("--work", type=Path, default=ROOT / "build" / "forecasts")
    return options.parse_args()


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _numbers(text: str) -> list[int]:
    return [int(name) for name in _names(text)]


def _measured(name: str, log: Path, asked: argparse.Namespace) -> None:
    """All cuts of a log, then its scores."""
    folder = asked.work / name
    cuts = cuts_of(log, folder / "cuts")
    if asked.baselines:
        _baselines(name, cuts, folder / "baselines", asked.work / "results.jsonl")
        return
    chosen = [cut for cut in cuts if not asked.cuts or cut.number in asked.cuts]
    forecasts = folder / "forecasts" / asked.label
    places = Places(folder / "cuts", folder / "twins" / (asked.twins_of or asked.label), forecasts)
    results = asked.work / "results.jsonl"
    done = {
        row["cut"]
        for row in rows_of(results)
        if row["unit"] == "cut" and (row["log"], row["label"]) == (name, asked.label)
    }
    options = {"replications": asked.replications, "seed": asked.seed}
    stamp = {"log": name, "label": asked.label, "version": version(ROOT)}
    for cut in cuts:
        # The choices are made at the first cut, whichever are asked for.
        build_only = cut not in chosen
        if build_only and (cut.number or places.chosen(0).exists()):
            continue
        if cut.number in done and not asked.again and places.orders(cut.number).exists():
            continue
        row = forecast_cut(cut, places, build_only, bool(asked.twins_of) or asked.again, options)
        append(results, {"unit": "twin" if build_only else "cut", **stamp, **row})
        sys.stderr.write(f"{name} cut {cut.number}: {row}\n")
    append(results, {"unit": "log", **stamp, **_scored(chosen, places)})


def _baselines(name: str, cuts: Sequence[Cut], folder: Path, results: Path) -> None:
    """The baselines' forecasts of all cuts, and their scores."""
    from benchmarks.forecasts_baselines import BASELINES, LAST_VALUE, write_baselines

    parts = folder / "cuts"
    parts.mkdir(parents=True, exist_ok=True)
    for cut in cuts:
        if not (parts / f"{LAST_VALUE}.{cut.number:02d}.system.csv").exists():
            used = write_baselines(cut, parts)
            sys.stderr.write(f"{name} cut {cut.number}: baselines in {used:.1f} CPU s\n")
    for each in (*BASELINES, LAST_VALUE):
        for end in (".csv", ".system.csv")[each == LAST_VALUE :]:
            joined([(c.number, parts / f"{each}.{c.number:02d}{end}") for c in cuts], folder / f"{each}{end}")
    for each in BASELINES:
        scores = score(folder.parent / "cuts", folder / f"{each}.csv", folder / f"{each}.system.csv")
        system = score(folder.parent / "cuts", folder / f"{each}.csv", folder / f"{LAST_VALUE}.system.csv")[
            "system"
        ]
        append(
            results,
            {"unit": "baseline", "log": name, "label": each, "scores": scores, "last_value": system},
        )
        _tell(f"{name} {each}", [cut.number for cut in cuts], scores, {})


def _scored(cuts: Sequence[Cut], places: Places) -> dict[str, Any]:
    """The protocol's figures of these cuts, and how the twin compares with each baseline there is."""
    numbers, folder = [cut.number for cut in cuts], places.forecasts
    orders = joined([(n, places.orders(n)) for n in numbers], folder / "all.csv")
    system = joined([(n, places.system(n)) for n in numbers], folder / "all.system.csv")
    truth = truth_of(places.cuts, numbers, folder / "truth")
    scores = score(truth, orders, system)
    compared = {
        path.stem: compare(truth, orders, path)
        for path in sorted((places.cuts.parent / "baselines").glob("*.csv"))
        if not path.stem.endswith(".system")
    }
    _tell(places.cuts.parent.name, numbers, scores, compared)
    return {"cuts": numbers, "scores": scores, "compared": compared}


def _tell(name: str, cuts: Sequence[int], scores: Mapping[str, Any], compared: Mapping[str, Any]) -> None:
    shown = ("n", "crps", "mae", "bias", "cov50", "cov90", "width90", "pit_dev", "pit_mean", "hit90")
    figures = ", ".join(f"{key} {scores['all'][key]:.4g}" for key in shown)
    lines = [f"{name}, {len(cuts)} cuts: {figures}"]
    for key, found in scores.get("system", {}).items():
        if key.startswith("wip"):
            lines.append(f"  {key}: MAPE {found['mape']:.3f}, covered {found['cov90']:.2f}")
    for against, found in compared.items():
        low, high = found["ratio_lo"], found["ratio_hi"]
        lines.append(f"  CRPS {found['ratio']:.3f} [{low:.3f}, {high:.3f}] x {against}")
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
