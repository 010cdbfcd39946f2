"""REST: the logs and the twins that the database keeps."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from service.sessions import Session

router = APIRouter(tags=["logs and twins"])


@router.get("/logs")
def logs(historian: Session) -> list[dict[str, Any]]:
    """Every log by name, with the report of its current import."""
    return [asdict(info) for info in historian.logs()]


@router.get("/models")
def models(historian: Session) -> list[dict[str, Any]]:
    """Every kept twin by name and version."""
    return [asdict(info) for info in historian.list_models()]


@router.get("/models/{reference}")
def model(reference: str, historian: Session) -> Any:
    """A twin's JSON by name (the champion) or name@version."""
    return json.loads(historian.load_model(reference))
