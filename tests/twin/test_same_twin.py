"""The same log, settings and seed give the same twin, in whichever process it is built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.known_logs import log_of, write_log
from benchmarks.known_twins import random_twin

PROGRAM = """
import sys
from dataclasses import replace
from calibration.settings import Settings
from metagraph.json_io import to_json
from twin.build import BuildRequest, build
from twin.source import LogRequest, read_log

source = read_log(LogRequest(sys.argv[1], db=sys.argv[2]))
print(to_json(build(source, BuildRequest("same", Settings(), seed=5))))
"""


def test_two_processes_build_the_same_twin(tmp_path: Path) -> None:
    """Sets and dictionaries of texts are walked in another order where PYTHONHASHSEED differs."""
    known, _ = random_twin(22)
    log = write_log(tmp_path / "log.csv", log_of(known, 160, 1))
    twins = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, log, tmp_path / f"{seed}.duckdb"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        twins.append(done.stdout)
    assert len(twins[0]) > 10_000
    assert twins[0] == twins[1]
