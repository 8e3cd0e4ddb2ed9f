"""Painting label maps: from files or held-out data, faults named before anything is written."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.label_map_sampling import (
    find_maps,
    held_out_dataset,
    label_colours,
    map_sheet,
    maps_of_files,
    read_label_map,
)
from mmcgan.apis.sampling import sample
from mmcgan.cli import main
from mmcgan.datasets import Scenes
from mmcgan.extractors import SmallSegmenter
from mmcgan.mean_iou import confusion_matrix, mean_iou
from mmcgan.models.sampling import SamplingModel
from mmcgan.weights import read_index
from mmcgan.zoo.models import GeneratorRecord, LoadedModel
from tests.tiny_networks import tiny_painter

SCENES = dict(type="Scenes", image_size=32, size=50)


def painter(dataset=SCENES, has_edges=False):
    config = tiny_painter(has_edges=has_edges)
    torch.manual_seed(0)
    model = SamplingModel(config, ema=False).eval()
    record = GeneratorRecord(config, dict(type="NormalLatent"), dict(type="RealCondition"), None, dataset)
    return LoadedModel(model, None, record, "painter")


def write_map(path, ids):
    Image.fromarray(np.asarray(ids, dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def shipped(monkeypatch):
    """Let ``sample`` find the model above."""
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: painter())


def test_without_files_the_held_out_maps_are_painted(shipped, tmp_path):
    result = sample("painter", num=3, out=tmp_path)
    assert [path.name for path in result.images] == [f"{i:05d}_test{i}.png" for i in range(3)]
    sheet = np.asarray(Image.open(result.grid))
    side = 2 + 2 * 32  # small images are shown enlarged, with a gap around
    assert sheet.shape == (side, 9 * side, 3)
    test = Scenes(split="test", image_size=32)
    middle = sheet[1:-1:2, 4 * side + 1 : 5 * side - 1 : 2]  # real image of the second group
    assert (middle == test[1]["image"].permute(1, 2, 0).numpy()).all()
    again = sample("painter", num=1, out=tmp_path / "again")
    assert again.images[0].read_bytes() == result.images[0].read_bytes()


def test_maps_from_files_and_folders_in_turn(shipped, tmp_path, capsys):
    (tmp_path / "maps").mkdir()
    for name, value in (("b", 3), ("a", 7)):
        write_map(tmp_path / "maps" / f"{name}.png", np.full((32, 32), value))
    one = write_map(tmp_path / "one.png", np.zeros((32, 32)))
    out = tmp_path / "out"
    arguments = ["sample", "painter", "--label-maps", str(tmp_path / "maps"), str(one), "--num", "4"]
    assert main([*arguments, "--out", str(out)]) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == ["00000_a.png", "00001_b.png", "00002_one.png", "00003_a.png"]
    assert "4 images in" in capsys.readouterr().out
    assert (out / "00000_a.png").read_bytes() == (out / "00003_a.png").read_bytes()
    assert (out / "00000_a.png").read_bytes() != (out / "00001_b.png").read_bytes()
    assert main([*arguments, "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err


def test_palette_pictures_hold_ids_too(tmp_path):
    picture = Image.new("P", (4, 2))
    picture.putpalette([200, 0, 0, 0, 200, 0])
    picture.putpixel((3, 1), 1)
    picture.save(tmp_path / "palette.png")
    found = read_label_map(tmp_path / "palette.png", (2, 4), 2)
    assert found.tolist() == [[0, 0, 0, 0], [0, 0, 0, 1]]


def test_edges_of_given_maps_are_borders_of_classes(tmp_path):
    ids = np.zeros((32, 32))
    ids[:, 16:] = 2
    asked = maps_of_files(painter(has_edges=True), [write_map(tmp_path / "map.png", ids)])
    assert asked.condition([0]).edge_map[0].any(dim=0).nonzero().flatten().tolist() == [15, 16]
    assert maps_of_files(painter(), [tmp_path / "map.png"]).condition([0]).edge_map is None


def test_faulty_maps_are_named_and_nothing_is_written(shipped, tmp_path, capsys):
    cases = {
        "unknown": (np.diag(np.arange(32)), "label map has class ids [11, 12, 13"),
        "size": (np.zeros((32, 64)), "is 32x64 (height x width), the model paints 32x32"),
        "colour": (np.zeros((32, 32, 3)), "this image is of mode RGB"),
    }
    for name, (ids, message) in cases.items():
        path = write_map(tmp_path / f"{name}.png", ids)
        assert main(["sample", "painter", "--label-maps", str(path), "--out", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert message in error and str(path) in error
    assert "allowed are 0..10" in _message(lambda: read_label_map(tmp_path / "unknown.png", (32, 32), 11))
    assert not (tmp_path / "out").exists()


def _message(call):
    with pytest.raises(ValueError) as caught:
        call()
    return str(caught.value)


def test_maps_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--label-maps .*nowhere\.png: no such file"):
        find_maps([tmp_path / "nowhere.png"])
    with pytest.raises(FileNotFoundError, match=r"the folder has no \.png files"):
        find_maps([tmp_path])
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png: unreadable"):
        read_label_map(tmp_path / "text.png", (2, 2), 3)


def test_models_whose_held_out_data_are_unknown_or_missing():
    assert held_out_dataset({**SCENES, "split": "train"}, "painter").split == "test"
    with pytest.raises(ValueError, match=r"painter does not say which held-out label maps.*--label-maps"):
        held_out_dataset({}, "painter")
    missing = dict(type="Scenes", source="fashion-mnist", root="/nowhere")
    with pytest.raises(FileNotFoundError, match=r"not found in /nowhere.*--label-maps"):
        held_out_dataset(missing, "painter")


def test_label_maps_for_another_kind_of_model(capsys, tmp_path):
    path = write_map(tmp_path / "map.png", np.zeros((16, 16)))
    arguments = ["sample", "biggan_digits-16", "--label-maps", str(path), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "biggan_digits-16 is not conditioned on label maps" in capsys.readouterr().err


def test_colours_differ_and_zero_is_black():
    colours = label_colours(35)
    assert colours[0].tolist() == [0, 0, 0] and len(colours.unique(dim=0)) == 35


def test_maps_from_files_are_shown_beside_the_samples_alone(tmp_path):
    asked = maps_of_files(painter(), [write_map(tmp_path / "map.png", np.ones((32, 32)))])
    sheet = map_sheet(asked, torch.zeros(2, 3, 32, 32), 11)
    assert sheet.shape == (66, 4 * 66, 3)
    assert (sheet[1, 1] == label_colours(11)[1].numpy()).all() and (sheet[1, 67] == 128).all()


def test_the_inferencer_paints_tensors_files_or_held_out_maps(tmp_path):
    paint = CGANInferencer(painter())
    ids = torch.stack([torch.full((32, 32), 3), torch.full((32, 32), 7)])
    two = paint(label_maps=ids, return_type="tensor")
    assert two.shape == (2, 3, 32, 32)
    path = write_map(tmp_path / "map.png", ids[1])
    assert torch.equal(paint(label_maps=[path], return_type="tensor")[0], two[1])
    held_out = Scenes(split="test", image_size=32).__getitems__([0])["label_map"]
    assert torch.equal(paint(return_type="tensor"), paint(label_maps=held_out, return_type="tensor"))
    with pytest.raises(ValueError, match=r"must have the shape \(K, 32, 32\), got \(32, 32\)"):
        paint(label_maps=ids[0])
    with pytest.raises(ValueError, match=r"class ids \[11\]; allowed are 0..10"):
        paint(label_maps=ids + 4)


def test_the_shipped_painter_shows_what_the_maps_ask_for(tmp_path):
    result = sample("spade-omni_scenes-64", num=24, out=tmp_path)
    images = torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in result.images])
    seen = SmallSegmenter()(images.permute(0, 3, 1, 2)).label_map
    asked = Scenes(split="test").__getitems__(range(24))["label_map"]
    expected = read_index("generator")["spade-omni_scenes-64"]["metrics"]["miou"]
    assert mean_iou(confusion_matrix(seen, asked, 11)) == pytest.approx(expected, abs=0.1)
