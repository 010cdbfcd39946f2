"""The engines in use: a forecast of the open orders of a public log, if TRACETWIN_LOGS names their folder."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOG = "BPIC12W"
FUTURES = 200


def logs() -> Path | None:
    """The folder that holds `forecast/`."""
    folder = os.environ.get("TRACETWIN_LOGS")
    return Path(folder).resolve() / "forecast" if folder else None


def prepare(work: Path) -> None:
    """What was known at the instant with the fewest open orders, and a twin of it: made once, a minute."""
    folder, data = work / LOG, logs()
    if data is None or (folder / "twin.json").exists():
        return
    folder.mkdir(exist_ok=True)
    cuts = folder / "cuts"
    log = data / "logs" / f"{LOG}.csv.gz"
    _do(sys.executable, str(data / "asof.py"), "cuts", str(log), "--out", str(cuts))
    known = {path.parent: json.loads(path.read_text(encoding="utf-8")) for path in cuts.glob("*/cut.json")}
    cut = min(known, key=lambda path: (len(known[path]["open_cases"]), path.name))
    (folder / "open.txt").write_text("\n".join(map(str, known[cut]["open_cases"])), encoding="utf-8")
    (folder / "visible.csv.gz").write_bytes((cut / "visible.csv.gz").read_bytes())
    as_of = str(known[cut]["time"])
    facts = {"as_of": as_of, "open": len(known[cut]["open_cases"])}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    part = folder / "part.twin.json"
    _tracetwin(folder, "build", "visible.csv.gz", "--twin", part.name, "--until", as_of)
    part.rename(folder / "twin.json")


def forecast(work: Path, repeat: int) -> dict[str, Any]:
    """`tracetwin forecast` as a user calls it: CPU seconds of all its processes."""
    folder = work / LOG
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    more = ("--replications", str(FUTURES), "--seed", str(repeat + 1), "--out", f"out{repeat}.csv")
    _tracetwin(folder, "forecast", "twin.json", "--log", "visible", "--as-of", facts["as_of"], *more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu, "wall_s": time.perf_counter() - wall, "open": facts["open"], "futures": FUTURES}


def _tracetwin(folder: Path, *command: str) -> None:
    tracetwin = Path(sys.executable).with_name("tracetwin")
    _do(str(tracetwin), *command, "--open", "open.txt", "--db", "log.duckdb", folder=folder)


def _do(*command: str, folder: Path | None = None) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()[-300:]}")


UNITS: dict[str, Callable[[Path, int], dict[str, Any]]] = {"forecast": forecast}
