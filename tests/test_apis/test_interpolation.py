"""Pictures of ways between images, and of SeFa's directions."""

import sys
import types

import pytest
import torch
from PIL import Image

from mmcgan.apis.interpolation import InterpolationOptions, interpolate, interpolated_images, sefa
from mmcgan.cli import main
from mmcgan.structures import Condition
from tests.test_apis.test_sample import loaded


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.setattr("mmcgan.apis.interpolation.given_model", lambda *_: loaded())


def test_between_classes_one_latent_is_kept_and_both_ends_are_the_classes():
    model = loaded()
    images = interpolated_images(model, ["dog", "Cat"], InterpolationOptions(2, 3, fix_z=True), 0, None)
    assert images.shape == (2, 3, 3, 8, 8)
    seen = []
    model.model.generator.linear.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    interpolated_images(model, ["dog", "Cat"], InterpolationOptions(2, 3, fix_z=True), 0, None)
    latent = seen[0].unflatten(0, (2, 3))
    torch.testing.assert_close(latent, latent[:, :1].expand_as(latent))
    for column, label in ((0, 1), (-1, 0)):
        end = model.model.sample(Condition(label=torch.tensor([label, label])), latent[:, 0])
        torch.testing.assert_close(images[:, column], end, atol=1e-5, rtol=1e-4)
    assert (images[:, 0] - images[:, 1]).abs().max() > 1e-6  # the middle is a mixture


def test_between_latents_the_class_is_kept():
    model = loaded()
    ways = InterpolationOptions(3, 4, fix_y=True, method="linear")
    images = interpolated_images(model, None, ways, 0, 0.5)
    seen = []
    model.model.generator.linear.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    interpolated_images(model, None, ways, 0, 0.5)
    latent = seen[0]
    assert latent.abs().max() <= 0.5
    expected = model.model.sample(Condition(label=torch.arange(3).repeat_interleave(4)), latent)
    torch.testing.assert_close(images.flatten(0, 1), expected, atol=1e-5, rtol=1e-4)


def test_pictures_are_grids_or_animations(shipped, tmp_path):
    grid = interpolate("pets", ways=InterpolationOptions(2, 5), out=tmp_path / "a.png")
    side = 50  # 8 pixels enlarged to 48, with a gap around
    assert Image.open(grid).size == (5 * side, 2 * side)
    film = Image.open(interpolate("pets", ways=InterpolationOptions(3, 5), out=tmp_path / "a.gif"))
    assert film.size == (2 * side, 2 * side) and film.n_frames > 1
    rows = Image.open(sefa("pets", directions=2, strengths=[-1, 0, 1], label="dog", out=tmp_path / "s.png"))
    assert rows.size == (3 * side, 2 * side)
    with pytest.raises(FileExistsError, match=r"a\.png exists"):
        interpolate("pets", out=tmp_path / "a.png")


def test_the_commands_write_and_refuse(shipped, tmp_path, capsys):
    picture = tmp_path / "way.png"
    assert main(["interpolate", "pets", "--rows", "1", "--steps", "3", "--fix-z", "--out", str(picture)]) == 0
    assert picture.exists()
    assert main(["interpolate", "pets", "--fix-z", "--fix-y"]) == 2
    assert "nothing is left to change" in capsys.readouterr().err
    assert main(["sefa", "pets", "--directions", "7", "--out", str(tmp_path / "s.png")]) == 2
    assert "count of directions must lie in 1..6, got 7" in capsys.readouterr().err
    assert main(["sefa", "pets", "--out", str(tmp_path / "s.jpg")]) == 2
    assert "the file must be named *.png or *.gif" in capsys.readouterr().err


def test_a_model_without_conditions_has_latents_only():
    model = loaded(num_classes=0, classes=None)
    assert interpolated_images(model, None, InterpolationOptions(1, 3), 0, None).shape == (1, 3, 3, 8, 8)
    with pytest.raises(ValueError, match="no condition that could be chosen or changed"):
        interpolated_images(model, None, InterpolationOptions(1, 3, fix_z=True), 0, None)


def test_a_film_needs_its_extra_and_says_so_first(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setitem(sys.modules, "imageio", types.ModuleType("imageio"))
    assert main(["interpolate", "pets", "--out", str(tmp_path / "way.mp4")]) == 2
    error = capsys.readouterr().err
    assert 'imageio_ffmpeg: python3 -m pip install "mmcgan[video]"' in error
    assert not list(tmp_path.iterdir())


def test_a_film_has_even_sides_and_goes_back(shipped, monkeypatch, tmp_path):
    written = []
    writer = types.ModuleType("imageio")

    def mimwrite(file, frames, *, fps, macro_block_size):
        written.append((frames, fps))
        file.write_bytes(b"film")

    writer.mimwrite = mimwrite
    monkeypatch.setitem(sys.modules, "imageio", writer)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", types.ModuleType("imageio_ffmpeg"))
    path = interpolate("pets", ways=InterpolationOptions(1, 4), out=tmp_path / "way.mp4")
    assert path.read_bytes() == b"film"
    ((frames, fps),) = written
    assert fps == 10
    assert len(frames) == 6  # four there, two back
    assert all(length % 2 == 0 for frame in frames for length in frame.shape[:2])
    assert (frames[1] == frames[5]).all() and (frames[0] != frames[3]).any()
