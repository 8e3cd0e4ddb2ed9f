"""Every tab once in a real browser: what it shows, that it asks nobody else, and what a bad upload gets."""

import shlex

import pytest
from PIL import Image

from mmcgan.cli import main
from tests.test_demo.browser import browser_at, need_browser

pytestmark = pytest.mark.slow  # a server and a browser: a minute or two

TITLES = ["Sample", "Mix", "More like this", "Any size", "Paint", "Restore", "Explore", "Compare"]


#: a model for each kind of tab
MODELS = [
    "omnigan_biggan_fashion-mnist-32",
    "omni-inr_biggan_fashion-mnist-32",
    "icgan_biggan_fashion-mnist-32",
    "spade-omni_scenes-64",
]


@pytest.fixture(scope="module")
def site():
    """Give the page's address, what does its work, a function that opens it, and every page opened."""
    need_browser()
    from mmcgan.demo.serve import serving

    pages = []
    with serving(MODELS) as (address, studio), browser_at(address) as open_page:
        yield address, studio, open_page, pages


@pytest.fixture
def watched(site):
    """Give a page of its own: without a graphics card, two open drawings are slow."""
    _, _, open_page, pages = site
    pages.append(open_page())
    yield pages[-1]
    pages[-1].page.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A picture of a shirt, made by a model."""
    out = tmp_path_factory.mktemp("photo")
    assert (
        main(["sample", "biggan_fashion-mnist-32", "--labels", "6", "--num", "1", "--out", str(out / "s")])
        == 0
    )
    (file,) = (out / "s").iterdir()
    Image.open(file).resize((256, 256), Image.Resampling.BICUBIC).save(out / "shirt.png")
    return out / "shirt.png"


def shown_pixels(watched, part):
    """Return the picture that a part shows, as the server sends it."""
    import io

    source = watched.page.locator(f"#{part} img").first.get_attribute("src")
    answer = watched.page.request.get(source)
    assert answer.ok
    return Image.open(io.BytesIO(answer.body())).convert("RGB")


def test_the_page_has_the_tabs_of_its_models(watched):
    assert [tab.inner_text() for tab in watched.page.get_by_role("tab").all()] == TITLES


def test_sample_shows_what_the_command_makes(watched, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watched.open_tab("Sample")
    watched.page.fill("#sample-seed input", "5")
    line = watched.run("sample")
    watched.picture("sample")
    assert "--seed 5" in line
    assert main(shlex.split(line)[1:]) == 0
    assert shown_pixels(watched, "sample-picture").tobytes() == Image.open("samples.grid.png").tobytes()


def test_mix(watched):
    watched.open_tab("Mix")
    line = watched.run("mix", "strip")
    watched.page.locator("#mix-at input[type=number]").fill("4")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_timeout(1000)
    watched.picture("mix")
    assert line.startswith("mmcgan interpolate")


def test_more_like_this(watched, photo):
    watched.open_tab("More like this")
    watched.upload("more-photo", photo)
    line = watched.run("more")
    watched.picture("more")
    assert "--instances shirt.png" in line


def test_any_size(watched):
    watched.open_tab("Any size")
    line = watched.run("size")
    watched.picture("size")
    assert "--size 512 512" in line
    assert shown_pixels(watched, "size-picture").size == (512, 512)


def test_paint(watched):
    watched.open_tab("Paint")
    watched.page.wait_for_selector("#paint-drawing canvas")
    watched.page.wait_for_timeout(1500)
    first = watched.run("paint") and shown_pixels(watched, "paint-picture").tobytes()
    watched.stroke("paint-drawing", (0.2, 0.2), (0.8, 0.8), (0.2, 0.8))
    watched.page.wait_for_timeout(500)
    line = watched.run("paint")
    watched.picture("paint")
    assert "--label-maps map.png" in line
    assert shown_pixels(watched, "paint-picture").tobytes() != first


def test_restore_what_is_brushed_out(watched, photo):
    watched.open_tab("Restore")
    watched.upload("restore-photo", photo)
    watched.page.wait_for_timeout(2500)
    watched.stroke("restore-drawing", (0.45, 0.4), (0.55, 0.6))
    watched.page.wait_for_timeout(500)
    line = watched.run("restore", timeout=240)
    watched.picture("restore")
    assert "--mask mask.png" in line and "--task inpaint" in line


def test_explore(watched):
    watched.open_tab("Explore")
    line = watched.run("explore")
    watched.picture("explore")
    assert line.startswith("mmcgan sefa")


def test_compare(watched):
    watched.open_tab("Compare")
    line = watched.run("compare", "right")
    watched.picture("compare")
    assert line.count("mmcgan sample") == 2


def test_a_bad_upload_gets_a_sentence(watched, tmp_path):
    bad = tmp_path / "holiday.png"
    bad.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n")
    watched.open_tab("More like this")
    watched.upload("more-photo", bad)
    watched.page.click("#more-run")
    watched.page.get_by_text("holiday.png: unreadable image").first.wait_for(timeout=60_000)
    watched.picture("refused")
    assert "mmcgan-demo-" not in watched.page.inner_text("body")


def test_a_restoration_can_be_stopped(site, watched, photo):
    _, studio, _, _ = site
    watched.open_tab("Restore")
    watched.upload("restore-photo", photo)
    watched.page.locator("#restore-kind").get_by_text("give colours").click()
    watched.page.locator("#restore-share input[type=number]").fill("1")
    watched.page.locator("#restore-run").click()
    for _ in range(300):
        if studio.busy:
            break
        watched.page.wait_for_timeout(100)
    assert studio.busy
    watched.page.locator("#restore-stop").click()
    watched.page.get_by_text("stopped", exact=True).first.wait_for(timeout=60_000)
    assert not studio.busy


def test_nothing_was_asked_of_anybody_else(site):
    address, _, _, pages = site
    assert pages, "run with the tests above"
    assert [url for page in pages for url in page.outside(address)] == []
    assert [fault for page in pages for fault in page.faults] == []
