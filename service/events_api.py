"""REST: live events, acknowledged once they are on the disk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.concurrency import run_in_threadpool

from eventlogs.live.cloudevents import READ, events_in
from eventlogs.live.inbox import Inbox, InboxUnavailableError, Receipt
from metagraph.errors import DataError

MAX_BYTES = 16 * 2**20
DEFAULT_LOG = "live"
_CONTENT = {kind: {"schema": {"type": "string"}} for kind in READ}

router = APIRouter(tags=["live events"])


@router.post(
    "/events", status_code=202, openapi_extra={"requestBody": {"required": True, "content": _CONTENT}}
)
async def post_events(
    request: Request, log: Annotated[str, Query(min_length=1, max_length=200)] = DEFAULT_LOG
) -> dict[str, Any]:
    """Take live events in: CloudEvents 1.0 (single, batch or binary), flat JSON, lines of JSON, or CSV.

    202 with how many were accepted, known before, or differing (another event of a known source and id, not
    taken; `corrects` changes an event), once all of them are on the disk. 400 if the body as a whole can't be
    read, 413 if it is too large, 503 if nothing could be kept now. `log` names the log of events that don't
    name one.
    """
    body = await _body(request)
    try:
        receipt = await run_in_threadpool(_accept, request.app.state.inbox, body, dict(request.headers), log)
    except InboxUnavailableError as error:
        raise HTTPException(503, str(error), {"Retry-After": "5"}) from None
    except DataError as error:
        raise HTTPException(400, str(error)) from None
    request.app.state.arrived()
    return asdict(receipt)


def _accept(inbox: Inbox, body: bytes, headers: dict[str, str], log: str) -> Receipt:
    return inbox.accept(events_in(body, headers, log))


async def _body(request: Request) -> bytes:
    """The request's body, given up as soon as it grows too large."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BYTES:
            raise HTTPException(
                413, f"the body is larger than {MAX_BYTES // 2**20} MiB; send the events in smaller batches"
            )
    return bytes(content)
