"""What somebody is told whose class keeps its contract and yet does what mmcgan cannot use."""

import pytest
import torch
from torch import nn

from mmcgan.condition_fields import ConditionField
from mmcgan.config.facts import fill_facts
from mmcgan.contracts import ContractError
from mmcgan.datasets import GANDataset
from mmcgan.models.backbones import Backbone
from mmcgan.models.discriminator import freeze
from mmcgan.models.generators import Generator
from mmcgan.registry import CONDITION_FIELDS, DATASETS, GENERATORS
from mmcgan.structures import Condition
from mmcgan.testing import check_head


class Captioned(Generator):
    """A generator of somebody's, which looks at a label and trusts that it is there."""

    def __init__(self, image_size=8, caption_dim=0, num_classes=3, fixed=False):
        super().__init__()
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, 4
        self.requires, self.fixed = ("label",), fixed
        self.labels, self.start = nn.Embedding(3, 4), nn.Linear(4, 3 * image_size**2)

    def embed(self, condition):
        return self.labels(condition.label)

    def synthesize(self, latent, embedding):
        rows = len(latent) if self.fixed else latent.shape[0]
        return self.start(latent + embedding).tanh().reshape(rows, 3, self.image_size, self.image_size)


def test_a_missing_field_is_named_before_the_generator_meets_it():
    with pytest.raises(ValueError, match=r"needs condition\.label, present: .*; Captioned requires it"):
        Captioned()(torch.zeros(2, 4), Condition())


def test_stages_that_are_no_dict_are_refused_with_the_page():
    class Listed(Backbone):
        emits, out_channels = ("pooled",), 3

        def stages(self):
            return [nn.Linear(1, 1)]

    with pytest.raises(ContractError, match=r"Listed: stages\(\) returned a list.*extending/backbone\.md"):
        freeze(Listed(), 1)


def test_a_generator_that_fixes_its_number_of_images_is_not_exported(tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from mmcgan.apis.onnx_export import exported_difference

    given = torch.randn(3, 4), Condition(label=torch.tensor([0, 1, 2]))
    assert exported_difference(Captioned().eval(), *given, tmp_path / "free.onnx") < 1e-5
    with pytest.raises(
        ValueError, match=r"Captioned turns the number of images into a constant.*x\.shape\[0\]"
    ):
        exported_difference(Captioned(fixed=True).eval(), *given, tmp_path / "fixed.onnx")


@pytest.fixture
def captions():
    """Register a data set with captions, the kind of condition and a generator that can do without."""

    class Caption(ConditionField):
        facts = ("caption_dim",)

        def made_up(self, n, size, image_size, source):
            return torch.randn(n, size, generator=source)

    class CaptionedImages(GANDataset):
        metainfo = {}

        @classmethod
        def facts(cls):
            return dict(num_classes=3, caption_dim=5, image_size=8)

        def __len__(self):
            return 1

        def __getitems__(self, indices):
            raise NotImplementedError

    CONDITION_FIELDS.register_module("caption")(Caption)
    DATASETS.register_module()(CaptionedImages)
    GENERATORS.register_module()(Captioned)
    yield
    for registry, name in (
        (CONDITION_FIELDS, "caption"),
        (DATASETS, "CaptionedImages"),
        (GENERATORS, "Captioned"),
    ):
        del registry._module_dict[name]


@pytest.mark.parametrize(
    ("given", "problems"), [(None, []), (0, []), (5, []), (4, ["model.generator.caption_dim"])]
)
def test_a_size_of_zero_says_that_a_field_of_any_kind_is_not_used(captions, given, problems):
    generator = dict(type="Captioned", **({} if given is None else {"caption_dim": given}))
    config = dict(
        model=dict(type="ConditionalGAN", generator=generator),
        train_dataloader=dict(batch_size=1, dataset=dict(type="CaptionedImages")),
    )
    assert [problem.path for problem in fill_facts(config)] == problems
    assert config["model"]["generator"]["caption_dim"] == (5 if given is None else given)


def test_a_check_asks_a_head_for_no_class_that_it_has_not():
    check_head(dict(type="ProjectionHead", num_classes=2))
    check_head(dict(type="ProjectionHead", num_classes=7))
