"""What the routers of all topics share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from eventlogs.historian import Historian


def session(request: Request) -> Iterator[Historian]:
    """A session of the served file for one request."""
    with request.app.state.historian.session() as historian:
        yield historian


Session = Annotated[Historian, Depends(session)]
