"""A browser on a running app, for journeys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Dialog, Page, ViewportSize, expect, sync_playwright

from tests.journeys.test_commands import fine
from tests.service.serving import serving
from ui.workspace import Workspace

CHECKOUT = Path(__file__).resolve().parents[2]
SCREENSHOTS = CHECKOUT / "build" / "screenshots"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-background-timer-throttling"),
    *("--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"),
)
PATIENCE_MS = 240_000
"""For whatever computes; a shared machine is slow at times."""
BEGINS_MS = 200
"""In which a run of the page has begun, and its charts after it."""
WINDOW = ViewportSize(width=1400, height=900)
AS_OF = datetime(2026, 8, 10, 10, tzinfo=UTC)
"""When the shared site's log ends."""


@contextmanager
def app(home: Path) -> Iterator[str]:
    """The app as `make app` serves it, on a free port, working in `home`; its address."""
    with serving(home / "tracetwin.duckdb") as owner:
        yield owner.url
        assert owner.end()[0] == 0


@dataclass(frozen=True)
class Site:
    """A running app."""

    place: Workspace
    address: str

    def open(self, page: Page, path: str, twin: str = "orders") -> None:
        """One of its pages, about a twin."""
        page.goto(f"{self.address}/{path}")
        settle(page)
        choose(page, "Twin", twin)

    def command(self, *arguments: str | Path) -> str:
        """What a command prints as JSON, beside the app on the same database."""
        return fine(*arguments, "--db", self.place.db, "--json")


@contextmanager
def tab(chromium: str) -> Iterator[Page]:
    """A new tab of a running browser; it must not have asked for another server, failed or alerted."""
    trouble: list[str] = []

    def note_dialog(dialog: Dialog) -> None:
        trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    with sync_playwright() as playwright:
        running = playwright.chromium.connect_over_cdp(chromium)
        page = running.contexts[0].new_page()  # The browser's own context keeps the app's scripts.
        page.set_viewport_size(WINDOW)
        page.emulate_media(color_scheme="light")
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", note_dialog)
        page.on("request", lambda request: trouble.extend(_foreign(request.url)))
        yield page
        page.close()
        running.close()
    assert trouble == []


def _foreign(address: str) -> list[str]:
    parts = urlparse(address)
    return [address] if parts.scheme.startswith("http") and parts.hostname != "127.0.0.1" else []


def choose(page: Page, label: str, option: str) -> None:
    """Take one of the options of a box, unless it stands there already."""
    box = page.get_by_role("combobox", name=label, exact=True)
    if box.input_value() != option:
        box.click()
        page.get_by_role("option", name=option, exact=True).click()
        settle(page)


def go_to(page: Page, title: str) -> None:
    """Follow a link of the side bar."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    settle(page)


def settle(page: Page) -> None:
    """Wait until a run of the page is over and its charts are drawn; it must not show an exception."""
    page.wait_for_timeout(BEGINS_MS)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') &&"
        "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')"
    )
    page.wait_for_timeout(BEGINS_MS)
    assert page.get_by_test_id("stException").all_inner_texts() == []


def screenshot(page: Page, name: str) -> None:
    """The whole page, not only what fits the window."""
    settle(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size(ViewportSize(width=1400, height=max(900, height + 20)))
    settle(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(WINDOW)


def metric(page: Page, label: str) -> str:
    """The value of the metric with this label."""
    box = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return box.get_by_test_id("stMetricValue").inner_text().strip()
