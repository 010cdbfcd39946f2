"""The one way to a database: this process's own file, or the process that owns it."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eventlogs.historian import Historian
from eventlogs.keeping.database import MEMORY, InUseError
from eventlogs.keeping.migrating import OutdatedError
from eventlogs.owner import sidecar
from eventlogs.owner.client import RemoteHistorian, methods_version, other_version
from eventlogs.owner.opened import DAMAGED
from eventlogs.owner.sidecar import Owner
from eventlogs.owner.turns import Turnstile
from metagraph.errors import DataError

WAIT_S = 60.0
_RETRY_S = 0.02
_owned: dict[str, Historian] = {}
"""Files that this process serves, by their real path."""


def open_historian(
    db: str | os.PathLike[str],
    read_only: bool = False,
    *,
    on_wait: Callable[[str], None] | None = None,
    wait_s: float = WAIT_S,
    drained: bool = True,
) -> Historian:
    """The historian of a file, as a context manager: here, or through the process that owns it.

    Keep it no longer than a transaction needs. `on_wait` is told, once, in a sentence, that another process
    is waited for, up to `wait_s` seconds. `read_only` promises that nothing will be written, so that several
    processes may read at once; a file that must be migrated first is opened for writing all the same. Raises
    DataError when the file stays in use, its owner hangs or is of another version, or it is no database of
    ours; UsageError for an empty path.

    Live events that an owner left behind in the inbox are applied first, unless `drained` is false; where
    that can't be done, `on_wait` is told.
    """
    path = os.fspath(db)
    tell = on_wait or (lambda sentence: None)
    if path == MEMORY or not path:
        return Historian(path, read_only)
    if mine := _owned.get(os.path.realpath(path)):
        return mine.session()
    again = functools.partial(open_historian, path, read_only, on_wait=tell, wait_s=wait_s, drained=drained)
    deadline, told = time.monotonic() + wait_s, False
    with Turnstile(path) as turnstile:
        while True:
            try:
                if owner := living_owner(path):
                    return RemoteHistorian(path, owner, tell, again)
                if not turnstile.is_ours():
                    raise InUseError(
                        f"{path} is in use by other processes; wait for those or give another --db"
                    )
                historian = _here(path, read_only, tell)
                if drained:
                    historian = _drained(historian, read_only, tell)
                sidecar.remove(path)
                return historian
            except InUseError:
                if time.monotonic() >= deadline:
                    raise
                if not told:
                    tell(f"{path} is in use by another process; waiting up to {wait_s:.0f} s")
                told = True
                time.sleep(_RETRY_S)


def _here(path: str, read_only: bool, tell: Callable[[str], None]) -> Historian:
    try:
        return Historian(path, read_only, tell=tell)
    except OutdatedError:
        return Historian(path, tell=tell)


def _drained(historian: Historian, read_only: bool, tell: Callable[[str], None]) -> Historian:
    """The historian with the inbox's events applied; one that only reads is opened for writing meanwhile."""
    path, waiting = historian.path, "live events"
    try:
        if not (number := historian.waiting()):
            return historian
        waiting = f"{number:,} live events"
        if read_only:
            historian.close()
            historian = Historian(path)
        while historian.drain().read:
            pass
    except (DataError, *DAMAGED) as error:
        tell(f"{waiting} wait in the inbox and are not counted yet ({error})")
    if not read_only:
        return historian
    historian.close()
    return _here(path, read_only, tell)


def living_owner(path: str) -> Owner | None:
    """The process that owns a file. Raises InUseError if it hangs, DataError if it is of another version."""
    owner = sidecar.read(path)
    if owner is None:
        return None
    try:
        if not sidecar.answers(owner):
            return None
    except TimeoutError:
        raise InUseError(
            f"{path} is in use by {owner.words}, which doesn't answer; stop that process"
        ) from None
    if owner.version != methods_version():
        raise other_version(path, owner)
    return owner


@contextmanager
def owning(historian: Historian, owner: Owner) -> Iterator[None]:
    """Serve a file that is open here: others find this process through its sidecar, and threads of this one
    get sessions of their own. Raises DataError if the sidecar can't be written."""
    real = os.path.realpath(historian.path)
    sidecar.write(real, owner)
    _owned[real] = historian
    try:
        yield
    finally:
        sidecar.remove(real, owner)
        del _owned[real]
