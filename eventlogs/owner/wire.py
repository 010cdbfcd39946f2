"""Values between two processes of one machine: lines of JSON, each followed by the blobs it announces.

A line is `{"kind": …, "content": …, "blobs": [sizes in bytes]}`. Numbers, texts, truth values, None and lists
stand as they are; everything else is an object whose one key says what it is. Long columns of texts and
tables are Arrow streams in the blobs, arrays are their bytes.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_PLAIN = frozenset({str, int, float, bool, type(None)})
_COLLECTIONS: Mapping[str, Callable[[Any], Any]] = {
    "tuple": tuple, "set": set, "frozenset": frozenset, "list": list,
}  # fmt: skip
_MANY_TEXTS = 1000
_ROOMS = ("eventlogs.", "metagraph.")
"""Modules whose dataclasses and errors may be named."""
LONGEST_LINE = 1 << 30


@dataclass(frozen=True, slots=True)
class Callback:
    """Stands for a function that stays with the caller."""

    name: str


@dataclass(slots=True)
class _Packed:
    blobs: list[Any] = field(default_factory=list)

    def put(self, value: Any) -> Any:
        """The JSON of a value; what is not JSON goes into the blobs."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, tuple | list | set | frozenset):
            return self._collection(kind.__name__, value)
        if isinstance(value, Mapping):
            return {"map": [[self.put(key), self.put(item)] for key, item in value.items()]}
        if isinstance(value, Callback):
            return {"callback": value.name}
        if isinstance(value, Enum):
            return {"enum": [_name(kind), value.value]}
        if dataclasses.is_dataclass(value):
            fields = {f.name: self.put(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
            return {"object": [_name(kind), fields]}
        return self._special(value)

    def _collection(self, kind: str, values: Collection[Any]) -> Any:
        types = set(map(type, values))
        if len(values) > _MANY_TEXTS and types <= {str, type(None)}:
            return {kind: {"texts": self._blob(_texts(list(values)))}}
        if types <= _PLAIN:
            return list(values) if kind == "list" else {kind: list(values)}
        content = [self.put(value) for value in values]
        return content if kind == "list" else {kind: content}

    def _special(self, value: Any) -> Any:
        import numpy as np
        import pyarrow as pa

        if isinstance(value, datetime):
            return {"datetime": value.isoformat()}
        if isinstance(value, date):
            return {"date": value.isoformat()}
        if isinstance(value, timedelta):
            return {"seconds": value / timedelta(seconds=1)}
        if isinstance(value, os.PathLike):
            return {"path": str(Path(value).absolute())}
        if isinstance(value, np.generic):
            return self.put(value.item())
        if isinstance(value, bytes | bytearray | memoryview):
            return {"bytes": self._blob(value)}
        if isinstance(value, pa.Table):
            return {"table": self._blob(_stream(value))}
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            blob = self._blob(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
            return {"array": [blob, value.dtype.str, list(value.shape)]}
        raise TypeError(f"{type(value).__name__} can't be sent to another process")

    def _blob(self, content: Any) -> int:
        self.blobs.append(memoryview(content).cast("B"))
        return len(self.blobs) - 1


def message(kind: str, content: Any = None) -> tuple[bytes | memoryview, ...]:
    """One line and its blobs. Raises TypeError for a value that can't be sent."""
    packed = _Packed()
    line = {"kind": kind, "content": packed.put(content), "blobs": [len(blob) for blob in packed.blobs]}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n", *packed.blobs


def receive(
    line: bytes, read: Callable[[int], bytes], callback: Callable[[str], Any] | None = None
) -> tuple[str, Any]:
    """Kind and content of a message whose line was read; `read` gives the next bytes.

    Raises ValueError if it isn't one, or names something that may not be sent.
    """
    try:
        told = json.loads(line)
        blobs = [_exactly(read(size), size) for size in told["blobs"]]
        return told["kind"], _value(told["content"], blobs, callback)
    except (KeyError, TypeError, IndexError, AttributeError, ImportError) as error:
        raise ValueError(f"not a message of this version: {error!r}") from error


def _exactly(content: bytes, size: int) -> bytes:
    if len(content) != size:
        raise ValueError(f"{len(content)} bytes instead of {size}")
    return content


def _value(told: Any, blobs: list[bytes], callback: Callable[[str], Any] | None) -> Any:
    if isinstance(told, list):
        return [_value(item, blobs, callback) for item in told] if told else []
    if not isinstance(told, dict):
        return told
    ((kind, content),) = told.items()
    if kind in _COLLECTIONS:
        if isinstance(content, dict):
            return _COLLECTIONS[kind](_read_texts(blobs[content["texts"]]))
        return _COLLECTIONS[kind](_value(item, blobs, callback) for item in content)
    if kind == "map":
        return {_value(key, blobs, callback): _value(item, blobs, callback) for key, item in content}
    if kind == "object":
        fields = {name: _value(item, blobs, callback) for name, item in content[1].items()}
        return named(content[0])(**fields)
    if kind == "enum":
        return named(content[0])(content[1])
    if kind == "callback" and callback is not None:
        return callback(content)
    return _special_value(kind, content, blobs)


def _special_value(kind: str, content: Any, blobs: list[bytes]) -> Any:
    import numpy as np
    import pyarrow as pa

    match kind:
        case "datetime":
            return datetime.fromisoformat(content)
        case "date":
            return date.fromisoformat(content)
        case "seconds":
            return timedelta(seconds=content)
        case "path":
            return Path(content)
        case "bytes":
            return bytes(blobs[content])
        case "table":
            return pa.ipc.open_stream(blobs[content]).read_all()
        case "array":
            index, kind, shape = content
            return np.frombuffer(bytearray(blobs[index]), dtype=np.dtype(kind)).reshape(shape)
    raise ValueError(f"{kind!r} is no kind of value")


@cache
def named(name: str) -> Any:
    """A dataclass, enumeration or error of ours by `module:name`. Raises ValueError for anything else."""
    from metagraph.errors import TwinError

    module, _, attribute = name.partition(":")
    if not module.startswith(_ROOMS):
        raise ValueError(f"{name} may not be named")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, type) or not (
        dataclasses.is_dataclass(found) or issubclass(found, Enum | TwinError)
    ):
        raise ValueError(f"{name} may not be named")
    return found


def _name(kind: type) -> str:
    if not kind.__module__.startswith(_ROOMS):
        raise TypeError(f"{kind.__qualname__} can't be sent to another process")
    return f"{kind.__module__}:{kind.__qualname__}"


def error_message(error: BaseException) -> tuple[bytes | memoryview, ...]:
    """A fault of the user with its sentence, as the nearest class that the other side knows."""
    kind = next(kind for kind in type(error).__mro__ if kind.__module__.startswith(_ROOMS))
    return message("error", [_name(kind), str(error)])


def _texts(values: list[str | None]) -> Any:
    """Texts as an Arrow stream; what repeats is sent once."""
    import pyarrow as pa

    return _stream(pa.table({"texts": pa.array(values, pa.string()).dictionary_encode()}))


def _read_texts(blob: bytes) -> Iterator[str | None]:
    import pyarrow as pa

    column = pa.ipc.open_stream(blob).read_all()["texts"].combine_chunks()
    texts = [*column.dictionary.to_pylist(), None]
    return (texts[i] for i in column.indices.fill_null(-1).to_pylist())


def _stream(table: Any) -> Any:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()
