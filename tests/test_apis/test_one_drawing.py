"""Every way to ask for an image gives the same one for the same seed, number, condition and truncation.

Images are made one by one here: then equality is that of one machine and one path of its arithmetic, bit by
bit.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.apis.drawing import Draw
from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.instance_sampling import InstanceOptions
from mmcgan.apis.interpolation import InterpolationOptions, interpolated_images
from mmcgan.apis.sampling import sample
from mmcgan.apis.testing import check_truncations
from mmcgan.datasets import gan_collate
from mmcgan.evaluation.report.sweep import Sweep
from mmcgan.hooks.sample_grid import SampleGridHook
from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.latent import check_truncation, truncate_latent
from mmcgan.structures import Condition
from mmcgan.zoo.models import GeneratorRecord, LoadedModel

SEED, NUM = 7, 4
SMALL = dict(image_size=16, base_channels=4, latent_dim=12)
STORE = dict(size=24, dim=6, num_classes=3)
GROUPS = {"digit": ["0", "1", "2"], "domain": ["plain", "textured"]}
MAPS = dict(type="Scenes", image_size=32, size=8)
LABELS = dict(type="ConditionDataset", num_classes=3)


class HalvedLatent(LatentSampler):
    """A law of somebody else: truncation at t scales by t, and twice is not once."""

    def sample(self, n, generator):
        return torch.randn(n, self.latent_dim, generator=generator).sign()

    def truncate(self, latent, threshold, generator=None):
        return latent * threshold


class SilentLatent(HalvedLatent):
    """A law that says nothing of truncation."""

    truncate = LatentSampler.truncate


@pytest.fixture(autouse=True, scope="module")
def _plugin():
    """Register the laws above while this module is tested."""
    for law in (HalvedLatent, SilentLatent):
        SAMPLERS.register_module(module=law)
    yield
    for law in (HalvedLatent, SilentLatent):
        del SAMPLERS._module_dict[law.__name__]


@dataclass
class Family:
    generator: dict
    law: dict = field(default_factory=lambda: dict(type="NormalLatent"))
    condition: dict = field(default_factory=lambda: dict(type="UniformLabel", num_classes=3))
    evaluation: dict = field(default_factory=lambda: LABELS)
    truncation: float | None = 0.6
    dataset: dict = field(default_factory=dict)


BIGGAN = dict(type="BigGANGenerator", num_classes=3, **SMALL)
INSTANCES = dict(type="AllInstances", instance_store=STORE, num_classes=3)
FAMILIES = {
    "labels": Family(BIGGAN),
    "unconditional": Family(
        dict(type="DCGANGenerator", num_classes=0, **SMALL),
        condition=dict(type="ConstantLabel"),
        evaluation=dict(type="ConditionDataset"),
    ),
    "no truncation": Family(BIGGAN, truncation=None),
    "uniform latents": Family(BIGGAN, dict(type="UniformLatent")),
    "narrow latents": Family(BIGGAN, dict(type="TruncatedNormalLatent", threshold=1.0)),
    "codes": Family(BIGGAN, dict(type="CodedLatent", codes=1, values=3, continuous=2)),
    "codes over uniform noise": Family(
        BIGGAN, dict(type="CodedLatent", codes=1, values=3, noise=dict(type="UniformLatent"))
    ),
    "another's law": Family(BIGGAN, dict(type="HalvedLatent")),
    "resnet": Family(dict(type="ResNetGenerator", num_classes=3, **SMALL)),
    "deep": Family(dict(type="BigGANDeepGenerator", num_classes=3, **{**SMALL, "image_size": 32})),
    "psi": Family(
        dict(
            type="StyleGAN2Generator", image_size=16, num_classes=3, max_channels=8, latent_dim=8, style_dim=8
        )
    ),
    "attributes": Family(
        dict(type="BigGANGenerator", num_classes=0, attribute_groups=GROUPS, **SMALL),
        condition=dict(type="UniformAttributes", attribute_groups=GROUPS),
        evaluation=dict(type="AttributeConditionDataset", attribute_groups=GROUPS),
    ),
    "instances": Family(
        dict(type="BigGANGenerator", num_classes=3, instance_dim=6, **SMALL),
        condition=INSTANCES,
        evaluation=dict(type="InstanceConditionDataset", condition_sampler=INSTANCES),
    ),
    "label maps": Family(
        dict(type="SPADEGenerator", image_size=32, num_map_classes=11, base_channels=1, hidden_channels=4),
        condition=dict(type="RealCondition", dataset={**MAPS, "split": "test"}),
        evaluation=dict(type="LabelMapConditions", dataset={**MAPS, "split": "test"}),
        dataset={**MAPS, "split": "train"},
    ),
}


def load(family):
    torch.manual_seed(0)
    model = SamplingModel(dict(family.generator), dict(family.law), ema=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # so that nothing is 0 at the start
            parameter.add_(0.02 * torch.randn(parameter.shape))
    sampler = SAMPLERS.build(dict(family.condition))
    record = GeneratorRecord(family.generator, family.law, family.condition, dataset=family.dataset)
    return LoadedModel(model, sampler, record, "family")


@pytest.fixture(params=FAMILIES)
def family(request, monkeypatch):
    family = FAMILIES[request.param]
    model = load(family)
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: model)
    for module in ("drawing", "interpolation"):
        monkeypatch.setattr(f"mmcgan.apis.{module}.BATCH", 1)
    return family, model


def evaluated(family, loaded):
    """Return the images of an evaluation, as ``test --truncations`` asks for them."""
    model = loaded.model
    narrow = model.generator.truncates_latent
    config = {
        **family.evaluation,
        "size": NUM,
        "latent_dim": model.generator.latent_dim,
        "latent_sampler": family.law,
    }
    sweep = Sweep((SEED,), (family.truncation,))
    check_truncations(sweep, model, narrow, config)
    (request,) = sweep.requests(config, narrow)
    dataset = DATASETS.build(dict(request.dataset))
    model.truncation = request.truncation
    batches = [gan_collate(dataset.__getitems__([row])) for row in range(NUM)]
    return torch.cat([model.val_step(batch)[0]["image"] for batch in batches])


def test_all_routes_make_one_image(family, tmp_path):
    family, loaded = family
    ask = CGANInferencer(loaded)
    images = ask(num=NUM, seed=SEED, truncation=family.truncation, batch_size=1, return_type="tensor")
    if loaded.requires:
        assert len(images.flatten(1).unique(dim=0)) == NUM
    assert torch.equal(evaluated(family, loaded), images)
    written = sample("family", num=NUM, seed=SEED, truncation=family.truncation, out=tmp_path / "samples")
    levels = ask(num=NUM, seed=SEED, truncation=family.truncation, batch_size=1, return_type="numpy")
    assert np.array_equal([np.asarray(Image.open(file)) for file in written.images], levels)
    if not loaded.model.generator.truncates_latent or "label_map" in loaded.requires:
        return  # psi acts on styles, label maps are not embedded: there is no way between them
    ways = InterpolationOptions(rows=NUM // 2, steps=3, fix_y=not loaded.requires)
    ends = interpolated_images(loaded, None, ways, SEED, family.truncation)[:, [0, -1]].flatten(0, 1)
    assert torch.equal(ends, images)


@pytest.mark.parametrize("name", ["labels", "uniform latents", "codes", "another's law", "deep", "psi"])
def test_the_picture_of_progress_shows_the_same_latents(name):
    family = FAMILIES[name]
    loaded = load(family)
    model = loaded.model
    model.condition_sampler = loaded.condition_sampler
    hook = SampleGridHook(rows=2, columns=1, labels=[1], seed=SEED, truncation=family.truncation)
    shown = hook.draw(model)
    ask = CGANInferencer(loaded)
    asked = dict(num=2, seed=SEED, truncation=family.truncation, batch_size=1, return_type="tensor")
    assert torch.equal(shown, ask([1], **asked))


def test_a_grid_of_samples_shows_the_same_latents(monkeypatch, tmp_path):
    family = FAMILIES["instances"]
    loaded = load(family)
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded)
    monkeypatch.setattr("mmcgan.apis.drawing.BATCH", 1)
    options = InstanceOptions(grid="latents", columns=2)
    grid = sample("x", num=2, labels=[1], seed=SEED, truncation=0.6, out=tmp_path / "g", instances=options)
    first = sample("x", num=1, labels=[1], seed=SEED, truncation=0.6, out=tmp_path / "s")
    assert grid.images[0].read_bytes() == first.images[0].read_bytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_batches_change_an_image_by_rounding_alone(name):
    family = FAMILIES[name]
    ask = CGANInferencer(load(family))
    asked = dict(num=NUM, seed=SEED, truncation=family.truncation, return_type="tensor")
    # batched convolutions may add in another order: a few units of float32 in [-1, 1]
    torch.testing.assert_close(ask(batch_size=1, **asked), ask(**asked), atol=1e-4, rtol=0)


@pytest.mark.parametrize("centre", [None, "class"])
def test_psi_zero_is_evaluated_as_it_is_sampled(centre, monkeypatch, tmp_path):
    """StyleGAN2's truncation 0: every image of a class, or of all, is its centre."""
    loaded = load(FAMILIES["psi"])
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded)
    result = sample("x", num=6, seed=SEED, truncation=0.0, out=tmp_path / "samples", centre=centre)
    first = [np.asarray(Image.open(path)).astype(int) for path in result.images]
    apart = sum(abs(one - first[0]).max() > 1 for one in first)
    assert apart == (0 if centre is None else 4)
    narrow = loaded.model.generator.truncates_latent
    assert not narrow
    sweep = Sweep((SEED,), (0.0,), centre=centre)
    check_truncations(sweep, loaded.model, narrow, dict(type="ConditionDataset", num_classes=3))
    (request,) = sweep.requests(dict(type="ConditionDataset", size=6, num_classes=3, latent_dim=8), narrow)
    dataset = DATASETS.build(request.dataset)
    loaded.model.truncation = request.truncation
    rows = [dataset[row] for row in range(6)]
    latent = torch.stack([row["latent"] for row in rows])
    labels = torch.tensor([int(row["label"]) for row in rows])
    made = loaded.model.sample(Condition(label=labels), latent, truncation=0.0, narrowed=True)
    alike = torch.tensor([[torch.allclose(a, b, atol=1e-4) for b in made] for a in made])
    assert torch.equal(alike, torch.ones_like(alike) if centre is None else labels[:, None] == labels)


