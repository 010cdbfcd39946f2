"""A process that forks workers to be killed: each works on a database and says what it has finished.

Reads lines `import FOLDER SEED` or `migrate FILE` from standard input and answers with the worker's number.
Forking saves the second that starting Python and importing the historian take.
"""

import faulthandler
import os
import random
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import duckdb  # noqa: F401
import pyarrow  # noqa: F401

from eventlogs import closing, uploads  # noqa: F401
from eventlogs.historian import Historian

HANGS_S = 60.0
"""A worker that is alive after that is stuck."""


def import_logs(folder: str, seed: str) -> None:
    """Take files, undo and drop, forever; every line said is a promise."""
    place, choice = Path(folder), random.Random(int(seed))
    files = sorted(place.glob("*.csv"))
    with Historian(place / "x.duckdb") as historian:
        print("open", flush=True)
        while True:
            step = choice.random()
            if step < 0.7:
                file = choice.choice(files)
                historian.import_log(file, "log", on_bad_rows="quarantine")
                print(f"took {file.stem}", flush=True)
            elif step < 0.9 and historian.logs():
                historian.undo_import("log")
                print("undid", flush=True)
            elif historian.logs():
                historian.drop_superseded("log")
                print("dropped", flush=True)


def migrate(file: str) -> None:
    """Open an old file once."""
    print("begins", flush=True)
    with Historian(file, tell=lambda sentence: print("copied", flush=True)):
        print("opened", flush=True)


def main() -> None:
    """Fork a worker for every line."""
    tasks: dict[str, Callable[..., None]] = {"import": import_logs, "migrate": migrate}
    for line in sys.stdin:
        name, *arguments = line.rstrip("\n").split("\t")
        worker = os.fork()
        if worker == 0:
            work(tasks[name], arguments)
        _, status = os.waitpid(worker, 0)
        print("failed" if os.WIFEXITED(status) and os.WEXITSTATUS(status) else "dead", flush=True)


def work(task: Callable[..., None], arguments: list[str]) -> NoReturn:
    """Do the task and end at once: an ordinary end would wait for threads that a fork doesn't have."""
    faulthandler.dump_traceback_later(HANGS_S, exit=True)
    print(f"worker {os.getpid()}", flush=True)
    try:
        task(*arguments)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
