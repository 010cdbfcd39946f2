"""What the commands about kept twins print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from twin.words import instant
from ui.console import OUT, as_json, say, show_table

if TYPE_CHECKING:
    from eventlogs.keeping.models import ModelInfo
    from twin.diff import Compared
    from twin.registry import Kept, Rebuilt

THE_RULE = (
    "A name alone means its champion. The first version that is kept under a name is its champion until "
    "another one is promoted."
)


def show_list(found: tuple[ModelInfo, ...], json_wanted: bool) -> None:
    """The registry's twins."""
    if json_wanted:
        as_json(found)
        return
    rows = [
        (m.reference, m.state, f"{m.since:%Y-%m-%d %H:%M}", m.who, "; ".join(filter(None, (m.why, m.notes))))
        for m in found
    ]
    show_table("Twins", ("twin", "is", "since (UTC)", "who", "why"), rows, range(5))
    say(THE_RULE if found else "None yet: 'tracetwin build' keeps every twin that it builds.")


def show_kept(kept: Kept, json_wanted: bool) -> None:
    """One version with its history."""
    from twin.build_record import changed_settings

    info, known = kept.info, kept.twin.provenance
    if json_wanted:
        told = {"model": info, "snapshot": kept.snapshot, "rebuildable": kept.rebuildable}
        as_json({**told, "provenance": known, "history": kept.history})
        return
    OUT.print(f"[bold]{escape(info.reference)}[/bold], {info.state} since {instant(info.since)}")
    if known is None:
        say("made by hand: no log behind it")
    else:
        say(
            f"from log {known.log}: {known.cases} cases, {known.events} task executions, until "
            f"{instant(known.until)}; {known.open_cases} open orders; seed {known.seed}"
        )
        if known.record:
            say(f"chosen on what was known at {instant(known.record.selected_until)}: {_recipe(kept)}")
            say("settings other than the defaults: " + (", ".join(changed_settings(known.record)) or "none"))
        say("libraries: " + ", ".join(f"{name} {version}" for name, version in known.libraries.items()))
    if kept.rebuildable:
        say(f"can be built again from snapshot:{kept.snapshot[:12]} ('tracetwin models rebuild')")
    else:
        say(
            "can't be built again: "
            + ("its record is missing" if kept.snapshot else "its snapshot isn't kept")
        )
    columns = ("when (UTC)", "twin", "what", "is then", "who", "why")
    rows = [
        (f"{c.at:%Y-%m-%d %H:%M}", f"{c.name}@{c.version}", c.action, c.state, c.who, c.why)
        for c in kept.history
    ]
    show_table(f"History of {info.name}", columns, rows, range(6))


def _recipe(kept: Kept) -> str:
    from twin.build_record import recipe_of, record_of

    return recipe_of(record_of(kept.twin), kept.info.reference).name


def show_changed(info: ModelInfo, json_wanted: bool) -> None:
    """What a version is now."""
    if json_wanted:
        as_json(info)
        return
    meant = f"; {info.name} alone means it" if info.champion else ""
    say(f"{info.reference} is {info.state} now{meant}.")


def show_exported(info: ModelInfo, out: Path, json_wanted: bool) -> None:
    """Where a version was written to."""
    if json_wanted:
        as_json({"model": info.reference, "out": str(out)})
        return
    say(f"{info.reference} with its snapshot and provenance was written to {out}.")
    say(f"'tracetwin models rebuild {out}' builds it again, here or elsewhere.")


def show_rebuilt(found: Rebuilt, model: str, out: Path | None, json_wanted: bool) -> None:
    """Whether a rebuilt twin is the same. Raises DataError if it isn't."""
    from metagraph.errors import DataError

    if json_wanted:
        as_json({"equal": found.equal, "libraries": found.libraries, "fields": found.fields, "model": model})
    elif found.equal:
        say(f"{model} was built again from its snapshot and is the same, byte for byte.")
    if out is not None and not json_wanted:
        say(f"Written to {out}.")
    if not found.equal:
        other = ", ".join(f"{name} {then} then, {now} now" for name, (then, now) in found.libraries.items())
        raise DataError(
            f"{model}: built again it isn't the same; different: {', '.join(found.fields)}; "
            + (f"other libraries: {other}" if other else "the libraries are the same as then")
        )


def show_diff(found: Compared, json_wanted: bool, chart: Path | None, out: Path | None) -> None:
    """How two twins differ."""
    from twin.diff_words import headline, sentence, told

    if json_wanted:
        as_json(found)
        return
    OUT.print(f"[bold]{escape(found.before)} → {escape(found.after)}[/bold]")
    say(headline(found))
    for title, differences in told(found):
        OUT.print(f"\n[bold]{title}[/bold]")
        for one in differences:
            say(sentence(one))
    OUT.print()
    for note in (*([found.basis] if found.differences else []), *found.notes):
        say(note)
    for path in (chart, out):
        if path:
            say(f"Written to {path}.")
