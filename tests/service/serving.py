"""Owners as real processes, and commands beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
"""No test waits longer; a shared machine is slow at times."""


@dataclass(frozen=True)
class Serving:
    """An owner that answers."""

    process: subprocess.Popen[str]
    db: Path
    url: str

    @property
    def token(self) -> str:
        return str(json.loads(note(self.db).read_text())["token"])

    def end(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code, and what it said on standard error."""
        self.process.send_signal(sign)
        _, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, err


def note(db: Path) -> Path:
    return db.with_name(f"{db.name}.owner.json")


def start(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """A command of ours, or with `-c` any code, as a process."""
    module = () if arguments[0] == "-c" else ("-m", "cli")
    return subprocess.Popen(
        [sys.executable, *module, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(db: Path, *options: str, port: int = 0) -> Iterator[Serving]:
    """`tracetwin serve` on a file, ended in the end whatever happens."""
    process = start("serve", "--db", db, "--port", str(port), "--json", *options, cwd=db.parent)
    try:
        assert process.stdout is not None
        said: list[str] = []
        while not said or said[-1].rstrip() != "}":
            said.append(process.stdout.readline())
            assert said[-1], process.communicate(timeout=PATIENCE_S)[1]
        yield Serving(process, db, json.loads("".join(said))["url"])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)
