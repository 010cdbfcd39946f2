"""Long work in processes of its own: started, watched and stopped by the pages, never run in them.

A job is a folder: `out` and `err` (what it printed), `progress` (JSON lines of step and share), `pid`, `exit`
(its exit code, once it ended by itself), `stopped` (where a page asked for that). The process holds a lock on
the folder's `lock` while it lives, so that a page that was started anew still knows of it, and never signals
a stranger with a recycled number.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_children: list[subprocess.Popen[bytes]] = []
"""Kept to be reaped when the next job starts."""


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands."""

    status: Literal["none", "running", "done", "failed", "stopped"]
    step: str = ""
    share: float = 0.0
    """0..1"""
    elapsed_s: float = 0.0
    message: str = ""
    """One sentence for people, where it failed."""
    details: str = ""
    """Everything it wrote to standard error."""


def tracetwin(*arguments: str) -> list[str]:
    """The command line of one of our commands."""
    return [sys.executable, "-m", "cli", *arguments]


def task(*arguments: str) -> list[str]:
    """The command line of a task of ui/tasks.py."""
    return [sys.executable, "-m", "ui.tasks", *arguments]


def progress_file(folder: Path) -> Path:
    """Where the job is to append its progress."""
    return folder / "progress"


def output(folder: Path) -> str:
    """What the job printed on standard output."""
    return (folder / "out").read_text(encoding="utf-8")


def start(folder: Path, command: Sequence[str], cwd: Path) -> None:
    """Start a command; what an earlier job left in the folder is removed.

    Raises RuntimeError if a job is running there.
    """
    if _alive(folder):
        raise RuntimeError(f"a job is already running in {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _children[:] = [child for child in _children if child.poll() is None]
    # The shell outlives an interruption, which the command may answer with a result.
    script = 'trap : INT; "$@"; echo $? > "$0"'
    with (
        (folder / "lock").open("w") as lock,
        (folder / "out").open("wb") as out,
        (folder / "err").open("wb") as err,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = subprocess.Popen(
            ["/bin/sh", "-c", script, str(folder / "exit"), *command],
            cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(lock.fileno(),),
            start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    _children.append(child)
    (folder / "pid").write_text(str(child.pid))


def state(folder: Path) -> JobState:
    """How the folder's job stands."""
    if not (folder / "pid").exists():
        return JobState("none")
    running = _alive(folder)
    step, share = _progress(folder)
    begun = (folder / "pid").stat().st_mtime
    code = _read(folder / "exit").strip()
    if running:
        return JobState("running", step, share, time.time() - begun)
    if (folder / "stopped").exists():
        return JobState("stopped", step, share)
    if code == "0":
        return JobState("done", step, 1.0, (folder / "exit").stat().st_mtime - begun)
    details = _read(folder / "err")
    return JobState("failed", step, share, message=_sentence(details, code), details=details)


def cancel(folder: Path, patience_s: float = 5.0) -> None:
    """Stop the job and everything it started; nothing happens if none is running."""
    if _alive(folder):
        (folder / "stopped").touch()
    for sign, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, patience_s)):
        if not _alive(folder):
            return
        with suppress(ProcessLookupError):
            os.killpg(int(_read(folder / "pid")), sign)
        until = time.monotonic() + wait_s
        while _alive(folder) and time.monotonic() < until:
            time.sleep(0.05)


def interrupt(folder: Path) -> None:
    """Ask the job for what it has by now, as Ctrl-C does; nothing happens if none is running."""
    if _alive(folder):
        with suppress(ProcessLookupError):
            os.killpg(int(_read(folder / "pid")), signal.SIGINT)


def _alive(folder: Path) -> bool:
    """Whether any process of the job still holds the lock."""
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _progress(folder: Path) -> tuple[str, float]:
    for line in reversed(_read(progress_file(folder)).splitlines()):
        with suppress(ValueError, KeyError, TypeError):
            found = json.loads(line)
            step, share = str(found["step"]), min(max(float(found["share"]), 0.0), 1.0)
            # A part of the work that is done says so; the whole isn't.
            return ("next step" if step == "done" and share < 1 else step), share
    return "starting", 0.0


def _sentence(details: str, code: str) -> str:
    """The commands' own sentence, else the last thing that was said."""
    lines = [line for line in details.splitlines() if line.strip()]
    ours = [line.removeprefix("tracetwin: ") for line in lines if line.startswith("tracetwin: ")]
    ended = f"exit code {code}" if code else "a signal from outside (was memory short?)"
    return (ours or lines or [f"the job ended with {ended} and said nothing"])[-1]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
