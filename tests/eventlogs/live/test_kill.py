"""Killed at random moments while it accepts and drains: what was acknowledged is there exactly once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox, inbox_path
from tests.eventlogs.live.feeding import event

ROOT = Path(__file__).parents[3]
KILLS = 15
BATCH = 20
WORKER = """
import os, sys, threading
from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox, inbox_path
from tests.eventlogs.live.feeding import event

base = sys.argv[1]

def accept(first):
    inbox = Inbox(inbox_path(base))
    for n in range(first, first + 1_000_000, 20):
        inbox.accept([event(i, i % 86_400, case=str(i // 7), activity="AB"[i % 2], sequence=i)
                      for i in range(n, n + 20)])
        print(n, flush=True)

def work(first):
    with Historian(base) as historian:
        print("begin", os.getpid(), flush=True)
        threading.Thread(target=accept, args=(first,), daemon=True).start()
        while True:
            historian.drain(137)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(int(line))
    os.waitpid(child, 0)
    print("\\nkilled", flush=True)
"""


def test_what_was_acknowledged_survives_being_killed(tmp_path: Path) -> None:
    base = tmp_path / "x.duckdb"
    killed_at_random(base, KILLS, random.Random(3))


def killed_at_random(base: Path, kills: int, chance: random.Random) -> None:
    with Historian(base) as historian, Inbox(inbox_path(base)) as inbox:
        inbox.accept([event(i, 0, case="first", activity="A", sequence=i) for i in range(-BATCH, 0)])
        historian.drain()
        # From now on the standings are kept up to date.
        historian.state_at("live")
    acknowledged: set[int] = {-BATCH}
    begun: set[int] = set()
    # One process loads the program and is never killed: each of its children is.
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(base)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for k in range(kills):
            first = 1_000_000 * k
            process.stdin.write(f"{first}\n")
            process.stdin.flush()
            word, child = process.stdout.readline().split()
            assert word == "begin"
            time.sleep(chance.uniform(0, 0.4))
            os.kill(int(child), signal.SIGKILL)
            lines = list(iter(process.stdout.readline, "killed\n"))
            told = [int(line) for line in lines if line.endswith("0\n")]
            acknowledged.update(told)
            begun.add(max(told, default=first - BATCH) + BATCH)
    with Historian(base) as historian:
        while historian.drain().read:
            pass
    check(base, acknowledged, begun)


def check(base: Path, acknowledged: set[int], begun: set[int]) -> None:
    with duckdb.connect(str(base), read_only=True) as con:
        ids = [int(row[0]) for row in con.execute("SELECT event_id FROM live_events").fetchall()]
        executions = con.execute("SELECT count(*), count(DISTINCT row) FROM log_executions").fetchall()[0]
        stands = con.execute("SELECT count(*), count(DISTINCT case_id) FROM case_state").fetchall()[0]
        cases = con.execute("SELECT count(DISTINCT case_id) FROM log_executions").fetchall()[0][0]
        assert con.execute("SELECT count(*) FROM live_quarantine").fetchall() == [(0,)]
    there = {n - n % BATCH for n in ids}
    assert len(ids) == len(set(ids)) == BATCH * len(there)
    assert acknowledged <= there <= acknowledged | begun
    assert executions == (len(ids), len(ids))
    assert stands == (cases, cases)
    with Inbox(inbox_path(base)) as inbox:
        assert inbox.after(0, 10) == []


if __name__ == "__main__":
    killed_at_random(Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3])))
