"""JSON that people write by hand: read with every fault named, written so that they can read it again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from metagraph.errors import DataError
from metagraph.faults import Fault, refusal, shown

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_WHOLE = "the whole file"
_LINE = 100
"""Objects and lists that fit in this many characters stay on one line."""


def read_text(path: str | Path, what: str) -> str:
    """The text of a file. Raises DataError, saying that `what` was expected, if there is none."""
    path = Path(path)
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} doesn't exist: name {what}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text: expected {what}") from None
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}): name {what}") from None


def write_text(path: str | Path, text: str) -> None:
    """Write a file, whole or not at all. Raises DataError if it can't be written."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, "utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror}): name a file in a folder of yours"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def adapter(value: type[T], rooms: Iterable[ModuleType]) -> TypeAdapter[T]:
    """What reads values of a dataclass strictly; all dataclasses of `rooms` are read so."""
    from pydantic import ConfigDict, TypeAdapter

    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
    for room in rooms:
        for found in vars(room).values():
            if isinstance(found, type) and is_dataclass(found):
                # Set here, not in the classes: the model itself knows nothing of how it is read.
                found.__pydantic_config__ = config  # type: ignore[attr-defined]
    return TypeAdapter(value)


def decoded(reader: TypeAdapter[T], text: str, raw: Any, source: str) -> T:
    """The value in a text, of which `raw` are the plain values. Raises DataError with every fault of form."""
    from pydantic import ValidationError

    try:
        return reader.validate_json(text)
    except ValidationError as error:
        raise refusal(source, [_fault(raw, found) for found in error.errors(include_url=False)]) from None


def value_of(reader: TypeAdapter[T], raw: Any, where: str, faults: list[Fault]) -> T | None:
    """The value that plain values stand for; None, and faults of form below `where`, if they can't."""
    from pydantic import ValidationError

    try:
        return reader.validate_json(json.dumps(raw))
    except ValidationError as error:
        for found in error.errors(include_url=False):
            fault = _fault(raw, found)
            inside = "" if fault.where == _WHOLE else f", {fault.where}"
            faults.append(Fault(where + inside, fault.what))
        return None


def parsed(
    text: str,
    source: str,
    what: str = "a twin",
    remedy: str = "mend it",
    before_faults: Callable[[Any, str], None] | None = None,
) -> Any:
    """The text as plain values. Raises DataError for faults of syntax and doubled keys.

    `what` says what the file should be, `remedy` what can be done; `before_faults` sees the values first.
    """
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
        raise DataError(f"{source} is no JSON: {error.msg} at {at}; {remedy}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{source} holds numbers too long or values too deep to be {what}") from None
    if before_faults is not None:
        before_faults(raw, source)
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
    return Fault(", ".join(_steps(raw, found["loc"])) or _WHOLE, what)


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
    if isinstance(value, (tuple, list)):
        return [plain(item, brief=brief) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def written(value: Any) -> str:
    """Plain values as JSON text in our layout."""
    return _written(value, 0) + "\n"


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
