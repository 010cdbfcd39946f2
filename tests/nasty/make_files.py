"""Write the folder of nasty files: python -m tests.nasty.make_files FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.nasty import archive_files, csv_files, other_files, time_files, xml_files
from tests.nasty.outcome import Nasty, Right

NASTY: tuple[Nasty, ...] = (
    *csv_files.FILES,
    *time_files.FILES,
    *archive_files.FILES,
    *xml_files.FILES,
    *other_files.FILES,
)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for nasty in NASTY:
        (folder / nasty.name).write_bytes(nasty.bytes())
        outcome = nasty.outcome
        expected = f"{len(outcome.rows)} executions" if isinstance(outcome, Right) else "refused"
        print(f"{nasty.name}: {nasty.why}: {expected}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
