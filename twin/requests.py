"""What the options of commands ask for, checked and put together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from metagraph.errors import UsageError
from twin.source import LogRequest

LONGEST_HORIZON_H = 87600


def log_request(
    log: str,
    db: str,
    mapping: str | None = None,
    config: Path | None = None,
    time_format: str | None = None,
    quarantine: bool = False,
    until: datetime | None = None,
    open_file: Path | None = None,
    *,
    tz: str | None = None,
    decimal: str | None = None,
    object_type: str | None = None,
) -> LogRequest:
    """A log as the options name it; options win over the configuration file.

    Where neither says how to read it, a file that the database knows is read as it was then.
    """
    from eventlogs.taking.columns import parse_map
    from twin.config import load_config

    known = load_config(config).log if config else None
    columns: dict[str, str] = {str(role): column for role, column in known.map.items()} if known else {}
    columns.update(parse_map(mapping) if mapping else {})
    configured = known is not None and bool(known.model_fields_set)
    return LogRequest(
        log=log,
        db=db,
        mapping=columns or None,
        time_format=time_format or (known.time_format if known else None),
        time_zone=tz or (known.time_zone if known and "time_zone" in known.model_fields_set else None),
        quarantine=quarantine or bool(known and known.bad_rows == "quarantine"),
        decimal=decimal,
        object_type=object_type,
        as_before=not any((configured, mapping, time_format, quarantine, tz, decimal, object_type)),
        until=until,
        open_file=open_file,
    )


def parse_horizons(text: str) -> tuple[float, ...]:
    """Horizons in hours from a text such as 24,168. Raises UsageError for what is none."""
    try:
        horizons = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"--horizons-h {text}: expected hours, e.g. 24,168") from error
    if not all(0 < h <= LONGEST_HORIZON_H for h in horizons):
        raise UsageError(
            f"--horizons-h {text}: expected hours above 0, up to {LONGEST_HORIZON_H} (ten years)"
        )
    return horizons
