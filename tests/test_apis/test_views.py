"""Images of any size: by Python and by command line, whole and in windows, within memory."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan import memory
from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.views import View, find_view, shrunk
from mmcgan.cli import main
from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import SAMPLERS
from mmcgan.zoo.models import GeneratorRecord, LoadedModel
from tests.test_apis.test_sample import loaded
from tests.tiny_networks import tiny_biggan

GENERATOR = tiny_biggan(3, 24, shared_dim=4, implicit=dict(hidden=(8, 8)))
SAMPLER = dict(type="UniformLabel", num_classes=3)


def any_size():
    torch.manual_seed(0)
    model = SamplingModel(dict(GENERATOR), ema=False).eval()
    record = GeneratorRecord(GENERATOR, dict(type="NormalLatent"), SAMPLER, ("a", "b", "c"))
    return LoadedModel(model, SAMPLERS.build(dict(SAMPLER)), record, "plane")


@pytest.fixture
def shipped(monkeypatch):
    """Let ``mmcgan sample`` find the model above."""
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: any_size())


def test_a_window_is_a_part_of_the_image_of_that_size():
    inferencer = CGANInferencer(any_size())
    whole = inferencer([0, 1, 2], size=(40, 56), return_type="tensor")
    part = inferencer([0, 1, 2], size=(40, 56), window=(3, 5, 20, 30), return_type="tensor")
    assert whole.shape == (3, 3, 40, 56)
    torch.testing.assert_close(part, whole[:, :, 3:23, 5:35])
    assert inferencer(size=24, return_type="numpy").shape == (1, 24, 24, 3)


def test_its_own_size_is_what_it_makes_unasked():
    inferencer = CGANInferencer(any_size())
    torch.testing.assert_close(
        inferencer(num=2, size=16, return_type="tensor"), inferencer(num=2, return_type="tensor")
    )
    fixed = CGANInferencer(loaded())
    torch.testing.assert_close(fixed(size=8, return_type="tensor"), fixed(return_type="tensor"))


def test_the_command_writes_large_images_and_a_small_sheet(shipped, tmp_path):
    out = tmp_path / "out"
    command = ["sample", "plane", "--num", "3", "--size", "300", "600", "--out", str(out)]
    assert main(command) == 0
    files = sorted(out.glob("0*.png"))
    assert [Image.open(file).size for file in files] == [(600, 300)] * 3
    assert Image.open(out.with_name(f"{out.name}.grid.png")).size[0] < 3 * 300
    window = ["--window", "10", "20", "30", "40", "--out", str(tmp_path / "part")]
    assert main([*command[:-2], *window]) == 0
    part = np.asarray(Image.open(sorted((tmp_path / "part").glob("0*.png"))[1]))
    whole = np.asarray(Image.open(files[1]))[10:40, 20:60]
    assert np.abs(part.astype(int) - whole.astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("size", "window", "message"),
    [
        (["0"], [], "at least 1"),
        (["8", "8", "8"], [], "one number or a height and a width"),
        (["100000"], [], "takes 120 GB; render it in windows"),
        (["20"], ["0", "0", "21", "4"], "does not lie in an image"),
    ],
)
def test_absurd_sizes_are_refused_before_work(shipped, tmp_path, capsys, size, window, message):
    given = ["--size", *size, *(["--window", *window] if window else [])]
    assert main(["sample", "plane", *given, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_windows_and_views_need_each_other_and_a_generator_of_any_size():
    with pytest.raises(ValueError, match="give the size"):
        find_view(None, (0, 0, 1, 1))
    with pytest.raises(ValueError, match="top, left, height and width"):
        find_view(8, (0, 0, 1))
    with pytest.raises(ValueError, match="pets makes images of 8 x 8 only"):
        CGANInferencer(loaded())(size=16)


def test_too_little_memory_says_how_much_and_what_to_set(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 48 * 10**6)
    with pytest.raises(ValueError, match=r"would take 0\.2 GB.*0\.0 GB are.*--window of at most 1000000"):
        CGANInferencer(any_size())(size=2000)
    with pytest.raises(ValueError, match=r"6 images of 600 x 600 would take 0\.1 GB.*fewer at a time"):
        CGANInferencer(any_size())(size=600, num=6)
    assert CGANInferencer(any_size())(size=10**5, window=(0, 0, 10, 10))[0].size == (10, 10)


def test_what_the_system_says_of_its_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "MEMORY_INFO", tmp_path / "meminfo")
    assert memory.available_memory() is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    3 kB\n")
    assert memory.available_memory() == 3072


def test_shrinking_keeps_proportions_and_small_images():
    images = torch.rand(2, 3, 30, 60)
    assert shrunk(images, 20).shape == (2, 3, 10, 20)
    assert shrunk(images, 60) is images
    assert View((4000, 4000)).batch == 1


RENDER = """
import resource
from tests.test_apis.test_views import any_size
from mmcgan.apis.inference import CGANInferencer
image = CGANInferencer(any_size())(size=(2032, 3048))[0]
assert image.size == (3048, 2032)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_a_small_model_renders_six_megapixels_in_two_gigabytes():
    done = subprocess.run([sys.executable, "-c", RENDER], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 2e6  # kilobytes
