"""How the kernel is compiled: leaves that are inlined, one entry that is cached, records behind addresses.

All state is one record of addresses and counters, the world, and records that it leads to. A function takes
the world and indices, so compiling stays cheap however many arrays there are, and nothing is counted or checked
while running. With NUMBA_DISABLE_JIT=1 the same source runs as Python: addresses are then looked up among the
arrays that `address` was given.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from metagraph import rules

F = TypeVar("F", bound=Callable[..., Any])
Record = Any
"""A record behind an address: fields are read and written as attributes."""

INTERPRETED = bool(numba.config.DISABLE_JIT)
_known: dict[int, Any] = {}


def leaf(function: F) -> F:
    """Compiled into each of its callers."""
    return numba.njit(forceinline=True, nogil=True, error_model="numpy", _nrt=False)(function)  # type: ignore[no-any-return]


def part(function: F) -> F:
    """Compiled once, called by others of the kernel."""
    return numba.njit(nogil=True, error_model="numpy", _nrt=False)(function)  # type: ignore[no-any-return]


def address(array: np.ndarray[Any, Any]) -> int:
    """Where an array begins; it must be contiguous, and kept alive by whoever uses the address."""
    found = int(array.__array_interface__["data"][0])
    if INTERPRETED and array.size:
        _known[found] = array.reshape(-1)
    return found


class Interpreted:
    """A record whose fields are plain numbers, as compiled code sees them."""

    __slots__ = ("_row",)

    def __init__(self, row: np.void) -> None:
        object.__setattr__(self, "_row", row)

    def __getattr__(self, name: str) -> Any:
        return self._row[name].item()

    def __setattr__(self, name: str, value: Any) -> None:
        self._row[name] = value


def records(dtype: np.dtype[Any]) -> Callable[[int, int], Record]:
    """The function (address, index) -> the record there."""
    if INTERPRETED:
        return lambda at, index: Interpreted(_known[at][index])
    kind, size = numba.from_dtype(dtype), dtype.itemsize

    @intrinsic  # type: ignore[untyped-decorator]
    def record(context: Any, at: Any, index: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            return builder.inttoptr(builder.add(args[0], offset), target.get_value_type(kind))

        return kind(types.int64, types.int64), code

    return record  # type: ignore[no-any-return]


def reader(dtype: type[np.generic]) -> Callable[[int, int], Any]:
    """The function (address, index) -> the number there."""
    if INTERPRETED:
        return lambda at, index: _known[at][index].item()
    kind, size = numba.from_dtype(np.dtype(dtype)), np.dtype(dtype).itemsize

    @intrinsic  # type: ignore[untyped-decorator]
    def read(context: Any, at: Any, index: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            pointer = builder.inttoptr(builder.add(args[0], offset), target.get_data_type(kind).as_pointer())
            return target.unpack_value(builder, kind, pointer)

        return kind(types.int64, types.int64), code

    return read  # type: ignore[no-any-return]


def writer(dtype: type[np.generic]) -> Callable[[int, int, Any], None]:
    """The function (address, index, value) that puts the number there."""
    if INTERPRETED:

        def put(at: int, index: int, value: Any) -> None:
            _known[at][index] = value

        return put
    kind, size = numba.from_dtype(np.dtype(dtype)), np.dtype(dtype).itemsize

    @intrinsic  # type: ignore[untyped-decorator]
    def write(context: Any, at: Any, index: Any, value: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            pointer = builder.inttoptr(builder.add(args[0], offset), target.get_data_type(kind).as_pointer())
            target.pack_value(builder, kind, args[2], pointer)
            return target.get_dummy_value()

        return types.void(types.int64, types.int64, kind), code

    return write  # type: ignore[no-any-return]


def _lowest_bit() -> Callable[[int], int]:
    if INTERPRETED:
        return lambda word: (int(word) & -int(word)).bit_length() - 1

    @intrinsic  # type: ignore[untyped-decorator]
    def lowest(context: Any, word: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(types.int64), code

    return lowest  # type: ignore[no-any-return]


lowest_bit = _lowest_bit()
"""The place of the lowest bit that is set, of a word that isn't 0."""
float_at, put_float = reader(np.float64), writer(np.float64)
int_at, put_int = reader(np.int32), writer(np.int32)
long_at, put_long = reader(np.int64), writer(np.int64)
byte_at = reader(np.uint8)


def folder() -> Path:
    """Where compiled code of these sources is kept: beside the checkout, or with the user's caches."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(f"{sys.version} {numba.__version__} {np.__version__}".encode())
    for source in (*sorted(here.glob("kernel*.py")), here / "program.py", Path(rules.__file__)):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    beside = here.parent / "build" / "kernel" / name
    if beside.is_dir() or os.access(here.parent, os.W_OK):
        return beside
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "tracetwin" / "kernel" / name


def entry(dtype: np.dtype[Any]) -> Callable[[F], F]:
    """Compiled when first needed, for (array of the record, whole number), and kept in `folder`."""

    def compiled(function: F) -> F:
        if INTERPRETED:
            return function
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder())
        try:
            dispatcher = numba.njit(nogil=True, error_model="numpy", cache=True, _nrt=False)(function)
        finally:
            numba.config.CACHE_DIR = before
        # The folder's name says of which sources this is; when they were written says nothing.
        dispatcher._cache._cache_file._source_stamp = folder().name
        dispatcher.kernel_signature = (types.Array(numba.from_dtype(dtype), 1, "C"), types.int64)
        return dispatcher  # type: ignore[no-any-return]

    return compiled


def is_compiled(dispatcher: Any) -> bool:
    """Whether an entry is compiled in this process, or kept for this machine."""
    if INTERPRETED or dispatcher.signatures:
        return True
    cache = dispatcher._cache
    key = cache._index_key(dispatcher.kernel_signature, dispatcher.targetctx.codegen())
    return key in cache._cache_file._load_index()


def compile_now(dispatcher: Any) -> None:
    """Compile an entry, or load it."""
    if not INTERPRETED and not dispatcher.signatures:
        dispatcher.compile(dispatcher.kernel_signature)
