"""Instants that a backtest has done, kept beside its file of rows, so that a stopped one goes on."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from twin.backtest_forecasts import Made
from twin.backtest_origins import Asked
from twin.outlook import LEVELS


def kept_beside(out: Path) -> Path:
    """The file of what is done, for a file of rows."""
    return out.with_name(out.name + ".part")


def load(path: Path | None, key: str) -> dict[datetime, Made]:
    """What was done before of the same backtest; nothing where the file is of another one or isn't there."""
    if path is None or not path.exists():
        return {}
    # A line that was being written when the run was ended has no end.
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    lines = whole.splitlines()
    if not lines or lines[0] != key:
        return {}
    found = [_made(json.loads(line)) for line in lines[1:]]
    return {one.asked.at: one for one in found}


def start(path: Path | None, key: str, done: dict[datetime, Made]) -> None:
    """Begin the file anew with what is known to be done."""
    if path is not None:
        lines = [key, *(_line(one) for one in done.values())]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def add(path: Path | None, made: Made) -> None:
    """One instant more."""
    if path is not None:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(_line(made) + "\n")


def _line(made: Made) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.tolist()
        return value.isoformat()

    return json.dumps(asdict(made), default=plain)


def _made(row: dict[str, Any]) -> Made:
    asked = row.pop("asked")
    for name, kind in (
        ("age_s", np.float64),
        ("left_s", np.float64),
        ("ended", np.bool_),
        ("over", np.bool_),
    ):
        asked[name] = np.array(asked[name], kind)
    asked |= {"at": datetime.fromisoformat(asked["at"])}
    asked |= {name: tuple(asked[name]) for name in ("ids", "standing")}
    row |= {name: tuple(row[name]) for name in ("wip_came", "notes")}
    for name in ("left_s", "wip"):
        # No orders still have as many columns as there are levels.
        row[name] = {who: np.array(v, np.float64).reshape(-1, len(LEVELS)) for who, v in row[name].items()}
    return Made(asked=Asked(**asked), **row)
