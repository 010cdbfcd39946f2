"""One process that owns the database and serves the pages, the REST interface and the historian's methods."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.routing import Mount

from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox, inbox_path
from eventlogs.owner import sidecar
from eventlogs.owner.client import RemoteHistorian, methods_version
from eventlogs.owner.opening import open_historian, owning
from metagraph.errors import UsageError
from service.api import make_api
from service.draining import Draining
from service.guard import Guard
from service.historian_calls import GRACE_S, HistorianCalls
from ui.serving import pages

LOCAL = "127.0.0.1"
_NEXT_PORTS = 20
_LAST_PORT = 65535
_IN_USE = frozenset({errno.EADDRINUSE})
_WEBSOCKET_BYTES = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Served:
    """Where a database is served."""

    db: str
    url: str
    pid: int
    already: bool
    """Another process did so before."""
    browse: str
    """What to open in a browser."""
    taken: tuple[int, ...] = ()
    """Ports that were asked for and in use."""


def serve(
    db: Path, host: str, port: int, ready: Callable[[Served], None], wait: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is told where, `wait` that a command holds the file.

    If another process serves the file, only tells where. Raises UsageError for a host that isn't this
    machine's, or if no port from `port` on is free; DataError as `open_historian`.
    """
    # Its own thread drains, while it takes events already.
    with open_historian(db, on_wait=wait, drained=False) as historian:
        if isinstance(historian, RemoteHistorian):
            owner = historian.owner
            ready(Served(str(db), owner.url, owner.pid, True, owner.url))
            return
        with ExitStack() as open_sockets:
            sockets, taken = _listen(host, port)
            for listening in sockets:
                open_sockets.callback(listening.close)
            _run(historian, host, sockets, taken, ready)


def _run(
    historian: Historian,
    host: str,
    sockets: list[socket.socket],
    taken: tuple[int, ...],
    ready: Callable[[Served], None],
) -> None:
    port = sockets[0].getsockname()[1]
    owner = sidecar.new_owner(f"http://{LOCAL}:{port}", methods_version())
    calls = HistorianCalls(historian)
    with ExitStack() as owned:
        inbox = owned.enter_context(Inbox(inbox_path(historian.path)))
        draining = owned.enter_context(Draining(historian))
        owned.callback(calls.close)
        api = make_api(historian, owner, inbox, draining.arrived)
        api.mount("/historian", calls)
        app = Guard(pages(Path(historian.path), [Mount("/api", api)]), owner)

        def started() -> None:
            owned.enter_context(owning(historian, owner))
            browse = owner.url if host == LOCAL else f"http://{_in_url(host)}:{port}/?token={owner.token}"
            ready(Served(historian.path, owner.url, owner.pid, False, browse, taken))

        def leaving() -> None:
            # First of all: whoever looks for the owner from now on waits for the file instead.
            sidecar.remove(historian.path, owner)
            calls.leave()

        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=_WEBSOCKET_BYTES,
            timeout_graceful_shutdown=int(2 * GRACE_S),
        )
        # The server raises the signal that stopped it once more when it is done: that is no news then.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _Server(config, started, leaving).run(sockets)


class _Server(uvicorn.Server):
    """Tells when it can be asked, and when it will end."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[], None], leaving: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._tell_started, self._tell_leaving = started, leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._tell_leaving()
        super().handle_exit(sig, frame)


def _listen(host: str, port: int) -> tuple[list[socket.socket], tuple[int, ...]]:
    """Sockets on the host and on this machine's own address, on the first free port; those in use."""
    everywhere = host in {"0.0.0.0", "::"}
    hosts = [LOCAL] if host in {LOCAL, "localhost"} else [host] if everywhere else [host, LOCAL]
    taken: list[int] = []
    for candidate in range(port, min(port + _NEXT_PORTS, _LAST_PORT) + 1):
        sockets: list[socket.socket] = []
        try:
            for name in hosts:
                sockets.append(_bound(name, sockets[0].getsockname()[1] if sockets else candidate))
            return sockets, tuple(taken)
        except OSError as error:
            for one in sockets:
                one.close()
            if isinstance(error, socket.gaierror) or error.errno not in _IN_USE:
                raise UsageError(
                    f"--host {host} --port {candidate}: can't listen there ({error.strerror}); give an "
                    "address of this machine and a port above 1023"
                ) from None
            taken.append(candidate)
    raise UsageError(f"--port {port}: no port up to {taken[-1]} is free; give another one")


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(address)
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def _in_url(host: str) -> str:
    name = socket.gethostname() if host in {"0.0.0.0", "::"} else host
    return f"[{name}]" if ":" in name else name
