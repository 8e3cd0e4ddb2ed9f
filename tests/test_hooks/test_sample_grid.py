"""Grids of samples that training draws."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.engine import GANRunner
from mmcgan.hooks import SampleGridHook
from mmcgan.pictures import tile
from tests.test_engine.tiny_run import tiny_config, train


def test_grids_have_a_class_per_column_and_fixed_latents(tmp_path):
    grid = dict(type="SampleGridHook", interval=4, rows=2, columns=5)
    runner = train(tmp_path, custom_hooks=[grid])
    pictures = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert pictures == ["iter_0000004.png", "iter_0000006.png"]
    picture = np.asarray(Image.open(tmp_path / "samples" / "iter_0000006.png"))
    assert picture.shape == (2 * 50, 5 * 50, 3), "8-pixel images are enlarged, with a gap around each"
    hook = SampleGridHook(rows=2, columns=5)
    first, again = hook.draw(runner.model), hook.draw(runner.model)
    assert torch.equal(first, again)
    assert np.array_equal(tile(first[:1], 1), picture[1:49:6, 1:49:6])
    assert hook._shown(runner.model) == [0, 2, 4, 7, 9]
    chosen = SampleGridHook(rows=2, labels=[7]).draw(runner.model)
    assert torch.allclose(chosen, first.unflatten(0, (2, 5))[:, 3], atol=1e-6), "column 3 shows class 7"


def test_a_run_without_classes_shows_latents_only(tmp_path):
    constant = dict(_delete_=True, type="ConstantLabel", label=0)
    config = tiny_config(tmp_path, **{"model.condition_sampler": constant})
    model = GANRunner.from_cfg(config).model
    images = SampleGridHook(rows=2, columns=3).draw(model)
    assert len(images) == 6
    assert len(images.flatten(1).unique(dim=0)) == 6


def test_tiles_are_in_reading_order():
    images = torch.tensor([-1.0, 0.0, 1.0, 5.0]).view(4, 1, 1, 1).expand(-1, 3, 2, 2)
    assert tile(images, 2)[::2, ::2, 0].tolist() == [[0, 128], [255, 255]]


def test_bad_grids_are_named():
    with pytest.raises(ValueError, match="rows must be >= 1, got 0"):
        SampleGridHook(rows=0)
