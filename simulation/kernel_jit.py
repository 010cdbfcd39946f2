"""How functions of the kernel are compiled, and how they reach what is behind addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simulation.kernel_address import INTERPRETED, Interpreted, known
from simulation.kernel_layout import CLOCK, LINE, WORLD

_njit: Any = numba.njit
_intrinsic: Any = intrinsic
F = TypeVar("F", bound=Callable[..., Any])
Record = Any
"""A record behind an address: fields are read and written as attributes."""


_PLAIN = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}


_TYPES = {"int": types.int64, "float": types.float64, "bool": types.boolean, "None": types.void}
_RECORDS = {name: numba.from_dtype(dtype) for name, dtype in (("w", WORLD), ("clock", CLOCK), ("line", LINE))}
"""Types of arguments that are records, by their names."""


def _signature(function: Callable[..., Any]) -> Any:
    """What the annotations say: one type for all whole numbers, so that nothing is compiled twice."""
    hints = dict(function.__annotations__)
    answer = _TYPES[hints.pop("return")]
    return answer(*(_TYPES.get(hint) or _RECORDS[name] for name, hint in hints.items()))


def _compiled(function: F, **options: bool) -> F:
    """Compiled for its signature when first called by something that is compiled; arguments are converted."""
    if INTERPRETED:
        return function
    dispatcher = _njit(**_PLAIN, **options)(function)
    signature, compile_for = _signature(function), dispatcher.compile
    dispatcher.compile = lambda _: compile_for(signature)
    found: F = dispatcher
    return found


def leaf(function: F) -> F:
    """Compiled into each of its callers."""
    return _compiled(function, forceinline=True)


def part(function: F) -> F:
    """Compiled once, called by others of the kernel (a leaf that calls it would hand on its own inlining)."""
    return _compiled(function, forceinline=False)


def machine_code(function: Callable[..., int]) -> tuple[str, bytes]:
    """A function of a world and a whole number, with all that it calls: its symbol and an object file."""
    dispatcher = _njit(**_PLAIN)(function)
    signature = (_RECORDS["w"], types.int64)
    dispatcher.compile(signature)
    result = dispatcher.overloads[signature]
    code: bytes = result.library._get_compiled_object()
    return result.fndesc.llvm_func_name, code


def records(dtype: np.dtype[Any]) -> Callable[[int, int], Record]:
    """The function (address, index) -> the record there."""
    if INTERPRETED:
        return lambda at, index: Interpreted(known[at][index])
    kind, size = numba.from_dtype(dtype), dtype.itemsize

    def record(context: Any, at: Any, index: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            return builder.inttoptr(builder.add(args[0], offset), target.get_value_type(kind))

        return kind(types.int64, types.int64), code

    found: Callable[[int, int], Record] = _intrinsic(record)
    return found


def reader(dtype: type[np.generic]) -> Callable[[int, int], Any]:
    """The function (address, index) -> the number there."""
    if INTERPRETED:
        return lambda at, index: known[at][index].item()
    kind, size = numba.from_dtype(np.dtype(dtype)), np.dtype(dtype).itemsize

    def read(context: Any, at: Any, index: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            pointer = builder.inttoptr(builder.add(args[0], offset), target.get_data_type(kind).as_pointer())
            return target.unpack_value(builder, kind, pointer)

        return kind(types.int64, types.int64), code

    found: Callable[[int, int], Any] = _intrinsic(read)
    return found


def writer(dtype: type[np.generic]) -> Callable[[int, int, Any], None]:
    """The function (address, index, value) that puts the number there."""
    if INTERPRETED:

        def put(at: int, index: int, value: Any) -> None:
            known[at][index] = value

        return put
    kind, size = numba.from_dtype(np.dtype(dtype)), np.dtype(dtype).itemsize

    def write(context: Any, at: Any, index: Any, value: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            pointer = builder.inttoptr(builder.add(args[0], offset), target.get_data_type(kind).as_pointer())
            target.pack_value(builder, kind, args[2], pointer)
            return target.get_dummy_value()

        return types.void(types.int64, types.int64, kind), code

    found: Callable[[int, int, Any], None] = _intrinsic(write)
    return found


def _lowest_bit() -> Callable[[int], int]:
    if INTERPRETED:
        return lambda word: (int(word) & -int(word)).bit_length() - 1

    def lowest(context: Any, word: Any) -> Any:
        def code(target: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(types.int64), code

    found: Callable[[int], int] = _intrinsic(lowest)
    return found


lowest_bit = _lowest_bit()
"""The place of the lowest bit that is set, of a word that isn't 0."""
float_at, put_float = reader(np.float64), writer(np.float64)
int_at, put_int = reader(np.int32), writer(np.int32)
long_at, put_long = reader(np.int64), writer(np.int64)
byte_at = reader(np.uint8)
