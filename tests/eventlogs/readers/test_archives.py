"""Packed logs are read like plain ones; archives that can't be one log are refused in a sentence."""

import bz2
import gzip
import io
import os
import random
import struct
import zipfile
from pathlib import Path

import pytest

from eventlogs.log_names import log_name
from eventlogs.readers import archives
from eventlogs.readers.archives import identify, open_bytes
from metagraph.errors import DataError
from tests.eventlogs.readers.staging import stage

CSV = b"case,activity,time\n1,A,t\n2,B,t\n"
XES = (
    b'<?xml version="1.0"?><log><trace><string key="concept:name" value="1"/><event>'
    b'<string key="concept:name" value="A"/></event></trace></log>'
)


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught, open_bytes(path) as content:
        content.read()
    return str(caught.value).removeprefix(str(path))


PACKED = {
    "plain": CSV,
    "gzip": gzip.compress(CSV),
    "gzip of several members": gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]),
    "padded gzip": gzip.compress(CSV) + b"\0" * 100,
    "zip": zipped(("logs/orders.csv", CSV)),
    "stored zip": zipped(("orders.csv", CSV), method=zipfile.ZIP_STORED),
    "zip by a Mac": zipped(("orders.csv", CSV), ("__MACOSX/._orders.csv", b"x"), (".DS_Store", b"x")),
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["log.csv", "log.bin", "log.csv.gz", "log.zip"])
def test_packed_is_as_plain(packing: str, name: str, tmp_path: Path) -> None:
    plain = stage(written(tmp_path / "plain.csv", CSV))
    staged, rows, _ = stage(written(tmp_path / name, PACKED[packing]))
    assert rows == plain[1]
    assert staged.content_hash == plain[0].content_hash
    assert staged.member == ("logs/orders.csv" if packing == "zip" else staged.member)
    assert (staged.member is None) == ("zip" not in packing or "gzip" in packing)


@pytest.mark.parametrize("name", ["orders.xes", "orders.csv", "orders"])
def test_what_a_file_holds_is_told_by_its_content(name: str, tmp_path: Path) -> None:
    for content in (XES, gzip.compress(XES), zipped(("x.csv", XES)), XES.decode().encode("utf-16")):
        assert identify(written(tmp_path / name, content)).kind == "xes"
    assert identify(written(tmp_path / name, b"SQLite format 3\0...")).kind == "sqlite"
    assert identify(written(tmp_path / name, b"PAR1\x15\x04...")).kind == "parquet"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.zip", zipped(("orders.XES", b"  text")), "xes"),
        ("a.xes.gz", gzip.compress(b" text", mtime=0), "xes"),
        ("a.json", b"{}", "json"),
        ("a.csv", b"{case},activity\n", "text"),
        ("a.csv", b"PAR1,activity\n", "text"),
        ("a.csv", b"<case>,activity\n", "text"),
    ],
)
def test_between_texts_the_inner_name_decides(name: str, content: bytes, kind: str, tmp_path: Path) -> None:
    assert identify(written(tmp_path / name, content)).kind == kind


def _encrypted() -> bytes:
    content = bytearray(zipped(("orders.csv", CSV)))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    return bytes(content)


def _of_method(number: int) -> bytes:
    content = bytearray(zipped(("orders.csv", CSV)))
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", content, content.index(signature) + at, number)
    return bytes(content)


REFUSED = {
    "empty": (b"", ": the file is empty; a log needs at least one event"),
    "nothing packed": (gzip.compress(b""), ": the packed file is empty; a log needs at least one event"),
    "nested": (
        gzip.compress(gzip.compress(CSV)),
        ": there is an archive inside the archive; pack the log itself, only once",
    ),
    "nested in a zip": (
        zipped(("a.csv.gz", gzip.compress(CSV))),
        ": there is an archive inside the archive; pack the log itself, only once",
    ),
    "several": (
        zipped(("a.csv", CSV), ("b.csv", CSV)),
        ": the archive holds 2 files ('a.csv', 'b.csv'); pack exactly one log",
    ),
    "none": (zipped(), ": the archive holds no file; pack exactly one log"),
    "encrypted": (_encrypted(), ": the archive is encrypted; unpack it with its password first"),
    "workbook": (
        zipped(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x")),
        " is an Excel workbook or another office document; save its sheet as CSV UTF-8",
    ),
    "bzip2": (bz2.compress(CSV), " is packed with bzip2; unpack it first"),
    "bzip2 in gzip": (gzip.compress(bz2.compress(CSV)), " is packed with bzip2; unpack it first"),
    "unknown method": (_of_method(99), " can't be opened: That compression method is not supported"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str, tmp_path: Path) -> None:
    content, sentence = REFUSED[what]
    assert fault(written(tmp_path / "log.csv", content)) == sentence


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(("a.csv", content))])
def test_damage_anywhere_is_noticed(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    draw = random.Random(4)
    text = b"case,activity,time\n" + b"".join(b"%d,%d,t\n" % (i, draw.getrandbits(30)) for i in range(2000))
    whole = pack(text)
    for cut in range(1, len(whole), len(whole) // 60):
        assert "cut short" in (said := fault(written(tmp_path / "log", whole[:-cut]))) or "opened" in said
    for at in range(40, len(whole) - 200, len(whole) // 60):
        broken = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        assert "damaged" in fault(written(tmp_path / "log", broken))


def _zip_that_lies() -> bytes:
    """A ZIP whose headers give another size than what is packed."""
    content = bytearray(zipped(("a.csv", CSV * 1000)))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + at, 100)
    return bytes(content)


def test_sizes_in_headers_are_not_trusted(tmp_path: Path) -> None:
    assert "damaged or cut short" in fault(written(tmp_path / "log.zip", _zip_that_lies()))


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(("a.csv", content))])
def test_bombs(pack: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(pack)
    monkeypatch.setattr(archives, "UNPACKED_FLOOR", 1 << 20)
    bomb = written(tmp_path / "log", pack(b"a,b\n" + b"1,2\n" * 2_000_000))
    assert fault(bomb) == (
        ": the archive unpacks to more than 200 times its size, as no log does; if it is one, unpack it "
        "yourself and give the unpacked file"
    )
    # Random bytes in front of a bomb lend it their size, and no more.
    noise = random.Random(1).randbytes(10_000)
    assert "200 times" in fault(written(tmp_path / "log", pack(noise + b"1" * 8_000_000)))
    # Up to the floor nobody asks.
    with open_bytes(written(tmp_path / "log", pack(b"1" * (1 << 20)))) as content:
        assert len(content.read()) == 1 << 20


def test_what_is_no_file(tmp_path: Path) -> None:
    assert fault(tmp_path) == " is a folder; name one log file in it"
    assert fault(tmp_path / "none.csv") == " can't be opened: No such file or directory"
    os.mkfifo(tmp_path / "pipe")
    assert fault(tmp_path / "pipe").startswith(" is a pipe or device")
    assert "can't be opened" in fault(tmp_path / ("x" * 300))
    assert "can't be opened" in fault(Path("/nul\0l"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_right_to_read(tmp_path: Path) -> None:
    file = written(tmp_path / "log.csv", CSV)
    file.chmod(0)
    assert fault(file) == " can't be opened: Permission denied"


def test_logs_are_named_without_their_packing() -> None:
    assert [log_name(Path(name)) for name in ("a.csv.gz", "a.xes.zip", "a.zip", "a.b.csv")] == [
        "a",
        "a",
        "a",
        "a.b",
    ]
