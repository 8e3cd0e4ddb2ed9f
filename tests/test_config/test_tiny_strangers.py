"""The tiny step of a stranger's config: its own conditions, splits and networks go as in training."""

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mmcgan import registry as r
from mmcgan.apis.check import check_config
from mmcgan.condition_fields import ConditionField
from mmcgan.config.made_up import joining_trial
from mmcgan.config.tiny import TINY_BATCH, load_tiny_config
from mmcgan.datasets import GANDataset, SyntheticImages
from mmcgan.engine import GANRunner
from mmcgan.models.generators import Generator
from mmcgan.models.heads import Head

CONFIG = """
_base_ = "{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py"
model = dict(
    generator=dict(_delete_=True, type="AngledGenerator"),
    discriminator=dict(backbone=dict(_delete_=True, type="DCGANBackbone", base_channels=4),
                       heads=dict(_delete_=True, adv=dict(type="AngledHead"))),
    condition_sampler=dict(_delete_=True, type="RealCondition"),
)
train_dataloader = dict(batch_size=8, dataset=dict(_delete_=True, type="Angled"))
val_dataloader = val_evaluator = val_cfg = test_dataloader = test_evaluator = test_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None))
"""


class Angle(ConditionField):
    """Of a size that facts tell."""

    facts = ("angle_dim",)

    def made_up(self, n, size, image_size, source):
        return torch.rand(n, size, generator=source)


class Place(ConditionField):
    """Of one size, of which no fact tells."""

    def made_up(self, n, size, image_size, source):
        return torch.rand(n, 2, generator=source)


class Angled(GANDataset):
    """Images of noise with an angle and a place, and no label."""

    disk_arguments = ()
    parts = {"train": 12, "val": 6}

    def __init__(self, image_size: int = 16, split: str = "train") -> None:
        self.image_size, self.size = image_size, self.parts[split]

    @classmethod
    def facts_of(cls, given):
        return dict(image_size=given.image_size, angle_dim=3)

    @property
    def metainfo(self):
        return dict(image_size=self.image_size, size=self.size)

    def __len__(self):
        return self.size

    def __getitems__(self, indices):
        images = torch.zeros(len(indices), 3, self.image_size, self.image_size, dtype=torch.uint8)
        return {"image": images, "angle": torch.ones(len(indices), 3), "place": torch.ones(len(indices), 2)}


class AngledFiles(Angled):
    """The same, said to lie on the disk."""

    disk_arguments = ("root",)

    def __init__(self, image_size: int = 16, split: str = "train", root: str = "there") -> None:
        super().__init__(image_size, split)


class AbsentFiles(AngledFiles):
    """The same, which are not there."""

    def __init__(self, image_size: int = 16, split: str = "train", root: str = "there") -> None:
        raise FileNotFoundError(root)


def conditions(condition):
    """Return what is asked for, side by side."""
    return torch.cat([condition.get("angle"), condition.get("place")], dim=1)


class AngledGenerator(Generator):
    """Linear maps with a batch norm, which one image alone cannot pass."""

    requires = ("angle", "place")
    num_classes = 0

    def __init__(self, image_size: int, angle_dim: int, latent_dim: int = 4) -> None:
        super().__init__()
        self.image_size, self.latent_dim, self.angle_dim = image_size, latent_dim, angle_dim
        self.asked, self.norm = nn.Linear(angle_dim + 2, latent_dim), nn.BatchNorm1d(latent_dim)
        self.colours = nn.Linear(latent_dim, 3 * image_size**2)

    def size_of(self, field):
        return self.angle_dim if field == "angle" else super().size_of(field)

    def embed(self, condition):
        return self.asked(conditions(condition))

    def synthesize(self, latent, embedding):
        image = self.colours(self.norm(latent + embedding)).tanh()
        return image.unflatten(1, (3, self.image_size, self.image_size))


class AngledHead(Head):
    """A linear map of features and conditions."""

    emits = ("logit",)
    requires = ("angle", "place")

    def __init__(self, in_channels: int, angle_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels + angle_dim + 2, 1)

    def forward(self, features, condition):
        return {"logit": self.linear(torch.cat([features["pooled"], conditions(condition)], dim=1))[:, 0]}


@pytest.fixture(autouse=True)
def config(tmp_path):
    """Register the classes, and return a function that writes the config with further lines."""
    before = r.snapshot()
    r.CONDITION_FIELDS.register_module("angle", module=Angle)
    r.CONDITION_FIELDS.register_module("place", module=Place)
    for kind in (Angled, AngledFiles, AbsentFiles):
        r.DATASETS.register_module(module=kind)
    r.GENERATORS.register_module(module=AngledGenerator)
    r.HEADS.register_module(module=AngledHead)

    def write(lines=""):
        (tmp_path / "angled.py").write_text(CONFIG + lines)
        return tmp_path / "angled.py"

    yield write
    r.restore(before)


def data(**settings):
    return f"train_dataloader = dict(batch_size=8, dataset=dict(_delete_=True, **{settings!r}))\n"


def regularized(**settings):
    return f'model["regularizers"] = dict(part={settings!r})\n'


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (dict(type="Angled"), "Angled"),
        (dict(type="Angled", image_size=64), "Angled"),  # it reads nothing
        (dict(type="AngledFiles"), "AngledFiles"),
        (dict(type="AngledFiles", image_size=64), "SyntheticImages"),
        (dict(type="AbsentFiles"), "SyntheticImages"),
        (dict(type="Angled", split="train"), "Angled"),  # there is no split "test"
        (dict(type="AngledFiles", split="val"), "AngledFiles"),
    ],
)
def test_what_a_data_set_has_beside_images_is_there(config, settings, kind):
    tiny = load_tiny_config(config(data(**settings)))
    assert tiny.train_dataloader.dataset.type == tiny.model.condition_sampler.dataset.type == kind
    assert tiny.train_dataloader.dataset.get("split") == settings.get("split")
    items = r.DATASETS.build(dict(tiny.train_dataloader.dataset)).__getitems__([0, 1, 2])
    side = settings.get("image_size", 16)
    shapes = {name: tuple(value.shape) for name, value in items.items() if name != "label"}
    assert shapes == {"image": (3, 3, side, side), "angle": (3, 3), "place": (3, 2)}


