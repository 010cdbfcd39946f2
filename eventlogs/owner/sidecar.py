"""The note beside a database that says which process owns it and where it listens."""

from __future__ import annotations

import http.client
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from metagraph.errors import DataError

HEALTH = "/api/health"
PATIENCE_S = 5.0
"""How long a living owner may take to say that it is well."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a database open and works on it for all others."""

    pid: int
    url: str
    """Where it listens on this machine."""
    token: str
    """What it wants to hear from those who may use the historian."""
    since: str
    """ISO 8601."""
    version: str
    """Of the methods that it offers."""

    @property
    def words(self) -> str:
        return f"process {self.pid} (tracetwin serve, {self.url}, since {self.since})"


def new_owner(url: str, version: str) -> Owner:
    """This process as the owner, with a new token."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return Owner(os.getpid(), url, secrets.token_urlsafe(32), since, version)


def sidecar(db: str | os.PathLike[str]) -> Path:
    """Where a database's note lies; the same for every way to name the file."""
    return Path(os.path.realpath(db) + ".owner.json")


def write(db: str | os.PathLike[str], owner: Owner) -> None:
    """Write the note, whole, readable by this user only. Raises DataError if the folder can't be written."""
    path = sidecar(db)
    beside = path.with_name(f"{path.name}.{owner.pid}")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(owner), file)
        beside.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror}); the folder of a served database must be writable"
        ) from error


def read(db: str | os.PathLike[str]) -> Owner | None:
    """The note, if there is one that can be read."""
    try:
        return Owner(**json.loads(sidecar(db).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def remove(db: str | os.PathLike[str], owner: Owner | None = None) -> None:
    """Remove the note (only the given owner's, if one is given).

    To be called while the file is open here: then nobody else can have become its owner meanwhile.
    """
    with suppress(OSError):
        if owner is None or read(db) == owner:
            sidecar(db).unlink(missing_ok=True)


def answers(owner: Owner) -> bool:
    """Whether the owner lives: it answers with its own number, which no program on a reused port does.

    Raises TimeoutError if something listens there and says nothing.
    """
    try:
        connection = connect(owner, PATIENCE_S)
        try:
            connection.request("GET", HEALTH, headers={"Authorization": f"Bearer {owner.token}"})
            said = json.loads(connection.getresponse().read(10_000))
        finally:
            connection.close()
    except TimeoutError:
        raise
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return isinstance(said, dict) and said.get("pid") == owner.pid and said.get("since") == owner.since


def connect(owner: Owner, timeout_s: float) -> http.client.HTTPConnection:
    """A connection for one call."""
    place = urlsplit(owner.url)
    return http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout_s)
