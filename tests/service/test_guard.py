"""Who is let in: this machine's people, and holders of the token."""

import asyncio
from typing import Any

import pytest

from eventlogs.owner.sidecar import Owner
from service.guard import Guard

OWNER = Owner(1, "http://127.0.0.1:8501", "s3cret", "2026-01-01T00:00:00+00:00", "1")
BEARER = {"authorization": "Bearer s3cret"}


def ask(
    path: str, client: str, kind: str = "http", query: str = "", **headers: str
) -> tuple[int, dict[str, str]]:
    """Status (200 from behind the guard, 101 for an accepted socket) and headers of the answer."""
    answer: list[dict[str, Any]] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        accepted = {"type": "websocket.accept"} if kind == "websocket" else {"status": 200, "headers": []}
        await send({"type": "http.response.start", **accepted})

    async def send(message: Any) -> None:
        answer.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": kind,
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "client": (client, 1234),
        "headers": [(k.encode(), v.encode()) for k, v in ({"host": "localhost:8501"} | headers).items()],
    }
    asyncio.run(Guard(behind, OWNER)(scope, receive, send))
    first = answer[0]
    status = {"websocket.accept": 101, "websocket.close": 403}.get(first["type"], first.get("status", 0))
    return status, {k.decode(): v.decode() for k, v in first.get("headers", [])}


@pytest.mark.parametrize("client", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501"])
def test_this_machine_needs_no_token_for_pages_and_rest(client: str, host: str) -> None:
    assert ask("/", client, host=host)[0] == 200
    assert ask("/api/events", client, host=host)[0] == 200
    assert ask("/_stcore/stream", client, "websocket", host=host)[0] == 101


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1", "[::1", "evil@127.0.0.9x"]
)
def test_a_page_of_another_site_is_not_this_machine(host: str) -> None:
    assert ask("/api/logs", "127.0.0.1", host=host)[0] == 401
    assert ask("/_stcore/stream", "127.0.0.1", "websocket", host=host)[0] == 403
    assert ask("/api/logs", "127.0.0.1", host=host, **BEARER)[0] == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example:8501", "null", "x"]
)
def test_a_page_of_another_site_can_not_ask_in_its_readers_name(origin: str) -> None:
    assert ask("/api/events", "127.0.0.1", origin=origin)[0] == 401
    assert ask("/_stcore/stream", "127.0.0.1", "websocket", origin=origin)[0] == 403
    assert ask("/api/events", "127.0.0.1", origin=origin, **BEARER)[0] == 200
    assert ask("/api/events", "127.0.0.1", origin="http://localhost:8501")[0] == 200
    assert ask("/_stcore/stream", "127.0.0.1", "websocket", origin="http://127.0.0.1:8501")[0] == 101


@pytest.mark.parametrize("client", ["10.0.0.7", "::ffff:10.0.0.7", "fe80::1%eth0", "testclient"])
def test_others_need_the_token(client: str) -> None:
    status, headers = ask("/api/logs", client)
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    for wrong in ("Bearer wrong", "Bearer ", "", "Bearer s3cretx"):
        assert ask("/", client, authorization=wrong)[0] == 401
    assert ask("/_stcore/stream", client, "websocket")[0] == 403
    assert ask("/", client, **BEARER)[0] == 200
    assert ask("/_stcore/stream", client, "websocket", cookie="a=b; tracetwin_token=s3cret")[0] == 101


def test_the_historian_wants_machine_and_token() -> None:
    path = "/api/historian/logs"
    assert ask(path, "127.0.0.1")[0] == 401
    assert ask(path, "127.0.0.1", **BEARER)[0] == 200
    assert ask(path, "10.0.0.7", **BEARER)[0] == 403
    assert ask(path, "127.0.0.1", query="token=s3cret")[0] == 401


def test_a_browser_is_introduced_once() -> None:
    status, headers = ask("/build", "10.0.0.7", query="x=1&token=s3cret")
    assert (status, headers["location"]) == (303, "/build?x=1")
    assert headers["set-cookie"].startswith("tracetwin_token=s3cret; HttpOnly;")
    assert ask("/build", "10.0.0.7", query="token=guess")[0] == 401


def test_a_redirect_stays_on_this_server() -> None:
    status, headers = ask("//evil.example/x", "10.0.0.7", query="token=s3cret")
    assert (status, headers["location"]) == (303, "/evil.example/x")
