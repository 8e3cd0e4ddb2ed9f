"""Sets with attributes: two-domain digits, MNIST with SVHN, and the conditions of an evaluation."""

import gzip
import struct

import numpy as np
import pytest
import scipy.io
import torch

from mmcgan.datasets import MNISTSVHN, AttributeConditionDataset, DigitsDataset, TwoDomainDigits
from mmcgan.datasets.order import gan_collate
from mmcgan.datasets.sets.mnist_svhn import COUNTS

HELD_OUT = dict(digit="3", domain="textured")


# --- two-domain digits --------------------------------------------------------------------------
@pytest.mark.parametrize("split", ["train", "test"])
def test_plain_half_is_the_digits_and_textured_half_shows_the_same_ones(split):
    data, digits = TwoDomainDigits(split, 16), DigitsDataset(split, 16)
    half = len(digits)
    assert len(data) == 2 * half
    batch = data.__getitems__([0, 5, half, half + 5])
    assert torch.equal(batch["image"][:2], digits.__getitems__([0, 5])["image"])
    labels = digits.labels[[0, 5, 0, 5]]
    assert torch.equal(batch["attributes"][:, :10].argmax(1), labels)
    assert batch["attributes"][:, 10:].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert batch["attributes"].dtype == torch.float32
    item = data[half]
    assert torch.equal(item["image"], batch["image"][2])
    assert torch.equal(gan_collate([item])["attributes"][0], batch["attributes"][2])


def test_textured_images_are_coloured_vary_and_contrast_with_their_digit():
    data, digits = TwoDomainDigits("test", 16), DigitsDataset("test", 16)
    images = data.images[len(digits) :].float()
    stroke, ground = digits.images > 200, digits.images < 20
    contrast = [
        (images[i][:, stroke[i, 0]].mean() - images[i][:, ground[i, 0]].mean()).item()
        for i in range(len(digits))
    ]
    assert min(map(abs, contrast)) > 0.2 * 255
    assert 0.4 < sum(value > 0 for value in contrast) / len(contrast) < 0.6
    coloured = images.std(dim=1).mean(dim=(1, 2)) > 5
    assert coloured.float().mean() > 0.95
    assert images.std(dim=0).mean() > 30


def test_textures_are_a_function_of_seed_and_index():
    first, again, other = TwoDomainDigits("test"), TwoDomainDigits("test"), TwoDomainDigits("test", seed=1)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    kept = TwoDomainDigits("test", leave_out=[dict(digit="0")])
    rows = (first.attributes[:, 0] == 0).nonzero().flatten()
    assert torch.equal(kept.images, first.images[rows])


def test_left_out_combinations_are_gone_and_the_facts_say_so():
    options = dict(split="train", leave_out=[HELD_OUT, dict(digit=5, domain="plain")])
    data, facts = TwoDomainDigits(**options), TwoDomainDigits.facts(**options)
    assert not data.groups.shows(data.attributes, HELD_OUT).any()
    assert data.groups.shows(data.attributes, dict(digit="3", domain="plain")).any()
    assert facts["attribute_counts"] == data.groups.count(data.attributes)
    assert len(facts["attribute_counts"]) == 18
    assert facts["attribute_groups"] == data.metainfo["attributes"]
    assert (facts["num_classes"], facts["num_attributes"], facts["image_size"]) == (0, 12, 16)
    assert (data.metainfo["num_classes"], data.metainfo["num_attributes"]) == (0, 12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(split="val"), "split must be one of train, test, all"),
        (dict(leave_out=[dict(digt="3")]), "no attribute group 'digt'. Did you mean 'digit'"),
        (dict(leave_out=[dict(domain="texture")]), "Did you mean 'textured'"),
        (dict(leave_out=[{}]), "leave_out has an empty combination"),
        (dict(leave_out=[dict(domain=["plain", "textured"])]), "leaves no image"),
        (dict(image_size=0), "image_size must be a positive whole number"),
    ],
)
def test_bad_options_are_found_from_the_facts(options, message):
    with pytest.raises(ValueError, match=message):
        TwoDomainDigits.facts(**options)


