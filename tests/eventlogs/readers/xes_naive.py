"""XES logs as plain values: written in every style that XML allows, and read back the obvious way."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from duckdb import DuckDBPyConnection
from hypothesis import strategies as st

from eventlogs.readers.staging import Staged
from eventlogs.readers.xes_reader import read_xes

TYPES = ("string", "date", "int", "float", "boolean", "id")
Event = dict[str, str]


def staged(con: DuckDBPyConnection, path: Path) -> tuple[Staged, list[Event]]:
    """The reader's result and its rows, each as the columns that have a value."""
    found = read_xes(con, path)
    names = ", ".join(f"c{i}" for i in range(len(found.columns)))
    rows = con.execute(f"SELECT {names} FROM staging ORDER BY row").fetchall()
    assert len(rows) == found.rows
    return found, [
        {name: value for name, value in zip(found.columns, row, strict=True) if value is not None}
        for row in rows
    ]


def naive(text: str) -> list[Event]:
    """The same rows by ElementTree."""
    rows = []
    root = ElementTree.fromstring(text)
    number = 0
    for trace in root:
        if _name(trace) != "trace":
            continue
        number += 1
        own = {f"case:{key}": value for key, value in _own(trace).items()}
        if not own.get("case:concept:name", "").strip():
            own["case:concept:name"] = f"(unnamed trace {number})"
        for event in trace:
            if _name(event) == "event":
                found = {f"event:{k}" if k.startswith("case:") else k: v for k, v in _own(event).items()}
                rows.append({key: value for key, value in (own | found).items() if value})
    return rows


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _own(element: ElementTree.Element) -> dict[str, str]:
    found = [child.attrib for child in element if _name(child) in TYPES]
    return {a["key"]: a["value"] for a in found if a.get("key") and "value" in a}


class Style(NamedTuple):
    """How a log is written; every element may depart from it once in `oddity` times."""

    prefix: str
    indent: str
    oddity: int


keys = st.sampled_from(
    ["concept:name", "org:resource", "time:timestamp", "cost", "a b", "case:cost", "é", "k'"]
)
texts = st.sampled_from(
    ["", "007", "NA", "2024-03-04T10:00:00", "a > b", "<&>", "'", '"', "\t\n", " x ", "é€𝄞"]
)
values = texts | st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=8
)
attributes = st.lists(
    st.tuples(st.sampled_from(TYPES), keys, values), max_size=5, unique_by=lambda one: one[1]
)
events = st.lists(attributes.filter(bool), max_size=5)
logs = st.lists(st.tuples(attributes, events), min_size=1, max_size=6)
styles = st.builds(
    Style,
    st.sampled_from(["", "xes:"]),
    st.sampled_from(["\n\t", "", "\r\n  "]),
    st.sampled_from([0, 0, 100, 30, 3]),
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A well-formed log with at least one event in a trace."""
    style = draw(styles)
    written = _Writer(style, draw)
    traces = [(own, inner) for own, inner in draw(logs)]
    traces.append(([("string", "concept:name", "last")], [[("string", "concept:name", "A")]]))
    body = "".join(written.trace(own, inner) for own, inner in traces)
    ns = f'xmlns{":xes" if style.prefix else ""}="http://www.xes-standard.org/"'
    head = written.odd(['<?xml version="1.0" encoding="UTF-8"?>', ""]) + style.indent.strip("\t ")
    extra = (
        f'<{style.prefix}extension name="Concept" prefix="concept" uri="u"/>'
        f'<{style.prefix}global scope="event"><{style.prefix}string key="concept:name" value="UNKNOWN"/>'
        f'</{style.prefix}global><{style.prefix}string key="concept:name" value="the log"/>'
    )
    return f"{head}<{style.prefix}log {ns}>{written.odd([extra, ''])}{body}{style.indent}</{style.prefix}log>"


class _Writer:
    def __init__(self, style: Style, draw: st.DrawFn) -> None:
        self._style, self._draw = style, draw

    def odd(self, choices: Sequence[str]) -> str:
        """The first, plain choice nearly always."""
        if self._style.oddity and self._draw(st.integers(1, self._style.oddity)) == 1:
            return self._draw(st.sampled_from(choices))
        return choices[0]

    def trace(
        self, own: Sequence[tuple[str, str, str]], inner: Sequence[Sequence[tuple[str, str, str]]]
    ) -> str:
        parts = [self.attribute(*one) for one in own or [("string", "concept:name", "1")]]
        parts = parts if self.odd(["", "empty"]) == "" else []
        late = [parts.pop()] if parts and self.odd(["", "late"]) else []
        for event in inner:
            content = "".join(self.attribute(*one) for one in event)
            content += self.odd(["", self.attribute("string", "cost", "twice")])
            parts.append(self.element("event", content if self.odd(["", "empty"]) == "" else ""))
        return self.element("trace", "".join(parts + late))

    def element(self, name: str, content: str) -> str:
        p, space = self._style.prefix, self._style.indent
        aside = self.odd(["", "<!-- <event> \" ' -->", '<![CDATA[ <event> "]]>', '<?pi "?>', "text \"'>"])
        if not content and self.odd(["", "short"]):
            return f"{space}<{p}{name}/>"
        return (
            f"{space}<{p}{name}{self.odd(['', ' '])}>{content}{aside}{space}</{p}{name}{self.odd(['', ' '])}>"
        )

    def attribute(self, kind: str, key: str, value: str) -> str:
        p, space = self._style.prefix, self._style.indent
        quote = self.odd(['"', "'"])
        key += self.odd(["", "&", "\t"])
        entities = {'"': "&quot;", "\t": "&#9;", "\n": "&#xA;", "'": self.odd(["'", "&apos;"]), "\r": "&#13;"}
        if quote == "'":
            entities["'"] = "&apos;"
        pair = [
            f"key={quote}{escape(key, entities)}{quote}",
            f"value={quote}{escape(value, entities)}{quote}",
        ]
        between = self.odd([" ", "  ", "\n"])
        inside = between.join(pair if self.odd(["", "turned"]) == "" else pair[::-1])
        nested = f'<{p}string key="concept:name" value="deep"/>'
        nested = self.odd(["", nested, f'<{p}list key="l"><{p}values>{nested}</{p}values></{p}list>', " "])
        end = "/>" if not nested and not self.odd(["", "long"]) else f">{nested}</{p}{kind}>"
        return f"{space}<{p}{kind} {inside}{end}"
