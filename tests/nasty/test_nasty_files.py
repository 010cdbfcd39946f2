"""Every nasty file ends as it is written beside it: taken rightly, or refused with the place."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eventlogs.historian import Historian
from eventlogs.instants import in_words
from eventlogs.snapshot import Snapshot
from metagraph.errors import TwinError
from tests.nasty.make_files import NASTY
from tests.nasty.outcome import Nasty, Refused, Right, Row


@pytest.mark.parametrize("nasty", NASTY, ids=[nasty.name for nasty in NASTY])
def test_as_it_is_written(nasty: Nasty, tmp_path: Path) -> None:
    path = tmp_path / nasty.name
    path.write_bytes(nasty.bytes())
    options: dict[str, Any] = dict(nasty.options)
    with Historian(":memory:") as historian:
        if isinstance(nasty.outcome, Refused):
            with pytest.raises(TwinError, match=nasty.outcome.says) as refusal:
                historian.import_log(path, "log", **options)
            assert nasty.name in str(refusal.value) or "--" in str(refusal.value)
            assert "\n" not in str(refusal.value)
            assert not historian.logs()
            return
        report = historian.import_log(path, "log", **options)
        assert sorted(_executions(historian.snapshot("log")), key=str) == sorted(nasty.outcome.rows, key=str)
        assert report.rows_quarantined == nasty.outcome.quarantined
        assert report.rows_read == report.rows_kept + report.rows_ignored + report.rows_quarantined
        if nasty.outcome.says:
            assert re.search(nasty.outcome.says, "\n".join(report.sentences())), report.sentences()
    assert [file.name for file in tmp_path.iterdir()] == [nasty.name], "nothing is left beside the file"


def test_there_are_enough_and_each_has_its_name() -> None:
    assert len({nasty.name for nasty in NASTY}) == len(NASTY) >= 60
    assert sum(isinstance(nasty.outcome, Right) for nasty in NASTY) >= 30


def _executions(snapshot: Snapshot) -> list[Row]:
    case = snapshot.case_of_row()

    def instant(seconds: float) -> str | None:
        if np.isnan(seconds):
            return None
        return in_words(snapshot.origin + timedelta(microseconds=round(seconds * 1e6)))

    return [
        (
            snapshot.cases[case[i]],
            snapshot.activities[snapshot.activity[i]],
            snapshot.resources[snapshot.resource[i]] if snapshot.resource[i] >= 0 else None,
            str(instant(snapshot.start_s[i])),
            instant(snapshot.end_s[i]),
        )
        for i in range(snapshot.n_events)
    ]
