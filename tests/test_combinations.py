"""Every head and loss trains with every network, with and without labels, in float32 and bfloat16."""

import inspect

import pytest
import torch
from mmengine.registry import init_default_scope

from mmcgan.registry import BACKBONES, HEADS, LOSSES, MODELS, OPTIM_WRAPPER_CONSTRUCTORS

SIZE, BATCH, CLASSES, LATENT = 16, 4, 3, 12

# name -> networks; all end at 4x4 maps of few channels
NETWORKS = {
    "biggan": (
        dict(type="BigGANGenerator", base_channels=8, shared_dim=8),
        dict(type="BigGANBackbone", base_channels=8),
    ),
    "biggan_deep": (
        dict(type="BigGANDeepGenerator", base_channels=8, shared_dim=8, depth=1),
        dict(type="BigGANDeepBackbone", base_channels=8, depth=1),
    ),
    "resnet": (
        dict(type="ResNetGenerator", base_channels=4),
        dict(type="ResNetBackbone", base_channels=8),
    ),
    "dcgan": (
        dict(type="DCGANGenerator", base_channels=4),
        dict(type="DCGANBackbone", base_channels=4),
    ),
    "stylegan2": (
        dict(type="StyleGAN2Generator", max_channels=8, style_dim=8, mapping_layers=2),
        dict(type="StyleGAN2Backbone", max_channels=8),
    ),
    "r3gan": (
        dict(type="R3GANGenerator", channels=(8, 8, 8), groups=(2, 2, 2), blocks=(1, 1, 1), label_dim=8),
        dict(type="R3GANBackbone", channels=(8, 8, 8), groups=(2, 2, 2), blocks=(1, 1, 1)),
    ),
    "fastgan": (
        dict(type="FastGANGenerator", base_channels=2, excitation_factor=4),
        dict(
            type="ProjectedBackbone",
            extractor=dict(type="SmallClassifier", weights="digits-16"),
            strides=(1, 2, 4),
            max_channels=8,
            end_size=4,
            spectral_norm=None,
        ),
    ),
}

ADVERSARIAL = dict(type="HingeLoss")
DISCRIMINATOR = dict(type="AdversarialHead")
PROXIES = dict(type="ProxyHead", embed_dim=8)
BOTH = dict(real=1.0, generated=1.0)
TWIN = dict(fake=1.0, generated=-1.0)


def adversarial(loss, head=DISCRIMINATOR):
    return dict(adv=head), dict(adversarial=loss)


def classifier(loss, head, **more):
    """Return a real/fake head beside a head ``cls`` with ``loss``."""
    return dict(adv=DISCRIMINATOR, cls=head), dict(adversarial=ADVERSARIAL, classification=loss, **more)


def proxy_inputs(head, proxy="proxy"):
    return dict(
        embed=f"{head}.embed", proxy=f"{head}.{proxy}", label="cond.label", iteration="train.iteration"
    )


