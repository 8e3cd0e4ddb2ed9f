"""Every way to ask for an image gives the same one for the same seed, number, condition and truncation.

Images are made one by one here: then equality is that of one machine and one path of its arithmetic, bit by
bit.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.analysis import move, sefa_directions, walk
from mmcgan.apis.drawing import Draw
from mmcgan.apis.evaluated_latents import check_sweep
from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.instance_sampling import InstanceOptions
from mmcgan.apis.interpolation import InterpolationOptions, first_image, interpolated_images
from mmcgan.apis.sampling import sample
from mmcgan.datasets import gan_collate
from mmcgan.evaluation.report.sweep import Sweep
from mmcgan.hooks.sample_grid import SampleGridHook
from mmcgan.models.generators.base import Generator
from mmcgan.registry import DATASETS, GENERATORS, SAMPLERS
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.drawing import INSTANCE, draw_conditions
from mmcgan.samplers.latent import check_truncation, truncate_latent
from mmcgan.structures import FIELDS, Condition

from .families import BIGGAN, FAMILIES, Family, HalvedLatent, SilentLatent, load

SEED, NUM = 7, 4


@pytest.fixture(autouse=True, scope="module")
def _plugin():
    """Register the laws above while this module is tested."""
    for law in (HalvedLatent, SilentLatent):
        SAMPLERS.register_module(module=law)
    yield
    for law in (HalvedLatent, SilentLatent):
        del SAMPLERS._module_dict[law.__name__]


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
    check_sweep(sweep, model, narrow, config)
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


def test_the_picture_of_progress_shows_the_same_images(family):
    family, loaded = family
    model = loaded.model
    model.condition_sampler = loaded.condition_sampler
    rows = 1 if "attributes" in loaded.requires else 2  # more rows show each latent with every combination
    labels = [1] if "label" in loaded.requires else None
    hook = SampleGridHook(rows=rows, columns=1, labels=labels, seed=SEED, truncation=family.truncation)
    asked = {}
    if "label_map" in loaded.requires:  # training watches maps that it draws
        drawn = draw_conditions(loaded.condition_sampler, SEED, range(rows), INSTANCE)
        asked = dict(label_maps=drawn.label_map)
        if drawn.edge_map is not None:
            pytest.skip("borders of drawn maps come with the data, those of given maps are computed")
    ask = CGANInferencer(loaded)
    again = ask(
        labels, rows, seed=SEED, truncation=family.truncation, batch_size=1, return_type="tensor", **asked
    )
    assert torch.equal(hook.draw(model), again)


def test_directions_start_from_the_same_image(family):
    """SeFa's strength 0, the page's sliders at 0: image 0 of the seed."""
    family, loaded = family
    ask = CGANInferencer(loaded)
    (image,) = ask(num=1, seed=SEED, batch_size=1, return_type="tensor")
    network = loaded.model.generator
    try:
        directions = sefa_directions(network, 1)
    except ValueError:
        silent = type(network).first_map is Generator.first_map
        assert silent or not network.latent_dim, "a latent whose first map is known has directions"
        return
    latent, condition = first_image(Draw(loaded, SEED))
    (moved,) = walk(network, latent, condition, directions, [0.0])[0].float().clamp(-1, 1)
    assert torch.equal(moved, image)
    (explored,) = move(network, latent, condition, directions, [0.0]).float().clamp(-1, 1)
    assert torch.equal(explored, image)


def test_every_network_law_and_kind_of_condition_is_among_the_families():
    ours = {name for name, kind in GENERATORS.named().items() if kind.__module__.startswith("mmcgan.")}
    assert {family.generator["type"] for family in FAMILIES.values()} == ours
    kinds = {name: kind for name, kind in SAMPLERS.named().items() if kind.__module__.startswith("mmcgan.")}
    laws = {name for name, kind in kinds.items() if issubclass(kind, LatentSampler)}
    assert laws <= {family.law["type"] for family in FAMILIES.values()}
    shown = {name for family in FAMILIES.values() for name in load(family).requires}
    assert shown == set(FIELDS)


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
    check_sweep(sweep, loaded.model, narrow, dict(type="ConditionDataset", num_classes=3))
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


def test_evaluations_without_any_condition_are_drawn():
    """Nothing but the latents says how many images there are."""
    loaded = load(FAMILIES["unconditional"])
    latent = torch.randn(5, 12)
    made = loaded.model.sample(Condition(), latent)
    assert torch.equal(made, loaded.model.val_step({"latent": latent})[0]["image"]) and len(made) == 5
