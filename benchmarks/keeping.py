"""Results that outlive a stopped run: one JSON line a finished unit, with the version of the code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def rows_of(path: Path) -> list[dict[str, Any]]:
    """All lines, oldest first; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def append(path: Path, row: dict[str, Any]) -> None:
    """One line more."""
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def version(root: Path) -> str:
    """The commit of the code in `root`, with -dirty where it isn't committed."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=True).stdout.strip()
