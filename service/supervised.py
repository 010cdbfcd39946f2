"""Runs a command as long as who started it lives: `python -m service.supervised COMMAND …`.

Standard input is a pipe that the starter holds open. When it closes, because the starter ended in whatever
way, or asked for that, everything that was started here is stopped: no job goes on that nobody minds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

PATIENCE_S = 10.0
"""From the wish to stop until the command is made to."""


def main() -> int:
    """The exit code of the command; 128 + signal where one ended it."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def stop() -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(child.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE_S)
                return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop()

    def stopped(number: int, frame: FrameType | None) -> None:
        # Not here: the signal may have come in the midst of the waiting below.
        threading.Thread(target=stop, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
