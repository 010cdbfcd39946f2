"""The process that owns a file: found, obeyed, survived."""

import http.client
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from eventlogs.historian import Historian
from eventlogs.owner import sidecar
from eventlogs.owner.client import RemoteHistorian, methods_version
from eventlogs.owner.opening import open_historian
from eventlogs.owner.sidecar import Owner
from metagraph.errors import DataError
from tests.eventlogs.logs import Row, write
from tests.service.serving import PATIENCE_S, Serving, note, serving, start

ROWS = [Row("1", "A", "r", 0.0, 60.0), Row("1", "B", None, 90.0, 120.0), Row("2", "A", "r", 70.0, None)]
pytestmark = pytest.mark.timeout(2 * PATIENCE_S)


def ask(
    owner: Serving, path: str, token: str | None = None, method: str = "GET", host: str | None = None
) -> tuple[int, bytes]:
    place = urlsplit(owner.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, headers=headers | ({"Host": host} if host else {}))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def remote(db: Path) -> RemoteHistorian:
    historian = open_historian(db)
    assert isinstance(historian, RemoteHistorian)
    return historian


def test_an_owner_is_found_serves_and_stops(tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    log = write(tmp_path / "log.csv", ROWS)
    with serving(db) as owner:
        assert stat.S_IMODE(note(db).stat().st_mode) == 0o600
        assert json.loads(note(db).read_text())["pid"] == owner.process.pid
        with pytest.raises(DataError, match="in use"):
            Historian(db)
        assert remote(db).import_log(log).events == 3
        status, health = ask(owner, "/api/health")
        assert status == 200
        assert json.loads(health)["pid"] == owner.process.pid
        assert owner.token not in health.decode()
        assert json.loads(ask(owner, "/api/logs")[1])[0]["name"] == "log"
        assert json.loads(ask(owner, "/api/logs/log/state")[1])["log"] == "log"
        assert {"/health", "/logs", "/models"} <= set(json.loads(ask(owner, "/api/openapi.json")[1])["paths"])
        page = ask(owner, "/api/docs")[1].decode()
        assert "<code>/api/health</code>" in page
        assert "http" not in page
        assert b"<title>Streamlit</title>" in ask(owner, "/")[1]
        for wrong in (None, "guess"):
            assert ask(owner, "/api/historian/logs", wrong, "POST")[0] == 401
        assert ask(owner, "/api/historian/close", owner.token, "POST")[0] == 404
        assert ask(owner, "/api/historian/logs", owner.token)[0] == 404
        assert ask(owner, "/api/logs", host="evil.example")[0] == 401

        again = start("serve", "--db", os.path.relpath(db), "--port", "0", cwd=Path.cwd())
        said, _ = again.communicate(timeout=PATIENCE_S)
        assert again.returncode == 0
        assert f"is already served at {owner.url} (process {owner.process.pid})" in said

        assert owner.end() == (0, "")
    assert not note(db).exists()
    assert not (tmp_path / "x.duckdb.wal").exists()
    with open_historian(db, read_only=True) as historian:
        assert not isinstance(historian, RemoteHistorian)
        assert [info.name for info in historian.logs()] == ["log"]


def test_a_port_in_use_is_told_and_the_next_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with serving(tmp_path / "x.duckdb", port=port) as owner:
            taken = urlsplit(owner.url).port
            assert taken is not None
            assert port < taken <= port + 20
            assert owner.end(signal.SIGINT) == (0, "")
    done = start("serve", "--db", "y.duckdb", "--host", "192.0.2.1", cwd=tmp_path)
    assert "--host 192.0.2.1" in done.communicate(timeout=PATIENCE_S)[1]
    assert done.returncode == 2
    assert not note(tmp_path / "y.duckdb").exists()


@contextmanager
def impostor(answer: bytes) -> Iterator[str]:
    """Another program on the port of a note."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(10_000)
                    connection.sendall(answer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


HTTP = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n", HTTP + b"hello", HTTP + b'{"pid": 1}', HTTP + b"[]", b"", None],
    ids=["ssh", "text", "other owner", "list", "silence", "nobody"],
)
def test_a_note_left_behind_is_ignored_and_cleaned(tmp_path: Path, answer: bytes | None) -> None:
    db = tmp_path / "x.duckdb"
    with Historian(db):
        pass
    with impostor(answer or b"") as url:
        place = "http://127.0.0.1:1" if answer is None else url
        # Our own number: the process lives, and is not the owner.
        sidecar.write(db, Owner(os.getpid(), place, "t", "2020-01-01T00:00:00+00:00", methods_version()))
        with open_historian(db, read_only=True) as historian:
            assert not isinstance(historian, RemoteHistorian)
    assert not note(db).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "more": 2}', "\x00"])
def test_a_broken_note_is_no_owner(tmp_path: Path, text: str) -> None:
    db = tmp_path / "x.duckdb"
    note(db).write_text(text)
    with open_historian(db) as historian:
        assert historian.logs() == ()
    assert not note(db).exists()


def test_another_version_and_an_owner_that_hangs_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "x.duckdb"
    monkeypatch.setattr(sidecar, "PATIENCE_S", 0.5)
    with serving(db) as owner:
        truth = sidecar.read(db)
        assert truth is not None
        sidecar.write(db, replace(truth, version="0.0.1"))
        with pytest.raises(
            DataError, match=rf"process {truth.pid} .* of another version than this command; stop"
        ):
            open_historian(db)
        sidecar.write(db, truth)
        owner.process.send_signal(signal.SIGSTOP)
        told: list[str] = []
        with pytest.raises(
            DataError, match=rf"process {truth.pid} .*, which doesn't answer; stop that process"
        ):
            open_historian(db, on_wait=told.append, wait_s=0.1)
        owner.process.send_signal(signal.SIGCONT)
        assert remote(db).logs() == ()


def test_an_owner_waits_for_a_command_and_a_command_for_an_owner(tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    told: list[str] = []
    with Historian(db) as historian:
        late = start("serve", "--db", db, "--port", "0", cwd=tmp_path)
        assert late.stderr is not None
        assert "is in use by another process; waiting" in late.stderr.readline()
        assert not note(db).exists()
        historian.save_model("first", "{}")
    assert late.stdout is not None
    assert "Serving" in late.stdout.readline()
    late.send_signal(signal.SIGSTOP)
    awake = threading.Timer(1.0, late.send_signal, (signal.SIGCONT,))
    awake.start()
    with open_historian(db, on_wait=told.append) as found:
        assert [model.name for model in found.list_models()] == ["first"]
    late.terminate()
    assert late.communicate(timeout=PATIENCE_S)[1] == ""
    assert late.returncode == 0


def test_who_has_an_owner_goes_on_alone_when_it_dies_or_stops(tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    log = write(tmp_path / "log.csv", ROWS)
    with serving(db) as first:
        historian = remote(db)
        historian.import_log(log)
        first.end(signal.SIGKILL)
        assert note(db).exists()
        with serving(db) as second:
            assert historian.snapshot("log").n_events == 3
            assert historian.owner.pid == second.process.pid
            second.end()
            with historian:
                assert historian.save_model("m", "{}") == 1
                with pytest.raises(DataError, match="there is no log 'x'"):
                    historian.report("x")
    with Historian(db) as alone:
        assert alone.snapshot("log").n_events == 3
        assert len(alone.list_models()) == 1


SLOW = 200_000
"""Rows that take some seconds to be taken in."""


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.csv"
    with path.open("w") as file:
        file.write("case_id,activity,resource,start_time,end_time\n")
        file.writelines(
            f"{i // 8},A{i % 8},r{i % 50},2024-03-{day:02d}T08:00:00Z,2024-03-{day:02d}T09:00:00Z\n"
            for i, day in ((i, 1 + i % 28) for i in range(SLOW))
        )
    return path


class _GoneError(Exception):
    """The user stopped the work."""


def test_readers_read_beside_an_import_and_writers_wait_for_it(tmp_path: Path, long_log: Path) -> None:
    db = tmp_path / "x.duckdb"
    with serving(db):
        remote(db).import_log(write(tmp_path / "log.csv", ROWS))
        steps: list[tuple[float, str]] = []
        at_work, told = threading.Event(), list[str]()

        def tell(step: str, share: float) -> None:
            steps.append((time.monotonic(), step))
            at_work.set()

        def waits(sentence: str) -> None:
            told.append(sentence)

        importing = threading.Thread(target=lambda: remote(db).import_log(long_log, progress=tell))
        importing.start()
        assert at_work.wait(PATIENCE_S)
        read_at: list[float] = []
        while importing.is_alive() and len(read_at) < 5:
            assert remote(db).logs()[0].name == "log"
            assert remote(db).snapshot("log").n_events == 3
            read_at.append(time.monotonic())
        with open_historian(db, on_wait=waits) as writer:
            assert writer.save_model("m", "{}") == 1
        importing.join(PATIENCE_S)
        assert [info.name for info in remote(db).logs()] == ["log", "long"]
    assert read_at[0] < steps[-1][0]
    assert steps[-1][1] == "done"
    assert told in ([], [f"{db} is being written; 1 before this"])


ASKS = """
import sys
from eventlogs.owner.opening import open_historian
with open_historian(sys.argv[1]) as historian:
    historian.import_log(sys.argv[2], progress=lambda step, share: print("at work", flush=True))
"""


def test_a_caller_that_goes_away_leaves_nothing(tmp_path: Path, long_log: Path) -> None:
    db = tmp_path / "x.duckdb"

    def stop(step: str, share: float) -> None:
        raise _GoneError

    with serving(db) as owner:
        with pytest.raises(_GoneError):
            remote(db).import_log(long_log, progress=stop)
        client = start("-c", ASKS, db, long_log, cwd=tmp_path)
        assert client.stdout is not None
        assert client.stdout.readline() == "at work\n"
        client.kill()
        assert client.wait(PATIENCE_S) == -signal.SIGKILL
        assert remote(db).save_model("m", "{}") == 1
        assert remote(db).logs() == ()
        assert owner.end() == (0, "")


@pytest.mark.parametrize(
    ("sign", "moment", "known"),
    [
        (signal.SIGKILL, "reading", True),
        (signal.SIGKILL, "parsing", False),
        (signal.SIGTERM, "reading", True),
        (signal.SIGTERM, "parsing", True),
    ],
)
def test_the_file_opens_whenever_the_owner_ends(
    tmp_path: Path, long_log: Path, sign: signal.Signals, moment: str, known: bool
) -> None:
    """A command goes on alone, but for one whose change was being written when the owner was killed."""
    db = tmp_path / "x.duckdb"
    with serving(db) as owner:
        historian = remote(db)

        def tell(step: str, share: float) -> None:
            if step == moment and owner.process.returncode is None:
                owner.process.send_signal(sign)
                owner.process.wait(PATIENCE_S)

        with historian:
            if known:
                assert historian.import_log(long_log, progress=tell).events == SLOW
            else:
                with pytest.raises(
                    DataError, match=r"ended while import_log was being written; the file holds all"
                ):
                    historian.import_log(long_log, progress=tell)
        assert owner.process.returncode == (-signal.SIGKILL if sign is signal.SIGKILL else 0)
    with open_historian(db) as after:
        assert [info.report.events for info in after.logs()] in ([], [SLOW])
        assert after.import_log(long_log).events == SLOW
    assert not note(db).exists()
