"""The folder the pages work in: one database, and for each twin its file, configuration and results."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from twin.files import write_text, write_whole
from twin.toml_text import replace_section, table_text

HOME = "TRACETWIN_HOME"
"""Environment variable that names the folder; the current one without it."""
DB = "TRACETWIN_DB"
"""Environment variable that names the database; tracetwin.duckdb in the folder without it."""
_NAME = re.compile(r"[\w][\w .()-]*")


@dataclass(frozen=True, slots=True)
class ChosenLog:
    """The log a twin is built from, and how it is to be read."""

    path: str
    name: str
    """Its name in the database."""
    mapping: Mapping[str, str]
    time_format: str | None
    time_zone: str
    quarantine: bool


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths only; a file that isn't there means that the step hasn't been done."""

    home: Path

    @property
    def db(self) -> Path:
        return Path(os.environ.get(DB) or self.home / "tracetwin.duckdb")

    @property
    def twins(self) -> Path:
        return self.home / "twins"

    def twin(self, name: str) -> Path:
        return self.twins / f"{name}.json"

    def config(self, name: str) -> Path:
        return self.twins / f"{name}.toml"

    def result(self, name: str, what: str) -> Path:
        """A result beside the twin: 'validation', 'forecast'."""
        return self.twins / f"{name}.{what}.json"

    def job(self, name: str, what: str) -> Path:
        """The folder of a twin's running or last job."""
        return self.home / "jobs" / name / what

    def built_at(self, name: str) -> float:
        """When the last build ended (seconds of the clock); approving isn't building."""
        ended = self.job(name, "build") / "exit"
        return ended.stat().st_mtime if ended.exists() else 0.0

    def names(self) -> tuple[str, ...]:
        """Twins that were built or whose log was chosen, by name."""
        return tuple(sorted(path.stem for path in self.twins.glob("*.toml")))

    def save_upload(self, file_name: str, content: memoryview) -> Path:
        """Keep an uploaded file; the same content is kept once. Its own name stays its last part."""
        folder = self.home / "uploads" / hashlib.sha256(content).hexdigest()[:12]
        path = folder / (Path(file_name.replace("\\", "/")).name or "log.csv")
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda beside: _fill(beside, content))
        return path

    def choose(self, twin: str, log: ChosenLog, config_text: str | None = None) -> None:
        """Write how the log is to be read into the twin's configuration (or into the given text of one);
        overrides and approvals stay.

        Raises UsageError for a name that isn't fit for a file.
        """
        if not _NAME.fullmatch(twin):
            raise UsageError(f"{twin!r} can't name a twin: use letters, digits, spaces, points and dashes")
        self.twins.mkdir(parents=True, exist_ok=True)
        config = self.config(twin)
        section = table_text(("log",), _log_section(log))
        before = config_text or (config.read_text(encoding="utf-8") if config.exists() else "")
        write_text(config, replace_section(before, "log", section))
        write_text(self.twins / f"{twin}.log.json", json.dumps({"path": log.path, "name": log.name}))

    def log(self, twin: str) -> ChosenLog:
        """What was chosen. Raises DataError if nothing was."""
        from twin.config import load_config

        try:
            chosen = json.loads((self.twins / f"{twin}.log.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DataError(
                f"{twin}: no log was chosen for this twin; choose one on the page Upload"
            ) from error
        read = load_config(self.config(twin)).log
        columns = {str(role): column for role, column in read.map.items()}
        quarantine = read.bad_rows == "quarantine"
        return ChosenLog(
            chosen["path"], chosen["name"], columns, read.time_format, read.time_zone, quarantine
        )

    def model(self, twin: str) -> Metagraph:
        """The built twin. Raises DataError if its file is missing or broken."""
        from metagraph.json_io import load

        return load(self.twin(twin))


def workspace() -> Workspace:
    """The folder named by TRACETWIN_HOME, else the current one."""
    return Workspace(Path(os.environ.get(HOME) or ".").resolve())


def _fill(path: Path, content: memoryview) -> None:
    path.write_bytes(content)


def _log_section(log: ChosenLog) -> dict[str, Any]:
    section: dict[str, Any] = {"time_zone": log.time_zone, "map": dict(log.mapping)}
    if log.time_format:
        section["time_format"] = log.time_format
    if log.quarantine:
        section["bad_rows"] = "quarantine"
    return section
