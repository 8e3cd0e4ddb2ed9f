"""``mmcgan.testing`` on every class of our own, and on classes that are wrong."""

import inspect
import re

import pytest
import torch
from torch import nn

from mmcgan import registry as r
from mmcgan import testing
from mmcgan.models.generators import Generator
from mmcgan.testing import CheckError
from mmcgan.weights import read_index

SIZE, CLASSES = 16, 3
EXTRACTOR = dict(type="SmallClassifier", weights="digits-16")
INNER = dict(type="DCGANGenerator", image_size=SIZE, num_classes=CLASSES, base_channels=4)
R3 = dict(channels=(8, 8, 8), groups=(2, 2, 2), blocks=(1, 1, 1))
#: small settings of networks
GENERATORS = {
    "BigGANGenerator": dict(base_channels=4, latent_dim=12, shared_dim=4),
    "BigGANDeepGenerator": dict(base_channels=4, latent_dim=12, shared_dim=4, depth=1),
    "CodedGenerator": dict(
        generator=dict(type="DCGANGenerator", image_size=SIZE, num_classes=CLASSES, base_channels=4),
        code_dim=2,
    ),
    "DCGANGenerator": dict(base_channels=4, latent_dim=12),
    "FastGANGenerator": dict(base_channels=2, latent_dim=12, excitation_factor=4),
    "R3GANGenerator": dict(
        channels=(8, 8, 8), groups=(2, 2, 2), blocks=(1, 1, 1), label_dim=8, latent_dim=12
    ),
    "ResNetGenerator": dict(base_channels=4, latent_dim=12),
    "SPADEGenerator": dict(
        image_size=32, num_map_classes=4, base_channels=4, latent_dim=8, hidden_channels=4
    ),
    "StyleGAN2Generator": dict(max_channels=8, style_dim=8, latent_dim=12, mapping_layers=2),
}
BACKBONES = {
    "BigGANBackbone": dict(base_channels=4),
    "BigGANDeepBackbone": dict(base_channels=4, depth=1),
    "DCGANBackbone": dict(base_channels=4),
    "PatchBackbone": dict(num_map_classes=3, base_channels=4, num_layers=2),
    "ProjectedBackbone": dict(extractor=EXTRACTOR, strides=(1, 2, 4), max_channels=8, end_size=4),
    "R3GANBackbone": R3,
    "ResNetBackbone": dict(base_channels=4),
    "StyleGAN2Backbone": dict(max_channels=8),
}
HEADS = {
    "DiscreteCodeHead": dict(codes=2, values=3),
    "ContinuousCodeHead": dict(codes=2),
    "ProxyHead": dict(embed_dim=4),
    "DiscriminativeProxyHead": dict(embed_dim=4),
    "EachScale": dict(head=dict(type="AdversarialHead"), scales=2),
    "PixelClassHead": dict(num_map_classes=3),
}


def ours(registry):
    return sorted(n for n, x in registry.module_dict.items() if x.__module__.startswith("mmcgan."))


def filled(kind, settings):
    """Return settings with the data set's facts where the constructor asks for them."""
    asked = inspect.signature(kind).parameters
    facts = dict(image_size=SIZE, num_classes=CLASSES)
    return {**{k: v for k, v in facts.items() if k in asked}, **settings}


@pytest.mark.parametrize("name", ours(r.GENERATORS))
def test_our_generators_pass(name):
    config = filled(r.GENERATORS.get(name), GENERATORS[name])
    config.pop("image_size", None) if name == "CodedGenerator" else None
    testing.check_generator({"type": name, **config})


@pytest.mark.parametrize("name", ours(r.BACKBONES))
def test_our_backbones_pass(name):
    config = filled(r.BACKBONES.get(name), BACKBONES[name])
    testing.check_backbone({"type": name, **config}, SIZE, sizes={"label_map": 3})


@pytest.mark.parametrize("name", ours(r.HEADS))
def test_our_heads_pass(name):
    testing.check_head({"type": name, **filled(r.HEADS.get(name), HEADS.get(name, {}))}, CLASSES)


@pytest.mark.parametrize("name", ours(r.AUGMENTS))
def test_our_augmentations_pass(name):
    settings = {
        "ADA": dict(p=0.5),
        "APA": dict(p=0.5),
        "ComposeAugments": dict(augments=[dict(type="FlipAndShift")]),
    }
    testing.check_augment({"type": name, **settings.get(name, {})})


