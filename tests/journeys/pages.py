"""A browser on a running app, for journeys."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Dialog, Page, expect, sync_playwright

from tests.service.serving import serving

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
    """The app as `make app` serves it, on a free port, working in `home`; its address."""
    with serving(home / "tracetwin.duckdb") as owner:
        yield owner.url
        assert owner.end()[0] == 0


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
