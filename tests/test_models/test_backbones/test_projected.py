"""Projected discriminators: scales, the frozen network, checkpoints, gradients, bad input."""

import pytest
import torch
from torch import nn

from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing, SmallClassifier
from mmcgan.models.backbones import ProjectedBackbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.wiring import build_losses
from mmcgan.registry import EXTRACTORS
from mmcgan.structures import Condition

DIGITS = dict(type="SmallClassifier", weights="digits-16")
SMALL = dict(image_size=16, extractor=DIGITS, strides=(1, 2, 4), max_channels=8, end_size=4)
HINGE = dict(adversarial=dict(type="HingeLoss"))


def projected(**changes):
    torch.manual_seed(0)
    return ProjectedBackbone(**{**SMALL, **changes})


def each(head, **more):
    return dict(adv=dict(type="EachScale", scales=3, head=head, **more))


def test_every_scale_ends_at_the_same_size_with_a_set_of_tensors_of_its_own():
    backbone = projected()
    found = backbone(torch.rand(2, 3, 16, 16) * 2 - 1)
    assert set(found) == set(backbone.emits) == set(ProjectedBackbone.emits_with(SMALL))
    assert [len(scale) for scale in backbone.blocks] == [3, 2, 1]
    for scale in range(3):
        assert found[f"map_{scale}"].shape == (2, 8, 4, 4)
        assert found[f"pooled_{scale}"].shape == (2, 8)
    mean = torch.stack([found[f"pooled_{scale}"] for scale in range(3)]).mean(0)
    torch.testing.assert_close(found["pooled"], mean)


def test_efficientnets_scales_are_those_of_the_paper():
    backbone = ProjectedBackbone(64, dict(type="EfficientNetLite0", pretrained=False), resize="bilinear")
    assert backbone.frozen.shapes == {2: (16, 112), 4: (24, 56), 8: (40, 28), 16: (112, 14), 32: (320, 7)}
    assert backbone.strides == (4, 8, 16, 32)
    assert backbone.mixing.out_channels == [64, 64, 128, 256]
    assert [len(scale) for scale in backbone.blocks] == [4, 3, 2, 1]
    frozen = sum(parameter.numel() for parameter in backbone.mixing.parameters())
    assert frozen == 200_128 + 176_640  # cross-channel and cross-scale mixing, as the authors count


def test_the_frozen_network_is_neither_trained_nor_stored_nor_switched():
    backbone = projected()
    own = {id(parameter) for parameter in backbone.frozen.network.parameters()}
    assert own and not own & {id(parameter) for parameter in backbone.parameters()}
    names = set(backbone.state_dict())
    assert "frozen.fingerprint" in names
    assert not [name for name in names if name.startswith("frozen.") and name != "frozen.fingerprint"]
    assert not any(parameter.requires_grad for parameter in backbone.mixing.parameters())
    assert not backbone.train().frozen.network.training


def test_mixing_is_stored_because_nothing_could_make_it_again():
    first, second = projected(), ProjectedBackbone(**SMALL)
    image = torch.rand(2, 3, 16, 16)
    first.eval()
    second.eval()
    assert not torch.equal(first(image)["pooled"], second(image)["pooled"])
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(image)["pooled"], second(image)["pooled"])


def test_a_checkpoint_of_other_frozen_weights_is_refused():
    state = projected().state_dict()
    state["frozen.fingerprint"] = state["frozen.fingerprint"].clone().fill_(7)
    with pytest.raises(ValueError, match=r"SHA-256 0707.*but those of 'small-classifier:digits-16' have"):
        projected().load_state_dict(state)


def test_weights_can_be_named_by_their_hash():
    known = SmallClassifier("digits-16").weights_hash
    projected(weights_sha256=known[:12])
    with pytest.raises(ValueError, match=f"SHA-256 {known}, expected weights_sha256='abc'"):
        projected(weights_sha256="abc")


def test_gradients_reach_images_through_what_is_frozen_also_outside_the_range():
    backbone = projected().eval()
    image = (torch.rand(2, 3, 24, 24) * 3 - 1.5).requires_grad_()
    backbone(image)["pooled"].sum().backward()
    assert (image.grad != 0).float().mean() > 0.9
    assert all(parameter.grad is None for parameter in backbone.frozen.network.parameters())


