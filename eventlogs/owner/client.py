"""The historian of a file that another process owns: the same methods, each one call over HTTP."""

from __future__ import annotations

import functools
import hashlib
import http.client
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, get_args, get_type_hints

from eventlogs.historian import Historian
from eventlogs.keeping.migrating import newest_version
from eventlogs.owner import wire
from eventlogs.owner.opened import OpenFile
from eventlogs.owner.sidecar import Owner, connect
from eventlogs.owner.turns import ALONE, Caller
from metagraph.errors import DataError, TwinError

CALLS = "/api/historian/"
CONTENT = "application/vnd.tracetwin"
LONGEST_SILENCE_S = 60.0
"""A living owner says something more often than that."""
_ATTEMPTS = 3

METHODS: Mapping[str, Callable[..., Any]] = {
    name: method
    for room in reversed(Historian.__mro__)
    if room not in OpenFile.__mro__
    for name, method in vars(room).items()
    if inspect.isfunction(method) and not name.startswith("_")
}
"""What an owner does for other processes: every public method, by name."""


class OwnerGoneError(Exception):
    """The owner ended, and nothing of the call is in the file."""


class RemoteHistorian(Historian):
    """Asks the owner; should that one end, the file is opened here and the work goes on.

    `reopen` gives the historian to go on with, this process's own or another owner's.
    """

    def __init__(
        self, path: str, owner: Owner, on_wait: Callable[[str], None], reopen: Callable[[], Historian]
    ) -> None:
        self.path = path
        self.owner = owner
        self._on_wait = on_wait
        self._reopen = reopen
        self._own: Historian | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._own.__exit__(kind, error, trace)

    def close(self) -> None:
        """Let go of the file if it had to be opened here."""
        if self._own:
            self._own.close()

    def session(self, caller: Caller = ALONE) -> RemoteHistorian:
        """The same for another thread: each call has a session of its own at the owner."""
        return RemoteHistorian(self.path, self.owner, caller.waits, self._reopen)

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """The result of a method."""
        for _ in range(_ATTEMPTS):
            if self._own:
                return METHODS[name](self._own, **arguments)
            try:
                return _ask(self.owner, self.path, name, arguments, self._on_wait)
            except OwnerGoneError:
                again = self._reopen()
                if isinstance(again, RemoteHistorian):
                    self.owner = again.owner
                else:
                    self._own = again
        raise DataError(f"{self.path}: its owner, {self.owner.words}, keeps ending; start it anew")


def _forward(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    paths = _path_parameters(method)

    @functools.wraps(method)
    def call(self: RemoteHistorian, *positional: Any, **named: Any) -> Any:
        arguments = dict(signature.bind(self, *positional, **named).arguments)
        del arguments["self"]
        given = {
            key: os.fspath(arguments[key]) for key in paths & arguments.keys() if arguments[key] is not None
        }
        # The owner works in another folder.
        there = {key: os.path.abspath(path) for key, path in given.items()}
        try:
            return self.call(name, arguments | {key: Path(path) for key, path in there.items()})
        except TwinError as error:
            sentence = str(error)
            for key, path in there.items():
                sentence = sentence.replace(path, given[key])
            raise type(error)(sentence) from error.__cause__

    return call


def _path_parameters(method: Callable[..., Any]) -> frozenset[str]:
    def is_path(hint: Any) -> bool:
        return (
            hint is Path
            or getattr(hint, "__origin__", hint) is os.PathLike
            or any(map(is_path, get_args(hint)))
        )

    return frozenset(
        name for name, hint in get_type_hints(method).items() if name != "return" and is_path(hint)
    )


for _name, _method in METHODS.items():
    setattr(RemoteHistorian, _name, _forward(_name, _method))


def _ask(
    owner: Owner, path: str, name: str, arguments: Mapping[str, Any], on_wait: Callable[[str], None]
) -> Any:
    """One call. Raises OwnerGoneError if nothing of it can be in the file, DataError if that isn't known."""
    callbacks = {key: value for key, value in arguments.items() if callable(value)}
    sent = {key: wire.Callback(key) if key in callbacks else value for key, value in arguments.items()}
    body = wire.message("arguments", sent)
    headers = {
        "Authorization": f"Bearer {owner.token}",
        "Content-Type": CONTENT,
        "Content-Length": str(sum(map(len, body))),
    }
    writing = False
    connection = connect(owner, LONGEST_SILENCE_S)
    try:
        connection.request("POST", CALLS + name, iter(body), headers)
        for kind, content in _messages(connection.getresponse(), owner, path):
            match kind:
                case "call":
                    callbacks[content[0]](*content[1:])
                case "waits":
                    on_wait(content)
                case "writes":
                    writing = True
                case "error":
                    raise wire.named(content[0])(content[1])
                case "stopping":
                    raise OwnerGoneError
                case "result":
                    return content
        raise ConnectionResetError
    except TimeoutError:
        raise DataError(
            f"{path}: its owner, {owner.words}, has said nothing for {LONGEST_SILENCE_S:.0f} s; stop that "
            "process"
        ) from None
    except (ConnectionError, http.client.HTTPException):
        if writing:
            raise DataError(
                f"{path}: its owner, {owner.words}, ended while {name} was being written; the file holds all "
                "of it or nothing: look, and try again"
            ) from None
        raise OwnerGoneError from None
    finally:
        connection.close()


def _messages(response: http.client.HTTPResponse, owner: Owner, path: str) -> Iterator[tuple[str, Any]]:
    if response.status == http.client.SERVICE_UNAVAILABLE:
        raise OwnerGoneError
    if response.status != http.client.OK:
        raise DataError(
            f"{path}: its owner, {owner.words}, refused the call ({response.status} {response.reason}); "
            "start it anew"
        )
    while (line := response.readline(wire.LONGEST_LINE)).endswith(b"\n"):
        try:
            yield wire.receive(line, response.read)
        except ValueError as error:
            raise other_version(path, owner) from error


def other_version(path: str, owner: Owner) -> DataError:
    """The sentence for an owner that runs other code than this process."""
    return DataError(
        f"{path} is owned by {owner.words}, of another version than this command; stop that process and "
        "start it anew"
    )


@functools.cache
def methods_version() -> str:
    """The same for two processes whose historians offer the same methods on the same schema."""
    from importlib.metadata import version

    digest = hashlib.sha256()
    for name, method in sorted(METHODS.items()):
        digest.update(f"{name}{inspect.signature(method)}\n".encode())
    return f"{version('tracetwin')}, schema {newest_version()}, methods {digest.hexdigest()[:12]}"
