"""The twins that a database keeps: what became of each version, and a version taken elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from twin.progress import Progress

if TYPE_CHECKING:
    from eventlogs.historian import Historian
    from eventlogs.keeping.models import ModelChange, ModelInfo, State
    from eventlogs.snapshot import Snapshot

MARKS = ("built", "challenger", "retired", "rejected")
"""What a version can be said to be by hand; champion it becomes by being promoted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version with all that is known of it."""

    info: ModelInfo
    twin: Metagraph
    snapshot: str
    """Hash of what it was built from; empty: that isn't kept."""
    rebuildable: bool
    """With that snapshot and its own record it can be built again."""
    history: tuple[ModelChange, ...]
    """Of all versions of its name, oldest first."""


def list_models(db: str, name: str | None = None) -> tuple[ModelInfo, ...]:
    """The versions that the database keeps, of one name or of all. Raises DataError without a database."""
    with _historian(db, read_only=True) as historian:
        return tuple(info for info in historian.list_models() if name in (None, info.name))


def show_model(db: str, reference: str) -> Kept:
    """What is known of `name[@version]`. Raises DataError when absent."""
    from metagraph.json_io import from_json

    with _historian(db, read_only=True) as historian:
        info = historian.find_model(reference)
        twin = from_json(historian.load_model(info.reference), f"{info.reference} in {db}")
        known = twin.provenance
        kept = {one.content_hash for one in historian.kept_snapshots() if one.replaced_by is None}
        snapshot = known.content_hash if known and known.content_hash in kept else ""
        rebuildable = bool(snapshot and known and known.record)
        return Kept(info, twin, snapshot, rebuildable, historian.model_history(info.name))


def promote_model(db: str, reference: str, who: str, why: str = "") -> ModelInfo:
    """Make `name@version` the champion, which the name alone means.

    Raises UsageError without a version, DataError if there is no such twin or it is the champion already.
    """
    with _historian(db) as historian:
        return historian.promote_model(_versioned(reference, "promote"), who, why)


def rollback_model(db: str, name: str, who: str, why: str = "") -> ModelInfo:
    """Go back to the champion before and reject the one so far. Raises DataError if there was none."""
    with _historian(db) as historian:
        return historian.rollback_model(name, who, why)


def mark_model(db: str, reference: str, state: State, who: str, why: str = "") -> ModelInfo:
    """Say what a version is that isn't the champion: one of MARKS."""
    if state not in MARKS:
        raise UsageError(f"models mark {reference} {state}: expected one of {', '.join(MARKS)}")
    with _historian(db) as historian:
        return historian.set_model_state(_versioned(reference, "mark"), state, who, why)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A twin built again, and whether it is the same."""

    twin: Metagraph
    equal: bool
    """Byte for byte, as this Tracetwin writes it."""
    libraries: Mapping[str, tuple[str, str]]
    """Libraries that had another version then: (then, now)."""
    fields: tuple[str, ...]
    """Parts of the twin that differ."""


def rebuild_model(db: str, reference: str, out: Path | None, progress: Progress) -> Rebuilt:
    """Build `name[@version]`, or what `export_model` wrote, again from its snapshot, and compare.

    The rebuilt twin is written to `out`, if given.

    Raises DataError if it doesn't say how it was built, or its snapshot isn't there.
    """
    from metagraph.json_io import from_json, save
    from twin.exported import is_export, read_export
    from twin.files import check_writable
    from twin.rebuild import rebuild, refit

    check_writable(out)
    progress.step("reading", 0.0)
    if is_export(Path(reference)):
        text, snapshot = read_export(Path(reference))
        progress.step("building again", 0.1)
        twin = refit(from_json(text, reference), snapshot)
    else:
        with _historian(db, read_only=True) as historian:
            text = historian.load_model(reference)
            progress.step("building again", 0.1)
            twin = rebuild(historian, reference)
    if out is not None:
        save(twin, out)
    progress.step("done", 1.0)
    return _compared(text, twin)


def _compared(text: str, twin: Metagraph) -> Rebuilt:
    from metagraph.json_io import from_json, to_json

    # Both as this Tracetwin reads and writes them: an older one didn't know all fields.
    before, again = (to_json(from_json(one, twin.name)) for one in (text, to_json(twin)))
    then, now = json.loads(before), json.loads(again)
    libraries = then["provenance"]["libraries"]
    changed = {
        name: (str(libraries.get(name, "")), version)
        for name, version in now["provenance"]["libraries"].items()
        if libraries.get(name) != version
    }
    fields = tuple(name for name in now if now[name] != then.get(name))
    return Rebuilt(twin, again == before, changed, fields)


def export_model(db: str, reference: str, out: Path) -> ModelInfo:
    """Write `name[@version]` with its snapshot and provenance to a folder, or a ZIP if the name says so.

    Raises DataError if it is there already, can't be written, or the snapshot isn't kept any more.
    """
    from twin.exported import Exported, write_export

    with _historian(db, read_only=True) as historian:
        info = historian.find_model(reference)
        text = historian.load_model(info.reference)
        content = (json.loads(text).get("provenance") or {}).get("content_hash") or ""
        if not content:
            raise DataError(f"{info.reference} has no log behind it, so it can't be exported with one")
        kept, frozen = historian.kept_snapshot(content), historian.frozen(content)
        history = historian.model_history(info.name)
    write_export(out, Exported(info, text, frozen, kept, history))
    return info


def read_with_snapshot(reference: str, db: str) -> tuple[Metagraph, str, Snapshot | None]:
    """A twin (file or name[@version]), what to call it, and what it was built from, if that is kept."""
    from twin.source import names_file, read_twin

    twin = read_twin(reference, db)
    known = twin.provenance
    if not Path(db).exists():
        return twin, reference, None
    with _historian(db, read_only=True) as historian:
        if not names_file(reference):
            reference = historian.find_model(reference).reference
        kept = {one.content_hash for one in historian.kept_snapshots() if one.replaced_by is None}
        found = historian.frozen(known.content_hash) if known and known.content_hash in kept else None
        return twin, reference, found


def _versioned(reference: str, command: str) -> str:
    name, _, version = reference.partition("@")
    if not name or not version.isdecimal():
        raise UsageError(f"models {command} {reference}: expected name@version, e.g. {name or 'twin'}@2")
    return reference


@contextmanager
def _historian(db: str, *, read_only: bool = False) -> Iterator[Historian]:
    from eventlogs.owner.opening import open_historian

    if not Path(db).exists():
        raise DataError(f"{db}: no such database; build a twin first, or name the file with --db")
    with open_historian(db, read_only=read_only) as historian:
        yield historian
