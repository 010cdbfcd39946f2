"""What a build was told and chose, as JSON values in a twin's provenance, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from metagraph.errors import DataError
from metagraph.json_text import adapter, plain, value_of
from metagraph.model import BuildRecord, Metagraph
from twin.structures import Recipe

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from calibration.overrides import OverrideSpec
    from calibration.settings import Settings
    from metagraph.faults import Fault

_KIND = "kind"
"""Names the class of an override, which its fields alone don't tell."""


def plain_values(value: Recipe | Settings | OverrideSpec) -> dict[str, Any]:
    """The fields of a dataclass as JSON values."""
    found: dict[str, Any] = json.loads(json.dumps(plain(value), allow_nan=False))
    return found


def plain_overrides(overrides: Sequence[OverrideSpec]) -> tuple[Mapping[str, Any], ...]:
    """Each with the name of its class."""
    return tuple({_KIND: type(spec).__name__, **plain_values(spec)} for spec in overrides)


def record_of(model: Metagraph) -> BuildRecord:
    """What the twin was built with. Raises DataError for one that doesn't say so."""
    record = model.provenance.record if model.provenance else None
    if record is None:
        raise DataError(
            f"{model.name} doesn't say how it was built (a person or an earlier Tracetwin made it), so it "
            "can't be built again or fitted to another log: build it anew with tracetwin build"
        )
    return record


def recipe_of(record: BuildRecord, source: str) -> Recipe:
    """How the structure was made. Raises DataError, naming `source`, for a recipe of a newer Tracetwin."""
    from discovery.miner import MINERS

    known = {field.name for field in fields(Recipe)}
    if not known.issuperset(record.recipe) or record.recipe.get("miner") not in MINERS:
        raise _unreadable(source, f"recipe {json.dumps(dict(record.recipe))}")
    return Recipe(**record.recipe)


def settings_of(values: Mapping[str, Any], source: str) -> Settings:
    """How parameters are fitted. Raises DataError, naming `source`, for settings of a newer Tracetwin."""
    faults: list[Fault] = []
    found = value_of(_settings_reader(), dict(values), "settings", faults)
    if found is None:
        raise _unreadable(source, "; ".join(f"{fault.where}: {fault.what}" for fault in faults))
    return found


def overrides_of(record: BuildRecord, source: str) -> tuple[OverrideSpec, ...]:
    """What was set by hand. Raises DataError, naming `source`, for what this Tracetwin doesn't know."""
    readers = _override_readers()
    faults: list[Fault] = []
    found: list[OverrideSpec] = []
    for raw in record.overrides:
        values = {name: value for name, value in raw.items() if name != _KIND}
        reader = readers.get(str(raw.get(_KIND)))
        if reader is None:
            raise _unreadable(source, f"an override of kind {raw.get(_KIND)!r}")
        spec = value_of(reader, values, f"override {raw[_KIND]}", faults)
        if spec is not None:
            found.append(spec)
    if faults:
        raise _unreadable(source, "; ".join(f"{fault.where}: {fault.what}" for fault in faults))
    return tuple(found)


def _unreadable(source: str, what: str) -> DataError:
    return DataError(
        f"{source} says how it was built in words that this Tracetwin doesn't know ({what}): use the "
        "Tracetwin that built it, or build it anew with tracetwin build"
    )


@cache
def _settings_reader() -> TypeAdapter[Settings]:
    from calibration import settings
    from metagraph import orders

    return adapter(settings.Settings, (settings, orders))


@cache
def _override_readers() -> Mapping[str, TypeAdapter[OverrideSpec]]:
    from typing import get_args

    from calibration import overrides, rules_override
    from metagraph import distributions

    rooms = (distributions, overrides, rules_override)
    return {kind.__name__: adapter(kind, rooms) for kind in get_args(overrides.OverrideSpec)}


def changed_settings(record: BuildRecord) -> tuple[str, ...]:
    """'use_pace = true' for each setting that isn't at its default."""
    from calibration.settings import Settings

    usual = plain_values(Settings())
    return tuple(
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in record.settings.items()
        if value != usual.get(name)
    )
