"""Killed at random moments while it accepts and drains: what was acknowledged is there exactly once."""

import random
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
import sys, threading
from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox, inbox_path
from tests.eventlogs.live.feeding import event

base, first = sys.argv[1], int(sys.argv[2])
inbox = Inbox(inbox_path(base))

def accept():
    for n in range(first, first + 1_000_000, 20):
        inbox.accept([event(i, i % 86_400, case=str(i // 7), activity="AB"[i % 2], sequence=i)
                      for i in range(n, n + 20)])
        print(n, flush=True)

with Historian(base) as historian:
    print("begin", flush=True)
    threading.Thread(target=accept, daemon=True).start()
    while True:
        historian.drain(137)
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
    for k in range(kills):
        first = 1_000_000 * k
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(base), str(first)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        told = [int(line) for line in process.stdout.read().splitlines() if line.endswith("0")]
        process.wait()
        process.stdout.close()
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