# what looks at no label: trains with and without
UNLABELLED = {
    "hinge": adversarial(ADVERSARIAL),
    "non_saturating": adversarial(dict(type="NonSaturatingLoss")),
    "least_squares": adversarial(dict(type="LeastSquaresLoss")),
    "wasserstein": adversarial(dict(type="WassersteinLoss")),
    "relativistic": adversarial(dict(type="RelativisticLoss")),
    "patches": adversarial(ADVERSARIAL, dict(type="PatchHead")),
    "top_k": adversarial(dict(type="TopKLoss", loss=ADVERSARIAL, epoch_length=1)),
    "lecam": (dict(adv=DISCRIMINATOR), dict(adversarial=ADVERSARIAL, lecam=dict(type="LeCamLoss"))),
    "feature_matching": (
        dict(adv=DISCRIMINATOR),
        dict(adversarial=ADVERSARIAL, features=dict(type="FeatureMatchingLoss")),
    ),
    "infogan": (
        dict(
            adv=DISCRIMINATOR,
            discrete_code=dict(type="DiscreteCodeHead", codes=1, values=3),
            continuous_code=dict(type="ContinuousCodeHead", codes=2),
        ),
        dict(
            adversarial=ADVERSARIAL,
            discrete=dict(type="CategoricalCodeLoss", weights=dict(generated=1.0)),
            continuous=dict(type="GaussianCodeLoss", weights=dict(generated=1.0)),
        ),
    ),
}
LABELLED = {
    "projection": adversarial(ADVERSARIAL, dict(type="ProjectionHead")),
    "patch_projection": adversarial(ADVERSARIAL, dict(type="PatchProjectionHead", dim=4, embedding_dim=4)),
    "condition_projection": adversarial(ADVERSARIAL, dict(type="ConditionProjectionHead")),
    "inner_product": adversarial(ADVERSARIAL, dict(type="InnerProductHead")),
    "mapped_projection": adversarial(ADVERSARIAL, dict(type="MappedProjectionHead", num_layers=1)),
    "per_class": adversarial(ADVERSARIAL, dict(type="PerClassHead")),
    "ac": classifier(dict(type="CrossEntropyLoss"), dict(type="ClassifierHead")),
    "ac_normalised": classifier(
        dict(type="CrossEntropyLoss", weights=BOTH), dict(type="ClassifierHead", normalize=True)
    ),
    "imac": classifier(dict(type="ImprovedClassificationLoss"), dict(type="FakeClassHead")),
    "multi_hinge": (dict(cls=dict(type="FakeClassHead")), dict(multi_hinge=dict(type="MultiHingeLoss"))),
    "adc": classifier(dict(type="DiscriminativeClassifierLoss"), dict(type="DiscriminativeClassifierHead")),
    "2c": classifier(dict(type="ConditionalContrastiveLoss", weights=BOTH), PROXIES),
    "d2dce": classifier(dict(type="D2DCELoss", weights=BOTH), PROXIES),
    "omni": (dict(omni=dict(type="OmniHead")), dict(omni=dict(type="OmniLoss"))),
    "omni_d2dce": (
        dict(omni=dict(type="OmniHead"), cls=PROXIES),
        dict(omni=dict(type="OmniLoss"), contrastive=dict(type="D2DCELoss", weights=BOTH)),
    ),
    "d2dce_adc": classifier(
        dict(type="D2DCELoss", weights=BOTH),
        dict(type="DiscriminativeProxyHead", embed_dim=8),
        generated=dict(type="D2DCELoss", inputs=proxy_inputs("cls", "fake_proxy"), weights=TWIN),
    ),
    "tac": (
        dict(adv=DISCRIMINATOR, cls=dict(type="ClassifierHead"), twin=dict(type="ClassifierHead")),
        dict(
            adversarial=ADVERSARIAL,
            classification=dict(type="CrossEntropyLoss", weights=BOTH),
            twin=dict(
                type="CrossEntropyLoss", inputs=dict(logits="twin.logits", label="cond.label"), weights=TWIN
            ),
        ),
    ),
    "d2dce_tac": (
        dict(adv=DISCRIMINATOR, cls=PROXIES, twin=PROXIES),
        dict(
            adversarial=ADVERSARIAL,
            contrastive=dict(type="D2DCELoss", weights=BOTH),
            twin=dict(type="D2DCELoss", inputs=proxy_inputs("twin"), weights=TWIN),
        ),
    ),
}
# ask for a label of every pixel, a target image, several maps or an encoder, which no network here has
ELSEWHERE = {
    "PixelClassHead",
    "AbsoluteLoss",
    "PatchBackbone",
    "FeatureMapLoss",
    "LatentLawLoss",
    "PerceptualLoss",
}

# look at one map by name, or are trained by the generator's optimiser under their own names
ONE = {"infogan", "feature_matching"}
#: the networks whose backbone has several scales: every head sits on each of them too
SCALES = {"fastgan": 3}
#: networks whose every head sits on windows of the map (of every scale) too
WINDOWS = {"biggan": "windows", "fastgan": "windows+scales"}

CASES = [
    *((network, name, True) for network in NETWORKS for name in (UNLABELLED | LABELLED)),
    *((network, name, False) for network in NETWORKS for name in UNLABELLED),
    *(
        (network, f"{name}@scales", True)
        for network in SCALES
        for name in (UNLABELLED | LABELLED)
        if name not in ONE
    ),
    *(
        (network, f"{name}@{wrapped}", True)
        for network, wrapped in WINDOWS.items()
        for name in (UNLABELLED | LABELLED)
        if name not in ONE
    ),
]
IDS = [f"{network}-{name}-{'labels' if labelled else 'no_labels'}" for network, name, labelled in CASES]


