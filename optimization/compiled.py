"""How the search is compiled: each function when it is first called, and kept beside the checkout."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_HERE = Path(__file__).resolve().parent
_lock = Lock()


def sources() -> list[Path]:
    """Files of which the machine code is made."""
    return sorted(_HERE.glob("search_*.py"))


def folder() -> Path:
    """Where machine code of these sources is kept; numba tells processors apart itself."""
    digest = hashlib.sha256(version("numba").encode())
    for source in (*sources(), Path(__file__)):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    beside = _HERE.parent / "build" / "search" / name
    if beside.is_dir() or os.access(_HERE.parent, os.W_OK):
        return beside
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "tracetwin" / "search" / name


def ready() -> bool:
    """Whether the search has been compiled on this machine."""
    return any(folder().glob("**/*.nbc"))


def compiled(function: F) -> F:
    """The function as machine code. Threads run while it does."""
    import numba

    config: Any = numba.config
    njit: Any = numba.njit
    with _lock:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder())
        try:
            found: F = njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function)
        finally:
            config.CACHE_DIR = before
    return found


def inlined(function: F) -> F:
    """The function as machine code for those that are compiled with it; Python can't call it then."""
    import numba

    njit: Any = numba.njit
    found: F = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return found
