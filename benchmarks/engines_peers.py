"""The peers: an environment of their own, and the commands that run their programs in it.

Never in .venv: two of their wheels put packages named `cli` and `tests` on the top level. peers.lock is
made from peers.in by `uv pip compile --universal --generate-hashes --no-annotate --no-header`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import engines_models as models
from benchmarks import engines_prosimos

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "benchmarks" / "peers" / "peers.lock"

STATIONS, UTILISATION, TANDEM_ORDERS = 8, 0.8, 10_000
EXAMPLE3_ORDERS, LOAN_ORDERS = 20_000, 3_000
SEED = 4


def environment(work: Path, lock: Path = LOCK) -> Path:
    """The interpreter of the peers' environment, made from the lock when it is missing."""
    folder = work / f"peers-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if stamp.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".uv" / "bin")
    locked = ("--quiet", "--require-hashes", "-r", str(lock))
    if uv:
        _do(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _do(uv, "pip", "install", "--python", str(python), *locked)
    else:
        _do(sys.executable, "-m", "venv", str(folder))
        _do(str(python), "-m", "pip", "install", *locked)
    stamp.touch()
    return python


def _do(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"the peers' environment can't be made:\n{' '.join(command)}\n{ended.stderr}")


def surroundings(work: Path) -> dict[str, str]:
    """Environment variables of a measured process: Python keeps bytecode, as in an installation in use."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(work / "bytecode")}


def prepare(work: Path) -> None:
    """The environment, and the files that the peers read."""
    environment(work)
    orders = models.example3_orders(EXAMPLE3_ORDERS, SEED)
    (work / "example3.json").write_text(json.dumps(models.example3_for_peers(orders)), encoding="utf-8")
    releases = models.loan_orders(LOAN_ORDERS, SEED)["release_s"].tolist()
    engines_prosimos.write(models.loan(), releases, work)


def run(unit: str, work: Path, repeat: int) -> dict[str, Any]:
    """One run of a peer's program: what it printed, or why it failed."""
    program, *arguments = COMMANDS[unit](work, repeat)
    command = [str(environment(work)), "-m", f"benchmarks.peers.{program}", *arguments]
    env = {**surroundings(work), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=work, env=env, check=False)
    if ended.returncode:
        return {"failed": ended.stderr.strip().splitlines()[-1][:300]}
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def paired(ours: Iterable[str]) -> list[str]:
    """All units, each peer's before the first of ours that has the same work."""
    left, names = list(COMMANDS), []
    for unit in ours:
        mine = [peer for peer in left if peer.split("_")[0] == unit.split("_")[0]]
        left = [peer for peer in left if peer not in mine]
        names += [*mine, unit]
    return names + left


def _tandem(program: str, first: int) -> Callable[[Path, int], Sequence[str]]:
    """`first` keeps the seeds of peers apart that draw from the same generator."""
    sizes = (str(STATIONS), str(UTILISATION), str(TANDEM_ORDERS))
    return lambda work, repeat: (program, *sizes, str(first + repeat))


def _loan(*log: str) -> Callable[[Path, int], Sequence[str]]:
    def command(work: Path, repeat: int) -> Sequence[str]:
        files = [str(work / name) for name in ("loan.bpmn", "loan.json", "loan.arrivals.json")]
        logs = [str(work / name) for name in log]
        return ("loan_prosimos", *files, models.ORIGIN.isoformat(), str(repeat + 1), *logs)

    return command


COMMANDS: dict[str, Callable[[Path, int], Sequence[str]]] = {
    "example3_simpy": lambda work, repeat: (
        "example3_simpy",
        str(work / "example3.json"),
        str(repeat + 1),
    ),
    "tandem_simpy": _tandem("tandem_simpy", 1000),
    "tandem_ciw": _tandem("tandem_ciw", 2000),
    "tandem_salabim": _tandem("tandem_salabim", 3000),
    "loan_prosimos": _loan(),
    "loan_prosimos_csv": _loan("prosimos.csv"),
}
