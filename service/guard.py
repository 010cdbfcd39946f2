"""Who may ask for what: people on this machine for the pages, all others with the owner's token."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from eventlogs.owner.sidecar import Owner

COOKIE = "tracetwin_token"
HISTORIAN = "/api/historian/"
"""Only for processes of this machine that can read the sidecar."""


class Guard:
    """ASGI middleware around everything that is served.

    Without the token only callers on this machine are heard, and only under its own names (a page of another
    site is not, neither one that resolves to this machine nor one that has its reader's browser ask); the
    historian's methods want both, machine and token. The token comes as `Authorization: Bearer`, or from a
    browser that once opened `/?token=…` as a cookie.
    """

    def __init__(self, app: ASGIApp, owner: Owner) -> None:
        self._app = app
        self._token = owner.token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        here, known = _from_here(scope), self._knows(headers)
        among_us = here and _is_here(_name(headers.get(b"host", ""))) and _of_our_pages(headers)
        inner = scope["path"].startswith(HISTORIAN)
        if inner and not here:
            await _refuse(scope, receive, send, 403, "only processes of this machine may do this")
        elif known or (among_us and not inner):
            await self._app(scope, receive, send)
        elif self._introduces(scope) and not inner:
            await _welcome(scope, receive, send)
        else:
            await _refuse(
                *(scope, receive, send, 401),
                "this needs the owner's token: send it as 'Authorization: Bearer …', or open /?token=… once",
            )

    def _knows(self, headers: dict[bytes, str]) -> bool:
        given = headers.get(b"authorization", "").removeprefix("Bearer ")
        try:
            cookie = SimpleCookie(headers.get(b"cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        return self._is_token(given) or (cookie is not None and self._is_token(cookie.value))

    def _introduces(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return scope["type"] == "http" and scope["method"] == "GET" and self._is_token(given)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _name(host: str) -> str | None:
    """A Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _of_our_pages(headers: Mapping[bytes, str]) -> bool:
    """Whether no browser says that a page of another site is behind this."""
    origin = headers.get(b"origin")
    return origin is None or _is_here(_name(origin.partition("://")[2]))


def _from_here(scope: Scope) -> bool:
    client = scope.get("client")
    return client is not None and _is_here(client[0])


def _is_here(host: str | None) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host is None or host == "localhost":
        return host is not None
    try:
        address = ip_address(host)
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (inner or address).is_loopback


async def _welcome(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the token in the browser and take it out of the address."""
    from starlette.responses import RedirectResponse

    query = parse_qs(scope["query_string"].decode("latin-1"))
    token = query.pop("token")[0]
    rest = urlencode(query, doseq=True)
    # Two slashes would lead to another server.
    path = "/" + scope["path"].lstrip("/")
    response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
    await response(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    from starlette.responses import JSONResponse

    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    await JSONResponse({"detail": why}, status, headers)(scope, receive, send)
