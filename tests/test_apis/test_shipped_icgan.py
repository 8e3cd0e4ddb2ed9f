"""The shipped IC-GAN makes more like a photo, with nothing but the package and the photo."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.apis import CGANInferencer
from mmcgan.cli import main
from mmcgan.datasets.sets.fashion_mnist import SYSTEM_FOLDER
from mmcgan.extractors.base import quantize
from mmcgan.extractors.names import extractor_config
from mmcgan.registry import DATASETS, EXTRACTORS

MODEL, EXTRACTOR = "icgan_biggan_fashion-mnist-32", "fashion-mnist-ssl"
needs_photos = pytest.mark.skipif(
    not SYSTEM_FOLDER.is_dir(), reason="Debian package dataset-fashion-mnist not installed"
)


def features(image):
    return torch.nn.functional.normalize(EXTRACTORS.build(extractor_config(EXTRACTOR))(image).features)


@needs_photos
def test_samples_of_a_photo_are_closest_to_that_photo(tmp_path):
    test_set = DATASETS.build(dict(type="FashionMNIST", split="test", image_size=32))
    labels = test_set.labels.tolist()
    shown = [labels.index(label) for label in (1, 2, 8, 9)]  # trouser, pullover, bag, ankle boot
    photos = test_set.__getitems__(shown)["image"]
    files = []
    for number, photo in enumerate(photos):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(photo.permute(1, 2, 0).numpy()).save(files[-1])
    made = CGANInferencer(MODEL)(instances=files, num=40, return_type="tensor")
    nearest = (features(quantize(made)) @ features(photos).T).argmax(dim=1)
    asked = torch.arange(40) % 4
    assert (nearest == asked).float().mean() > 0.9


def test_a_grid_of_photos_shows_each_before_its_samples(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = [np.full((32, 32, 3), 60 * number + 40, np.uint8) for number in range(3)]
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(folder / f"{number}.png")
    arguments = ["--instances", str(folder), "--grid", "latents", "--columns", "2"]
    assert main(["sample", MODEL, *arguments, "--out", str(tmp_path / "photos-out")]) == 0
    sheet = np.asarray(Image.open(tmp_path / "photos-out.grid.png"))
    cells = sheet.reshape(3, sheet.shape[0] // 3, 3, sheet.shape[1] // 3, 3)
    for row, each in enumerate(pixels):
        assert (cells[row, 4:-4, 0, 4:-4] == each[0, 0]).all()  # within the gap
        assert cells[row, 4:-4, 1, 4:-4].std() > 1  # a sample
    drawn = ["--grid", "latents", "--columns", "2", "--num", "6", "--out", str(tmp_path / "drawn")]
    assert main(["sample", MODEL, *drawn]) == 0  # nobody gave a photo
    assert np.asarray(Image.open(tmp_path / "drawn.grid.png")).shape[1] == 2 * sheet.shape[1] // 3


def test_without_photos_it_samples_from_the_instances_that_it_carries():
    first, second = (CGANInferencer(MODEL)(num=4, seed=seed, return_type="tensor") for seed in (0, 1))
    assert first.shape == (4, 3, 32, 32)
    assert not torch.equal(first, second)


def test_without_its_store_closest_images_are_refused_before_anything_is_made(tmp_path, capsys):
    arguments = ["--nearest", "3", "--num", "2", "--out", str(tmp_path / "samples")]
    assert main(["sample", MODEL, *arguments]) == 2
    said = capsys.readouterr().err
    assert "comes without the store of instances" in said and "train_dataloader.dataset.store=STORE" in said
    assert "Sampling" not in said and not list(tmp_path.iterdir())


def test_the_shipped_extractor_is_found_by_name_and_by_a_file_that_is_elsewhere():
    by_name = EXTRACTORS.build(extractor_config(EXTRACTOR))
    by_file = EXTRACTORS.build(dict(type="SelfSupervisedExtractor", weights=f"gone/{EXTRACTOR}.safetensors"))
    assert by_name.weights_hash == by_file.weights_hash
    with pytest.raises(FileNotFoundError, match=r"gone.other\.safetensors"):
        EXTRACTORS.build(dict(type="SelfSupervisedExtractor", weights="gone/other.safetensors"))
