from dataclasses import replace

import pytest
import torch
from PIL import Image

from mmcgan import precision
from mmcgan.cli import main
from mmcgan.commands.train_classifier import find_recipe
from mmcgan.datasets import GANDataset
from mmcgan.extractor_training.train_classifier import (
    RECIPES,
    Augmentation,
    Recipe,
    TrainOptions,
    hold_out,
    train_classifier,
    train_network,
)
from mmcgan.extractor_training.train_segmenter import SEGMENTER_RECIPES, SegmenterOptions, train_segmenter
from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor
from mmcgan.extractors import SmallClassifier
from mmcgan.extractors.base import state_hash
from mmcgan.precision import Choice
from mmcgan.registry import DATASETS

TINY = TrainOptions(widths=(8, 16), epochs=2, batch_size=32, precision="float32")


def bright_corner(count, seed=0):
    """Return images whose label says which of two corners is bright."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 80, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count) % 2
    images[labels == 0, :, :4, :4] += 150
    images[labels == 1, :, 4:, 4:] += 150
    return images, labels


def test_learns_and_is_repeatable():
    options = replace(TINY, epochs=6)
    first, again = (train_network(bright_corner(256), 2, options) for _ in range(2))
    images, labels = bright_corner(100, seed=1)
    _, logits = first(images.float() / 127.5 - 1)
    assert (logits.argmax(1) == labels).float().mean() > 0.95
    assert state_hash(first.state_dict()) == state_hash(again.state_dict())
    other = train_network(bright_corner(256), 2, replace(options, seed=1))
    assert state_hash(other.state_dict()) != state_hash(first.state_dict())


def test_written_file_is_an_extractor_and_remembers_how_it_was_made(tmp_path):
    recipe = replace(RECIPES["digits-16"], options=TINY)
    path = tmp_path / "tiny.safetensors"
    record = train_classifier(recipe, path, "the command")
    extractor = SmallClassifier(str(path))
    assert extractor.record == record
    assert (record.command, record.test_images, record.image_size) == ("the command", 359, 16)
    assert extractor.classes == tuple("0123456789")
    assert extractor.name == "small-classifier:tiny"


def test_every_training_chooses_its_precision_and_records_it(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "measure", lambda kind: Choice("float32", 0.1, "emulated"))
    monkeypatch.setattr(torch, "autocast", _refusing_bfloat16(torch.autocast))
    tiny = replace(TINY, epochs=1, precision=TrainOptions().precision)
    assert (
        train_classifier(replace(RECIPES["digits-16"], options=tiny), tmp_path / "c", "").precision
        == "float32"
    )
    scenes = SegmenterOptions(widths=(16, 24), steps=1, batch_size=2)
    recipe = replace(SEGMENTER_RECIPES["scenes-64"], options=scenes)
    recipe = replace(recipe, test={**recipe.test, "size": 4})
    assert train_segmenter(recipe, tmp_path / "s", "").precision == "float32"
    images = DATASETS.build(dict(type="SyntheticImages", num_classes=0, image_size=16, size=8))
    options = SSLOptions(widths=(16, 24), epochs=1, batch_size=8, image_size=16)
    assert train_ssl_extractor(images, options, tmp_path / "e", "")["options"]["precision"] == "float32"


def _refusing_bfloat16(real):
    def autocast(*arguments, enabled=True, **settings):
        assert not enabled, "this machine would emulate it"
        return real(*arguments, enabled=enabled, **settings)

    return autocast


def test_command_prints_the_accuracy_on_real_images(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(RECIPES, "digits-16", replace(RECIPES["digits-16"], options=TINY))
    out = tmp_path / "digits.safetensors"
    assert main(["train-classifier", "digits-16", "--out", str(out), "--epochs", "1"]) == 0
    printed = capsys.readouterr().out
    accuracy = SmallClassifier(str(out)).record.test_accuracy
    assert f"accuracy on 359 real test images: {accuracy:.2%}" in printed
    assert (
        SmallClassifier(str(out)).record.command
        == f"mmcgan train-classifier digits-16 --out {out} --epochs 1"
    )


def test_unknown_recipe_names_the_recipes(tmp_path, capsys):
    assert main(["train-classifier", "digit", "--out", str(tmp_path / "x.safetensors")]) == 2
    assert "Recipes: digits-16, fashion-mnist-32" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_config_gives_its_training_set():
    recipe = find_recipe("omnigan_biggan_digits-16", flip=False)
    assert recipe.train == dict(type="DigitsDataset", split="train", image_size=16)
    assert recipe.test["split"] == "test"


def test_bad_labels_stop_before_training():
    images, labels = bright_corner(64)
    with pytest.raises(ValueError, match=r"labels span 0\.\.1, classes 0\.\.0"):
        train_network((images, labels), 1, TINY)
    with pytest.raises(ValueError, match="20 training images do not fill one batch of 32"):
        train_network(bright_corner(20), 2, TINY)


def test_augmentation_without_changes_is_the_identity():
    still = Augmentation(rotation=0, scale=0, shift=0, flip=False, erase=0, noise=0)
    pixels = torch.rand(3, 3, 8, 8) * 2 - 1
    torch.testing.assert_close(still(pixels, torch.Generator().manual_seed(0)), pixels, rtol=0, atol=1e-5)


def test_flip_mirrors_half_of_the_images():
    flip = Augmentation(rotation=0, scale=0, shift=0, flip=True, erase=0, noise=0)
    pixels = (torch.rand(1, 3, 8, 8) * 2 - 1).expand(200, -1, -1, -1)
    changed = flip(pixels, torch.Generator().manual_seed(0))
    mirrored = [torch.allclose(image, pixels[0].flip(-1), atol=1e-5) for image in changed]
    same = [torch.allclose(image, pixels[0], atol=1e-5) for image in changed]
    assert sum(mirrored) + sum(same) == 200
    assert 70 < sum(mirrored) < 130


def test_shift_pads_with_black():
    shift = Augmentation(rotation=0, scale=0, shift=0.5, flip=False, erase=0, noise=0)
    white = torch.ones(50, 3, 8, 8)
    moved = shift(white, torch.Generator().manual_seed(0))
    assert moved.min() == pytest.approx(-1, abs=1e-5) and moved.max() == pytest.approx(1, abs=1e-5)


# --- one's own images -----------------------------------------------------------------------------
@pytest.fixture
def shades(tmp_path):
    """Twelve dark and ten bright images of unequal sizes, in folders of their names."""
    generator = torch.Generator().manual_seed(0)
    for name, base, count in (("dark", 20, 12), ("light", 180, 10)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for index in range(count):
            pixels = torch.randint(base, base + 40, (16, 16 + index, 3), generator=generator)
            Image.fromarray(pixels.byte().numpy()).save(tmp_path / "images" / name / f"{index}.png")
    return tmp_path / "images"


def test_a_folder_of_ones_own_images_holds_out_a_stated_share(shades, tmp_path, capsys):
    out = tmp_path / "own.safetensors"
    command = ["train-classifier", str(shades), "--image-size", "8", "--epochs", "30", "--out", str(out)]
    assert main([*command, "--precision", "float32"]) == 0
    assert "accuracy on 4 real test images (held out: 20% of each class): 100.00%" in capsys.readouterr().out
    extractor = SmallClassifier(str(out))
    assert tuple(extractor.classes) == ("dark", "light")
    assert (extractor.record.held_out, extractor.record.test_images) == (0.2, 4)
    judged = ["evaluate-folders", str(shades), str(shades), "--extractor", str(out), "--labelled"]
    assert main([*judged, "--image-size", "8", "--metrics", "accuracy"]) == 0


def test_held_out_images_are_of_every_class_and_never_trained_on():
    images = torch.arange(20).view(-1, 1, 1, 1).expand(-1, 3, 8, 8).to(torch.uint8)
    labels = torch.tensor([0] * 15 + [1] * 3 + [2] * 2)
    train, test = hold_out((images, labels), "abc", 0.3, seed=1)
    assert test[1].bincount().tolist() == [4, 1, 1]
    assert sorted([*train[0][:, 0, 0, 0].tolist(), *test[0][:, 0, 0, 0].tolist()]) == list(range(20))
    again = hold_out((images, labels), "abc", 0.3, seed=1)[1]
    assert torch.equal(again[0], test[0])
    with pytest.raises(ValueError, match="class 'b' has 1 images"):
        hold_out((images[:3], torch.tensor([0, 0, 1])), "ab", 0.5, seed=0)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.0"):
        hold_out((images, labels), "abc", 1.0, seed=0)


def test_what_only_a_folder_needs_is_refused_elsewhere(shades):
    with pytest.raises(ValueError, match="give --image-size"):
        find_recipe(str(shades), flip=False)
    with pytest.raises(ValueError, match="is not a folder"):
        find_recipe("digits-16", flip=False, image_size=16)
    with pytest.raises(ValueError, match="has a test set"):
        find_recipe("digits-16", flip=False, held_out=0.1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train-classifier", "digits-16", "--epochs", "0"],
        ["train-classifier", "digits-16", "--threads", "0"],
        ["train-segmenter", "scenes-64", "--steps", "0"],
        ["train-ssl-extractor", "--images", ".", "--epochs", "0"],
    ],
)
def test_nothing_untrained_is_written(arguments, tmp_path, capsys):
    out = tmp_path / "file.safetensors"
    assert main([*arguments, "--out", str(out)]) == 2
    assert f"{arguments[-2]} must be at least 1, got 0" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("known", [{}, dict(classes=None), dict(num_classes=2), dict(classes=("x", "y"))])
def test_a_set_without_names_of_classes_has_its_numbers(known, tmp_path):
    class Unnamed(GANDataset):
        metainfo = known

        def __len__(self):
            return 12

        def __getitems__(self, indices):
            rows = torch.tensor([int(index) for index in indices])
            image = (rows % 2 * 200).view(-1, 1, 1, 1).expand(-1, 3, 16, 16).to(torch.uint8)
            return {"image": image, "label": rows % 2}

    DATASETS.register_module(name="UnnamedClasses", module=Unnamed, force=True)
    try:
        data = dict(type="UnnamedClasses")
        recipe = Recipe(data, None, TrainOptions(widths=(4, 4), epochs=1, precision="float32"), held_out=0.2)
        record = train_classifier(recipe, tmp_path / "out.safetensors", "")
    finally:
        DATASETS.module_dict.pop("UnnamedClasses")
    assert tuple(record.classes) == (known.get("classes") or ("0", "1"))
