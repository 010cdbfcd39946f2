"""A version of a twin as a folder or ZIP, with all that it takes to build it again elsewhere."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError

if TYPE_CHECKING:
    from eventlogs.keeping.models import ModelChange, ModelInfo
    from eventlogs.keeping.snapshots import KeptSnapshot
    from eventlogs.snapshot import Snapshot

TWIN, SNAPSHOT, PROVENANCE, READ_ME = "twin.json", "snapshot.parquet", "provenance.json", "README.txt"
_LARGEST = 1 << 32
"""Bytes of a part that are unpacked at most."""
_WORDS = """{reference}, a twin that Tracetwin built, with all that it takes to build it again.

twin.json         the twin; every command takes it as TWIN
snapshot.parquet  the log as it was known when the twin was built, a row an execution
provenance.json   where the log came from, what became of the twin's versions, hashes of both files

tracetwin models rebuild {place}
    builds the twin again from the snapshot and says whether it is the same, byte for byte.
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds."""

    info: ModelInfo
    text: str
    snapshot: Snapshot
    kept: KeptSnapshot
    history: tuple[ModelChange, ...]


def write_export(out: Path, parts: Exported) -> None:
    """Write the parts, all or nothing. Raises DataError if `out` is there already or can't be written."""
    if out.exists():
        raise DataError(f"{out} is there already; name another folder or ZIP")
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            whole = Path(folder) / "whole"
            whole.mkdir()
            _fill(whole, parts, out.name)
            if out.suffix == ".zip":
                packed = Path(folder) / "packed.zip"
                with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                    for name in (TWIN, SNAPSHOT, PROVENANCE, READ_ME):
                        archive.write(whole / name, name)
                packed.rename(out)
            else:
                whole.rename(out)
    except OSError as error:
        raise DataError(f"{out} can't be written ({error.strerror}); name another place") from error


def _fill(folder: Path, parts: Exported, place: str) -> None:
    from eventlogs.keeping.snapshots import to_file
    from twin.json_out import dump

    (folder / TWIN).write_text(parts.text, encoding="utf-8")
    to_file(parts.snapshot, folder / SNAPSHOT)
    told = {
        "model": asdict(parts.info),
        "history": [asdict(change) for change in parts.history],
        "snapshot": asdict(parts.kept),
        "sha256": {name: _digest(folder / name) for name in (TWIN, SNAPSHOT)},
    }
    (folder / PROVENANCE).write_text(dump(told) + "\n", encoding="utf-8")
    words = _WORDS.format(reference=parts.info.reference, place=place)
    (folder / READ_ME).write_text(words, encoding="utf-8")


def is_export(path: Path) -> bool:
    """Whether there is a folder with a twin in it, or a ZIP."""
    return (path / TWIN).is_file() or (path.is_file() and path.suffix == ".zip")


def read_export(path: Path) -> tuple[str, Snapshot]:
    """The twin's text and its snapshot, proven against the hash in the twin.

    Raises DataError if a part is missing or damaged, or they don't belong together.
    """
    if path.is_dir():
        return _read(path, path)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                for name in (TWIN, SNAPSHOT):
                    if archive.getinfo(name).file_size > _LARGEST:
                        raise DataError(f"{path}: {name} would have more than {_LARGEST} bytes: no export")
                    archive.extract(name, folder)
        except (zipfile.BadZipFile, KeyError) as error:
            raise DataError(
                f"{path} is no export of a twin ({error}): name what 'models export' wrote"
            ) from error
        return _read(Path(folder), path)


def _read(folder: Path, named: Path) -> tuple[str, Snapshot]:
    from eventlogs.keeping.snapshots import from_file

    missing = [name for name in (TWIN, SNAPSHOT) if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{named} lacks {', '.join(missing)}: name what 'models export' wrote, unchanged")
    text = (folder / TWIN).read_text(encoding="utf-8")
    snapshot = from_file(folder / SNAPSHOT)
    try:
        wanted = json.loads(text)["provenance"]["content_hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{named}: {TWIN} is no twin with provenance") from error
    if snapshot.content_hash != wanted:
        raise DataError(
            f"{named}: the snapshot isn't what the twin was built from (its hash begins with "
            f"{snapshot.content_hash[:12]}, the twin names {wanted[:12]}): export it again"
        )
    return text, snapshot


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