def test_frozen_maps_of_images_without_gradient_record_none():
    backbone = projected()
    assert not any(x.requires_grad for x in backbone.maps(torch.rand(1, 3, 16, 16)))


def test_the_frozen_network_sees_images_as_evaluation_does():
    """Within the range, the differentiable path is the extractor's own preprocessing."""
    image = torch.randint(0, 256, (2, 3, 24, 24), dtype=torch.uint8)
    for rule in ("bilinear", "bilinear-antialias", "clean", "tf-bilinear"):
        wanted = Preprocessing(16, rule, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.5))
        found = wanted.differentiable(image.float() / 127.5 - 1)
        torch.testing.assert_close(found, wanted(image), rtol=1e-4, atol=2e-2 if rule == "clean" else 1e-5)


def test_precision_of_its_own_holds_inside_and_outside_autocast():
    own = projected(extractor=dict(DIGITS, precision="float32"))
    ambient = projected()
    image = torch.rand(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        assert own.maps(image)[0].dtype == torch.float32
        assert ambient.maps(image)[0].dtype == torch.bfloat16


def test_a_loss_on_every_scale_is_the_mean_over_them():
    torch.manual_seed(0)
    heads = each(dict(type="PatchHead", kernel_size=4, padding=0, bias=False))
    network = Discriminator(dict(type="ProjectedBackbone", **SMALL), heads)
    (loss,) = build_losses(HINGE, network.emits)
    image = torch.rand(2, 3, 16, 16)
    out = network(image, Condition())
    assert [out[f"adv.logit_{scale}"].shape for scale in range(3)] == [(2, 1, 1)] * 3
    terms = loss.generator(out, None)
    own = -torch.cat([out[f"adv.logit_{scale}"] for scale in range(3)]).mean()
    torch.testing.assert_close(sum(terms.values()), own)
    (chosen,) = build_losses(
        dict(adversarial=dict(type="HingeLoss", inputs=dict(logit=["adv.logit_2"]))), network.emits
    )
    torch.testing.assert_close(sum(chosen.generator(out, None).values()), -out["adv.logit_2"].mean())


def test_heads_of_scales_share_nothing_and_say_what_they_think_together():
    head = dict(type="OmniHead", num_classes=3)
    network = Discriminator(dict(type="ProjectedBackbone", **SMALL), each(head))
    parts = network.heads["adv"].parts
    assert len({id(p) for part in parts for p in part.parameters()}) == 3 * len(list(parts[0].parameters()))
    out = network(torch.rand(2, 3, 16, 16), Condition())
    scores = {name.removeprefix("adv."): value for name, value in out.items() if name.startswith("adv.")}
    assert network.heads["adv"].realness(scores).shape == (2,)
    assert network.heads["adv"].class_scores(scores).shape == (2, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            dict(strides=(2, 64)),
            r"strides=\[2, 64\]: small-classifier:digits-16 has maps of the strides \[1, 2",
        ),
        (dict(strides=(4, 2)), "strides must rise"),
        (dict(end_size=8), r"the map of stride 4 .* is 8 pixels wide, too small .* end_size=8"),
        (dict(input_size=18), r"maps that halve .*have the sides \[18, 9, 5\]"),
        (dict(input_size=2), r"has maps of the strides \[1, 2\] at an input of 2 pixels"),
        (dict(down_blocks=(3, 2, 9)), "down_blocks asks for 9 halvings of the map of stride 4"),
        (dict(down_blocks=(1, 1, 1, 1)), "down_blocks has 4 entries for the strides"),
        (dict(resize="nearest"), "resize='nearest': choose one of"),
        (dict(mixing="all"), "mixing must be one of"),
        (dict(pooling="max"), "pooling must be one of"),
        (dict(image_size=0), "sizes must be at least 1"),
    ],
)
def test_what_does_not_suit_is_named_before_work(changes, message):
    with pytest.raises(ValueError, match=message):
        projected(**changes)


