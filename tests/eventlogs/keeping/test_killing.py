"""kill -9 at any moment of import and migration: what was promised is there once, the rest whole or not."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from eventlogs.historian import Historian
from eventlogs.keeping.copying import content
from eventlogs.keeping.migrating import backups, newest_version
from tests.eventlogs.keeping.old_files import ROWS, version_one
from tests.eventlogs.logs import Row, write

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("TRACETWIN_KILLS", "20"))
SEED = 20


class Mortals:
    """Workers of one process that forks them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.step_s = 0.1
        """How long a step took lately."""

    def killed(self, task: str, lines: int, share: float) -> list[str]:
        """What a worker said that was killed so many lines, and a share of a step's time, after it began."""
        process = self._process
        assert process.stdin is not None
        process.stdin.write(task + "\n")
        process.stdin.flush()
        worker = int(self._line().removeprefix("worker "))
        said: list[str] = []
        timer, began = threading.Timer(share * self.step_s, kill, [worker]), time.monotonic()
        while len(said) <= lines:
            if len(said) == lines:
                timer.start()
            line = self._line()
            if line == "dead":
                break
            said.append(line)
        else:
            self.step_s = (time.monotonic() - began) / len(said)
            while (line := self._line()) != "dead":
                said.append(line)
        timer.cancel()
        return said

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line not in ("", "failed"), "the worker failed or hung; standard error says where"
        return line


def kill(worker: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


@contextmanager
def mortals() -> Iterator[Mortals]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.eventlogs.keeping.mortal"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Mortals(process)
        assert process.stdin is not None
        process.stdin.close()


def rows(number: int) -> list[Row]:
    return [Row(f"{number}-{i}", "A", "r", 60.0 * i, 60.0 * i + 30) for i in range(60 * number)]


def stack_after(said: list[str]) -> tuple[list[int], set[int]]:
    """The imports that are to be undone one after the other, and the numbers of those that are kept."""
    stack: list[int] = []
    kept: set[int] = set()
    for line in said:
        word, _, number = line.partition(" ")
        if word == "took":
            stack += [int(number)] if stack[-1:] != [int(number)] else []
            kept.add(int(number))
        elif word == "undid":
            stack.pop()
        elif word == "dropped":
            stack, kept = stack[-1:], set(stack[-1:])
    return stack, kept


def state(base: Path) -> tuple[list[int], set[int]]:
    """What the file holds, in the words of `stack_after`; each import whole, its rows adding up."""
    with Historian(base) as historian:
        infos = historian.logs()
        current = int(Path(infos[0].report.source).stem) if infos else 0
        if infos:
            report = infos[0].report
            assert report.rows_read == report.rows_kept + report.rows_ignored + report.rows_quarantined
            assert historian.snapshot("log", open_cases=()).n_events == report.events == 60 * current
    with duckdb.connect(str(base), read_only=True) as con:
        held = con.execute(
            "SELECT u.source, count(*), (SELECT count(*) FROM quarantine q WHERE q.upload_id = u.id) "
            "FROM uploads u JOIN events e ON e.upload_id = u.id GROUP BY u.id, u.source"
        ).fetchall()
        strays = con.execute("SELECT count(*) FROM events WHERE upload_id NOT IN (SELECT id FROM uploads)")
        assert strays.fetchall() == [(0,)]
        steps = con.execute(
            "SELECT u.source FROM takings t JOIN uploads u ON u.id = t.upload_id WHERE NOT t.undone "
            "ORDER BY t.id"
        ).fetchall()
    found = {int(Path(source).stem): (executions, aside) for source, executions, aside in held}
    assert len(found) == len(held)
    assert found == {number: (60 * number, 1) for number in found}
    stack = [int(Path(source).stem) for (source,) in steps]
    assert stack[-1:] == ([current] if current else [])
    return stack, set(found)


def test_killed_while_importing(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        file = write(tmp_path / f"{number}.csv", rows(number))
        with file.open("a", encoding="utf-8") as out:
            out.write("x,A,r,tomorrow,tomorrow\n")
    chance = random.Random(SEED)
    promised = 0
    with mortals() as workers:
        for seed in range(KILLS):
            for path in tmp_path.glob("x.duckdb*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            task = f"import\t{tmp_path}\t{seed}"
            said = workers.killed(task, chance.randrange(1, 5), 1.5 * chance.random())[1:]
            promised += len(said)
            known = state(tmp_path / "x.duckdb")
            after_one_more = [
                stack_after([*said, step]) for step in ("took 1", "took 2", "took 3", "dropped")
            ]
            if stack_after(said)[0]:
                after_one_more.append(stack_after([*said, "undid"]))
            assert known in [stack_after(said), *after_one_more], said
    assert promised > KILLS


def test_killed_while_migrating(tmp_path: Path) -> None:
    old = version_one(tmp_path / "old.duckdb", imports=4)
    with duckdb.connect(str(old)) as con:
        before = content(con)
    chance, ends = random.Random(SEED), set()
    with mortals() as workers:
        for number in range(KILLS):
            folder = tmp_path / str(number)
            folder.mkdir()
            base = folder / "x.duckdb"
            shutil.copy(old, base)
            said = workers.killed(f"migrate\t{base}", 1 + (number % 2), 1.5 * chance.random())
            ends.add(said[-1])
            for backup in backups(str(base)):
                with duckdb.connect(str(backup), read_only=True) as con:
                    assert content(con) == before
            with Historian(base) as historian:
                assert historian.snapshot("log").n_events == 4 * ROWS
                assert [info.state for info in historian.imports("log")].count("current") == 1
                assert len(historian.imports("log")) == 4
                assert historian.load_model("t") == "{}"
            # Killed between two migrations it is put aside once more, as of the version in between.
            kept = [path.name for path in backups(str(base))]
            assert kept[0] == "x.duckdb.v1-backup"
            assert len(set(kept)) == len(kept) < newest_version()
    assert len(ends) > 1, "every worker was killed in the same part of its work"
