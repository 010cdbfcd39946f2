"""The as-of protocol's own program, and the files it makes: cuts of a log, scores, comparisons."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

NOBODY = "NONE"
"""The protocol's word for an execution without a resource."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One instant of a log and what was known then."""

    number: int
    at: datetime
    horizons_h: tuple[float, ...]
    log: Path
    """The visible events, resources that are nobody left empty."""
    open_cases: Path
    """Ids of the cases open then, one a line: given to every forecaster alike."""
    ids: tuple[str, ...]
    after: datetime | None = None
    """The cut before."""


def protocol() -> Path:
    """asof.py in the folder that TRACETWIN_LOGS names. Ends the program where it isn't there."""
    named = os.environ.get("TRACETWIN_LOGS")
    path = Path(named or ".").resolve() / "forecast" / "asof.py"
    if not named or not path.exists():
        sys.exit("skipped: set TRACETWIN_LOGS to the folder that holds forecast/asof.py")
    return path


def logs_in(*folders: Path) -> dict[str, Path]:
    """NAME -> NAME.csv.gz or NAME.csv, by folder and name; the first of equal names counts."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted([*folder.glob("*.csv.gz"), *folder.glob("*.csv")]):
            found.setdefault(path.name.removesuffix(".gz").removesuffix(".csv"), path)
    return found


def cuts_of(log: Path, folder: Path) -> list[Cut]:
    """The cuts that the protocol makes of a log, in `folder`; made only once."""
    if not (folder / "meta.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, protocol(), "cuts", log, "--out", folder]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    cuts = [_cut(path) for path in sorted(folder.glob("cut[0-9]*"))]
    return [replace(cut, after=cuts[i - 1].at if i else None) for i, cut in enumerate(cuts)]


def _cut(folder: Path) -> Cut:
    known = json.loads((folder / "cut.json").read_text(encoding="utf-8"))
    log, names = folder / "known.csv.gz", folder / "open.txt"
    if not names.exists():
        with gzip.open(folder / "visible.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        with gzip.open(log, "wt", encoding="utf-8", newline="") as lines:
            out = csv.DictWriter(lines, rows[0].keys())
            out.writeheader()
            out.writerows({**row, "resource": row["resource"].replace(NOBODY, "")} for row in rows)
        names.write_text("".join(f"{case}\n" for case in known["open_cases"]), encoding="utf-8")
    ids, horizons = tuple(known["open_cases"]), tuple(float(h) for h in known["horizons_h"])
    return Cut(int(known["cut"]), datetime.fromisoformat(known["time"]), horizons, log, names, ids)


def score(folder: Path, forecast: Path, system: Path) -> dict[str, Any]:
    """The protocol's metrics of forecast files of the cuts in `folder`."""
    scores: dict[str, Any] = _asof().score(folder, forecast, system)
    return scores


def compare(folder: Path, a: Path, b: Path) -> dict[str, float]:
    """CRPS of a over that of b, with the protocol's paired, case-clustered 95 % interval."""
    found: dict[str, float] = _asof().compare(folder, a, b)
    return found


def truth_of(folder: Path, cuts: Sequence[int], into: Path) -> Path:
    """A folder with the truth of these cuts alone."""
    into.mkdir(parents=True, exist_ok=True)
    for name in ("truth.csv", "truth_system.csv"):
        head, *rows = (folder / name).read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if int(row.split(",", 1)[0]) in cuts]
        (into / name).write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    return into


@cache
def _asof() -> Any:
    """The protocol's program as a module."""
    found = spec_from_file_location("asof", protocol())
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    sys.modules["asof"] = module
    found.loader.exec_module(module)
    return module


def joined(parts: Sequence[tuple[int, Path]], into: Path) -> Path:
    """The files of several cuts as one with a column `cut`, whose number stands beside each file."""
    lines: list[str] = []
    for number, path in parts:
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        lines = lines or [f"cut,{head}"]
        lines += [f"{number},{row}" for row in rows]
    into.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return into
