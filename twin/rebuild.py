"""A twin built again: the same one from its kept snapshot, or the same choices on another snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import Metagraph, Provenance
from twin.build import Told, fit_as_told
from twin.build_record import overrides_of, recipe_of, record_of, settings_of
from twin.renames import closing_in_log_words
from twin.select import FEWEST_IN_WINDOW, share_since

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibration.settings import Settings
    from eventlogs.historian import Historian
    from eventlogs.snapshot import Snapshot
    from metagraph.model import BuildRecord

IMPORT, OPEN_ORDERS = "import", "open orders"
"""Facts that a snapshot alone doesn't tell."""


def rebuild(historian: Historian, reference: str) -> Metagraph:
    """A kept twin, `name[@version]`, built again from the snapshot that was frozen for it.

    All that is fitted is fitted anew; what was chosen, told and set by hand is taken from its provenance.
    With the same libraries `to_json` of it equals the kept text, byte for byte. Raises DataError if there is
    no such twin or snapshot, or the twin doesn't say how it was built.
    """
    from metagraph.json_io import from_json

    model = from_json(historian.load_model(reference), reference)
    record_of(model)
    return refit(model, historian.frozen(_provenance(model).content_hash))


def refit(
    model: Metagraph,
    snapshot: Snapshot,
    *,
    seed: int | None = None,
    words: Mapping[str, str] | None = None,
) -> Metagraph:
    """The twin with its parameters fitted to another snapshot of its log: nothing is selected.

    Recipe, settings, columns, overrides, approvals and closing rule are the twin's own; so is the start of a
    window that began with a change. `seed` None: the twin's own. `words` are facts on the import and on open
    orders, else those of the twin where the snapshot is its own. Raises DataError if the twin doesn't say how
    it was built, or if the snapshot lacks what an override or a column names.
    """
    from discovery.miners import load as load_miners

    load_miners()
    known, record = _provenance(model), record_of(model)
    same = snapshot.content_hash == known.content_hash
    settings = settings_of(record.settings, model.name)
    if not same:
        settings = _in_window(settings, record, snapshot)
        record = replace(record, settings={**record.settings, "window_share": settings.window_share})
    told = Told(
        name=model.name,
        facts=_facts(known, record, snapshot) | dict(words or {}),
        closing=closing_in_log_words(model),
        choices=known.choices,
        record=record,
        overrides=overrides_of(record, model.name),
        approvals=model.approvals,
    )
    seed = known.seed if seed is None else seed
    return fit_as_told(snapshot, recipe_of(record, model.name), settings, seed, told)


def _provenance(model: Metagraph) -> Provenance:
    if model.provenance is None:
        raise DataError(f"{model.name} has no provenance, so it can't be built again: build it from a log")
    return model.provenance


def _in_window(settings: Settings, record: BuildRecord, snapshot: Snapshot) -> Settings:
    """The settings with the share of this log's cases that the window holds."""
    if record.window_since is None:
        return settings
    share = share_since(snapshot, record.window_since)
    # A log that hardly goes beyond the change knows nothing of what came after it.
    return replace(settings, window_share=share if share * snapshot.n_cases >= FEWEST_IN_WINDOW else 1.0)


def _facts(known: Provenance, record: BuildRecord, snapshot: Snapshot) -> dict[str, str]:
    if snapshot.content_hash == known.content_hash:
        return {name: known.facts[name] for name in (IMPORT, OPEN_ORDERS) if name in known.facts}
    chosen = f"the choices made on what was known at {record.selected_until:%Y-%m-%d %H:%M} UTC"
    return {
        IMPORT: f"fitted by {chosen} to {snapshot.n_cases} cases with {snapshot.n_events} executions",
        OPEN_ORDERS: f"{int(snapshot.is_open.sum())} open orders in the snapshot that it was fitted to",
    }
