"""How logs are named after their files."""

from pathlib import Path

_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".xes", ".parquet"),
    *(".json", ".jsonocel", ".sqlite", ".sqliteocel", ".db"),
)


def log_name(path: Path) -> str:
    """A file's name without the endings that say how it is written."""
    name = path.name.removesuffix(".gz").removesuffix(".zip")
    suffix = next((ending for ending in _SUFFIXES if name.lower().endswith(ending)), "")
    return name[: len(name) - len(suffix)] or path.name
