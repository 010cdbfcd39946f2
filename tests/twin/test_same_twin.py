"""The same log, settings and seed give the same twin, in whichever process it is built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.known_logs import log_of, write_log
from benchmarks.known_twins import random_twin
from calibration.settings import Settings
from metagraph.json_io import to_json
from twin.build import BuildRequest, build
from twin.source import LogRequest, read_log

PROGRAM = """
import sys
from tests.twin.test_same_twin import built
print(built(*sys.argv[1:]))
"""


def built(log: str, db: str) -> str:
    source = read_log(LogRequest(log, db=db))
    return to_json(build(source, BuildRequest("same", Settings(), seed=5)))


def test_two_processes_build_the_same_twin(tmp_path: Path) -> None:
    """Sets and dictionaries of texts are walked in another order where PYTHONHASHSEED differs, as it does in
    this process and the other one."""
    known, _ = random_twin(22)
    log = write_log(tmp_path / "log.csv", log_of(known, 160, 1))
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, log, tmp_path / "other.duckdb"],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 10_000
    assert done.stdout.strip() == built(str(log), str(tmp_path / "this.duckdb")).strip()
