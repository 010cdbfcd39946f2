"""The historian's methods for other processes of this machine: one HTTP call each, answered line by line.

`POST {method}` with one message of `eventlogs.owner.wire` (`arguments`); the answer is a stream of them:
`call` (a progress function of the caller), `waits` (another writer is before), `writes` (from here on
the file may hold it), `alive`, and at last `result`, `error` or `stopping`. Each call has a session of its
own in a thread. When the caller goes away its statement is interrupted and its transaction rolled back.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from metagraph.errors import DataError, TwinError

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from eventlogs.historian import Historian

MOST_AT_ONCE = 32
"""Calls that work or wait for their turn to write; further ones queue."""
LARGEST_BODY = 1 << 30
GRACE_S = 5.0
"""What calls may still take once the owner is told to stop."""
_ALIVE_S = 5.0
_LOOK_S = 0.1
_SLICE = 1 << 20


class HistorianCalls:
    """The ASGI application; `leave` ends it."""

    def __init__(self, historian: Historian) -> None:
        self._historian = historian
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="historian")
        self._left_at: float | None = None

    def leave(self) -> None:
        """Take no calls any more; those that wait are sent away, those that work have GRACE_S."""
        self._left_at = self._left_at or time.monotonic()

    def close(self) -> None:
        """Wait for the last call."""
        self._pool.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        from starlette.responses import JSONResponse

        from eventlogs.owner.client import METHODS

        method = METHODS.get(scope["path"].rpartition("/")[2])
        body = None
        if method is None or scope["method"] != "POST":
            refused = JSONResponse({"detail": "the historian has no such method"}, 404)
        elif self._left_at is not None:
            refused = JSONResponse({"detail": "the owner is stopping"}, 503)
        else:
            refused = JSONResponse({"detail": f"more than {LARGEST_BODY} bytes"}, 413)
            body = await _body(receive)
        if method is None or body is None:
            await refused(scope, receive, send)
            return
        call = _Call(self._historian, method, body, send, lambda: self._left_at)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self._answer(call, receive)
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answer(self, call: _Call, receive: Receive) -> None:
        work = asyncio.get_running_loop().run_in_executor(self._pool, call.work)
        gone = asyncio.create_task(_disconnected(receive))
        spoken = time.monotonic()
        try:
            while not work.done():
                waiting: set[asyncio.Future[Any]] = {work} if gone.done() else {work, gone}
                await asyncio.wait(waiting, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                call.gone = call.gone or gone.done()
                if call.over():
                    call.interrupt()
                elif time.monotonic() - spoken > _ALIVE_S:
                    spoken = time.monotonic()
                    await call.send(("alive", None))
            await call.finish(work.result())
        finally:
            gone.cancel()


class _Call:
    """One method at work for a caller elsewhere."""

    def __init__(
        self,
        historian: Historian,
        method: Callable[..., Any],
        body: bytes,
        send: Send,
        left_at: Callable[[], float | None],
    ) -> None:
        self._historian, self._method, self._body, self._left_at = historian, method, body, left_at
        self._send, self._one_at_a_time = send, asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._session: Historian | None = None
        self._writes = False
        self.gone = False

    def work(self) -> Iterable[bytes | memoryview]:
        """The last message; in a thread of the pool."""
        from eventlogs.owner import wire
        from eventlogs.owner.turns import Caller

        try:
            name, arguments = wire.receive(*_split(self._body), callback=self._callback)
            if name != "arguments" or not isinstance(arguments, Mapping):
                raise ValueError("the body is not a message of arguments")
            with self._historian.session(Caller(self._waits, self._will_write, self._check)) as self._session:
                return wire.message("result", self._method(self._session, **arguments))
        except _StoppingError:
            return wire.message("stopping")
        except TwinError as error:
            return wire.error_message(error)
        except Exception as error:
            if self.over():
                # Interrupted: the transaction was rolled back.
                return wire.message("stopping")
            sys.stderr.write("".join(traceback.format_exception(error)))
            what = f"the owner failed at {self._method.__name__} ({type(error).__name__}: {error})"
            return wire.error_message(DataError(f"{self._historian.path}: {what}; its output says more"))
        finally:
            self._session = None

    def over(self) -> bool:
        """Whether nobody waits for the result any more, or there is no time left for it."""
        left = self._left_at()
        return self.gone or (left is not None and time.monotonic() - left > GRACE_S)

    def interrupt(self) -> None:
        """Stop the statement at work."""
        if session := self._session:
            with suppress(Exception):
                session.interrupt()

    async def send(self, told: tuple[str, Any]) -> None:
        from eventlogs.owner import wire

        await self.finish(wire.message(*told))

    async def finish(self, parts: Iterable[bytes | memoryview]) -> None:
        """Send a whole message, in slices, as fast as the caller takes them."""
        with suppress(OSError):
            async with self._one_at_a_time:
                for part in parts:
                    for piece in _slices(part):
                        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    def _tell(self, kind: str, content: Any = None) -> None:
        """Send a message from the working thread; returns when it is on its way."""
        self._check()
        asyncio.run_coroutine_threadsafe(self.send((kind, content)), self._loop).result()
        self._check()

    def _callback(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self._tell("call", [name, *arguments])

    def _waits(self, sentence: str) -> None:
        self._tell("waits", sentence)

    def _will_write(self) -> None:
        self._writes = True
        self._tell("writes")

    def _check(self) -> None:
        waiting_in_vain = self._left_at() is not None and not self._writes
        if self.over() or waiting_in_vain:
            raise _StoppingError


class _StoppingError(Exception):
    """The caller is gone, or the owner stops: nothing was or will be written."""


async def _body(receive: Receive) -> bytes | None:
    """The request's body, None if it is too long."""
    parts, size, more = [], 0, True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > LARGEST_BODY:
            return None
    return b"".join(parts)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _split(body: bytes) -> tuple[bytes, Callable[[int], bytes]]:
    """A message's line, and how to read on after it."""
    import io

    stream = io.BytesIO(body)
    return stream.readline(), stream.read


def _slices(part: bytes | memoryview) -> Iterator[bytes]:
    view = memoryview(part)
    for start in range(0, len(view), _SLICE):
        yield bytes(view[start : start + _SLICE])
