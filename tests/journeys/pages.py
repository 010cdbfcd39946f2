"""A browser on a running app, for journeys."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import urlopen

import pytest
from playwright.sync_api import Dialog, Page, expect, sync_playwright

CHECKOUT = Path(__file__).resolve().parents[2]
SCREENSHOTS = CHECKOUT / "build" / "screenshots"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 240_000
"""For whatever computes; a shared machine is slow at times."""


@contextmanager
def app(home: Path) -> Iterator[str]:
    """The app on a free port, working in `home`; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "app.py"), f"--server.port={port}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=CHECKOUT,
            env={**os.environ, "TRACETWIN_HOME": str(home)},
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/_stcore/health", home / "server.log")
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address: str, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the app did not start: {log.read_text()}")


@contextmanager
def browser(dark: bool = False) -> Iterator[Page]:
    """A page of Debian's chromium; it must not have asked for another server, failed or alerted."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    trouble: list[str] = []

    def note_dialog(dialog: Dialog) -> None:
        trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = running.new_page(
            viewport={"width": 1400, "height": 900}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", note_dialog)
        page.on("request", lambda request: trouble.extend(_foreign(request.url)))
        try:
            yield page
        except BaseException:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / "failed.png")
            raise
        running.close()
    assert trouble == []


def _foreign(address: str) -> list[str]:
    parts = urlparse(address)
    return [address] if parts.scheme.startswith("http") and parts.hostname != "127.0.0.1" else []


def go_to(page: Page, title: str) -> None:
    """Follow a link of the side bar."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    settle(page)


def settle(page: Page) -> None:
    """Wait until a run of the page is over and its charts are drawn; it must not show an exception."""
    page.wait_for_timeout(500)
    page.wait_for_function(
        "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')"
    )
    page.wait_for_timeout(500)
    assert page.get_by_test_id("stException").all_inner_texts() == []


def screenshot(page: Page, name: str) -> None:
    """The whole page, not only what fits the window."""
    settle(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": 1400, "height": max(900, height + 20)})
    settle(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size({"width": 1400, "height": 900})


def metric(page: Page, label: str) -> str:
    """The value of the metric with this label."""
    box = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return box.get_by_test_id("stMetricValue").inner_text().strip()
