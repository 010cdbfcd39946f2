"""The twin at a cut, and its forecast: selected at the first cut, refitted at later ones."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.forecasts_cuts import Cut
from metagraph.model import Metagraph

if TYPE_CHECKING:
    from twin.source import LogRequest, LogSource


@dataclass(frozen=True, slots=True)
class Places:
    """Where a log's files are kept."""

    cuts: Path
    twins: Path
    """A twin a cut."""
    forecasts: Path
    """Two files a cut: of the orders and of the system."""

    def orders(self, number: int) -> Path:
        return self.forecasts / f"cut{number:02d}.csv"

    def system(self, number: int) -> Path:
        return self.forecasts / f"cut{number:02d}.system.csv"

    def twin(self, number: int) -> Path:
        return self.twins / f"cut{number:02d}.json"

    def chosen(self, number: int) -> Path:
        """Is there where the choices were made at this cut."""
        return self.twins / f"cut{number:02d}.chosen"

    def chosen_before(self, number: int) -> Path | None:
        """The twin of the last cut before this one at which choices were made."""
        found = [n for n in range(number) if self.chosen(n).exists()]
        return self.twin(found[-1]) if found else None


def cpu_s() -> float:
    """CPU seconds of this process and those it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def forecast_cut(
    cut: Cut, places: Places, build_only: bool, known: bool, options: Mapping[str, Any]
) -> dict[str, Any]:
    """One row: build the twin of this cut unless it is `known`, forecast with it, and write both."""
    request = _request(cut, places)
    row: dict[str, Any] = {"cut": cut.number, "open": len(cut.ids)}
    if not (known and places.twin(cut.number).exists()):
        row |= _timed("build", lambda: _build(cut, request, places))
    if not build_only:
        row |= _timed("forecast", lambda: _forecast(cut, request, places, options))
    for old in Path(request.db).parent.glob(f"{Path(request.db).name}*"):
        old.unlink() if old.is_file() else None
    return row


def _timed(what: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    before = cpu_s()
    found = work()
    return {**found, f"{what}_cpu_s": round(cpu_s() - before, 2)}


def _request(cut: Cut, places: Places) -> LogRequest:
    from twin.source import LogRequest

    places.twins.mkdir(parents=True, exist_ok=True)
    places.forecasts.mkdir(parents=True, exist_ok=True)
    db = places.forecasts / f"cut{cut.number:02d}.duckdb"
    return LogRequest(str(cut.log), str(db), until=cut.at, open_file=cut.open_cases)


def _build(cut: Cut, request: LogRequest, places: Places) -> dict[str, Any]:
    """Selected once; later cuts fit the same choices again, unless the process has changed since."""
    from metagraph.json_io import load, save
    from twin.build import build, request_of
    from twin.rebuild import refit
    from twin.source import read_log

    source = read_log(request)
    earlier = places.chosen_before(cut.number)
    changed = _changed(source, load(earlier), cut.after) if earlier else []
    if earlier and not changed:
        model = refit(load(earlier), source.snapshot, words={"open orders": source.open_rule})
    else:
        model = build(source, request_of(None, source.snapshot.name, 0))
        places.chosen(cut.number).touch()
    save(model, places.twin(cut.number))
    return {"built": "refitted" if earlier and not changed else "selected", "changed": changed}


def _changed(source: LogSource, model: Metagraph, last_look: datetime | None) -> list[str]:
    """What has changed since the twin was chosen, in words, as `tracetwin recalibrate` sees it."""
    from twin.drift import watch

    return [one.words for one in watch(model, source.snapshot, last_look).found]


def _forecast(cut: Cut, request: LogRequest, places: Places, options: Mapping[str, Any]) -> dict[str, Any]:
    """What `tracetwin forecast` does."""
    from metagraph.json_io import load
    from twin.forecasting import ForecastRequest, forecast_command
    from twin.progress import Progress

    wanted = ForecastRequest(
        as_of=cut.at,
        horizons_h=cut.horizons_h,
        out=places.orders(cut.number),
        system_out=places.system(cut.number),
        **options,
    )
    made = forecast_command(load(places.twin(cut.number)), request, wanted, Progress())
    return {"engine": made.engine, "notes": len(made.notes), "replications": made.replications}
