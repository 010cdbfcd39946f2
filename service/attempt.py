"""One attempt at a job: a command in a process of its own that ends when the worker does."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from metagraph.errors import DataError

if TYPE_CHECKING:
    from eventlogs.keeping.jobs import Job
    from service.worker import Working

BEATS = 3
"""Heartbeats in a lease."""


class Attempt:
    """The process of one attempt, and what it tells."""

    def __init__(self, job: Job, working: Working) -> None:
        self._job, self._working = job, working
        command = [*job.command, "--json"] if "--json" not in job.command else [*job.command]
        if "--db" not in command:
            command += ["--db", working.db]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.supervised", *working.program, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._all: list[str] = []
        self._out: list[bytes] = []
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_out, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_err, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def exit_code(self) -> int:
        """Of the command, once it ended."""
        return self._process.wait()

    def printed(self) -> str:
        """What it wrote to standard output."""
        for reader in self._readers:
            reader.join(timeout=5.0)
        return b"".join(self._out).decode(errors="replace")

    def sentence(self) -> str:
        """What the command said at its end, where it failed."""
        if not self.exit_code:
            return ""
        ours = [line for line in self._all if line.startswith("tracetwin: ")]
        said = (ours or self._all or [f"it ended with exit code {self.exit_code}"])[-1]
        return said.removeprefix("tracetwin: ")

    def lines(self) -> Sequence[str]:
        """What it told since the last time."""
        found: list[str] = []
        while True:
            try:
                found.append(self._told.get_nowait())
            except queue.Empty:
                return found

    def mind(self, stopping: threading.Event) -> bool:
        """Wait for the end, renewing the lease; whether it was lost."""
        until = time.monotonic() + self._working.lease_s
        next_beat = time.monotonic() + self._working.lease_s / BEATS
        while self._process.poll() is None:
            if stopping.is_set():
                self._stop()
                break
            if time.monotonic() >= next_beat:
                answer = self._beat()
                if answer is not None:
                    until = time.monotonic() + self._working.lease_s
                if answer in ("cancel", "lost") or time.monotonic() >= until:
                    self._stop()
                    return answer != "cancel"
                next_beat = time.monotonic() + self._working.lease_s / BEATS
            stopping.wait(min(0.1, self._working.lease_s / BEATS))
        return False

    def _beat(self) -> str | None:
        """What the historian answers to a heartbeat; None if it can't be reached."""
        from eventlogs.owner.opening import open_historian

        lines = self.lines()
        try:
            with open_historian(self._working.db) as historian:
                return historian.beat_job(self._job.id, self._job.lease, self._working.lease_s, lines)
        except DataError as error:
            for line in lines:
                self._told.put(line)
            self._told.put(str(error))
            return None

    def close(self) -> None:
        """Nothing of the attempt is left running."""
        if self._process.poll() is None:
            self._stop()

    def _stop(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _read_out(self, stream: IO[bytes]) -> None:
        while piece := stream.read1(65536):  # type: ignore[attr-defined]
            self._out.append(piece)

    def _read_err(self, stream: IO[bytes]) -> None:
        for line in stream:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._all.append(text)
                self._told.put(text)