def test_images_that_are_no_numbers_are_not_drawn(monkeypatch, tmp_path):
    loaded = load(FAMILIES["labels"])
    with torch.no_grad():
        next(loaded.model.generator.parameters()).view(-1)[0] = float("nan")
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded)
    for ask in (lambda: sample("x", num=2, out=tmp_path / "s"), lambda: CGANInferencer(loaded)(num=2)):
        with pytest.raises(ValueError, match="images of family are NaN or infinite"):
            ask()
    assert not list(tmp_path.rglob("*.png"))


def latents(law, truncation, count=4000):
    model = load(Family(BIGGAN, law))
    return Draw(model, SEED, truncation).latents(range(count)), Draw(model, SEED).latents(range(count))


def test_codes_are_kept_and_their_noise_is_truncated():
    narrow, whole = latents(dict(type="CodedLatent", codes=1, values=3, continuous=2), 0.5, 200)
    assert torch.equal(narrow[:, -5:], whole[:, -5:])
    assert narrow[:, :-5].abs().max() <= 0.5 < whole[:, :-5].abs().max()
    inside = whole[:, :-5].abs() <= 0.5
    assert torch.equal(narrow[:, :-5][inside], whole[:, :-5][inside])


def test_uniform_latents_are_truncated_as_uniform_ones():
    narrow, whole = latents(dict(type="UniformLatent"), 0.5)
    assert narrow.abs().max() <= 0.5 < whole.abs().max()
    # of U(-0.5, 0.5): 48,000 draws, five standard errors
    assert narrow.std() == pytest.approx(0.5 / 3**0.5, abs=5 * 0.5 * (0.2 / 48_000) ** 0.5)
    assert torch.equal(*latents(dict(type="UniformLatent"), 5.0, 50))


