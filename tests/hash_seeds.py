"""Programs in a process where texts are hashed otherwise than here: sets and dictionaries of texts are walked
in another order there."""

import os
import subprocess
import sys
from pathlib import Path


def run_with_another_seed(
    program: str, *arguments: str | Path, told: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python code; `told` is its standard input."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=told,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
