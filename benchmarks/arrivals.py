"""How well are orders to come foretold? Our models of arrivals beside statsforecast's, on a rolling origin.

    python -m benchmarks.arrivals LOG.csv.gz ... [--cuts 10] [--work build/arrivals] [--out docs/arrivals.md]

At each of the cuts, evenly spaced from the middle of a log's arrivals to four weeks before their end, each
model knows the arrivals until then, open orders included, and foretells the next 28 days one by one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.engines_peers import ROOT, environment, surroundings
from calibration.arrivals import fit_arrivals, models
from calibration.settings import Settings
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from eventlogs.split import subset
from metagraph.model import Metagraph
from twin.source import LogRequest, read_log
from twin.volume import drawn_counts

LOCK = ROOT / "benchmarks" / "peers" / "arrivals.lock"
LEVELS = (0.025, *(round(0.05 * k, 2) for k in range(1, 20)), 0.975)
HORIZON, WEEK, DAY_S = 28, 7, 86400.0
REPLICATIONS = 400
Floats = NDArray[np.float64]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("logs", nargs="+", type=Path)
    options.add_argument("--cuts", type=int, default=10)
    options.add_argument("--work", type=Path, default=ROOT / "build" / "arrivals")
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "arrivals.md")
    asked = options.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    pages = [_page(path, asked.cuts, asked.work) for path in asked.logs]
    asked.out.write_text(HEAD.format(cuts=asked.cuts, futures=REPLICATIONS) + "".join(pages), "utf-8")


def _page(path: Path, cuts: int, work: Path) -> str:
    name = path.name.split(".")[0]
    log = read_log(LogRequest(str(path), db=str(work / f"{name}.duckdb"), all_closed=True)).snapshot
    release, _ = case_bounds(log)
    days = np.bincount((release // DAY_S).astype(np.int64))
    first, last = int(release.min() // DAY_S) + 1, int(release.max() // DAY_S)
    at = np.unique(np.linspace((first + last) / 2, last - HORIZON, cuts).astype(int))
    past = {str(cut): days[first:cut] for cut in at.tolist()}
    came = {str(cut): days[cut : cut + HORIZON].astype(np.float64) for cut in at.tolist()}
    found: dict[str, dict[str, Floats]] = {}
    took: dict[str, float] = {}
    for model in models(log):
        begin = time.process_time()
        found[f"ours, {model}"] = {cut: _ours(log, model, int(cut)) for cut in past}
        took[f"ours, {model}"] = time.process_time() - begin
    found |= _peers(past, work)
    scores = {model: _scores(found[model], past, came) for model in found}
    best = [min(s[k] for s in scores.values()) for k in range(3)]
    rows = [_row(model, s, best, took.get(model)) for model, s in scores.items()]
    mean = float(np.mean([c.mean() for c in came.values()]))
    return f"\n## {name}\n\n{len(at)} origins, {mean:.1f} orders a day came.\n\n{TABLE}{''.join(rows)}"


def _ours(log: Snapshot, model: str, cut: int) -> Floats:
    """Quantiles by day, from what was known at the beginning of day `cut` since the origin."""
    release, last = case_bounds(log)
    seen = subset(replace(log, until_s=cut * DAY_S, is_open=last > cut * DAY_S), release < cut * DAY_S)
    arrivals, _ = fit_arrivals(seen, Settings(arrivals=model))
    twin = Metagraph(log.name, (), (), (), (), (), (), arrivals=arrivals)
    edges = [log.origin + timedelta(days=cut + k) for k in range(HORIZON + 1)]
    return np.quantile(drawn_counts(twin, edges, REPLICATIONS, 0), LEVELS, axis=0).T


def _peers(past: Mapping[str, NDArray[np.int64]], work: Path) -> dict[str, dict[str, Floats]]:
    series = {cut: counts.tolist() for cut, counts in past.items()}
    asked = json.dumps({"levels": LEVELS, "horizon": HORIZON, "series": series})
    command = [str(environment(work, LOCK)), str(ROOT / "benchmarks" / "peers" / "arrivals_statsforecast.py")]
    ended = subprocess.run(
        command, input=asked, capture_output=True, text=True, env=surroundings(work), check=False
    )
    if ended.returncode:
        sys.exit(ended.stderr)
    told = json.loads(ended.stdout)
    return {model: {cut: np.array(q) for cut, q in by_cut.items()} for model, by_cut in told.items()}


def _scores(
    found: Mapping[str, Floats], past: Mapping[str, NDArray[np.int64]], came: Mapping[str, Floats]
) -> tuple[float, ...]:
    """MASE of the median by day, CRPS by day, error of the four weeks' total, shares inside 80 and 95 %."""
    mase, crps, total = [], [], []
    inside_80: list[float] = []
    inside_95: list[float] = []
    levels = np.array(LEVELS)
    for cut, quantiles in found.items():
        y, median = came[cut], quantiles[:, LEVELS.index(0.5)]
        scale = float(np.abs(past[cut][WEEK:] - past[cut][:-WEEK]).mean())
        mase.append(float(np.abs(y - median).mean()) / (scale or 1.0))
        off = y[:, None] - quantiles
        crps.append(2 * float(np.maximum(levels * off, (levels - 1) * off).mean()))
        total.append(abs(float(median.sum() - y.sum())) / max(float(y.sum()), 1.0))
        for low, high, inside in ((0.1, 0.9, inside_80), (0.025, 0.975, inside_95)):
            a, b = quantiles[:, LEVELS.index(low)], quantiles[:, LEVELS.index(high)]
            inside.append(float(((a <= y) & (y <= b)).mean()))
    return tuple(float(np.mean(values)) for values in (mase, crps, total, inside_80, inside_95))


def _row(model: str, scores: Sequence[float], best: Sequence[float], cpu_s: float | None) -> str:
    shown = [f"**{s:.3g}**" if s <= b * 1.0001 else f"{s:.3g}" for s, b in zip(scores[:3], best, strict=True)]
    took = "" if cpu_s is None else f"{cpu_s:.1f}"
    return f"| {model} | {' | '.join(shown)} | {scores[3]:.0%} | {scores[4]:.0%} | {took} |\n"


TABLE = (
    "| model | MASE | CRPS | four weeks' total off by | in the 80 % interval | in the 95 % | CPU s |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)
HEAD = """# How well are orders to come foretold?

Made by `python -m benchmarks.arrivals LOG.csv.gz ...`. At {cuts} instants, evenly spaced from the middle of a
log's arrivals to four weeks before their end, each model knows what had arrived by then and foretells the
next 28 days one by one. MASE: mean error of the median over that of repeating the same weekday, in the past
(or the error itself where repeating makes none); CRPS in orders a day, from 21 quantiles; then the error of
the sum of the medians, as a share of what came, and how many days lay in the intervals. Means over the
instants; bold: the best. Ours: the candidates among which a build chooses, {futures} futures each (CPU
seconds of all instants). Peers: statsforecast, locked in `benchmarks/peers/arrivals.lock`, on the same daily
counts with a season of a week; what they put below 0 counts as 0. The logs are those of `forecast/logs`.
"""


if __name__ == "__main__":
    main()
