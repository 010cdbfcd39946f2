"""The hash of a snapshot stands for all of its content."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from eventlogs.snapshot import sealed
from tests.eventlogs.logs import Row, frozen, write


def test_every_part_but_the_name_is_in_the_hash(tmp_path: Path) -> None:
    rows = [Row("1", "A", "r", 0.0, 60.0), Row("1", "B", None, 90.0, None), Row("2", "A", "s", 70.0, 80.0)]
    a = frozen(write(tmp_path / "log.csv", rows))
    assert sealed(replace(a, name="other")).content_hash == a.content_hash
    variations = (
        replace(a, origin=a.origin + timedelta(weeks=1)),
        replace(a, until_s=a.until_s + 1),
        replace(a, cases=("1", "3")),
        replace(a, activities=("A", "C")),
        replace(a, resources=("r", "t")),
        replace(a, offsets=np.array([0, 1, 3])),
        replace(a, activity=a.activity * 0),
        replace(a, resource=a.resource * 0),
        replace(a, start_s=a.start_s + 1),
        replace(a, end_s=a.end_s + 1),
        replace(a, is_open=~a.is_open),
        replace(a, attributes={"x": (None, None)}),
        replace(a, single_timestamp=True),
    )
    assert len({sealed(v).content_hash for v in (a, *variations)}) == 1 + len(variations)
    # Frozen: the same log has the same hash on every machine and in every version.
    assert a.content_hash == "45eaceb0a8e1df77e3c2e298b0a3a194779f340817807ab9c025f479a0c25d6c"
