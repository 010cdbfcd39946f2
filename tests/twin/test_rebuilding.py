"""A twin is built again from the snapshot that its first build kept, whatever became of the log since."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import Row, write
from tests.twin.small import known_log
from twin.commands import build_command
from twin.progress import Progress
from twin.requests import log_request
from twin.source import read_log

CONFIG = "[build]\nnoises = [0.0]\n"


def test_the_same_twin_comes_of_the_kept_snapshot(tmp_path: Path) -> None:
    base, config = str(tmp_path / "db"), tmp_path / "twin.toml"
    config.write_text(CONFIG, encoding="utf-8")
    first, again = tmp_path / "first" / "orders.json", tmp_path / "again" / "orders.json"
    for file in (first, again):
        file.parent.mkdir()
    file = known_log(tmp_path / "orders.csv", 5)
    built = build_command(log_request(str(file), base), first, config, 7, Progress())
    with Historian(base) as historian:
        historian.import_log(write(tmp_path / "other.csv", [Row("1", "A", "r", 0.0, 60.0)]), "orders")
        historian.drop_superseded("orders")
        kept = historian.kept_snapshots()[0]
    provenance = built.twin.provenance
    assert provenance is not None
    assert kept.content_hash == provenance.content_hash
    name = f"snapshot:{provenance.content_hash[:10]}"
    build_command(log_request(name, base), again, config, 7, Progress())
    assert again.read_bytes() == first.read_bytes()
    closed = read_log(log_request(name, base)).snapshot
    assert closed.is_open.any()
    with pytest.raises(UsageError, match=f"{name} is as it was kept; leave out --until"):
        read_log(log_request(name, base, until=datetime(2024, 5, 1, tzinfo=UTC)))
    with pytest.raises(
        DataError, match=r"no kept snapshot begins with 'ff00'; kept: [0-9a-f]{12} \(orders\)"
    ):
        read_log(log_request("snapshot:ff00", base))
