"""Packed files: good, cut, crowded, locked and explosive."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

from tests.nasty.outcome import HEADER, PLAIN, Nasty, Refused, Right, table

CSV = table().encode()
ROWS = b"1,A,,2024-03-04T08:00:00Z,2024-03-04T08:00:00Z\n" * 21_845
"""About a megabyte."""
GZ = gzip.compress(CSV, mtime=0)


def _zip(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _locked() -> bytes:
    """A ZIP whose only member claims to be encrypted."""
    content = bytearray(_zip(("orders.csv", CSV)))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def _gzip_bomb() -> bytes:
    """One gigabyte of empty rows in one megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress((HEADER + "\n").encode())]
    parts += [packer.compress(ROWS) for _ in range(1024)]
    return b"".join((*parts, packer.flush()))


def _zip_bomb() -> bytes:
    """Half a gigabyte of one row, again and again."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("orders.csv", "w") as member,
    ):
        member.write((HEADER + "\n").encode())
        for _ in range(512):
            member.write(ROWS)
    return out.getvalue()


FILES = (
    Nasty("packed.csv.gz", GZ, Right(PLAIN), "gzip"),
    Nasty("packed_unsaid.csv", GZ, Right(PLAIN), "gzip that its name doesn't tell"),
    Nasty(
        "two_parts.csv.gz",
        gzip.compress(CSV[:60], mtime=0) + gzip.compress(CSV[60:], mtime=0),
        Right(PLAIN),
        "two gzip members, one after the other",
    ),
    Nasty("cut.csv.gz", GZ[:-20], Refused("cut short|damaged"), "half a download"),
    Nasty(
        "damaged.csv.gz",
        GZ[:30] + bytes((GZ[30] ^ 255,)) + GZ[31:],
        Refused("damaged|cut short"),
        "one byte is wrong",
    ),
    Nasty(
        "rubbish_after.csv.gz", GZ + b"\x01rubbish", Refused("damaged|cut short"), "something after the end"
    ),
    Nasty("empty.csv.gz", gzip.compress(b"", mtime=0), Refused("empty"), "nothing, packed"),
    Nasty("bomb.csv.gz", _gzip_bomb, Refused("unpack"), "1 GB in 1 MB"),
    Nasty("packed.zip", _zip(("orders.csv", CSV)), Right(PLAIN), "ZIP of one file"),
    Nasty(
        "outside.zip",
        _zip(("../../outside.csv", CSV)),
        Right(PLAIN),
        "a member that would be written elsewhere",
    ),
    Nasty(
        "two_files.zip",
        _zip(("a.csv", CSV), ("b.csv", CSV)),
        Refused(r"a\.csv.*b\.csv"),
        "which of the two?",
    ),
    Nasty("no_file.zip", _zip(), Refused("no_file"), "a ZIP of nothing"),
    Nasty("nested.zip", _zip(("inner.zip", _zip(("orders.csv", CSV)))), Refused("nested"), "a ZIP in a ZIP"),
    Nasty("locked.zip", _locked(), Refused("encrypt|password"), "a password is needed"),
    Nasty(
        "cut.zip", _zip(("orders.csv", CSV))[:-30], Refused("damaged|cut short"), "no directory at its end"
    ),
    Nasty("bomb.zip", _zip_bomb, Refused("unpack"), "512 MB in half a megabyte"),
    Nasty(
        "workbook.xlsx",
        _zip(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")),
        Refused("CSV"),
        "an Excel workbook",
    ),
)
