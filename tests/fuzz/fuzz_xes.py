"""Fuzzing of the XES reader with coverage guidance; not part of the suite, run by hand.

Needs `atheris` (in an environment of its own, with this project's requirements):

    python -m tests.fuzz.fuzz_xes -max_total_time=600 -rss_limit_mb=2048 -max_len=4096 FOLDER

The first byte sets how much of the file is read at once, and whether the others are the file or choose what
it is put together from. Any bytes must give rows or a DataError; what is
read must be what ElementTree reads, and what is called malformed must be so for expat. What it finds becomes
a test in `tests/eventlogs/readers/test_xes_reader.py`.
"""

import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]
import duckdb

with atheris.instrument_imports(include=["eventlogs.readers"]):
    from eventlogs.readers import xes_reader

from metagraph.errors import DataError
from tests.eventlogs.readers.xes_naive import naive, staged

SEEDS = (
    '<log><trace><string key="concept:name" value="1"/><event><date key="time:timestamp" value="2"/></event>'
    "</trace></log>",
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- " --><x:log xmlns:x="u"><x:global scope="event"><x:string '
    'key="a" value="UNKNOWN"/></x:global><x:classifier name="A" keys="a b"/><x:trace>\n<x:event>\n<x:string '
    'key="a" value="&amp;&#65;"/>\n</x:event>\n<x:event><x:int key="b" value="1"></x:int></x:event></x:trace>'
    '\n<x:trace><x:string key="concept:name" value=""/><x:event><x:id key="case:a" value="2"/></x:event>'
    "</x:trace></x:log>",
    "<log><trace><event><string key='a' value='\"'/><list key='l'><values><string key='a' value='3'/>"
    '</values></list></event><![CDATA[ <event> ]]><string key="b" value="late"/></trace><event/></log>',
)
PIECES = (
    '<string key="a" value="1"/>',
    '<string key="b" value="&lt;&#x41;"/>',
    '<date key="a" value="x > \'y"/>',
    "<string key='a' value='\"'/>",
    '<int value="1" key="c"/>',
    '<id key="a" value=""></id>',
    '<float key="d"/>',
    '<string key="concept:name" value="n"/>',
    '<string key="case:a" value="é\t\n"/>',
    '<string key="" value="1"/>',
    '<list key="l"><values><string key="a" value="2"/></values></list>',
    "<event/>",
    "<trace/>",
    "\n",
    "\r\n ",
    "]]",
    "<!-- <event> -->",
    '<![CDATA[ </trace>"]]>',
    "<?pi </event>?>",
    '"',
    "&amp;",
    "]]>",
    "<",
    "\x0b",
    "\ufffe",
)
_FILE = Path(tempfile.mkdtemp()) / "log.xes"
_CON = duckdb.connect(config={"threads": 1})


def check(data: bytes) -> None:
    """One input of the fuzzer."""
    if len(data) < 2:
        return
    xes_reader._CHUNK = 1 + 8 * data[0]
    text = _assembled(data[1:]).encode() if data[0] % 2 else data[1:]
    _FILE.write_bytes(text)
    declares = b"encoding" in text or text[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
    try:
        _, rows = staged(_CON, _FILE)
    except DataError as error:
        wrong = "malformed or cut short" in str(error) and not declares and _is_xml(text)
        if wrong:
            raise AssertionError("expat reads what is called malformed") from error
        return
    if declares:
        return
    assert _is_xml(text), "expat doesn't read it"
    try:
        expected = naive(text.decode("utf-8-sig"))
    except ElementTree.ParseError:
        # It minds namespaces, and exporters don't always.
        return
    assert rows == expected, "ElementTree reads it otherwise"


def _assembled(data: bytes) -> str:
    """A log of traces and events that are closed, whatever stands between: bytes alone seldom make one."""
    parts, within = ["<log>"], ["log"]
    for byte in data:
        if byte % 4 == 0 and len(within) < 3:
            within.append("event" if len(within) == 2 else "trace")
            parts.append(f"<{within[-1]}>")
        elif byte % 4 == 1 and len(within) > 1:
            parts.append(f"</{within.pop()}>")
        else:
            # Plain attributes most of the time.
            parts.append(PIECES[byte // 4 % len(PIECES)] if byte % 4 == 3 else PIECES[byte // 4 % 3])
    return "".join(parts + [f"</{name}>" for name in reversed(within)])


def _is_xml(text: bytes) -> bool:
    try:
        expat.ParserCreate().Parse(text, True)
    except expat.ExpatError:
        return False
    return True


if __name__ == "__main__":
    folder = Path(sys.argv[-1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(SEEDS):
        (folder / f"seed{i}").write_bytes(b"\xfe" + seed.encode())
        (folder / f"short{i}").write_bytes(b"\x02" + seed.encode())
        (folder / f"pieces{i}").write_bytes(
            bytes([3 + 80 * i, 0, 2, 0, 2, 6, 1, 0, 2, 11, 1, 1, 0, 0, 3, 1, 1])
        )
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
