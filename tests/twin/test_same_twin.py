"""The same log, settings and seed give the same twin, in whichever process it is built."""

from __future__ import annotations

from pathlib import Path

from benchmarks.known_logs import log_of, write_log
from benchmarks.known_twins import random_twin
from calibration.settings import Settings
from metagraph.json_io import to_json
from tests.hash_seeds import run_with_another_seed
from twin.build import BuildRequest, build
from twin.source import LogRequest, read_log

PROGRAM = """
import sys
from tests.hash_seeds import run_with_another_seed
from tests.twin.test_same_twin import built
print(built(*sys.argv[1:]))
"""


def built(log: str, db: str) -> str:
    source = read_log(LogRequest(log, db=db))
    return to_json(build(source, BuildRequest("same", Settings(), seed=5)))


def test_two_processes_build_the_same_twin(tmp_path: Path) -> None:
    known, _ = random_twin(22)
    log = write_log(tmp_path / "log.csv", log_of(known, 160, 1))
    done = run_with_another_seed(PROGRAM, log, tmp_path / "other.duckdb")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 10_000
    assert done.stdout.strip() == built(str(log), str(tmp_path / "this.duckdb")).strip()