def build(network, name, labelled):
    """Return a model of ``network`` with the heads and losses ``name``."""
    generator, backbone = NETWORKS[network]
    name, _, wrapped = name.partition("@")
    heads, losses = (UNLABELLED | LABELLED)[name]
    classes = CLASSES if labelled else 0
    # an equalised learning rate and spectral norm exclude each other
    common = dict(num_classes=CLASSES, spectral_norm=network != "stylegan2")
    heads = {
        key: head | {k: common[k] for k in common.keys() & _arguments(head)} for key, head in heads.items()
    }
    if "windows" in wrapped:
        norm = dict(spectral_norm=network != "stylegan2")
        heads = {k: dict(type="OnWindows", dim=6, head=v, **norm) for k, v in heads.items()}
    if "scales" in wrapped:
        heads = {k: dict(type="EachScale", scales=SCALES[network], head=v) for k, v in heads.items()}
    coded = dict(type="CodedLatent", codes=1, values=3, continuous=2)
    return MODELS.build(
        dict(
            type="ConditionalGAN",
            generator=dict(generator, image_size=SIZE, num_classes=classes, latent_dim=LATENT),
            discriminator=dict(
                backbone=dict(backbone, image_size=SIZE),
                heads=heads,
                init="equalized" if network == "stylegan2" else "orthogonal",
            ),
            losses=losses,
            condition_sampler=dict(type="BalancedLabel", num_classes=CLASSES)
            if labelled
            else dict(type="ConstantLabel", label=0),
            latent_sampler=coded if name == "infogan" else None,
            ema=False,
        )
    )


def _arguments(head):
    return set(inspect.signature(HEADS.get(head["type"])).parameters)


def optimizers_of(model, precision):
    adam = dict(optimizer=dict(type="Adam", lr=1e-3, betas=(0.0, 0.99)))
    settings = dict(precision=precision, generator=dict(adam), discriminator=dict(adam))
    codes = [f"discriminator.heads.{head}.*" for head in model.discriminator.heads if head.endswith("_code")]
    if codes:
        settings["generator"]["adopts"] = codes
    return OPTIM_WRAPPER_CONSTRUCTORS.get("GANOptimWrapperConstructor")(settings)(model)


def copies(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


def moved(module, before):
    return any(not torch.equal(a, b) for a, b in zip(module.parameters(), before, strict=True))


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.broad)])
@pytest.mark.parametrize(("network", "name", "labelled"), CASES, ids=IDS)
def test_one_step_moves_the_generator_the_backbone_and_every_head(network, name, labelled, precision):
    init_default_scope("mmcgan")
    torch.manual_seed(0)
    model = build(network, name, labelled)
    parts = {"generator": model.generator, "backbone": model.discriminator.backbone}
    parts |= dict(model.discriminator.heads.items())
    before = {key: copies(part) for key, part in parts.items()}
    data = {"image": torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)}
    if labelled:
        data["label"] = torch.tensor([0, 1, 0, 2])
    log = model.train_step(data, optimizers_of(model, precision))
    assert all(bool(term.isfinite()) for term in log.values()), log
    assert [key for key, part in parts.items() if not moved(part, before[key])] == []


def _types(value):
    if isinstance(value, dict):
        yield from ([value["type"]] if "type" in value else [])
        for child in value.values():
            yield from _types(child)


@pytest.mark.parametrize("registry", [HEADS, LOSSES, BACKBONES], ids=lambda registry: registry.name)
def test_the_grid_has_every_component(registry):
    used = {kind for _, backbone in NETWORKS.values() for kind in _types(backbone)}
    used |= {"EachScale", "OnWindows"}  # wrap the others in the cases above
    used |= {kind for pair in (UNLABELLED | LABELLED).values() for part in pair for kind in _types(part)}
    own = {name for name in registry.names() if registry.get(name).__module__.startswith("mmcgan.")}
    assert own - used - ELSEWHERE == set()
