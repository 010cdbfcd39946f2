"""Metagraphs as JSON text: out, and back in with every fault named.

`python -m metagraph.json_io` prints the JSON Schema (kept in docs/metagraph.schema.json).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metagraph import agents, batches, calendars, distributions, model, nodes, orders, paces, routing, shifts
from metagraph.distributions import Distribution
from metagraph.errors import DataError
from metagraph.json_text import adapter, decoded, parsed, plain, read_text, write_text, written
from metagraph.model import SCHEMA_VERSION, Metagraph
from metagraph.validate import check

if TYPE_CHECKING:
    from pydantic import TypeAdapter

ROOMS = (agents, batches, calendars, distributions, model, nodes, orders, paces, routing, shifts)
"""Modules whose dataclasses are read from files."""
_WHAT = "a twin that tracetwin build has written"


def to_json(metagraph: Metagraph, *, brief: bool = False) -> str:
    """The metagraph as text; equal metagraphs give equal texts. `from_json` gives it back unchanged.

    A `brief` text leaves out every field that has its default.
    """
    return written(plain(metagraph, brief=brief))


def from_json(text: str, source: str) -> Metagraph:
    """The metagraph that a text holds.

    Raises DataError, naming `source`, with every fault found: of form first, else of sense.
    """
    raw = parsed(text, source, remedy="mend it or build the twin again", before_faults=check_version)
    metagraph = decoded(_adapter(), text, raw, source)
    check(metagraph, source)
    return metagraph


def load(path: str | Path) -> Metagraph:
    """The twin in a file. Raises DataError if there is none or it can't be used."""
    return from_json(read_text(path, _WHAT), str(path))


def save(metagraph: Metagraph, path: str | Path) -> None:
    """Write a twin to a file, whole or not at all. Raises DataError if it is faulty or can't be written."""
    check(metagraph, str(path))
    write_text(path, to_json(metagraph))


def json_schema() -> str:
    """The JSON Schema of a twin's file, as text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def check_version(raw: Any, source: str) -> None:
    """Raises DataError for a twin of a newer Tracetwin, whose other faults mean nothing."""
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DataError(
            f"{source} was written by a newer Tracetwin (schema {version}; this one reads {SCHEMA_VERSION}): "
            "update Tracetwin, or build the twin again with this one"
        )


@cache
def law_reader() -> TypeAdapter[Distribution]:
    """What reads a law on its own."""
    return adapter(Distribution, ROOMS)  # type: ignore[arg-type]


@cache
def _adapter() -> TypeAdapter[Metagraph]:
    return adapter(Metagraph, ROOMS)


if __name__ == "__main__":
    import sys

    sys.stdout.write(json_schema())