@pytest.mark.parametrize("name", ours(r.REGULARIZERS))
def test_our_regularisers_pass(name):
    settings = {
        "ImageConsistency": dict(transform=dict(type="FlipAndShift")),
        "GradientClipping": dict(max_norm=1.0),
        "LatentOptimization": dict(on="generator"),
    }
    testing.check_regularizer({"type": name, **settings.get(name, {})})


@pytest.mark.parametrize("name", ["NormalLatent", "UniformLatent", "TruncatedNormalLatent", "CodedLatent"])
def test_our_laws_of_latents_pass(name):
    testing.check_latent_sampler(dict(type=name))


GROUPS = dict(attribute_groups={"digit": ["0", "1"], "colour": ["red", "green", "blue"]})
COUNTS = [[[0, 3], 3], [[2, 4], 1]]
STORE = dict(instance_store=dict(size=24, dim=6, num_classes=CLASSES))
CONDITIONS = [
    dict(type="UniformLabel", num_classes=CLASSES),
    dict(type="EmpiricalLabel", class_counts=(1, 2, 3)),
    dict(type="TemperatureLabel", class_counts=(1, 2, 3), temperature=2.0),
    dict(type="BalancedLabel", num_classes=CLASSES),
    dict(type="ConstantLabel", label=1),
    dict(type="UniformAttributes", **GROUPS),
    dict(type="EmpiricalAttributes", attribute_counts=COUNTS, **GROUPS),
    dict(type="ChosenAttributes", attributes=dict(digit="1"), **GROUPS),
    dict(type="AllInstances", **STORE),
    dict(type="RandomInstances", size=4, **STORE),
    dict(type="RealCondition", dataset=dict(type="SyntheticImages", num_classes=CLASSES, image_size=8)),
]


@pytest.mark.parametrize("config", CONDITIONS, ids=lambda config: config["type"])
def test_our_laws_of_conditions_pass(config):
    testing.check_condition_sampler(config)


@pytest.mark.parametrize("kind", ["classifier", "attribute-classifier", "ssl-extractor", "segmenter"])
def test_our_small_extractors_pass(kind):
    names = {each.weight_kind: name for name, each in r.EXTRACTORS.named().items() if each.weight_kind}
    for name in read_index(kind):
        testing.check_extractor(dict(type=names.get(kind, "SmallSegmenter"), weights=name))


METRICS = ["InceptionScore", "ConditionalAccuracy", "MSSSIM"]


@pytest.mark.parametrize("name", METRICS)
def test_our_metrics_without_real_images_pass(name):
    settings = {"MSSSIM": dict(pairs=4), "InceptionScore": {}}
    testing.check_metric({"type": name, **settings.get(name, {})})


@pytest.mark.parametrize(
    "config",
    [
        dict(type="DigitsDataset", image_size=16),
        dict(type="SyntheticImages", num_classes=3, image_size=8),
        dict(type="TwoDomainDigits", image_size=16),
        dict(type="ImbalancedDataset", dataset=dict(type="DigitsDataset", image_size=16), ratio=10.0),
        dict(type="ClassSubset", dataset=dict(type="DigitsDataset", image_size=16), keep=[1, 2]),
        dict(type="SyntheticLabelMaps", image_size=16, num_map_classes=3),
    ],
    ids=lambda config: config["type"],
)
def test_our_data_sets_pass(config):
    testing.check_dataset(config)


# --- what is wrong is said -----------------------------------------------------------------------
class Good(Generator):
    image_size, latent_dim, num_classes, requires = 4, 3, 0, ()

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 48)

    def embed(self, condition):
        return None

    def synthesize(self, latent, embedding):
        return self.linear(latent).tanh().unflatten(1, (3, 4, 4))


def small(self, latent, embedding):
    return Good.synthesize(self, latent, embedding)[:, :, :2]


def restless(self, latent, embedding):
    return Good.synthesize(self, latent + torch.rand(3), embedding)


def joined(self, latent, embedding):
    return Good.synthesize(self, latent - latent.mean(0), embedding)


def deaf(self, latent, embedding):
    return Good.synthesize(self, torch.ones_like(latent), embedding)


def test_a_good_generator_passes():
    testing.check_generator(Good())


@pytest.mark.parametrize(
    ("synthesize", "message"),
    [
        (small, r"Bad: images have the shape \(3, 3, 2, 4\)"),
        (restless, "Bad: two calls in evaluation differ"),
        (joined, "Bad: an image depends on others of its batch"),
        (deaf, "Bad: no gradient reaches z"),
    ],
)
def test_what_is_wrong_with_a_generator_is_said(synthesize, message):
    with pytest.raises(CheckError, match=message):
        testing.check_generator(type("Bad", (Good,), {"synthesize": synthesize})())


