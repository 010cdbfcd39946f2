"""What each ingredient is worth: the chosen twin with one of them switched off, on or changed.

Run by benchmarks/accuracy.py, a process a log:
python -m benchmarks.ablation NAME TRAIN TEST WORK RUNS VERSION, and the variants that are done.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.accuracy_units import LogPair
    from calibration.settings import Settings
    from twin.select import Selection
    from twin.structures import Recipe

CHOSEN = "the chosen twin"
SWITCHES = {
    "use_calendars": "calendars",
    "use_timeouts": "timeouts since the release",
    "use_contention": "busy agents",
    "use_delay": "remaining delay",
    "use_pace": "pace of delays",
    "own_hours": "hours of tasks that need nobody",
    "visits": "visits in routing",
    "drawn_shifts": "drawn shifts",
    "changed_hours": "hours that changed",
    "turnover": "agents who left or came",
    "extra_hours": "hours outside the usual ones",
    "use_batching": "batching",
    "use_priorities": "priorities",
    "use_rules": "business rules at gateways",
    "pooled": "pooled durations",
    "weighted": "long cases counting for those left out at the end",
}
"""Switches of Settings, in words."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A twin that differs from the chosen one in one ingredient."""

    name: str
    recipe: Recipe
    settings: Settings
    cut: str | None = None
    """How the simulated log is cut; None: as the build judged."""


def variants_of(chosen: Selection, arrivals: tuple[str, ...]) -> list[Variant]:
    """The chosen twin first. A switch that is on is switched off, one that is off is switched on.

    `arrivals`: the models of arrivals that the log has enough cases for.
    """
    from calibration.settings import RESOURCE_MODELS
    from twin.structures import Recipe

    recipe, settings = chosen.recipe, chosen.settings
    known = {field.name for field in fields(settings)}
    found = [Variant(CHOSEN, recipe, settings)]
    for switch, words in SWITCHES.items():
        if switch in known:
            on = bool(getattr(settings, switch))
            turned: dict[str, Any] = {switch: not on}
            if switch == "use_delay" and on:
                turned["use_pace"] = False
            if switch == "use_pace" and not on:
                turned["use_delay"] = True
            found.append(
                Variant(f"{'without' if on else 'with'} {words}", recipe, replace(settings, **turned))
            )
    found += [
        Variant("without history in routing", recipe, replace(settings, history=0)),
        Variant("fitted to the whole log", recipe, replace(settings, window_share=1.0)),
        Variant("arrivals as seen, uncorrected", recipe, replace(settings, arrivals_corrected=False)),
        *(Variant(name, recipe, replace(settings, resources=name)) for name in RESOURCE_MODELS),
        *(Variant(f"arrivals: {name}", recipe, replace(settings, arrivals=name)) for name in arrivals),
        Variant("structure: strictest miner", Recipe(0.0), settings),
        Variant("structure: none, history alone", Recipe(None), settings),
    ]
    changed = [v for v in found[1:] if (v.recipe, v.settings) != (recipe, settings)]
    return [found[0], *changed, Variant("simulated log not cut like the log", recipe, settings, "none")]


def rows(pair: LogPair, work: Path, runs: int, version: str, done: set[str]) -> Iterator[dict[str, Any]]:
    """A row for each variant that isn't `done`."""
    from calibration.arrivals import models
    from metagraph.json_io import to_json
    from twin.build import fitted
    from twin.source import LogRequest, read_log
    from twin.validate import validate

    db = work / f"{pair.name}.ablation.duckdb"
    for old in (db, db.with_name(db.name + ".wal")):
        old.unlink(missing_ok=True)
    train, test = (
        read_log(LogRequest(str(path), db=str(db), all_closed=True)).snapshot
        for path in (pair.train, pair.test)
    )
    chosen = _chosen(train, work / f"{pair.name}.{version}.selection.pkl")
    base = ""
    for variant in variants_of(chosen, models(train)):
        if variant.name in done and base:
            continue
        model = fitted(train, variant.recipe, variant.settings, 0)
        text = to_json(replace(model, provenance=None))
        base = base or text
        if variant.name in done:
            continue
        same = variant.name != CHOSEN and text == base and variant.cut is None
        how: dict[str, Any] = {"cut": variant.cut} if variant.cut else {}
        measured = {} if same else validate(model, test, runs=runs, **how).distances
        yield {
            "unit": "ablation",
            "log": pair.name,
            "variant": variant.name,
            "runs": runs,
            "distances": measured,
        }


def _chosen(train: Any, kept: Path) -> Selection:
    """What the build chooses; kept, as choosing takes long."""
    import pickle

    from calibration.settings import Settings
    from twin.build import NOISES
    from twin.progress import Progress
    from twin.select import select

    if kept.exists():
        found: Selection = pickle.loads(kept.read_bytes())
        return found
    found = select(train, Settings(), NOISES, 0, Progress())
    kept.write_bytes(pickle.dumps(found))
    return found


def worth(
    chosen: Mapping[str, list[float]], without: Mapping[str, list[float]], metrics: tuple[str, ...]
) -> float:
    """Mean log ratio of the distances without it to those of the chosen twin: above 0, it is worth having."""
    ratios = [(fmean(without[m]) + 1e-6) / (fmean(chosen[m]) + 1e-6) for m in metrics]
    return fmean(math.log(ratio) for ratio in ratios)


def main() -> None:
    from benchmarks.accuracy_units import LogPair
    from benchmarks.keeping import append

    name, train, test, work, runs, version, *done = sys.argv[1:]
    pair = LogPair(name, Path(train), Path(test))
    for row in rows(pair, Path(work), int(runs), version, set(done)):
        append(Path(work) / "results.jsonl", {"version": version, **row})
        sys.stderr.write(f"{name}: {row['variant']}\n")


if __name__ == "__main__":
    main()
