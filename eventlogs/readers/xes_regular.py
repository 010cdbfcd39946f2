"""XES of the plain form that nearly every exporter writes, read many events at a time.

Between two quotation marks stands either markup of a handful of known shapes, or a key or a value. Cutting
the text there and proving that every piece of markup has such a shape gives what the parser would give, at
many times its speed. Anything else (comments, nested attributes, apostrophes as quotes, …) is declined, and
the parser reads it. That both agree is what `tests/eventlogs/readers` proves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventlogs.readers.xes_parser import LONGEST, Parser
from eventlogs.readers.xes_rows import Rows, Trace

_CLOSES, _SWITCHES, _OPENS = 1, 2, 4
_MOST_SHAPES = 4_096
_LONG = 1_024
"""Characters of a trace's attribute that the parser had better weigh: it is repeated for each event."""
_SPACE = r"[ \t\r\n]*"
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_WHITE = "\t\n\r"
_ALLOWED = (range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000), (0x9, 0xA, 0xD))

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Structure:
    """Where each attribute of a segment belongs."""

    in_event: NDArray[np.bool_]
    event_of: _Ints
    trace_of: _Ints
    """Per attribute; −1 is the trace that stood open before."""
    trace_of_event: _Ints
    traces: int
    """Traces begun."""


class Regular:
    """Reads segments of whole traces (or, within a trace, of whole events) in the plain form."""

    def __init__(self, rows: Rows, parser: Parser) -> None:
        self._rows, self._parser = rows, parser
        tag = re.escape(parser.prefix)
        self._middle = re.compile(
            f"/>{_SPACE}(</{tag}event>{_SPACE})?(</{tag}trace>{_SPACE}<{tag}trace>{_SPACE})?"
            f"(<{tag}event>{_SPACE})?<{tag}(?:string|date|int|float|boolean|id) key="
        )
        self._last = {
            "log": re.compile(f"/>{_SPACE}(</{tag}event>{_SPACE})?</{tag}trace>"),
            "trace": re.compile(f"/>{_SPACE}(</{tag}event>)"),
        }
        # The pieces of a segment's beginning lack what the piece before would have closed.
        self._before = {"log": f"/></{parser.prefix}trace>", "trace": "/>"}
        self._shapes: dict[str, int] = {}
        self._flags: list[int] = []
        self._marks: list[tuple[int, ...]] = []

    def take(self, segment: str) -> bool:
        """Add the segment's events and let the parser pass it over; False, and nothing done, if declined."""
        level = self._parser.level()
        pieces = segment.split('"')
        if level is None or len(pieces) % 4 != 1 or len(pieces) < 5 or set(pieces[2::4]) != {" value="}:
            return False
        keys, values = pieces[1::4], pieces[3::4]
        shapes = self._shapes_of([self._before[level] + pieces[0], *pieces[4:-1:4]])
        last = self._last[level].fullmatch(pieces[-1])
        if shapes is None or last is None or not self._is_plain(segment, shapes, pieces):
            return False
        read = _unescaped(segment, keys, values)
        found = _structure(np.array(self._flags)[shapes], bool(last[1]))
        if read is None or found is None:
            return False
        traces = _traces(found, keys, read, self._parser.traces)
        cells = _cells(found, keys, [text or None for text in read] if '""' in segment else read)
        if traces is None or cells is None:
            return False
        self._parser.flush()
        self._add(found, cells, traces, len(segment))
        self._parser.skip(_lines(segment), traces)
        return True

    def _shapes_of(self, markup: Sequence[str]) -> _Ints | None:
        """The number of each piece's shape; None when one is no shape of the plain form."""
        for piece in set(markup).difference(self._shapes):
            match = self._middle.fullmatch(piece)
            if match is None or len(self._shapes) >= _MOST_SHAPES or len(piece) > _MOST_SHAPES:
                return None
            closes, switches, opens = map(bool, match.groups())
            self._shapes[piece] = len(self._flags)
            self._flags.append(_CLOSES * closes + _SWITCHES * switches + _OPENS * opens)
            self._marks.append(tuple(piece.count(mark) for mark in "<" + _WHITE))
        return np.fromiter(map(self._shapes.__getitem__, markup), np.int64, len(markup))

    def _is_plain(self, segment: str, shapes: _Ints, pieces: Sequence[str]) -> bool:
        """No key or value holds `<`, white space other than blanks, or what XML forbids, and none is huge."""
        octets = np.frombuffer(segment.encode("utf-8", "surrogatepass"), np.uint8)
        in_middle = np.array(self._marks)[shapes[1:]].sum(axis=0).tolist()
        white = 0
        for mark, count in zip("<" + _WHITE, in_middle, strict=True):
            found = int(np.count_nonzero(octets == ord(mark)))
            white += found if mark != "<" else 0
            if found != count + pieces[0].count(mark) + pieces[-1].count(mark):
                return False
        if np.count_nonzero(octets < 0x20) != white or "\ufffe" in segment or "\uffff" in segment:
            return False
        return len(segment) <= LONGEST or max(map(len, pieces)) <= LONGEST // 2

    def _add(
        self,
        found: _Structure,
        cells: list[tuple[str, _Ints, object]],
        traces: list[Trace],
        chars: int,
    ) -> None:
        open_trace = self._parser.trace
        block = [open_trace, *traces] if open_trace else traces
        if len(found.trace_of_event):
            self._rows.add(
                len(found.trace_of_event), cells, block, found.trace_of_event + bool(open_trace), chars
            )
        for trace in block[:-1] if open_trace else block:
            self._rows.close_trace(trace)


