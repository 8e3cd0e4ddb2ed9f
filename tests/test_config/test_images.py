"""Every generator with images of every shape: it trains, or is refused in a sentence before work begins."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmcgan.config.load import prepare_config
from mmcgan.config.tiny import run_tiny_step
from mmcgan.datasets.base import GANDataset
from mmcgan.image_shapes import ImageShapes, image_shapes_of
from mmcgan.models.backbones import Backbone
from mmcgan.models.data_preprocessor import GANDataPreprocessor
from mmcgan.models.generators import Generator
from mmcgan.registry import BACKBONES, DATASETS, GENERATORS, MODELS
from tests.test_combinations import NETWORKS
from tests.test_config.examples import TEXT

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"
PAINTED = dict(type="SPADEGenerator", channels=[4] * 8, hidden_channels=4)
PAIRS = {
    **NETWORKS,
    "coded": (
        dict(type="CodedGenerator", generator=NETWORKS["dcgan"][0], code_dim=2),
        NETWORKS["dcgan"][1],
    ),
    "spade": (PAINTED, dict(type="PatchBackbone", base_channels=4, num_scales=1)),
}
SHAPES = {
    "square": {},
    "wide": dict(height=32, width=64),
    "48 pixels": dict(height=48, width=48),
    "one channel": dict(channels=1),
    "RGBA": dict(channels=4),
    "label maps": dict(maps=3, height=32, width=32),
}


@DATASETS.register_module(force=True)
class ShapedImages(GANDataset):
    """Eight images of any shape, of three classes."""

    classes = ("a", "b", "c")
    labels = torch.arange(8) % 3

    def __init__(self, height=16, width=16, channels=3, maps=0):
        self.shape, self.channels, self.maps = (height, width), channels, maps

    @classmethod
    def facts(cls, height=16, width=16, channels=3, maps=0):
        return dict(
            image_size=height if height == width else (height, width),
            image_channels=channels,
            num_classes=3,
            class_counts=(3, 3, 2),
            num_map_classes=maps or None,
        )

    def __len__(self):
        return 8

    def __getitems__(self, indices):
        rows = len(indices)
        image = torch.randint(256, (rows, self.channels, *self.shape), dtype=torch.uint8)
        maps = dict(label_map=torch.zeros(rows, *self.shape, dtype=torch.int64)) if self.maps else {}
        return dict(image=image, label=self.labels[torch.as_tensor(indices)], **maps)


class Perceptron(Generator):
    """A stranger's generator of any shape."""

    requires = ()

    def __init__(self, image_size, num_classes, latent_dim=8, image_channels=3):
        super().__init__()
        sides = [image_size] * 2 if isinstance(image_size, int) else list(image_size)
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim
        self.shape = (image_channels, *sides)
        self.colours = torch.nn.Linear(latent_dim, image_channels * sides[0] * sides[1])

    def embed(self, condition):
        return None

    def synthesize(self, latent, embedding):
        return self.colours(latent).tanh().unflatten(1, self.shape)


@GENERATORS.register_module(force=True)
class AnyShape(Perceptron):
    image_shapes = ImageShapes(channels=(1, 3, 4))


@GENERATORS.register_module(force=True)
class SquaresOnly(Perceptron):
    image_shapes = ImageShapes("the sides of chess boards", square=True)


@GENERATORS.register_module(force=True)
class OneSize(Perceptron):
    def __init__(self):
        super().__init__(12, 3)


@BACKBONES.register_module(force=True)
class MeanColours(Backbone):
    """Looks at the mean of any image."""

    emits = ("pooled", "map")
    image_shapes = ImageShapes(channels=(1, 3, 4))

    def __init__(self, image_channels=3):
        super().__init__()
        self.out_channels = 4
        self.colours = torch.nn.Linear(image_channels, 4)

    def forward(self, image):
        pooled = self.colours(image.mean((2, 3)))
        return {"pooled": pooled, "map": pooled[:, :, None, None]}


@MODELS.register_module(force=True)
class AnyChannels(GANDataPreprocessor):
    image_shapes = ImageShapes(channels=(1, 3, 4))

    @staticmethod
    def _checked(image):
        return image


STRANGERS = {"any": AnyShape, "squares": SquaresOnly, "one size": OneSize}


