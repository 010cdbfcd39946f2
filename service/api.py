"""The REST interface under /api: a router a topic, and a page that lists what there is."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from metagraph.errors import TwinError, UsageError
from service import events_api, logs_api

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventlogs.historian import Historian
    from eventlogs.live.inbox import Inbox
    from eventlogs.owner.sidecar import Owner

_status = APIRouter(tags=["status"])


def make_api(historian: Historian, owner: Owner, inbox: Inbox, arrived: Callable[[], None]) -> FastAPI:
    """The application to be mounted under /api; requests find these in `app.state`.

    `arrived` is called when live events are in the inbox.
    """
    api = FastAPI(title="Tracetwin", version=owner.version, docs_url=None, redoc_url=None)
    api.state.historian = historian
    api.state.owner = owner
    api.state.inbox = inbox
    api.state.arrived = arrived
    api.include_router(_status)
    api.include_router(logs_api.router)
    api.include_router(events_api.router)
    api.add_exception_handler(TwinError, _sentence)
    return api


@_status.get("/health")
def health(request: Request) -> dict[str, Any]:
    """Who serves which file since when."""
    owner = asdict(request.app.state.owner)
    del owner["token"]
    return {"status": "ok", "db": request.app.state.historian.path, **owner}


@_status.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """What can be asked for, from the OpenAPI document alone: nothing is fetched from elsewhere."""
    rows = [
        f"<tr><td><code>{method.upper()}</code></td><td><code>/api{escape(path)}</code></td>"
        f"<td>{escape(said.get('description') or said.get('summary', ''))}</td></tr>"
        for path, methods in request.app.openapi()["paths"].items()
        for method, said in methods.items()
    ]
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Tracetwin: REST interface</title>"
        "<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}"
        "td{padding:.4rem 1rem .4rem 0;vertical-align:top;white-space:pre-line}</style>"
        "<h1>REST interface</h1><p>The whole of it, for tools: <a href=openapi.json>openapi.json</a>.</p>"
        f"<table>{''.join(rows)}</table></html>"
    )


def _sentence(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400 if isinstance(error, UsageError) else 422)