def _structure(flags: _Ints, ends_event: bool) -> _Structure | None:
    """Follow the opening and closing tags; None when they don't fit, or attributes stand behind events."""
    steps = np.flatnonzero(flags)
    if not len(steps) or steps[0] != 0:
        return None
    closes, switches, opens = (flags[steps] & flag > 0 for flag in (_CLOSES, _SWITCHES, _OPENS))
    inside = np.concatenate([[False], opens[:-1]])
    if (closes != inside).any() or (closes & ~switches & ~opens).any() or bool(opens[-1]) != ends_event:
        return None
    width = np.diff(np.append(steps, len(flags)))
    trace_of_step = np.cumsum(switches) - 1
    return _Structure(
        np.repeat(opens, width),
        np.repeat(np.cumsum(opens) - 1, width),
        np.repeat(trace_of_step, width),
        trace_of_step[opens],
        int(switches.sum()),
    )


def _traces(found: _Structure, keys: Sequence[str], values: Sequence[str], before: int) -> list[Trace] | None:
    traces = [Trace(before + i + 1) for i in range(found.traces)]
    at = np.flatnonzero(~found.in_event)
    for i, trace in zip(at.tolist(), found.trace_of[at].tolist(), strict=True):
        own = traces[trace].attributes
        if trace < 0 or keys[i] in own or len(values[i]) > _LONG:
            return None
        own[keys[i]] = values[i]
    return traces


def _cells(
    found: _Structure, keys: Sequence[str], values: Sequence[str | None]
) -> list[tuple[str, _Ints, object]] | None:
    """Per key of events: the events that have it, and its values; None when one has it twice or empty."""
    import pyarrow as pa

    numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    if "" in numbers:
        return None
    key_of = np.fromiter(map(numbers.__getitem__, keys), np.int32, len(keys))
    at = np.flatnonzero(found.in_event)
    order = at[np.argsort(key_of[at], kind="stable")]
    texts = pa.array(values, pa.string()).take(pa.array(order))
    starts = np.flatnonzero(np.diff(key_of[order], prepend=-1))
    names = list(numbers)
    cells: list[tuple[str, _Ints, object]] = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=False):
        events = found.event_of[order[start:end]]
        if (np.diff(events) == 0).any():
            return None
        cells.append((names[key_of[order[start]]], events, texts.slice(start, end - start)))
    return cells


def _unescaped(segment: str, keys: Sequence[str], values: Sequence[str]) -> Sequence[str] | None:
    """The values with their references resolved; None when there is any that the parser had better judge."""
    if "&" not in segment:
        return values
    if any("&" in key for key in set(keys)) or len(_REFERENCE.findall(segment)) != segment.count("&"):
        return None
    try:
        return [_REFERENCE.sub(_resolve, value) if "&" in value else value for value in values]
    except ValueError:
        return None


def _resolve(reference: re.Match[str]) -> str:
    if reference[1]:
        return _NAMED[reference[1]]
    code = int(reference[2]) if reference[2] else int(reference[3], 16)
    if any(code in allowed for allowed in _ALLOWED):
        return chr(code)
    raise ValueError(code)


def _lines(text: str) -> int:
    return text.count("\n") + (len(re.findall("\r(?!\n)", text)) if "\r" in text else 0)