@pytest.mark.parametrize(
    "lines",
    [
        data(type="AbsentFiles", split="train"),
        pytest.param(data(type="Angled", split="val"), marks=pytest.mark.slow),
        pytest.param(regularized(type="PathLengthPenalty", shrink=2), marks=pytest.mark.slow),
        pytest.param(regularized(type="ModeSeeking", share=0.25), marks=pytest.mark.slow),
    ],
)
def test_a_strangers_config_passes_the_check(config, lines):
    assert check_config(config(lines)).error == ""


@pytest.mark.parametrize(
    ("settings", "images"),
    [
        (dict(type="R1"), TINY_BATCH),
        (dict(type="ModeSeeking"), TINY_BATCH),
        (dict(type="ModeSeeking", share=0.5), TINY_BATCH),
        (dict(type="ModeSeeking", share=0.3), 7),
        (dict(type="ModeSeeking", share=0.01), 8),  # one image in training too
        (dict(type="PathLengthPenalty"), TINY_BATCH),
        (dict(type="PathLengthPenalty", shrink=3), 6),
    ],
)
def test_regularizers_see_two_images_of_the_batch_where_training_gives_them_two(config, settings, images):
    assert load_tiny_config(config(regularized(**settings))).train_dataloader.batch_size == images


def test_a_data_set_that_refuses_the_split_of_the_config_is_named(config):
    said = check_config(config(data(type="Angled", split="test"))).error
    assert "KeyError: 'test'" in said and "Angled" in said, said


def test_made_up_fields_are_those_of_the_item():
    made = SyntheticImages(2, 8, size=4, fields={"angle": 5, "place": 0})
    items = made.__getitems__([3, 1])
    assert items["angle"].shape == (2, 5) and items["place"].shape == (2, 2)
    assert torch.equal(items["angle"][1], made[1]["angle"])
    assert not torch.equal(items["angle"][0], items["angle"][1])
    facts = SyntheticImages.facts(2, 8, size=4, fields={"angle": 5, "place": 0})
    assert facts == dict(num_classes=2, image_size=8, class_counts=(2, 2), angle_dim=5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"label": 3}, "fields has 'label', whose size is num_classes"), ({"angel": 3}, "angel.*angle")],
)
def test_fields_that_are_none_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        SyntheticImages(2, 8, fields=fields)


def doubled(batch, factor):
    """Return a batch with other angles."""
    return {**batch, "angle": factor * batch["angle"]}


def test_what_joins_items_is_found_where_it_is_registered(config):
    r.FUNCTIONS.register_module("doubled", module=doubled)
    line = 'train_dataloader["collate_fn"] = dict(type="doubled", factor=2.0)\n'
    tiny = load_tiny_config(config(line))
    with DefaultScope.overwrite_default_scope("mmcgan"):
        loader = GANRunner.build_dataloader(tiny.train_dataloader)
    assert torch.equal(next(iter(loader))["angle"], torch.full((TINY_BATCH, 3), 2.0))


@pytest.mark.parametrize(
    "join",
    [
        lambda batch: {**batch, "angle": 2 * batch["angle"] - 1},  # facts tell of it
        lambda batch: {**batch, "place": 1 - batch["place"]},  # a field, of which no fact tells
        lambda batch: {**batch, "image": batch["image"] + batch["mask"]},  # no field at all
        lambda batch: {**batch, "image": batch["image"][:, :, 4:12, 4:12].reshape(-1, 3, 8, 8)},
        lambda batch: {**batch, "angle": batch["angle"].reshape(-1, 3)},
    ],
)
@pytest.mark.parametrize("kind", ["Angled", "AbsentFiles"])
def test_what_joins_items_finds_what_the_data_set_has(join, kind):
    r.FUNCTIONS.register_module("joins", module=join, force=True)
    joining_trial(dict(collate_fn=dict(type="joins"), dataset=dict(type=kind)))()


@pytest.mark.parametrize(
    ("join", "message"),
    [
        (lambda batch: batch[0]["image"], "cannot take the dict of tensors"),
        (lambda batch: [item["image"] for item in batch], "cannot take the dict of tensors"),
        (lambda batch: {**batch, "angle": batch["angle"].reshape(-1, 4)}, "cannot take the dict of tensors"),
        (lambda batch: batch["image"], "returns no dict with 'image', got Tensor"),
        (lambda batch: {"angle": batch["angle"]}, "returns no dict with 'image', got dict"),
    ],
)
def test_what_cannot_join_items_is_refused(join, message):
    r.FUNCTIONS.register_module("joins", module=join, force=True)
    with pytest.raises(ValueError, match=f"joins {message}"):
        joining_trial(dict(collate_fn=dict(type="joins"), dataset=dict(type="Angled")))()


def test_an_unlabelled_set_has_no_labels_to_join():
    def join(batch):
        assert set(batch) == {"image"} and batch["image"].shape == (2, 3, 24, 24)
        return batch

    r.FUNCTIONS.register_module("joins", module=join, force=True)
    plain = dict(type="SyntheticImages", num_classes=0, image_size=24)
    joining_trial(dict(collate_fn=dict(type="joins"), dataset=plain))()
