"""A TOML file against what may stand in it: every fault with its line and key, and the nearest known key."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from metagraph.errors import DataError
from twin.toml_text import line_of, value_text

Path_ = tuple[str | int, ...]
S = TypeVar("S", bound=BaseModel)


def read_text(path: Path, what: str) -> str:
    """The text of a file that holds `what`. Raises DataError if it can't be read."""
    if path.exists() and not path.is_file():
        # It's read more than once, and a pipe gives its content to the first reader only.
        raise DataError(f"{path}: no regular file (a pipe, a folder?); save {what} in a file")
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; expected {what} (TOML)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: can't be read as UTF-8 text ({error})") from error


def checked(text: str, source: str, model: type[S]) -> S:
    """The file's content as a `model`.

    Raises DataError, naming `source` and each fault's line and key.
    """
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{source}: not valid TOML: {error}; mend that line") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = [_fault(fault, text, model) for fault in error.errors(include_url=False)]
        told = [f"line {line}: {words}" if line else words for line, words in sorted(found)]
        raise DataError(f"{source}, {'; '.join(told)}") from error


def _fault(fault: Any, text: str, model: type[BaseModel]) -> tuple[int, str]:
    """The line where a fault stands (0: unknown), and the fault in words."""
    path: Path_ = tuple(part for part in fault["loc"] if part != "[key]")
    name, table = _dotted(path), _table(path[:-1])
    match fault["type"]:
        case "extra_forbidden":
            words = _unknown_key(path, model)
        case "missing":
            words = f"{table} lacks the key {path[-1]!r}: add it"
        case "value_error":
            words = f"{name}: {fault['ctx']['error']}"
        case _:
            message = fault["msg"].replace("Input should be", "expected").replace("valid tuple", "list")
            words = f"{name} is {_shown(fault['input'])}: {message[0].lower()}{message[1:]}"
    return line_of(text, path) or 0, words


def _shown(value: Any) -> str:
    """The value as it stands in the file."""
    try:
        return value_text(value)
    except TypeError:
        return repr(value)


def _unknown_key(path: Path_, model: type[BaseModel]) -> str:
    known = sorted(known_keys(model, path[:-1]))
    near = difflib.get_close_matches(str(path[-1]), known, 1, 0.5)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"{_table(path[:-1])} has no key {str(path[-1])!r}; {meant}known keys: {', '.join(known)}"


def known_keys(model: Any, path: Path_ = ()) -> tuple[str, ...]:
    """The keys of the table at a path of a file of this model; list positions are passed over, any name
    stands for a named entry."""
    for part in path:
        if isinstance(part, int):
            continue
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            model = _inner(fields[part].annotation)
        else:
            model = _inner(get_args(model)[1])
    if isinstance(model, type) and issubclass(model, BaseModel):
        return tuple(field.alias or name for name, field in model.model_fields.items())
    return ()


def _inner(annotation: Any) -> Any:
    """The section or mapping inside Optional[...] and tuple[..., ...]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = getattr(annotation, "__origin__", None)
    if origin is dict:
        return annotation
    for part in get_args(annotation):
        found = _inner(part)
        if found is not None:
            return found
    return None


def _table(path: Path_) -> str:
    return f"[{_dotted(path)}]" if path else "the file"


def _dotted(path: Path_) -> str:
    """'orders.promises[2].segment': positions count from 1, as people do."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
