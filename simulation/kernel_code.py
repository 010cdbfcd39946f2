"""The kernel's machine code: made once for a machine and these sources, kept, loaded without the compiler."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from llvmlite import binding

from simulation.kernel_address import INTERPRETED, Interpreted
from simulation.kernel_layout import WORLD, Command

PYTHON_ONLY = (
    "kernel.py",
    "kernel_code.py",
    "kernel_memory.py",
    "kernel_opening.py",
    "kernel_tables.py",
    "kernel_taking.py",
)
"""Files of the kernel of which nothing is compiled."""
_HERE = Path(__file__).resolve().parent
_Act = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_lock = Lock()
_loaded: dict[str, Any] = {}
"""The function, and what has to live as long as it does."""


def folder() -> Path:
    """Where machine code of these sources is kept: beside the checkout, or with the user's caches.

    The name says of what it was made: sources, compiler and processor.
    """
    features = binding.get_host_cpu_features().flatten()
    made_by = (sys.version, version("numba"), version("llvmlite"), binding.get_host_cpu_name(), features)
    digest = hashlib.sha256(repr(made_by).encode())
    for source in (*sources(), _HERE / "program.py", _HERE.parent / "metagraph" / "rules.py"):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    beside = _HERE.parent / "build" / "kernel" / name
    if beside.is_dir() or os.access(_HERE.parent, os.W_OK):
        return beside
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "tracetwin" / "kernel" / name


def sources() -> list[Path]:
    """Files of which the machine code is made."""
    return [path for path in sorted(_HERE.glob("kernel*.py")) if path.name not in PYTHON_ONLY]


def compiled() -> bool:
    """Whether no call will have to compile anything."""
    return INTERPRETED or "act" in _loaded or (folder() / "kernel.o").is_file()


def compile_all() -> None:
    """Load the machine code, after making it if there is none."""
    if INTERPRETED or "act" in _loaded:
        return
    with _lock:
        if "act" not in _loaded:
            here = folder()
            if not (here / "kernel.o").is_file():
                _make(here)
            _load(here)


def _make(here: Path) -> None:
    """Compile, and keep what came out; whoever does so at the same time comes to the same."""
    from simulation.kernel_jit import machine_code
    from simulation.kernel_loop import act as function

    symbol, code = machine_code(function)
    here.mkdir(parents=True, exist_ok=True)
    for name, content in (("symbol", symbol.encode()), ("kernel.o", code)):
        draft = here / f"{name}.{os.getpid()}"
        draft.write_bytes(content)
        draft.replace(here / name)


def _load(here: Path) -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_path(str(here / "kernel.o")))
    engine.finalize_object()
    found = engine.get_function_address((here / "symbol").read_text())
    _loaded["engine"] = engine
    _loaded["act"] = _Act(found)


def act(world: Any, command: int) -> int:
    """Do a command in a world, an array of one record; other threads run meanwhile."""
    if INTERPRETED:
        from simulation.kernel_loop import act as function

        return int(function(Interpreted(world[0]), command))
    if "act" not in _loaded:
        compile_all()
    # Two words for what the compiler's convention returns: the result, and an error that there never is.
    answer, error = ctypes.c_int64(0), ctypes.c_void_p(None)
    status = _loaded["act"](ctypes.byref(answer), ctypes.byref(error), world.ctypes.data, command)
    if status != 0:
        raise RuntimeError(f"the simulation kernel ended with the internal status {status}")
    return answer.value


def bits(k0: int, k1: int, c0: int, c1: int, c2: int, c3: int) -> int:
    """The first 52 bits of Philox4x32-10 under a key at a counter, as the machine code finds them."""
    world = np.zeros(1, WORLD)
    world[["key0", "key1", "arg0", "arg1", "arg2", "arg3"]] = (k0, k1, c0, c1, c2, c3)
    return act(world, Command.BITS)
