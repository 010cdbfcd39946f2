"""How the commands talk: progress, tables and sentences for people, or JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from metagraph.errors import DataError
from twin.json_out import dump
from twin.progress import Progress

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
MOST_ROWS = 15
LONGEST_WORD = 16
"""What is longer may be broken to fit a table."""


@contextmanager
def progress(file: Path | None = None) -> Iterator[Progress]:
    """A bar on standard error (on a terminal), and JSON lines {step, share} in `file` if given.

    Raises DataError if the file can't be written.
    """
    if file:
        try:
            file.open("a", encoding="utf-8").close()
        except OSError as error:
            raise DataError(
                f"--progress-file {file} can't be written ({error.strerror}); name another"
            ) from error
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=ERR,
        transient=True,
        disable=not ERR.is_terminal,
    )
    with bar:
        task = bar.add_task("starting", total=1.0)

        def tell(step: str, share: float) -> None:
            bar.update(task, description=step, completed=share)
            if file:
                with file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps({"step": step, "share": share}) + "\n")

        yield Progress(tell)


@contextmanager
def apart() -> Iterator[None]:
    """What a user's code prints goes to standard error, also from other processes: results stand alone."""
    if sys.stdout is None or sys.stderr is None:  # closed by who called
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def as_json(value: object) -> None:
    """One result as JSON on standard output."""
    sys.stdout.write(dump(value) + "\n")


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], texts: Collection[int] = (0,)
) -> None:
    """Print a table whose columns `texts` are texts, wrapped between words, and whose others are numbers.

    Columns that are empty throughout are left out, and so is a table without rows. Numbers that find no room
    go on in a second table, with the first column beside them: half a number would be another one.
    """
    rows = list(rows)
    if not rows:
        return
    filled = [i for i in range(len(columns)) if i == 0 or any(row[i] for row in rows)]
    OUT.print()
    OUT.print(Text(title, "bold"))  # As a title of the table it would be no wider than that.
    for i, part in enumerate(_parts(columns, rows, texts, filled)):
        if i:
            OUT.print()
        OUT.print(_table(columns, rows, texts, part))


def _parts(
    columns: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[int], filled: Sequence[int]
) -> list[list[int]]:
    """The columns of as many tables as the terminal's width asks for, each at least one beside the first."""
    first = OUT.width + 1 - _narrowest(columns, rows, texts, filled[0])  # Nothing parts the last column.
    parts, room = [[filled[0]]], first
    for i in filled[1:]:
        wide = _narrowest(columns, rows, texts, i)
        if wide > room and len(parts[-1]) > 1:
            parts.append([filled[0]])
            room = first
        parts[-1].append(i)
        room -= wide
    return parts


def _narrowest(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[int], i: int) -> int:
    """The least width of a column with what parts it from the next one."""
    cells, gap = [row[i] for row in rows], 1 + _padding()
    if i in texts:
        return min(_longest_word((*cells, columns[i])), LONGEST_WORD) + gap
    return max(map(cell_len, (*cells, *_header(columns[i], cells))), default=0) + gap


def _padding() -> int:
    """Right of each column, beside the blank that parts it from the next one."""
    return 0 if OUT.width < 100 else 1


def _longest_word(cells: Iterable[str]) -> int:
    return max((len(word) for cell in cells for word in cell.split()), default=0)


def _header(name: str, cells: Sequence[str]) -> list[str]:
    """Of a column of numbers: in lines that are no wider than they are, or than a word."""
    widest = max(map(cell_len, cells), default=0)
    return wrap(name, max(widest, 10), break_long_words=False)


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[int], part: Sequence[int]
) -> Table:
    shown = Table(
        header_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, _padding(), 0, 0),
    )
    for i in part:
        if i in texts:
            least = min(_longest_word((*(row[i] for row in rows), columns[i])), LONGEST_WORD)
            shown.add_column(columns[i], overflow="fold", min_width=least)
        else:
            header = _header(columns[i], [row[i] for row in rows])
            shown.add_column("\n".join(header), justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(*(Text(row[i]) for i in part))
    return shown


def say(sentence: str) -> None:
    """A sentence below what it is about."""
    OUT.print(Padding(Text(sentence), (0, 0, 0, 2)))


def warn(sentence: str) -> None:
    """A sentence on standard error, beside a result that is good but needs care."""
    sys.stderr.write(f"tracetwin: {sentence}\n")


def more(n: int) -> None:
    """How many rows were left out of `n`."""
    if n > MOST_ROWS:
        say(f"… and {n - MOST_ROWS} more (--json shows all)")