def config_of(networks, shape, **model):
    """Return a config of two networks on images of a shape."""
    names = {}
    exec(TEXT, names)
    config = {key: value for key, value in names.items() if not key.startswith(("_", "val_"))}
    config["train_dataloader"] |= dict(dataset=dict(type="ShapedImages", **shape), batch_size=4)
    generator, backbone = deepcopy(networks)
    heads = dict(adv=dict(type="PatchHead" if backbone["type"] == "PatchBackbone" else "AdversarialHead"))
    config["model"] |= dict(
        generator=generator, discriminator=dict(backbone=backbone, heads=heads), step={}, **model
    )
    config["model"]["losses"] = dict(adversarial=dict(type="HingeLoss"))
    if generator["type"] == "SPADEGenerator":
        config["model"]["condition_sampler"] = dict(type="RealCondition")
    if generator["type"] == "CodedGenerator":
        laws = dict(codes=0, continuous=2)
        config["model"]["latent_sampler"] = dict(type="CodedLatent", **laws)
    config["default_hooks"].pop("sample_grid")
    config["train_cfg"] = dict(type="GANTrainLoop", max_iters=1, val_interval=10)
    return Config(config)


def trains(config):
    """Return the problems of a config; train it for a step if there are none."""
    problems = [str(problem) for problem in prepare_config(config, {})]
    if not problems:
        run_tiny_step(config)
    return problems


def test_every_generator_is_walked():
    ours = {name for name, kind in GENERATORS.named().items() if kind.__module__.startswith("mmcgan.")}
    assert {networks[0]["type"] for networks in PAIRS.values()} == ours


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_generator_trains_or_is_refused_before_work(name, shape):
    problems, height = trains(config_of(PAIRS[name], SHAPES[shape])), SHAPES[shape].get("height")
    assert not any("cannot be built" in problem or "must be int" in problem for problem in problems), problems
    if shape in ("one channel", "RGBA"):
        assert sum("this network's have 3 (RGB)" in problem for problem in problems) >= 2
        assert "ShapedImages has images of" in problems[0]
    elif shape == "wide" and name != "spade":
        assert any("32 x 64 is not square" in problem and "SPADEGenerator" in problem for problem in problems)
    elif name == "spade":
        assert bool(problems) == (shape != "label maps"), problems
    elif shape == "48 pixels" or (name, shape) == ("r3gan", "label maps"):
        assert any("image_size" in problem and str(height) in problem for problem in problems)
    else:
        assert problems == []


def test_label_maps_that_are_not_square_are_painted():
    assert trains(config_of(PAIRS["spade"], dict(maps=3, height=32, width=64))) == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", STRANGERS)
def test_a_strangers_generator_says_which_images_it_makes(name, shape):
    settings = SHAPES[shape]
    channels = dict(image_channels=settings.get("channels", 3))
    generator = dict(type=STRANGERS[name].__name__, **({} if name == "one size" else channels))
    networks = (generator, dict(type="MeanColours", **channels))
    problems = trains(config_of(networks, settings, data_preprocessor=dict(type="AnyChannels")))
    if name == "one size":
        assert "OneSize makes images of 12 x 12 pixels only, but ShapedImages has images of" in problems[-1]
    elif name == "squares" and shape == "wide":
        assert problems[0].startswith(
            "model.generator.image_size: 32 x 64 is not square, as this network's images are "
            "(the sides of chess boards); not square can be those of "
        )
        assert "AnyShape" in problems[0]
    elif name == "squares" and "channels" in settings:
        assert "this network's have 3 (RGB)" in problems[0]
    else:
        assert problems == []


def test_what_a_network_does_not_make_is_named_where_it_is_asked_for():
    networks = (dict(NETWORKS["dcgan"][0], image_channels=1), NETWORKS["dcgan"][1])
    problems = trains(config_of(networks, {}))
    assert (
        "model.generator.image_channels: asks for images of 1 channel, but this network's have 3 (RGB); "
        "leave it out" in problems
    )


def test_the_page_says_what_the_classes_declare():
    table = PAGE.read_text().partition("### Which images networks make")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| `")]
    stated = {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in rows}
    for registry in (GENERATORS, BACKBONES):
        for name, kind in registry.named().items():
            if kind.__module__.startswith("mmcgan."):
                shapes = image_shapes_of(kind)
                square = "square" if shapes.square else "any"
                assert stated.pop(name) == [shapes.sizes, square, "RGB"], name
                assert shapes.channels == (3,)
    assert not stated
