"""Live events on their way from the inbox into the database, while the owner runs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from metagraph.errors import TwinError

if TYPE_CHECKING:
    from eventlogs.historian import Historian

_log = logging.getLogger(__name__)
_GATHER_S = 0.2
_LOOK_AGAIN_S = 5.0


class Draining:
    """A thread that drains the inbox beside a historian's file soon after events arrived, and at the end."""

    def __init__(self, historian: Historian) -> None:
        self._historian = historian
        self._arrived, self._leaving = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="draining", daemon=True)

    def __enter__(self) -> Draining:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._leaving.set()
        self._arrived.set()
        self._thread.join()

    def arrived(self) -> None:
        """Tell that there is something to drain."""
        self._arrived.set()

    def _run(self) -> None:
        while not self._leaving.is_set():
            # What other processes put into the inbox is found without being told.
            self._arrived.wait(_LOOK_AGAIN_S)
            self._leaving.wait(_GATHER_S)
            self._arrived.clear()
            self._drain()

    def _drain(self) -> None:
        try:
            with self._historian.session() as session:
                while session.drain().pending and not self._leaving.is_set():
                    pass
        except TwinError as error:
            _log.warning("live events wait in the inbox: %s", error)
        except Exception:
            _log.exception("live events wait in the inbox")