def test_a_state_outside_the_weights_is_found():
    class Forgetful(Good):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def state_dict(self, *args, **kwargs):
            found = super().state_dict(*args, **kwargs)
            found.pop("scale", None)
            return found

        def load_state_dict(self, state, strict=True, assign=False):
            return super().load_state_dict(state, strict=False)

        def synthesize(self, latent, embedding):
            return super().synthesize(latent, embedding) * self.scale

    with pytest.raises(CheckError, match="Forgetful: its image differs after its weights were saved"):
        testing.check_generator(Forgetful())


def test_randomness_that_is_not_the_generators_is_found():
    from mmcgan.samplers import LatentSampler

    class Wild(LatentSampler):
        def sample(self, n, generator):
            return torch.randn(n, self.latent_dim)

    with pytest.raises(CheckError, match="Wild draws from torch's global generator"):
        testing.check_latent_sampler(Wild(3))


def test_every_check_is_exported_and_documented():
    names = [name for name in testing.__all__ if name.startswith("check_")]
    assert len(names) == 13
    for name in names:
        assert re.match(r"Check ", inspect.getdoc(getattr(testing, name))), name


# --- every class of a registry: nothing is left out but with a reason -----------------------------
N = 6
LABEL = torch.arange(N) % CLASSES


def vectors(*shape, seed=0):
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(seed))


#: tensors for every argument that a loss of ours may have
INPUTS = {
    "logit": vectors(),
    "logits": vectors(CLASSES + 1, seed=1),
    "label": LABEL,
    "embed": nn.functional.normalize(vectors(4, seed=2), dim=1),
    "proxy": nn.functional.normalize(vectors(4, seed=3), dim=1),
    "iteration": torch.tensor(5),
    "mean": vectors(4, seed=4),
    "variance": vectors(4, seed=5).exp(),
    "log_variance": vectors(4, seed=6),
    "feature": vectors(4, seed=7),
    "score": vectors(CLASSES + 2, seed=8),
    "image": vectors(3, 8, 8, seed=9).tanh(),
}
LOSSES = {
    "CategoricalCodeLoss": dict(logits=vectors(2, 3), code=torch.randint(3, (N, 2))),
    "GaussianCodeLoss": dict(code=vectors(4)),
    "FeatureMapLoss": dict(feature=vectors(4, 3, 3)),
    "DiscriminativeClassifierLoss": dict(logits=vectors(2 * CLASSES)),
}
LOSS_SETTINGS = {"TopKLoss": dict(loss=dict(type="HingeLoss"), epoch_length=2)}
#: what cannot be checked here, and why
LEFT_OUT = {"PerceptualLoss": "needs the weights of VGG19, which are not installed"}


@pytest.mark.parametrize("name", [name for name in ours(r.LOSSES) if name not in LEFT_OUT])
def test_our_losses_pass(name):
    from mmcgan.models.wiring import loss_arguments

    needed = [key for key, required in loss_arguments(r.LOSSES.get(name)).items() if required]
    given = {**{key: INPUTS[key] for key in needed if key in INPUTS}, **LOSSES.get(name, {})}
    if name == "OmniLoss":
        given["label"] = LABEL
    testing.check_loss({"type": name, **LOSS_SETTINGS.get(name, {})}, given)


def test_a_state_of_a_loss_outside_its_buffers_is_found():
    from mmcgan.losses import Loss

    class Counting(Loss):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def fake(self, logit):
            self.calls += 1
            return logit.mean() * self.calls

    with pytest.raises(CheckError, match="Counting: two calls differ"):
        testing.check_loss(Counting(), {"logit": vectors()})


def test_a_state_of_training_outside_the_buffers_is_found():
    class Hidden(Good):
        def __init__(self):
            super().__init__()
            self.steps = 0

        def synthesize(self, latent, embedding):
            self.steps += self.training
            return super().synthesize(latent * (1 + self.steps), embedding)

    with pytest.raises(CheckError, match=r"Hidden: .* differs between two steps"):
        testing.check_generator(Hidden())


def test_a_generator_is_checked_as_onnx():
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    testing.check_generator(Good(), export=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in ours(r.GENERATORS) if n != "SPADEGenerator"])
def test_our_generators_pass_as_onnx(name):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    config = filled(r.GENERATORS.get(name), GENERATORS[name])
    config.pop("image_size", None) if name == "CodedGenerator" else None
    extra = {"eval_noise": "const"} if name == "StyleGAN2Generator" else {}
    testing.check_generator({"type": name, **config, **extra}, export=True)
