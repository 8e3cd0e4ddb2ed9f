from dataclasses import replace

import pytest
import torch

from mmcgan.cli import main
from mmcgan.datasets import DigitsDataset, Scenes
from mmcgan.extractor_training.held_out import Part, has_splits, held_out_rows, share_of
from mmcgan.extractor_training.train_segmenter import (
    SEGMENTER_RECIPES,
    SegmenterOptions,
    SegmenterRecipe,
    confusion,
    read_pairs,
    train_network,
    train_segmenter,
)
from mmcgan.extractors import SmallSegmenter
from mmcgan.extractors.base import state_hash
from mmcgan.mean_iou import mean_iou
from mmcgan.weights import read_index

TINY = SegmenterOptions(widths=(8, 12), steps=3, batch_size=4, precision="float32")
RECIPE = SegmenterRecipe(
    dict(type="Scenes", split="train", image_size=32, size=64),
    dict(type="Scenes", split="test", image_size=32, size=6),
    TINY,
)


def test_learns_and_is_repeatable():
    scenes = Scenes(image_size=32, size=200, objects=(1, 2))
    options = replace(TINY, steps=60, batch_size=8, learning_rate=1e-2)
    network = train_network(scenes, 11, options)
    held_out = Scenes(split="test", image_size=32, size=50, objects=(1, 2))
    assert mean_iou(confusion(network, held_out)) > 0.14  # 0.09 is background everywhere
    short = replace(options, steps=2)
    first, again = (state_hash(train_network(scenes, 11, short).state_dict()) for _ in range(2))
    assert first == again
    assert state_hash(train_network(scenes, 11, replace(short, seed=1)).state_dict()) != first


def test_written_file_is_an_extractor_of_label_maps(tmp_path):
    path = tmp_path / "tiny.safetensors"
    record = train_segmenter(RECIPE, path, "the command")
    extractor = SmallSegmenter(str(path))
    assert extractor.record == record
    assert (record.image_size, record.test_images, record.classes[0]) == ((32, 32), 6, "background")
    output = extractor(Scenes(image_size=(32, 64), size=2).__getitems__([0, 1])["image"])
    assert output.label_map.shape == (2, 32, 64) and int(output.label_map.max()) < 11
    assert output.features.shape == (2, 12) and extractor.pixel_classes == 11
    pairs = Scenes(split="test", image_size=32, size=6)
    counts = confusion(extractor.network, pairs)
    assert mean_iou(counts) == pytest.approx(record.test_miou)


def test_a_share_is_held_out_where_there_are_no_test_images(tmp_path, capsys, monkeypatch):
    recipe = SegmenterRecipe(RECIPE.train, None, TINY, held_out=0.25)
    record = train_segmenter(recipe, tmp_path / "own.safetensors", "the command")
    assert (record.test_images, record.held_out) == (16, 0.25)
    assert SmallSegmenter(str(tmp_path / "own.safetensors")).record == record
    scenes = Scenes(**{key: value for key, value in RECIPE.train.items() if key != "type"})
    tested = held_out_rows(torch.zeros(64, dtype=torch.int64), 0.25, TINY.seed).nonzero().flatten().tolist()
    counts = confusion(SmallSegmenter(str(tmp_path / "own.safetensors")).network, Part(scenes, tested))
    assert mean_iou(counts) == pytest.approx(record.test_miou)  # of these images, and no others
    monkeypatch.setitem(SEGMENTER_RECIPES, "scenes-64", recipe)
    assert (
        main(["train-segmenter", "scenes-64", "--out", str(tmp_path / "b.safetensors"), "--steps", "1"]) == 0
    )
    assert "on 16 real test images (held out: 25% of the images): mean IoU" in capsys.readouterr().out


def test_test_maps_of_other_classes_are_refused(tmp_path):
    recipe = replace(RECIPE, test=dict(type="SyntheticLabelMaps", size=4, image_size=32, num_map_classes=11))
    with pytest.raises(ValueError, match="other classes of pixels"):
        train_segmenter(recipe, tmp_path / "a.safetensors", "the command")


@pytest.mark.parametrize(
    ("config", "there"),
    [
        (dict(type="Scenes"), True),
        (dict(type="AttributeFolder", root="r", table="t", image_size=8), False),
        (dict(type="AttributeFolder", root="r", table="t", image_size=8, split="train"), True),
        (dict(type="ImageFolder", root="r", image_size=8), False),
    ],
)
def test_which_data_sets_have_test_images(config, there):
    assert has_splits(config) == there
    assert share_of(config, "data", None) == (0.0 if there else 0.2)


def test_images_that_are_alone_are_trained_on():
    tested = held_out_rows(torch.tensor([0, 1, 1, 2, 2, 2, 2, 2]), 0.4, 0)
    assert not tested[0] and tested[1:3].sum() == 1 and tested[3:].sum() == 2
    with pytest.raises(ValueError, match="none of 3 images can be held out"):
        held_out_rows(torch.arange(3), 0.4, 0)


def test_ignored_pixels_do_not_count():
    scenes = Scenes(image_size=32, size=4)
    _, target = read_pairs(scenes, [0, 1], 11, ignore_label=0)
    assert (target == -100).any() and not (target == 0).any()
    network = train_network(scenes, 11, replace(TINY, ignore_label=0, steps=1))
    objects = sum(int((scenes[i]["label_map"] > 0).sum()) for i in range(4))
    assert int(confusion(network, scenes, ignore_label=0).sum()) == objects


def test_command_prints_figures_of_held_out_images(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SEGMENTER_RECIPES, "scenes-64", RECIPE)
    out = tmp_path / "scenes.safetensors"
    assert main(["train-segmenter", "scenes-64", "--out", str(out), "--steps", "1"]) == 0
    record = SmallSegmenter(str(out)).record
    assert f"on 6 real test images: mean IoU {record.test_miou:.2%}" in capsys.readouterr().out
    assert record.command == f"mmcgan train-segmenter scenes-64 --out {out} --steps 1"


def test_data_without_maps_or_with_unknown_ids():
    with pytest.raises(ValueError, match="DigitsDataset: a segmentation network needs label maps"):
        read_pairs(DigitsDataset(), [0], 11)
    with pytest.raises(ValueError, match=r"Scenes: label maps have the ids \[.*10\], allowed are 0..3"):
        read_pairs(Scenes(size=30), list(range(30)), 4)
    with pytest.raises(ValueError, match="2 training images do not fill one batch of 4"):
        train_network(Scenes(size=2), 11, TINY)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="neither a file nor one of the shipped segmenters"):
        SmallSegmenter("scenes-65")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        SmallSegmenter(str(broken))
    from safetensors.torch import save_file

    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(ValueError, match="make the file with mmcgan train-segmenter"):
        SmallSegmenter(str(other))


def test_neither_recipe_nor_config(capsys):
    assert main(["train-segmenter", "no-such-thing", "--out", "x.safetensors"]) == 2
    assert "Recipes: scenes-64" in capsys.readouterr().err


def test_the_shipped_network_segments_held_out_scenes():
    extractor = SmallSegmenter()
    entry = read_index("segmenter")["scenes-64"]
    assert (entry["test_miou"], entry["test_images"]) == (round(extractor.record.test_miou, 4), 1000)
    counts = confusion(extractor.network, Scenes(split="test", size=40))
    assert mean_iou(counts) == pytest.approx(extractor.record.test_miou, abs=0.03)
