"""What a log taught, kept beside the database: the same twin, log and instant needn't be learnt from again.

Numbers and the names of classes alone are kept (NumPy's format, without pickled objects), under a name made
of all that they depend on: the twin, what was known of the log, the horizons, the seed and the program.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError
from metagraph.json_io import to_json
from metagraph.model import Metagraph
from twin.files import write_whole
from twin.learned_arrivals import Kinds
from twin.learned_past import Past

if TYPE_CHECKING:
    from twin.learned_forecast import Taught

MOST_KEPT = 20
"""Older ones are deleted."""
_ENDING = ".npz"
_PAST = tuple(name for name in Past.__slots__ if name not in ("at_s", "seen_s"))
_ROOT = Path(__file__).resolve().parent.parent


def folder_of(db: str) -> Path:
    """Where it is kept."""
    return Path(f"{db}.learnt")


def key_of(metagraph: Metagraph, snapshot: Snapshot, hours: Sequence[float], seed: int) -> str:
    """The name under which it is kept."""
    about = (snapshot.content_hash, snapshot.until_s, snapshot.origin.isoformat(), *hours, seed, _code())
    return hashlib.sha256(f"{to_json(metagraph)}{json.dumps(about)}".encode()).hexdigest()


@cache
def _code() -> str:
    """The program that learns and simulates, and the learner's version."""
    digest = hashlib.sha256("".join(version(name) for name in ("numpy", "scikit-learn")).encode())
    for room in ("twin", "simulation", "discovery", "metagraph", "eventlogs"):
        for path in sorted((_ROOT / room).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def load(folder: Path, key: str, snapshot: Snapshot) -> Taught | None:
    """What was kept; None where nothing was, or it can't be read."""
    from twin.learned_forecast import Taught

    path = folder / f"{key}{_ENDING}"
    try:
        with np.load(path, allow_pickle=False) as kept:
            n = int(kept["instants"])
            found = tuple(
                Past(float(at), float(seen), **{name: kept[f"{name}.{i}"] for name in _PAST})
                for i, (at, seen) in enumerate(kept["times"][:n])
            )
            return Taught(
                found=found,
                cases=tuple(snapshot.cases[case] for case in kept["cases"].tolist()),
                times_s=kept["times_s"],
                ends=kept["ends"],
                kinds=Kinds(kept["cls"], kept["segment"]),
                new_ends=kept["new_ends"],
            )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def store(folder: Path, key: str, snapshot: Snapshot, taught: Taught) -> None:
    """Keep it, if the folder can be written to; the forecast doesn't depend on that."""
    place = {name: i for i, name in enumerate(snapshot.cases)}
    tables: dict[str, Any] = {
        "instants": np.array(len(taught.found)),
        "times": np.array([(one.at_s, one.seen_s) for one in taught.found], np.float64).reshape(-1, 2),
        "cases": np.array([place[case] for case in taught.cases], np.int64),
        "times_s": taught.times_s,
        "ends": taught.ends,
        "cls": taught.kinds.cls,
        "segment": taught.kinds.segment,
        "new_ends": taught.new_ends,
    }
    for i, one in enumerate(taught.found):
        tables |= {f"{name}.{i}": getattr(one, name) for name in _PAST}

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, **tables)

    with suppress(OSError, DataError):
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{key}{_ENDING}", write)
        kept = sorted(folder.glob(f"*{_ENDING}"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
