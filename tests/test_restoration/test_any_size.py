"""Restoring whole images, at any factor, with a generator that makes any size; what else is written."""

import numpy as np
import pytest
from PIL import Image

from mmcgan import memory
from mmcgan.cli import main
from mmcgan.restoration import RestoreOptions, Stage, load_prior, restore
from tests.test_restoration.digits import digit_file

MODEL = "omni-inr_biggan_digits-16"
STAGES = [Stage(6, 1e-3, 1e-2, depth=3)]


@pytest.fixture(scope="module")
def prior():
    return load_prior(MODEL)


@pytest.fixture
def digit(tmp_path):
    """A digit of 16 x 24 pixels."""
    return digit_file(tmp_path, width=24)


def options(**settings):
    return RestoreOptions(candidates=4, **settings)


def run(prior, image, task="reconstruct", **settings):
    return restore(prior, [image], task, STAGES, out=image.parent / "out", options=options(**settings))[0]


def test_the_whole_image_comes_out_at_any_size(prior, digit):
    result = run(prior, digit, "colorize", render=50, gif=True)
    assert Image.open(result.picture).size == (75, 50)
    assert 0 < result.figures["ssim"] < 1
    with Image.open(digit.parent / "out" / "three_colorize.gif") as animation:
        assert animation.n_frames > 3
        assert animation.height >= 100


@pytest.mark.parametrize(("factor", "size"), [(1, (12, 8)), (4.6, (55, 37)), (60, (720, 480))])
def test_small_images_grow_by_any_factor(prior, digit, factor, size):
    Image.open(digit).resize((12, 8)).save(digit)
    result = run(prior, digit, "sr", factor=factor, degraded=True)
    assert Image.open(result.picture).size == size
    assert result.figures == {}


def test_an_original_is_shrunk_by_any_factor(prior, digit):
    assert run(prior, digit, "sr", factor=2.5).figures["psnr"] > 5


def test_a_fixed_size_grows_small_squares_to_it(digit):
    fixed = load_prior("omnigan_biggan_digits-16")
    Image.open(digit).resize((9, 5)).save(digit)
    with pytest.raises(ValueError, match=r"16 x 16 only, 3\.2 times the 5 x 5 of three.png"):
        run(fixed, digit, "sr", degraded=True, factor=2)
    assert Image.open(run(fixed, digit, "sr", degraded=True).picture).size == (16, 16)


def test_too_much_memory_is_refused_before_work(prior, digit, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 10**7)
    with pytest.raises(ValueError, match=r"three.png: an image of 9600 x 14400 would take 6.6 GB.*--factor"):
        run(prior, digit, "sr", factor=600, degraded=True)
    monkeypatch.setattr("mmcgan.restoration.reading.available_memory", lambda: 10**7)
    with pytest.raises(
        ValueError, match=r"tuning a generator at 400 x 600 takes about 0.8 GB.*smaller --size"
    ):
        run(prior, digit, size=400)
    assert not (digit.parent / "out").exists()


def test_another_class_has_no_truth_to_compare_with(prior, digit):
    result = run(prior, digit, "transfer", label=3, to_label=8)
    assert result.figures == {} and Image.open(result.picture).size == (24, 16)


def test_an_animation_asked_for_later_is_made(prior, digit):
    run(prior, digit)
    assert run(prior, digit).skipped
    assert not run(prior, digit, gif=True).skipped
    assert run(prior, digit, gif=True).skipped


def test_a_morph_that_was_interrupted_is_completed(prior, digit):
    other, out = digit.parent / "other.png", digit.parent / "out"
    Image.open(digit).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(other)
    restore(prior, [digit, other], "morph", STAGES, out=out, options=options())
    strip = out / "three_to_other.png"
    shape = Image.open(strip).size
    strip.unlink()
    restore(prior, [digit, other], "morph", STAGES, out=out, options=options())
    assert Image.open(strip).size == shape
    assert shape[0] > 11 * 1.4 * shape[1]


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16", "1", "P"])
def test_gray_and_transparent_images_have_a_meaning(prior, digit, mode):
    """Gray becomes three equal channels; transparency is laid over white."""
    image = Image.open(digit)
    image = (
        Image.fromarray(np.asarray(image).astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    )
    image.save(digit)
    assert run(prior, digit).figures["psnr"] > 3


def test_a_missing_lpips_is_said_before_work(prior, digit, monkeypatch, tmp_path):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path))
    with pytest.raises((ImportError, FileNotFoundError), match="LPIPS"):
        run(prior, digit, lpips="alex")
    assert not (digit.parent / "out").exists()


def test_the_command(digit, capsys):
    command = [
        "restore",
        "--task",
        "inpaint",
        "--model",
        MODEL,
        str(digit),
        "--out",
        str(digit.parent / "out"),
    ]
    assert main([*command, "--share", "0.01", "--candidates", "3", "--label", "3"]) == 0
    said = capsys.readouterr().out
    assert "features of the discriminator omni-inr_biggan_digits-16-discriminator" in said
    assert "three_inpaint.png: psnr" in said
