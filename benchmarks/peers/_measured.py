"""What every peer's program prints: one JSON line with its work, its CPU seconds and its results."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from benchmarks.peak import peak_mb


def measured(library: str, work: Callable[[], dict[str, Any]]) -> None:
    """Do the work and print its results beside the CPU seconds it took; imports and reading came before."""
    cpu, wall = time.process_time(), time.perf_counter()
    results = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    used = {"cpu_s": cpu, "wall_s": wall, "peak_mb": peak_mb()}
    row = {"library": f"{library} {version(library)}", **used, **results}
    sys.stdout.write(json.dumps(row) + "\n")
