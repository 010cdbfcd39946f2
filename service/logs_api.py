"""REST: the logs and the twins that the database keeps."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from service.sessions import Session
from twin.open_orders import rows_of

router = APIRouter(tags=["logs and twins"])


@router.get("/logs")
def logs(historian: Session) -> list[dict[str, Any]]:
    """Every log by name, with the report of its current import."""
    return [asdict(info) for info in historian.logs()]


@router.get("/logs/{name}/state")
def state(
    name: str, historian: Session, at: datetime | None = None, recorded_by: datetime | None = None
) -> dict[str, Any]:
    """The orders of a log that are open at an instant (default: its last event), as recorded then."""
    found = historian.state_at(name, at, recorded_by=recorded_by)
    return {"log": name, "at": found.at, "recorded_by": recorded_by, "orders": list(rows_of(found))}


@router.get("/models")
def models(historian: Session) -> list[dict[str, Any]]:
    """Every kept twin by name and version."""
    return [asdict(info) for info in historian.list_models()]


@router.get("/models/{reference}")
def model(reference: str, historian: Session) -> Any:
    """A twin's JSON by name (the champion) or name@version."""
    return json.loads(historian.load_model(reference))
