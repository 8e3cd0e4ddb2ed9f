"""A browser for tests: a chromium, driven by playwright; what is missing is the reason of a skip."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def need_browser():
    """Skip the test, with what is missing, where a page cannot be tried."""
    pytest.importorskip("gradio", reason="the extra demo is not installed: pip install 'mmcgan[demo]'")
    pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
    if executable() is None:
        pytest.skip("no browser: apt install chromium")


def executable():
    """Return the path of a browser, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Watched:
    """A page of the browser, and what it asked for.

    Attributes:
        page: of playwright.
        asked: addresses that it fetched, or would have.
        faults: errors that its scripts reported.
    """

    def __init__(self, page):
        self.page, self.asked, self.faults = page, [], []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def outside(self, address):
        """Return what was asked of another place than ``address``."""
        own = (address, "data:", "blob:", address.replace("http", "ws", 1))
        return [url for url in self.asked if not url.startswith(own)]

    def open_tab(self, title):
        self.page.get_by_role("tab", name=title, exact=True).click()

    def run(self, key, shown="picture", timeout=120):
        """Press a tab's button and wait for its picture; return the command."""
        before = self.page.locator(f"#{key}-{shown} img")
        old = before.first.get_attribute("src") if before.count() else None
        self.page.click(f"#{key}-run")
        self.page.wait_for_function(
            "([id, old]) => { const i = document.querySelector(id); return i && i.src && i.src !== old; }",
            arg=[f"#{key}-{shown} img", old],
            timeout=timeout * 1000,
        )
        return self.page.input_value(f"#{key}-command textarea")

    def upload(self, part, file):
        self.page.set_input_files(f"#{part} input[type=file]", file)
        self.page.wait_for_function(
            "([id, name]) => document.querySelector(id).innerText.includes(name)",
            arg=[f"#{part}", Path(file).stem[:8]],
            timeout=30_000,
        )

    def stroke(self, part, *points):
        """Draw a line through points, given as shares of the canvas of an editor."""
        canvas = self.page.locator(f"#{part} canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        mouse = self.page.mouse
        for number, (x, y) in enumerate(points):
            mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
            if number == 0:
                mouse.down()
        mouse.up()

    def picture(self, name):
        """Keep a picture of the page where ``MMCGAN_SCREENSHOTS`` names a folder, to be looked at."""
        folder = os.environ.get("MMCGAN_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True, timeout=120_000)


@contextmanager
def browser_at(address):
    """Give a function that opens watched pages of one browser."""
    from playwright.sync_api import sync_playwright

    # root has no user namespace for chromium's sandbox
    unboxed = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable(), args=unboxed)
        try:

            def open_page():
                watched = Watched(browser.new_page(viewport={"width": 1280, "height": 1400}))
                watched.page.goto(address)
                watched.page.wait_for_selector("#sample-run", timeout=120_000)
                return watched

            yield open_page
        finally:
            browser.close()