# --- MNIST and SVHN -----------------------------------------------------------------------------
def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Four gray images of MNIST's test set, three of SVHN's; returns folder and pixels."""
    random = np.random.default_rng(0)
    gray = random.integers(0, 256, (4, 28, 28), dtype=np.uint8)
    colour = random.integers(0, 256, (32, 32, 3, 3), dtype=np.uint8)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix in ("t10k", "train"):
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(idx(gray))
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(np.array([7, 3, 0, 3], np.uint8)))
    # SVHN writes 10 for the digit 0
    scipy.io.savemat(tmp_path / "test_32x32.mat", {"X": colour, "y": np.array([[10], [3], [5]])})
    monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda path, md5: True)
    return tmp_path, torch.from_numpy(gray), torch.from_numpy(colour).permute(3, 2, 0, 1)


def test_mnist_and_svhn_are_read_one_after_the_other(both):
    folder, gray, colour = both
    data = MNISTSVHN(str(folder), "test")
    assert len(data) == 7
    batch = data.__getitems__([4, 0, 6])
    assert batch["image"].shape == (3, 3, 32, 32)
    assert torch.equal(batch["image"][1, 2, 2:30, 2:30], gray[0])
    assert not batch["image"][1, :, :2].any()
    assert torch.equal(batch["image"][0], colour[0]) and torch.equal(batch["image"][2], colour[2])
    found = [data.groups.label(row) for row in data.attributes]
    assert found == [
        *(f"digit={digit} domain=mnist" for digit in (7, 3, 0, 3)),
        *(f"digit={digit} domain=svhn" for digit in (0, 3, 5)),
    ]


def test_left_out_pairs_of_mnist_and_svhn(both):
    folder, _, colour = both
    data = MNISTSVHN(str(folder), "test", leave_out=[dict(digit="3", domain="mnist")])
    assert len(data) == 5
    assert torch.equal(data[3]["image"], colour[1])


@pytest.mark.parametrize(("split", "sizes"), [("train", (60_000, 73_257)), ("test", (10_000, 26_032))])
def test_facts_need_no_files(split, sizes):
    assert tuple(map(sum, COUNTS[split])) == sizes
    facts = MNISTSVHN.facts("nowhere", split, leave_out=[dict(digit="1", domain="svhn")])
    counts = {tuple(columns): number for columns, number in facts["attribute_counts"]}
    assert len(counts) == 19 and (1, 11) not in counts
    assert counts[(1, 10)] == COUNTS[split][0][1] and counts[(2, 11)] == COUNTS[split][1][2]
    assert sum(counts.values()) == sum(sizes) - COUNTS[split][1][1]


def test_missing_files_say_which_set(tmp_path, both):
    folder, *_ = both
    with pytest.raises(FileNotFoundError, match=r"MNISTSVHN: MNIST not found .*MNIST/raw.*download=True"):
        MNISTSVHN(str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"MNISTSVHN: SVHN not found .*train_32x32\.mat"):
        MNISTSVHN(str(folder), "train")


def test_stand_in_has_the_same_attributes():
    from mmcgan.registry import DATASETS

    facts = MNISTSVHN.facts()
    stand_in = DATASETS.build(MNISTSVHN.stand_in(dict(type="MNISTSVHN"), facts))
    assert stand_in.metainfo["num_attributes"] == facts["num_attributes"]
    assert stand_in.image_size == facts["image_size"]


def test_damaged_mnist_is_a_missing_file(both):
    folder, *_ = both
    path = folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(FileNotFoundError, match="MNIST not found or damaged"):
        MNISTSVHN(str(folder), "test")


# --- evaluation conditions ----------------------------------------------------------------------
SPEC = {"digit": ["0", "1", "2"], "domain": ["plain", "textured"]}


def conditions(**options):
    return AttributeConditionDataset(**{**dict(size=12, attribute_groups=SPEC, latent_dim=4), **options})


def test_balanced_conditions_have_every_pair_equally_often():
    data = conditions()
    batch = data.__getitems__(range(12))
    assert batch["latent"].shape == (12, 4)
    assert [number for _, number in data.groups.count(batch["attributes"])] == [2] * 6
    assert data.metainfo["num_classes"] == 0 and data.metainfo["attributes"] == SPEC


def test_free_attributes_are_on_in_half_of_the_balanced_conditions():
    data = conditions(size=400, attribute_groups={**SPEC, "traits": {"any_of": ["bold"]}})
    assert 150 < data.__getitems__(range(400))["attributes"][:, 5].sum() < 250


def test_given_combinations_go_in_turn_and_empirical_ones_follow_the_counts():
    given = conditions(attributes=[dict(digit="2", domain="textured"), dict(digit="0", domain="plain")])
    rows = given.__getitems__([0, 1, 2])["attributes"]
    assert rows.tolist() == [[0, 0, 1, 0, 1], [1, 0, 0, 1, 0], [0, 0, 1, 0, 1]]
    empirical = conditions(attributes="empirical", attribute_counts=[[[1, 4], 7]])
    assert empirical[11]["attributes"].tolist() == [0, 1, 0, 0, 1]


def test_item_depends_on_seed_and_index_alone():
    few, many, other = conditions(size=3), conditions(size=50), conditions(seed=1)
    for name in ("latent", "attributes"):
        assert torch.equal(few[2][name], many.__getitems__([7, 2])[name][1])
    assert not torch.equal(few[2]["latent"], other[2]["latent"])
    with pytest.raises(IndexError, match="has 3 items; asked for 3"):
        few[3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(size=0), "size must be at least 1, got 0"),
        (dict(latent_dim=None), "latent_dim is missing"),
        (dict(attributes="balance"), "attributes='balance': choose balanced or empirical"),
        (dict(attributes="empirical"), "attribute_counts is missing"),
        (dict(attributes=dict(domain="textur")), "Did you mean 'textured'"),
    ],
)
def test_bad_conditions_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        conditions(**options)
