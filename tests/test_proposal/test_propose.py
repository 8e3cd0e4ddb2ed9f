"""From three very different folders to configs that train, with reasons that are true."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmcgan.config import load_config
from mmcgan.proposal import propose as module
from mmcgan.proposal.choices import (
    LEAST_SEEN,
    Width,
    choose_method,
    enough,
    iterations_in,
    neighbours_for,
    widths_for,
)
from mmcgan.proposal.config_text import config_text
from mmcgan.proposal.measure import measure_step
from mmcgan.proposal.propose import propose
from mmcgan.proposal.survey import Survey
from tests.test_proposal.test_survey import picture


def seen(count=1000, classes=None, **changes):
    made = Survey(
        Path("images"), count, classes, None if classes else "none", count, (64, 80, 200), 0.5, 0.0, {}
    )
    return replace(made, **changes)


def test_classes_are_learnt_where_there_are_enough_images_of_each():
    method = choose_method(seen(classes={"a": 500, "b": 500}))
    assert method.labelled and not method.instances and "omnigan" in method.base and not method.empirical
    uneven = choose_method(seen(classes={"a": 900, "b": 100}))
    assert uneven.empirical and any("9.0 times" in choice.reason for choice in uneven.choices)
    thin = choose_method(seen(classes={"a": 900, "b": 3}))
    assert not thin.labelled


def test_without_classes_instances_are_learnt_or_nothing_of_the_kind():
    assert choose_method(seen(542)).instances
    few = choose_method(seen(40))
    assert not few.instances and not few.labelled and "unconditional" in few.base


def test_small_sets_are_changed_in_front_of_the_discriminator():
    assert "colour" in choose_method(seen(1000)).policy
    assert "colour" not in choose_method(seen(1000, gray=1.0)).policy
    assert choose_method(seen(60_000)).policy == ()


def test_images_are_not_enlarged_and_batches_fit():
    assert all(width.image_size == 32 for width in widths_for(seen(shorter_sides=(20, 28, 30)), cuda=False))
    assert widths_for(seen(), cuda=True)[0].image_size == 64  # half of the images are smaller than 128
    assert widths_for(seen(shorter_sides=(64, 300, 400)), cuda=True)[0].image_size == 256
    assert all(width.batch_size <= 10 for width in widths_for(seen(20), cuda=False))


def test_iterations_fit_into_the_time_and_say_when_they_are_too_few():
    assert iterations_in(3600, 0.3) * 0.3 <= 3600 and iterations_in(3600, 0.3) == 10_000
    assert iterations_in(1, 100) == 1
    width = Width(64, 32, 32)
    needed = LEAST_SEEN[64] / 32
    assert enough(width, 1.0, needed / 0.84) and not enough(width, 1.0, needed / 0.86)
    assert [neighbours_for(count) for count in (6, 260, 10_000)] == [5, 13, 50]


@pytest.fixture
def quick(monkeypatch):
    """Narrow networks only, so that a test takes seconds; what is measured is real."""
    monkeypatch.setattr(module, "widths_for", lambda seen, cuda: [Width(32, 8, min(8, seen.count // 2))])
    monkeypatch.setattr(module, "_downloaded", lambda: None)
    monkeypatch.setattr(module, "MOST_UPDATES", 20)
    monkeypatch.setattr(module, "SSL_BATCH", 16)


def photographs(root):
    for number, name in enumerate(("lakes", "woods")):
        (root / name).mkdir(parents=True)
        for copy in range(12):
            picture(50 * number + copy, (50 + copy, 40)).save(root / name / f"{copy}.jpg")


def icons(root):
    root.mkdir()
    for number in range(210):
        image = picture(number, (24, 24)).convert("RGBA")
        image.putalpha(Image.new("L", (24, 24), 200))
        image.save(root / f"{number}.png")


def forty(root):
    root.mkdir()
    for number in range(40):
        picture(number, (40, 32)).save(root / f"{number}.webp")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [(photographs, "omnigan"), (icons, "icgan"), (forty, "biggan-unconditional")],
    ids=["labelled photographs", "icons with alpha", "40 images"],
)
def test_a_folder_becomes_a_config_that_trains(folder, expected, quick, tmp_path):
    folder(tmp_path / "images")
    said = []
    made = propose(tmp_path / "images", tmp_path / "gan", hours=0.01, say=said.append)
    text = made.config.read_text()
    assert expected in text and len(text.splitlines()) < 70
    assert made.step > 0 and made.iterations * made.step <= 0.01 * 3600
    assert all(choice.reason in text for choice in made.choices)
    assert any("s an iteration on this machine" in line for line in said)
    assert load_config(made.config).train_cfg.max_iters == made.iterations
    assert measure_step(made.config, steps=2) > 0  # it does train
    if expected == "icgan":
        assert (tmp_path / "gan" / "instances").is_dir()
        assert any("by pixels" in line for line in said)
    with pytest.raises(FileExistsError, match="choose another --out"):
        propose(tmp_path / "images", tmp_path / "gan", hours=0.01)


def test_every_config_that_can_be_written_is_valid(tmp_path):
    photographs(tmp_path / "images")
    judge = dict(type="SmallClassifier", weights="digits-16")
    for classes in ({"a": 900, "b": 100}, None):
        for count, gray in ((40, 0.0), (60_000, 1.0)):
            method = choose_method(seen(count, classes, gray=gray))
            if method.instances:
                continue
            file = tmp_path / f"{count}-{classes is None}.py"
            file.write_text(
                config_text(tmp_path / "images", method, Width(32, 16, 4), 1234, count, None, judge)
            )
            load_config(file)


@pytest.mark.parametrize("hours", [0, -1, float("nan")])
def test_no_time_is_refused(hours, tmp_path):
    with pytest.raises(ValueError, match="--hours"):
        propose(tmp_path, tmp_path / "out", hours=hours)


def test_images_that_cannot_be_read_are_named_before_anything_is_made(tmp_path):
    forty(tmp_path / "images")
    (tmp_path / "images" / "holiday.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"holiday\.jpg"):
        propose(tmp_path / "images", tmp_path / "out", say=lambda line: None)
    assert not (tmp_path / "out").exists()


def test_measuring_leaves_nothing_and_stops_at_what_is_too_slow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert measure_step("biggan_digits-16", longest=0.0) > 0
    assert measure_step("biggan_digits-16", steps=2) > 0
    assert list(tmp_path.iterdir()) == []
