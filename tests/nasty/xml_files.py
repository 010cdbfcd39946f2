"""XES that is written unusually, wrongly or with ill will."""

from __future__ import annotations

from tests.nasty.outcome import PLAIN, Nasty, Refused, Right, one

MB = 1 << 20
NOON = "2024-03-04T12:00:00Z"


def event(activity: str = "A", time: str = NOON, more: str = "") -> str:
    return (
        f'<event><string key="concept:name" value="{activity}"/>'
        f'<date key="time:timestamp" value="{time}"/>{more}</event>'
    )


def trace(*events: str, name: str = "1", more: str = "") -> str:
    return f'<trace><string key="concept:name" value="{name}"/>{more}{"".join(events)}</trace>'


def log(*traces: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>', more: str = "") -> bytes:
    return f'{head}\n<log xes.version="1.0">{more}{"".join(traces)}</log>\n'.encode()


def _right(*activities: str, says: str = "") -> Right:
    return Right(tuple(one("1", a, None, NOON, NOON) for a in activities), says=says)


def _execution(row: tuple[str, str, str | None, str, str | None]) -> str:
    _, activity, resource, start, end = row
    who = f'<string key="org:resource" value="{resource}"/>'
    return "".join(
        event(activity, str(time), f'{who}<string key="lifecycle:transition" value="{transition}"/>')
        for transition, time in (("start", start), ("complete", end))
    )


def _encoded(encoding: str, name: str) -> bytes:
    return (
        log(trace(event("Prüfen")), head=f'<?xml version="1.0" encoding="{name}"?>').decode().encode(encoding)
    )


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)
LIFECYCLE = log(
    trace(_execution(PLAIN[0]), _execution(PLAIN[1]), name="1"), trace(_execution(PLAIN[2]), name="2")
)
WRITING = (
    Nasty("plain.xes", log(trace(event("A"), event("B"))), _right("A", "B"), "nothing: the yardstick"),
    Nasty("lifecycle.xes", LIFECYCLE, Right(PLAIN), "starts and completions"),
    Nasty(
        "prefixes.xes",
        log(trace(event("A")))
        .replace(b"<", b"<x:")
        .replace(b"<x:/", b"</x:")
        .replace(b"<x:?", b"<?")
        .replace(b"<x:log", b'<x:log xmlns:x="http://www.xes-standard.org/"'),
        _right("A"),
        "every element has a namespace prefix",
    ),
    Nasty(
        "nested.xes",
        log(
            trace(
                '<event><string key="concept:name" value="A">'
                '<string key="concept:name" value="inner"/></string>'
                f'<date key="time:timestamp" value="{NOON}"/></event>'
            )
        ),
        _right("A"),
        "an attribute of an attribute bears the event's key",
    ),
    Nasty(
        "comment.xes",
        log(trace(event("A"), f"<!-- {event('B')} -->")),
        _right("A"),
        "an event inside a comment",
    ),
    Nasty(
        "cdata.xes", log(trace(event("A"), f"<![CDATA[{event('B')}]]>")), _right("A"), "an event inside CDATA"
    ),
    Nasty(
        "entities.xes",
        log(trace(event("a &gt; b &amp; c &#x41;&quot;"))),
        _right('a > b & c A"'),
        "escaped characters",
    ),
    Nasty(
        "bare_gt.xes", log(trace(event("a > b"))), _right("a > b"), "a > that isn't escaped, as XML allows"
    ),
    Nasty(
        "single_quotes.xes",
        log(trace(event("A"))).decode().replace('"', "'").encode(),
        _right("A"),
        "single quotes",
    ),
    Nasty("bom.xes", b"\xef\xbb\xbf" + log(trace(event("A"))), _right("A"), "a byte order mark"),
    Nasty("utf16.xes", _encoded("utf-16", "UTF-16"), _right("Prüfen"), "UTF-16"),
    Nasty("latin1.xes", _encoded("latin-1", "ISO-8859-1"), _right("Prüfen"), "Latin-1, declared"),
    Nasty(
        "cp1252.xes", _encoded("cp1252", "windows-1252"), _right("Prüfen"), "a Windows code page, declared"
    ),
    Nasty(
        "false_utf8.xes", _encoded("latin-1", "UTF-8"), Refused("line 2"), "Latin-1 that claims to be UTF-8"
    ),
    Nasty("odd_encoding.xes", _encoded("utf-8", "klingon"), Refused("encoding"), "an encoding nobody knows"),
    Nasty("xes_as.csv", log(trace(event("A"))), _right("A"), "XES that its name doesn't tell"),
    Nasty(
        "no_zone.xes",
        log(trace(event("A", "2024-03-04T12:00:00"))),
        _right("A", says="UTC"),
        "a stamp without a zone",
    ),
)
HOLES = (
    Nasty("no_trace.xes", log(), Refused("at least one"), "a log of nothing"),
    Nasty("no_event.xes", log(trace()), Refused("at least one"), "a trace of nothing"),
    Nasty("one_event.xes", log(trace(event("A"))), _right("A"), "a single event"),
    Nasty(
        "homeless.xes",
        log(trace(event("A")), event("B")),
        _right("A", says="outside any trace"),
        "an event outside any trace",
    ),
    Nasty(
        "unnamed_event.xes",
        log(trace(event("A"), f'<event><date key="time:timestamp" value="{NOON}"/></event>')),
        Refused("event 2: column 'concept:name'"),
        "an event that doesn't say what was done",
    ),
    Nasty(
        "same_name_twice.xes",
        log(trace(event("A")), trace(event("B"))),
        _right("A", "B", says="several traces"),
        "two traces of one name",
    ),
    Nasty(
        "bad_time.xes",
        log(trace(event("A"), event("B", "soon"))),
        Refused("event 2.*'soon'"),
        "a time that is none",
    ),
    Nasty(
        "cut.xes", log(trace(event("A"), event("B")))[:-40], Refused("line 2.*cut short"), "half a download"
    ),
    Nasty(
        "two_roots.xes", log(trace(event("A"))) + b"<log/>", Refused("malformed"), "two documents in a row"
    ),
    Nasty("nul.xes", log(trace(event("A\0B"))), Refused("malformed"), "a NUL"),
    Nasty("page.xes", b"<html><body>Sign in</body></html>", Refused("html"), "a page"),
    Nasty("words.xes", b"no such log\n", Refused("words"), "an error message"),
)
ILL_WILL = (
    Nasty(
        "laughs.xes",
        LAUGHS.encode() + b"<log>" + trace(event("&j;")).encode() + b"</log>",
        Refused("document type"),
        "a billion laughs",
    ),
    Nasty(
        "outside.xes",
        b'<!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]><log>'
        + trace(event("&x;")).encode()
        + b"</log>",
        Refused("document type"),
        "wants to read another file",
    ),
    Nasty(
        "deep.xes",
        lambda: log('<list key="x">' * 5000 + "</list>" * 5000),
        Refused("64 deep"),
        "five thousand nested elements",
    ),
    Nasty("long_value.xes", lambda: log(trace(event("x" * (20 * MB)))), Refused("1 MB"), "a value of 20 MB"),
    Nasty(
        "endless_tag.xes",
        lambda: b"<log><trace><event " + b"a" * (20 * MB),
        Refused("endless_tag"),
        "a tag that never ends",
    ),
)
FILES = (*WRITING, *HOLES, *ILL_WILL)
