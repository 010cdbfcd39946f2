"""Metagraphs as JSON text: out, and back in with every fault named.

`python -m metagraph.json_io` prints the JSON Schema (kept in docs/metagraph.schema.json).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metagraph import agents, calendars, distributions, model, nodes, orders, paces, routing
from metagraph.errors import DataError
from metagraph.faults import Fault, refusal, shown
from metagraph.model import SCHEMA_VERSION, Metagraph
from metagraph.validate import check

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_LINE = 100
"""Objects and lists that fit in this many characters stay on one line."""


def to_json(metagraph: Metagraph, *, brief: bool = False) -> str:
    """The metagraph as text; equal metagraphs give equal texts. `from_json` gives it back unchanged.

    A `brief` text leaves out every field that has its default.
    """
    return written(plain(metagraph, brief=brief))


def written(value: Any) -> str:
    """Plain values as JSON text in our layout."""
    return _written(value, 0) + "\n"


def from_json(text: str, source: str) -> Metagraph:
    """The metagraph that a text holds.

    Raises DataError, naming `source`, with every fault found: of form first, else of sense.
    """
    from pydantic import ValidationError

    raw = _parsed(text, source)
    try:
        metagraph = _adapter().validate_json(text)
    except ValidationError as error:
        raise refusal(source, [_fault(raw, found) for found in error.errors(include_url=False)]) from None
    check(metagraph, source)
    return metagraph


def load(path: str | Path) -> Metagraph:
    """The twin in a file. Raises DataError if there is none or it can't be used."""
    path = Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} doesn't exist: name a twin that tracetwin build has written") from None
    except UnicodeDecodeError:
        raise DataError(
            f"{path} is no UTF-8 text: expected a twin that tracetwin build has written"
        ) from None
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}): name a twin's file") from None
    return from_json(text, str(path))


def save(metagraph: Metagraph, path: str | Path) -> None:
    """Write a twin to a file, whole or not at all. Raises DataError if it is faulty or can't be written."""
    path = Path(path)
    check(metagraph, str(path))
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(to_json(metagraph), "utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror}): name a file in a folder of yours"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def json_schema() -> str:
    """The JSON Schema of a twin's file, as text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


@cache
def _adapter() -> TypeAdapter[Metagraph]:
    from pydantic import ConfigDict, TypeAdapter

    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
    for room in (agents, calendars, distributions, model, nodes, orders, paces, routing):
        for value in vars(room).values():
            if isinstance(value, type) and is_dataclass(value):
                # Set here, not in the classes: the model itself knows nothing of how it is read.
                value.__pydantic_config__ = config  # type: ignore[attr-defined]
    return TypeAdapter(Metagraph)


def _parsed(text: str, source: str) -> Any:
    """The text as plain values; faults of syntax, doubled keys and newer versions are told here."""
    doubled: list[Fault] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            keys = [key for key, _ in items]
            doubled.extend(
                Fault(f"field {shown(key)}", f"given {keys.count(key)} times in one object; once is enough")
                for key in found
                if keys.count(key) > 1
            )
        return found

    try:
        raw = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise DataError(
            f"{source} is no JSON: {error.msg} at {at}; mend it or build the twin again"
        ) from None
    except (ValueError, RecursionError):
        raise DataError(f"{source} holds numbers too long or values too deep to be a twin") from None
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DataError(
            f"{source} was written by a newer Tracetwin (schema {version}; this one reads {SCHEMA_VERSION}): "
            "update Tracetwin, or build the twin again with this one"
        )
    if doubled:
        raise refusal(source, doubled)
    return raw


_EXPECTED = {
    "extra_forbidden": "no such field; remove it or mend its name",
    "missing": "missing; it is needed",
    "missing_argument": "missing; it is needed",
    "unexpected_keyword_argument": "no such field; remove it or mend its name",
    "finite_number": "{value} is no finite number",
    "float_type": "{value}; expected a number",
    "int_type": "{value}; expected a whole number",
    "int_from_float": "{value}; expected a whole number",
    "string_type": "{value}; expected text",
    "bool_type": "{value}; expected true or false",
    "tuple_type": "{value}; expected a list",
    "mapping_type": "{value}; expected an object",
    "dict_type": "{value}; expected an object",
    "dataclass_type": "{value}; expected an object",
    "dataclass_exact_type": "{value}; expected an object",
    "literal_error": "{value}; expected {expected}",
    "union_tag_invalid": "kind {tag}; expected {expected_tags}",
    "union_tag_not_found": "no kind; it is needed to tell what this is",
}


def _fault(raw: Any, found: Mapping[str, Any]) -> Fault:
    """One complaint of the reader in our own words."""
    facts = {**found.get("ctx", {}), "value": shown(found["input"])}
    said = _EXPECTED.get(found["type"])
    what = said.format(**facts) if said else f"{facts['value']}; {_lowered(found['msg'])}"
    return Fault(", ".join(_steps(raw, found["loc"])) or "the whole file", what)


def _steps(raw: Any, location: tuple[str | int, ...]) -> Iterator[str]:
    """The way to a field in words; list items are named by their id where they have one."""
    for step in location:
        if isinstance(raw, dict):
            if step not in raw and step == raw.get("kind"):
                continue
            yield str(step)
            raw = raw.get(step)
        elif isinstance(raw, list) and isinstance(step, int) and step < len(raw):
            raw = raw[step]
            name = raw.get("id") or raw.get("node") if isinstance(raw, dict) else None
            yield shown(name) if isinstance(name, str) else f"item {step}"
        else:
            yield str(step)
            raw = None


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def plain(value: Any, *, brief: bool = False) -> Any:
    """Dataclasses as objects in the order of their fields, mappings by key, tuples as lists."""
    if is_dataclass(value):
        members = ((field, getattr(value, field.name)) for field in fields(value))
        return {
            field.name: plain(member, brief=brief)
            for field, member in members
            if not brief or field.name == "kind" or member != _default(field)
        }
    if isinstance(value, Mapping):
        return {key: plain(value[key], brief=brief) for key in sorted(value)}
    if isinstance(value, tuple):
        return [plain(item, brief=brief) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _written(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(flat) <= _LINE - depth or not isinstance(value, (dict, list)):
        return flat
    inner = "\n" + " " * (depth + 1)
    if isinstance(value, dict):
        members = [f"{json.dumps(k, ensure_ascii=False)}: {_written(v, depth + 1)}" for k, v in value.items()]
        return "{" + inner + f",{inner}".join(members) + "\n" + " " * depth + "}"
    if not any(isinstance(item, (dict, list)) for item in value):
        return flat
    return (
        "[" + inner + f",{inner}".join(_written(item, depth + 1) for item in value) + "\n" + " " * depth + "]"
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(json_schema())
