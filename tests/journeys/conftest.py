"""What page tests share: one browser, and one app whose workspace holds the known twin with days of its log.

Each worker starts both once. A test that needs an empty workspace, or a database of its own, starts its own.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from metagraph.model import Provenance
from tests.journeys.pages import AS_OF, FLAGS, SCREENSHOTS, Site, app, tab
from tests.journeys.test_commands import fine
from tests.service.serving import PATIENCE_S
from tests.twin.small import known_log
from ui.workspace import ChosenLog, Workspace


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address at which Debian's chromium is driven."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    profile = tmp_path_factory.mktemp("profile")
    port = profile / "DevToolsActivePort"
    with subprocess.Popen(
        [program, *FLAGS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            end = time.monotonic() + PATIENCE_S
            while not port.exists() or port.read_text().count("\n") < 1:
                assert process.poll() is None, "chromium ended by itself"
                assert time.monotonic() < end, "chromium doesn't listen"
                time.sleep(0.05)
            number, path = port.read_text().splitlines()
            yield f"ws://127.0.0.1:{number}{path}"
        finally:
            process.terminate()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A picture of the page on which a test failed."""
    report = yield
    shown = getattr(item, "funcargs", {}).get("page")
    if call.when == "call" and report.failed and shown is not None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        shown.screenshot(path=SCREENSHOTS / "failed.png")
    return report


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    """A new tab; it must not have asked for another server, failed or alerted."""
    with tab(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The twin 'orders' is the known one at AS_OF; others may be put beside it under names of their own."""
    place = Workspace(tmp_path_factory.mktemp("site"))
    log = known_log(place.home / "orders.csv", (AS_OF - START) / timedelta(days=1))
    known = Provenance("orders", "", START, AS_OF, 0, 0, 0, 0, cycle_s=2 * 86400.0)
    place.choose("orders", ChosenLog(str(log), "orders", {}, None, "UTC", False))
    save(replace(known_twin(), provenance=known), place.twin("orders"))
    fine("import", "take", log, "--db", place.db)
    with app(place.home) as address:
        yield Site(place, address)
