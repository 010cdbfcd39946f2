"""Writers of one file: one at a time, in the order they came, and none waits for one who left."""

import threading
import time
from pathlib import Path

import pytest

from eventlogs.owner.turns import ALONE, Caller, Turns, turns_of


def test_first_come_first_served() -> None:
    turns = Turns()
    order: list[int] = []
    told: list[str] = []
    began = threading.Event()

    def first() -> None:
        with turns.turn(ALONE, "x"):
            began.set()
            time.sleep(0.3)
            order.append(-1)

    def later(number: int) -> None:
        with turns.turn(Caller(waits=told.append), "x.duckdb"):
            order.append(number)
            time.sleep(0.01)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    began.wait(10)
    for number in range(8):
        threads.append(threading.Thread(target=later, args=(number,)))
        threads[-1].start()
        time.sleep(0.02)
    for thread in threads:
        thread.join(10)
    assert order == [-1, *range(8)]
    assert told[0] == "x.duckdb is being written; 1 before this"
    assert len(told) == 8


def test_who_gives_up_leaves_the_queue() -> None:
    turns = Turns()

    def gone() -> None:
        raise ConnectionError

    with turns.turn(ALONE, "x"), pytest.raises(ConnectionError), turns.turn(Caller(check=gone), "x"):
        raise AssertionError
    with turns.turn(ALONE, "x"):
        pass


def test_a_file_has_one_queue_under_all_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "x.duckdb")
    queue = turns_of("x.duckdb")
    assert turns_of(tmp_path / "x.duckdb") is queue is turns_of("link")
    assert turns_of("y.duckdb") is not queue