def test_a_narrow_law_is_narrowed_and_never_widened():
    law = dict(type="TruncatedNormalLatent", threshold=1.0)
    assert torch.equal(*latents(law, 2.0, 50))
    assert latents(law, 0.3, 200)[0].abs().max() <= 0.3


def test_a_law_of_somebody_else_is_asked_once():
    narrow, whole = latents(dict(type="HalvedLatent"), 0.6, 5)
    assert torch.equal(narrow, 0.6 * whole)


@pytest.mark.parametrize("law", [SilentLatent(12), LatentSampler(12)])
def test_a_law_that_says_nothing_of_truncation_refuses(law):
    message = f"{type(law).__name__} does not say what truncation means"
    with pytest.raises(ValueError, match=message):
        truncate_latent(law, torch.zeros(2, 12), 0.5, None)
    with pytest.raises(ValueError, match=message):
        check_truncation(law, 0.5)


def test_every_route_refuses_such_a_law_before_work(monkeypatch, tmp_path):
    family = Family(BIGGAN, dict(type="SilentLatent"))
    loaded = load(family)
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded)
    routes = (
        lambda: sample("x", truncation=0.5, out=tmp_path / "samples"),
        lambda: CGANInferencer(loaded)(truncation=0.5),
        lambda: interpolated_images(loaded, None, InterpolationOptions(), 0, 0.5),
        lambda: evaluated(family, loaded),
    )
    for route in routes:
        with pytest.raises(ValueError, match="SilentLatent does not say what truncation means"):
            route()
    assert list(tmp_path.iterdir()) == []


def test_every_registered_law_answers_about_truncation():
    asked = 0
    for name in SAMPLERS.names():
        kind = SAMPLERS.get(name)
        ours = isinstance(kind, type) and kind.__module__.startswith("mmcgan.")
        if ours and issubclass(kind, LatentSampler):
            law = SAMPLERS.build(dict(type=name, latent_dim=24))
            drawn = law.sample(8, torch.Generator().manual_seed(0))
            assert truncate_latent(law, drawn, 0.4, torch.Generator().manual_seed(1)).shape == drawn.shape
            assert torch.equal(truncate_latent(law, drawn, float("inf"), None), drawn)
            asked += 1
    assert asked >= 4