def test_a_scale_that_does_not_exist_is_named():
    with pytest.raises(
        ValueError, match=r"heads.adv: EachScale looks at 'pooled_3'.*ProjectedBackbone does not"
    ):
        Discriminator(
            dict(type="ProjectedBackbone", **SMALL),
            dict(adv=dict(type="EachScale", scales=[3], head=dict(type="AdversarialHead"))),
        )
    network = Discriminator(dict(type="ProjectedBackbone", **SMALL), each(dict(type="AdversarialHead")))
    wrong = dict(adversarial=dict(type="HingeLoss", inputs=dict(logit="adv.logit_4")))
    with pytest.raises(ValueError, match=r"asks for 'adv.logit_4', which nothing emits.*adv.logit_"):
        build_losses(wrong, network.emits)


@pytest.mark.parametrize("scales", [0, [], [1, 1], [-1]])
def test_scales_that_cannot_be_are_refused(scales):
    head = dict(type="EachScale", scales=scales, head=dict(type="AdversarialHead"))
    with pytest.raises(ValueError, match="scales must be a count of at least 1 or distinct numbers"):
        Discriminator(dict(type="ProjectedBackbone", **SMALL), dict(adv=head))


class Mapless(Extractor):
    """A third party's extractor without maps."""

    def __init__(self):
        super().__init__("mapless", Preprocessing(16))
        self.feature_dim = 3
        self.layer = nn.Linear(1, 1)
        self.freeze()

    def encode(self, pixels):
        return ExtractorOutput(pixels.mean((2, 3)))


class Mapped(Mapless):
    """The same with maps."""

    def feature_maps(self, pixels):
        return [pixels, nn.functional.avg_pool2d(pixels, 2)]


@pytest.fixture
def third_party():
    for kind in (Mapless, Mapped):
        EXTRACTORS.register_module(module=kind)
    yield
    for kind in (Mapless, Mapped):
        EXTRACTORS.module_dict.pop(kind.__name__)


def test_anybodys_extractor_with_maps_will_do_and_one_without_is_named(third_party):
    backbone = projected(extractor=dict(type="Mapped"), strides=None)
    assert backbone.strides == (1, 2)
    with pytest.raises(
        ValueError, match=r"mapless \(Mapless\) has no maps \(feature_maps\); take TimmExtractor"
    ):
        projected(extractor=dict(type="Mapless"))


def test_maps_of_images_that_come_again_are_kept_and_those_of_fakes_are_not():
    backbone, plain = projected(cache_megabytes=8), projected()
    cache, real = backbone.frozen.cache, torch.rand(4, 3, 16, 16)
    for _ in range(2):
        backbone.maps(real)
        backbone.maps(torch.rand(4, 3, 16, 16))  # never the same twice
    assert (len(cache), cache.hits) == (4, 0)
    turned = real.flip(0)
    for found, expected in zip(backbone.maps(turned), plain.maps(turned), strict=True):
        torch.testing.assert_close(found, expected)
    assert cache.hits == 1
    mixed = torch.cat([real[:2], torch.rand(2, 3, 16, 16)])
    torch.testing.assert_close(backbone.maps(mixed)[0], plain.maps(mixed)[0])
    assert cache.hits == 1, "a batch with an unknown image is computed"


def test_the_cache_answers_no_gradients_no_evaluation_and_not_beyond_its_room():
    backbone, real = projected(cache_megabytes=8), torch.rand(2, 3, 16, 16)
    for _ in range(3):
        assert backbone.maps(real.clone().requires_grad_())[0].requires_grad
    backbone.eval()
    for _ in range(3):
        backbone.maps(real)
    assert len(backbone.frozen.cache) == 0
    small = projected(cache_megabytes=0.03)  # one image's maps take 28 kB
    for _ in range(3):
        small.maps(real)
    assert len(small.frozen.cache) == 1
    small.double()
    assert len(small.frozen.cache) == 0, "maps of another format are of no use"
    with pytest.raises(ValueError, match="cache_megabytes must not be negative"):
        projected(cache_megabytes=-1)
