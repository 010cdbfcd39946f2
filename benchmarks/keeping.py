"""Results that outlive a stopped run: one JSON line a finished unit, with the version of the code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def rows_of(path: Path) -> list[dict[str, Any]]:
    """All lines, oldest first, without one that was being written when the run was ended; none where there is
    no file."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines() if line]


def append(path: Path, row: dict[str, Any]) -> None:
    """One line more, in place of a torn one."""
    with path.open("a+b") as lines:
        lines.seek(0)
        lines.truncate(lines.read().rfind(b"\n") + 1)
        lines.write(json.dumps(row).encode() + b"\n")


def version(root: Path) -> str:
    """The commit of the code in `root`, with -dirty where it isn't committed."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=True).stdout.strip()
