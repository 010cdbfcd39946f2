"""POST /events: acknowledged when it is on the disk, refused with a sentence otherwise."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from eventlogs.historian import Historian
from eventlogs.live.drain import Drained
from eventlogs.live.inbox import Inbox, inbox_path
from service import events_api
from service.draining import Draining

EVENT = {"id": "1", "source": "s", "case": "4", "activity": "A", "time": "2024-03-04T08:00:00Z"}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "x.duckdb"


@pytest.fixture
def app(base: Path) -> Iterator[FastAPI]:
    told: list[int] = []
    application = FastAPI()
    application.include_router(events_api.router)
    with Inbox(inbox_path(base)) as inbox:
        application.state.inbox, application.state.told = inbox, told
        application.state.arrived = lambda: told.append(1)
        yield application


def post(
    app: FastAPI, body: bytes, kind: str = "application/json", query: str = "", parts: int = 1
) -> tuple[int, Any]:
    """Status and JSON of the answer to a body sent in so many parts."""
    size = -(-len(body) // parts)
    chunks = [body[i : i + size] for i in range(0, max(len(body), 1), max(size, 1))]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "method": "POST", "path": "/events",
        "query_string": query.encode(), "headers": [(b"content-type", kind.encode())], "http_version": "1.1",
        "scheme": "http", "server": ("test", 80), "client": ("test", 1), "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(part.get("body", b"") for part in sent[1:]))


def test_events_are_acknowledged_and_counted(app: FastAPI) -> None:
    body = json.dumps([EVENT, EVENT | {"id": "2", "log": "orders"}, {"id": "3"}]).encode()
    assert post(app, body, query="log=loans", parts=3) == (
        202,
        {"accepted": 3, "known": 0, "differing": 0, "position": 3},
    )
    assert post(app, body, query="log=loans") == (
        202,
        {"accepted": 0, "known": 3, "differing": 0, "position": 3},
    )
    assert [row.log for row in app.state.inbox.after(0, 10)] == ["loans", "orders", "loans"]
    assert app.state.told == [1, 1]


def test_what_can_not_be_taken_is_refused(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer = post(app, b"{")
    assert (status, answer["detail"][:24]) == (400, "the body is no JSON: Exp")
    assert post(app, b"<x/>", "text/xml")[0] == 400
    assert post(app, json.dumps(EVENT).encode(), query="log=")[0] == 422
    monkeypatch.setattr(events_api, "MAX_BYTES", 2**20)
    status, answer = post(app, b" " * (2**20 + 1), parts=9)
    assert (status, answer["detail"].split(";")[0]) == (413, "the body is larger than 1 MiB")
    app.state.inbox._con.execute("PRAGMA max_page_count = 20")
    large = json.dumps([EVENT | {"id": str(i), "resource": "x" * 5000} for i in range(100)]).encode()
    status, answer = post(app, large)
    assert status == 503
    assert "nothing of this request was kept, send it again later" in answer["detail"]
    assert app.state.inbox.pending(0) == 0
    assert app.state.told == []


def test_what_arrived_is_in_the_database_soon(app: FastAPI, base: Path) -> None:
    with Historian(base) as historian, Draining(historian) as draining:
        app.state.arrived = draining.arrived
        assert post(app, json.dumps(EVENT).encode())[0] == 202
    with Historian(base, read_only=True) as historian:
        assert [info.name for info in historian.logs()] == ["live"]
        assert historian.snapshot("live").n_events == 1


def test_smaller_batches_are_followed_by_the_next_at_once() -> None:
    """As they are once the database refused an event, which was looked for by halving."""
    done = threading.Event()
    waiting = [3, 2, 1, 0]

    class Refusing:
        @contextmanager
        def session(self) -> Iterator["Refusing"]:
            yield self

        def drain(self) -> Drained:
            pending = waiting.pop(0) if waiting else 0
            if not waiting:
                done.set()
            return Drained(10, 10, 0, 0, 1, pending)

    with Draining(Refusing()) as draining:  # type: ignore[arg-type]
        draining.arrived()
        assert done.wait(4.0)
