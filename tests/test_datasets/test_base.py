import pytest
import torch

from mmcgan.datasets import MemoryDataset

GRAY = torch.arange(3, dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 2, 2)


def test_gray_images_become_three_equal_channels():
    batch = MemoryDataset(GRAY).__getitems__([2, 0])
    assert batch["image"].shape == (2, 3, 2, 2)
    assert (batch["image"][0] == 2).all()
    assert "label" not in batch


def test_samples_and_batches_agree():
    data = MemoryDataset(GRAY, torch.tensor([1, 0, 1]), ("a", "b"))
    batch = data.__getitems__([0, 1, 2])
    assert batch["label"].dtype == torch.int64
    for i in range(3):
        sample = data[i]
        assert torch.equal(sample["image"], batch["image"][i])
        assert sample["label"] == batch["label"][i]


def test_metainfo():
    data = MemoryDataset(GRAY, torch.tensor([1, 1, 1]), ("a", "b"))
    assert data.metainfo == dict(classes=("a", "b"), num_classes=2, image_size=2, size=3, class_counts=(0, 3))
    unlabelled = MemoryDataset(GRAY).metainfo
    assert (unlabelled["num_classes"], unlabelled["classes"], unlabelled["class_counts"]) == (0, None, None)


def test_fingerprint_follows_pixels_and_labels():
    labels = torch.tensor([0, 1, 0])
    first = MemoryDataset(GRAY, labels, ("a", "b")).fingerprint()
    assert MemoryDataset(GRAY.clone(), labels.clone(), ("a", "b")).fingerprint() == first
    assert MemoryDataset(GRAY + 1, labels, ("a", "b")).fingerprint() != first
    assert MemoryDataset(GRAY, 1 - labels, ("a", "b")).fingerprint() != first


@pytest.mark.parametrize("labels", [[0, 2, 1], [0, -1, 1]])
def test_labels_out_of_range_are_named(labels):
    message = rf"MemoryDataset: label {labels[1]} of image 1 is outside 0\.\.1 \(1 labels are\)"
    with pytest.raises(ValueError, match=message):
        MemoryDataset(GRAY, torch.tensor(labels), ("a", "b"))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (GRAY, torch.tensor([0]), "3 images but 1 labels"),
        (GRAY.float(), None, "must be uint8 .* got torch.float32"),
        (torch.zeros(3, 4, 2, 2, dtype=torch.uint8), None, r"got torch.uint8 \(3, 4, 2, 2\)"),
        (torch.zeros(3, 3, 2, 4, dtype=torch.uint8), None, "must be square, got 2x4"),
    ],
)
def test_bad_arrays_are_named(images, labels, message):
    with pytest.raises(ValueError, match=message):
        MemoryDataset(images, labels, ("a", "b"))


@pytest.mark.parametrize("index", [3, -1])
def test_index_out_of_range(index):
    with pytest.raises(IndexError, match="has 3 images"):
        MemoryDataset(GRAY)[index]
