"""What each tab makes is what the command makes that it shows; what cannot be done is said in a sentence."""

import shlex
import shutil
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image
from torch import nn

from mmcgan.cli import main
from mmcgan.demo.form import asked_for, in_command, preferred, real, shown_as, whole
from mmcgan.demo.limits import Limits, Stop, StoppedError
from mmcgan.demo.page import TABS, possible_tabs
from mmcgan.demo.studio import Studio, load_models
from mmcgan.demo.tabs import any_size, compare, explore, mix, more_like_this, paint, restore, sample
from mmcgan.models.generators.base import Generator, Stages
from mmcgan.progress import progress_bar, watched
from tests.test_trust.hostile import EPS

DIGITS, INR = "omnigan_biggan_digits-16", "omni-inr_biggan_digits-16"
ATTRIBUTES = "omnigan-multi-label_biggan_two-domain-digits-16"
ICGAN, SPADE = "icgan_biggan_fashion-mnist-32", "spade-omni_scenes-64"


@pytest.fixture(scope="module")
def models():
    return load_models([DIGITS, INR, ATTRIBUTES, ICGAN, SPADE])


@pytest.fixture
def studio(models, tmp_path):
    return Studio(models, tmp_path / "page")


@pytest.fixture
def photo(tmp_path):
    levels = np.linspace(0, 255, 24 * 24 * 3).reshape(24, 24, 3).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def typed(line, folder, monkeypatch):
    """Run a command that was copied, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    for one in line.splitlines():
        assert main(shlex.split(one)[1:]) == 0
    return folder


def same(first, second):
    return np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


@pytest.mark.parametrize(
    ("name", "shown", "width"),
    [
        (DIGITS, ["3", "5"], 0),
        (DIGITS, [], 2),
        (ATTRIBUTES, ["digit=3", "digit=5", "domain=textured"], 1),
        (ICGAN, [], 0),
        (SPADE, [], 0.5),
    ],
)
def test_a_sample_is_that_of_its_command(studio, name, shown, width, tmp_path, monkeypatch):
    picture, files, line = sample.make(studio, studio.model(name), shown, 3, 7, 0, width)
    assert ("--latent-scale" in line) is (width > 0)
    there = typed(line, tmp_path / "typed", monkeypatch)
    assert same(picture, there / "samples.grid.png")
    with zipfile.ZipFile(files) as archive:
        assert sorted(archive.namelist()) == sorted(file.name for file in (there / "samples").iterdir())


@pytest.mark.parametrize("kind", [mix.BOTH, mix.CONDITION, mix.LATENT])
def test_a_strip_is_that_of_its_command(studio, kind, tmp_path, monkeypatch):
    strip, film, frames, last, first, line = mix.make(
        studio, studio.model(DIGITS), kind, "1", "4", 3, 2, None, None
    )
    there = typed(line, tmp_path / "typed", monkeypatch)
    assert same(strip, there / "strip.png")
    assert len(frames) == last + 1 == 3 and first == frames[0]
    assert Image.open(film).n_frames == 4  # there and back


def test_a_strip_between_photos_is_the_first_row_of_its_command(studio, photo, tmp_path, monkeypatch):
    other = tmp_path / "other.png"
    Image.open(photo).rotate(180).save(other)
    made = mix.make(studio, studio.model(ICGAN), mix.PHOTOS, None, None, 3, 1, photo, str(other))
    (tmp_path / "typed").mkdir()
    for file in (photo, other):
        shutil.copy(file, tmp_path / "typed")
    there = typed(made[-1], tmp_path / "typed", monkeypatch)
    sheet, strip = Image.open(there / "mix.grid.png"), Image.open(made[0])
    assert same(made[0], made[0]) and strip.size == (sheet.width, sheet.height // 3)
    assert strip.tobytes() == sheet.crop((0, 0, *strip.size)).tobytes()


def test_more_like_a_photo(studio, photo, tmp_path, monkeypatch):
    seen, picture, near, note, line = more_like_this.make(studio, studio.model(ICGAN), photo, None, 4, 3, 2)
    (tmp_path / "typed").mkdir()
    shutil.copy(photo, tmp_path / "typed")
    there = typed(line, tmp_path / "typed", monkeypatch)
    assert same(picture, there / "samples.grid.png") and Image.open(seen).size == (24, 24)
    assert (near is None) == bool(note)  # neighbours, or why there are none


def test_a_window_of_a_large_image_is_that_of_its_command(studio, tmp_path, monkeypatch):
    picture, line = any_size.make(studio, studio.model(INR), "3", 5, 6, 0.25, 1.0)
    assert "--size 1024 1024 --window 512 128 512 512" in line
    there = typed(line, tmp_path / "typed", monkeypatch)
    (file,) = (there / "samples").iterdir()
    assert same(picture, file)


def test_a_painting_is_that_of_its_command(studio, tmp_path, monkeypatch):
    drawn = {"composite": paint.held_out_drawing(studio.model(SPADE), 3), "layers": []}
    picture, file, line = paint.make(studio, studio.model(SPADE), drawn, 4)
    (tmp_path / "typed").mkdir()
    shutil.copy(file, tmp_path / "typed" / "map.png")
    there = typed(line, tmp_path / "typed", monkeypatch)
    (made,) = (there / "samples").iterdir()
    assert same(picture, made)


def test_a_drawing_in_the_colours_of_the_classes_is_their_map():
    ids = np.arange(16, dtype=np.uint8).reshape(4, 4)
    drawn = paint.label_colours(16).numpy()[ids]
    large = drawn.repeat(8, 0).repeat(8, 1)
    noisy = np.clip(large.astype(int) + 3, 0, 255).astype(np.uint8)  # as a brush's edge, or a browser, has it
    assert np.array_equal(paint.ids_of_drawing(noisy, (4, 4), 16), ids)
    clear = np.zeros((8, 8, 4), np.uint8) + 200
    clear[..., 3] = 0
    assert not paint.ids_of_drawing(clear, (4, 4), 16).any()


@pytest.mark.parametrize("kind", list(restore.TASKS))
def test_a_restoration_is_that_of_its_command(studio, photo, kind, tmp_path, monkeypatch):
    layer = np.zeros((restore.CANVAS, restore.CANVAS, 4), np.uint8)
    layer[100:200, 300:400] = 255
    drawn = {"layers": [layer]}
    picture, _, mask, line = restore.make(studio, studio.model(DIGITS), photo, kind, drawn, True, 0.01, 2, 1)
    (tmp_path / "typed").mkdir()
    shutil.copy(photo, tmp_path / "typed")
    if mask:
        shutil.copy(mask, tmp_path / "typed" / "mask.png")
    there = typed(line, tmp_path / "typed", monkeypatch)
    (made,) = [f for f in (there / "restored").glob("*.png") if "_sheet" not in f.name]
    assert same(picture, made)


def test_a_mask_lies_where_it_was_brushed(tmp_path):
    Image.new("RGB", (40, 20)).save(tmp_path / "wide.png")
    layer = np.zeros((restore.CANVAS, restore.CANVAS, 4), np.uint8)
    layer[128:256, 0:256] = 255  # the upper left quarter of the photo, which fills the canvas across
    mask = restore.mask_of({"layers": [layer]}, tmp_path / "wide.png", tmp_path / "mask.png")
    marked = np.asarray(Image.open(mask)) > 0
    assert marked.shape == (20, 40) and marked[:10, :20].all() and marked.sum() == 200


def test_directions_that_are_not_moved_along_leave_the_image(studio, tmp_path, monkeypatch):
    still, sheet, line = explore.make(studio, studio.model(DIGITS), "3", 2, *[0.0] * 5)
    moved, *_ = explore.make(studio, studio.model(DIGITS), "3", 2, 3.0, *[0.0] * 4)
    there = typed(line, tmp_path / "typed", monkeypatch)
    assert same(sheet, there / "sefa.png") and not same(still, moved)
    grid = Image.open(sheet)
    side = grid.width // 7
    # in the first row: in the middle nothing moves, at the end by 3
    assert grid.crop((3 * side, 0, 4 * side, side)).tobytes() == Image.open(still).tobytes()
    assert grid.crop((6 * side, 0, 7 * side, side)).tobytes() == Image.open(moved).tobytes()


def test_two_models_are_compared_as_their_commands_say(studio, tmp_path, monkeypatch):
    left, right, note, line = compare.make(studio, studio.model(DIGITS), INR, ["3"], 2, 1)
    there = typed(line, tmp_path / "typed", monkeypatch)
    assert same(left, there / f"of-{DIGITS}.grid.png") and same(right, there / f"of-{INR}.grid.png")
    assert "same latents" in note


# --- which tabs there are -----------------------------------------------------------------------


def test_a_model_is_on_the_tabs_of_what_it_can(studio):
    found = {tab.KEY: names for tab, names in possible_tabs(studio)}
    assert set(found) == {tab.KEY for tab in TABS}
    assert found["more"] == [ICGAN] and found["size"] == [INR] and found["paint"] == [SPADE]
    assert SPADE not in [*found["mix"], *found["restore"], *found["explore"]]


def test_a_page_of_one_model_has_the_tabs_of_that_one(models, tmp_path):
    page = Studio({DIGITS: models[DIGITS]}, tmp_path)
    assert [tab.KEY for tab, _ in possible_tabs(page)] == ["sample", "mix", "restore", "explore"]


class Foreign(Generator):
    """A generator of somebody else, which declares what it can."""

    image_size, latent_dim, num_classes = 16, 8, 0
    any_size = False

    def __init__(self, **declared):
        super().__init__()
        for name, value in declared.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("declared", "tabs"),
    [
        (dict(requires=()), {"sample", "mix"}),
        (dict(requires=("label",)), {"sample", "mix"}),
        (dict(requires=("instance",)), {"sample", "mix", "more"}),
        (dict(requires=(), any_size=True), {"sample", "mix", "size"}),
        (dict(requires=("label_map",)), {"paint"}),
        (dict(requires=(), stages=lambda: Stages([[nn.Identity()]])), {"sample", "mix", "restore"}),
    ],
)
def test_tabs_ask_what_a_generator_declares_and_not_whose_it_is(models, declared, tabs):
    from dataclasses import replace
    from types import SimpleNamespace

    record = replace(models[DIGITS].loaded.record, dataset={})
    loaded = replace(
        models[DIGITS].loaded, model=SimpleNamespace(generator=Foreign(**declared)), record=record
    )
    assert {tab.KEY for tab in TABS if tab.can(loaded)} - {"compare"} == tabs


def test_a_tab_begins_with_a_model_of_which_something_can_be_chosen(studio):
    assert preferred(studio, [DIGITS, SPADE]) == DIGITS
    assert shown_as(studio.model(DIGITS))[:2] == ["0", "1"]


def test_attributes_are_asked_for_by_group(studio):
    asked = asked_for(studio.model(ATTRIBUTES), ["digit=3", "domain=plain", "digit=5"])
    assert asked == {"attributes": {"digit": ["3", "5"], "domain": ["plain"]}}
    assert in_command(asked) == {"attributes": ["digit=3,5", "domain=plain"]}


# --- bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "3", 2.5, -1, 2**31, float("nan"), True])
def test_numbers_of_a_form_are_checked(value):
    with pytest.raises(ValueError, match="seed must be a whole number"):
        whole(value, "seed")


@pytest.mark.parametrize("value", [None, "3", -0.1, 1.1, float("nan"), float("inf")])
def test_shares_of_a_form_are_checked(value):
    with pytest.raises(ValueError, match="share must be a number from 0 to 1"):
        real(value, "share", 0, 1)


def test_more_images_than_a_page_makes_are_refused(studio):
    with pytest.raises(ValueError, match="this page makes 1 to 64"):
        sample.make(studio, studio.model(DIGITS), [], 65, 0, 0, 0)
    with pytest.raises(ValueError, match="1 to 8 of them"):
        Limits().check_count(9, (1024, 1024))
    small = Studio(studio.models, studio.folder, Limits(side=256))
    with pytest.raises(ValueError, match="this page makes images of up to 256"):
        any_size.make(small, studio.model(INR), "3", 0, 7, 0, 0)


def hostile_uploads(folder):
    """Write files that are no pictures, or larger than they look, and yield them with what is said."""
    (folder / "program.png").write_bytes(EPS)
    yield folder / "program.png", "unreadable image"
    (folder / "page.png").write_text("<script>alert(1)</script>")
    yield folder / "page.png", "unreadable image"
    (folder / "empty.jpg").write_bytes(b"")
    yield folder / "empty.jpg", "unreadable image"
    Image.new("1", (6000, 6000)).save(folder / "bomb.png")
    yield folder / "bomb.png", "6000 x 6000 are 36,000,000 pixels; this page takes"
    (folder / "heavy.bmp").write_bytes(b"BM" + bytes(17 << 20))
    yield folder / "heavy.bmp", "bytes; this page takes"
    Image.effect_noise((64, 64), 90).save(folder / "cut.png")
    (folder / "cut.png").write_bytes((folder / "cut.png").read_bytes()[:700])
    yield folder / "cut.png", "unreadable image"


def test_why_there_are_no_neighbours_is_said_without_our_folders(studio, photo):
    _, _, near, note, _ = more_like_this.make(studio, studio.model(ICGAN), photo, None, 1, 0, 5)
    assert ("cannot be shown here" in note) is (near is None)
    assert "/" not in note
    assert near or "comes without the store of instances" in note


def test_hostile_uploads_get_a_sentence(studio, tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    for file, said in hostile_uploads(folder):
        with pytest.raises((ValueError, OSError), match=said):
            more_like_this.make(studio, studio.model(ICGAN), str(file), None, 1, 0, 0)
        with pytest.raises((ValueError, OSError), match=said):
            restore.make(studio, studio.model(DIGITS), str(file), "enlarge", None, True, 0.01, 1, 0)
    with pytest.raises(ValueError, match="choose a picture first"):
        more_like_this.make(studio, studio.model(ICGAN), None, None, 1, 0, 0)


def test_a_request_that_takes_too_long_is_ended_and_the_next_one_is_done(models, tmp_path):
    slow = Studio({DIGITS: models[DIGITS]}, tmp_path, Limits(seconds=0.0))
    with pytest.raises(StoppedError, match="takes longer than the 0 s"), slow.working("a"):
        sample.make(slow, slow.model(DIGITS), [], 2, 0, 0, 0)
    fast = Studio(slow.models, tmp_path)
    with fast.working("a"):
        sample.make(fast, fast.model(DIGITS), [], 2, 0, 0, 0)


def test_a_restoration_stops_when_it_is_asked_to(studio, photo):
    begun, steps = threading.Event(), []

    def report(what, done, total):
        steps.append(done)
        begun.set()

    def ask():
        begun.wait(60)
        assert studio.stop("mine") and not studio.stop("another's")

    asking = threading.Thread(target=ask)
    asking.start()
    with pytest.raises(StoppedError, match="stopped"), studio.working("mine", report):
        restore.make(studio, studio.model(DIGITS), photo, "give colours", None, True, 1, 500, 0)
    asking.join()
    assert len(steps) < 1000
    assert not studio.stop("mine")  # nothing runs any more


def test_a_watcher_is_told_of_every_step_and_only_inside():
    told = []
    with watched(lambda *step: told.append(step)), progress_bar("Work", 2) as advance:
        advance()
        advance()
    with progress_bar("Work", 1) as advance:
        advance()
    assert told == [("Work", 0, 2), ("Work", 1, 2), ("Work", 2, 2)]
    stop = Stop(60)
    stop.ask()
    with pytest.raises(StoppedError), watched(stop), progress_bar("Work", 2):
        raise AssertionError("not reached")


def test_only_the_newest_results_stay(models, tmp_path):
    page = Studio({DIGITS: models[DIGITS]}, tmp_path, Limits(kept=3))
    made = [page.new_folder() for _ in range(6)]
    assert [folder.is_dir() for folder in made] == [False] * 3 + [True] * 3
