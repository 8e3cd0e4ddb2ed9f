"""``interpolate`` and ``sefa`` of a model with attributes: what its error asks for is an option of theirs."""

import numpy as np
import pytest
from PIL import Image

from mmcgan.apis.drawing import Draw
from mmcgan.apis.interpolation import InterpolationOptions, first_image, interpolated_images
from mmcgan.apis.sampling import sample
from mmcgan.cli import command_parser, main
from mmcgan.zoo.models import load_model

MODEL, DIGITS = "omnigan-multi-label_biggan_two-domain-digits-16", "omnigan_biggan_digits-16"


@pytest.mark.parametrize(
    ("name", "labels"), [("sample", "--labels"), ("interpolate", "--labels"), ("sefa", "--label")]
)
def test_the_option_that_an_error_recommends_is_there(name, labels, tmp_path, capsys):
    out = tmp_path / "made.png"
    assert main([name, MODEL, labels, "3", "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "give --attributes of digit" in said
    assert "--attributes" in command_parser(name)._option_string_actions
    assert main([name, MODEL, "--attributes", "digit=3", "--out", str(out)]) == 0


@pytest.mark.parametrize("name", ["interpolate", "sefa"])
@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        (MODEL, ["--attributes", "digit=x"], "'x'"),
        (MODEL, ["--attributes", "digit"], "--attributes digit: write GROUP=NAME"),
        (DIGITS, ["--attributes", "digit=3"], "is not conditioned on attributes"),
    ],
)
def test_wrong_attributes_are_named(name, model, words, message, tmp_path, capsys):
    assert main([name, model, *words, "--out", str(tmp_path / "a.png")]) == 2
    assert message in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_those_of_the_second_ends_are_named_by_their_own_option(tmp_path, capsys):
    out = str(tmp_path / "a.png")
    assert main(["interpolate", MODEL, "--to-attributes", "digit", "--out", out]) == 2
    assert "--to-attributes digit: write GROUP=NAME" in capsys.readouterr().err
    assert main(["interpolate", MODEL, "--fix-y", "--to-attributes", "digit=3", "--out", out]) == 2
    assert "leave --to-attributes out" in capsys.readouterr().err


def test_ends_are_images_of_sample(tmp_path):
    chosen = {"digit": ["3", "7"]}
    images = interpolated_images(load_model(MODEL), None, InterpolationOptions(2, 3), 5, None, chosen)
    ends = images[:, [0, -1]].flatten(0, 1)
    files = sample(MODEL, num=4, seed=5, attributes=chosen, out=tmp_path / "samples").images
    for end, file in zip(ends, files, strict=True):
        own = ((end + 1) * 127.5).permute(1, 2, 0).numpy()
        assert np.abs(own - np.asarray(Image.open(file)).astype(float)).max() <= 1


def test_the_first_image_shows_the_first_combination():
    draw = Draw(load_model(MODEL), 0)
    rows = [first_image(draw, attributes={"digit": name})[1].attributes for name in ("3", "7")]
    assert rows[0].shape == rows[1].shape and not bool((rows[0] == rows[1]).all())
