"""TOML as text: where a key stands, how a value is written, and how one section is replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

_HEADER = re.compile(r"\s*\[\[?\s*(?P<path>.+?)\s*\]\]?\s*(#.*)?$")
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|$)""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def value_text(value: object) -> str:
    """A value as TOML; mappings become inline tables.

    Raises TypeError for what TOML can't hold.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            inside = ", ".join(f"{key_text(k)} = {value_text(v)}" for k, v in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case Sequence():
            return f"[{', '.join(value_text(v) for v in value)}]"
    raise TypeError(f"TOML has no way to write a {type(value).__name__}")


def key_text(key: str) -> str:
    """A key, quoted where it must be."""
    return key if _BARE.fullmatch(key) else value_text(key)


def table_text(path: Sequence[str], values: Mapping[str, object], *, repeated: bool = False) -> str:
    """One table with its header; `repeated` for a table of an array."""
    name = ".".join(key_text(part) for part in path)
    lines = [f"[[{name}]]" if repeated else f"[{name}]"]
    lines += [f"{key_text(k)} = {value_text(v)}" for k, v in values.items()]
    return "\n".join(lines) + "\n"


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line (from 1) on which the key at `path` stands, or the nearest table around it."""
    wanted = tuple(part for part in path if isinstance(part, str))
    nth = next((part for part in path if isinstance(part, int)), 0)
    best, best_length, seen = None, 0, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _header(line)
        if header is not None:
            table = header
            repeated = line.lstrip().startswith("[[") and wanted[: len(table)] == table
            seen += repeated
            if repeated and seen != nth + 1:
                table = ("",)
            key = table
        elif "=" in line and not line.lstrip().startswith("#"):
            key = (*table, *_parts(line.split("=", 1)[0]))
        else:
            continue
        if len(key) > best_length and wanted[: len(key)] == key:
            best, best_length = number, len(key)
    return best


def replace_section(text: str, section: str, tables: str) -> str:
    """The text with all tables of `section` (and its sub-tables) replaced by `tables`; all else as it was.

    New tables stand where the first old one stood, or at the end. Comments right above the next section's
    header belong to that section and stay.
    """
    end_of_line = line_ending(text)
    tables = tables.replace("\n", end_of_line)
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    place: int | None = None
    dropped: list[str] = []
    inside = False
    for line in lines:
        header = _header(line)
        if header is not None:
            if inside:
                kept += _comments_above(dropped)
            inside, dropped = header[0] == section, []
            if inside and place is None:
                place = len(kept)
        (dropped if inside else kept).append(line)
    if place is None:
        if kept and not kept[-1].endswith(("\n", "\r")):
            kept.append(end_of_line)
        if kept and tables and kept[-1].strip():
            kept.append(end_of_line)
        place = len(kept)
    elif tables and place < len(kept):
        tables += end_of_line
    return "".join((*kept[:place], tables, *kept[place:]))


def line_ending(text: str) -> str:
    """The file's own."""
    return "\r\n" if "\r\n" in text else "\n"


def _comments_above(lines: Sequence[str]) -> list[str]:
    """The run of comment lines that ends a section without a blank line after it."""
    start = len(lines)
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return list(lines[start:])


def _header(line: str) -> tuple[str, ...] | None:
    """The path of a table header; None for any other line."""
    found = _HEADER.match(line) if line.lstrip().startswith("[") else None
    return _parts(found["path"]) or None if found else None


def _parts(dotted: str) -> tuple[str, ...]:
    """The keys of a dotted key; empty if it isn't one."""
    parts, at = [], 0
    while at < len(dotted):
        found = _PART.match(dotted, at)
        if found is None:
            return ()
        quoted, literal, bare = found.groups()
        parts.append(_unquoted(quoted) if quoted is not None else literal if literal is not None else bare)
        at = found.end()
    return tuple(parts)


def _unquoted(text: str) -> str:
    """A basic string's content; as it stands where it has escapes that JSON doesn't know."""
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
