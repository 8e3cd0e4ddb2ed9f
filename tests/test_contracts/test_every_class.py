"""``mmcgan.testing`` on every class of our own: each test walks a registry."""

import inspect

import pytest

from mmcgan import registry as r
from mmcgan import testing
from mmcgan.models.wiring import loss_arguments
from mmcgan.samplers.base import ConditionSampler, LatentSampler
from mmcgan.samplers.moves import LatentMove
from mmcgan.testing.runs import SMALL, WITHOUT, check_run
from mmcgan.weights import read_index
from tests.test_contracts.examples import datasets, evaluation, losses, networks, samplers, training
from tests.test_contracts.examples.networks import CLASSES, SIZE

#: registry -> settings of those of its classes that are not built from their defaults
EXAMPLES = {
    r.GENERATORS: networks.GENERATORS,
    r.BACKBONES: networks.BACKBONES,
    r.HEADS: networks.HEADS,
    r.LOSSES: losses.LOSSES,
    r.REGULARIZERS: losses.REGULARIZERS,
    r.AUGMENTS: losses.AUGMENTS,
    r.SAMPLERS: samplers.SAMPLERS,
    r.EXTRACTORS: evaluation.EXTRACTORS,
    r.GENERATION_METRICS: evaluation.METRICS,
    r.DATASETS: datasets.DATASETS,
    r.HOOKS: training.HOOKS,
    r.OPTIMIZERS: training.OPTIMIZERS,
    r.OPTIM_WRAPPERS: {},
    r.DATA_SAMPLERS: {},
    r.TRANSFORMS: training.TRANSFORMS,
    r.CONDITION_FIELDS: {},
    r.GRADIENT_EXCHANGES: {},
}
#: registries whose classes are checked with their settings and nothing else
ALONE = {
    r.REGULARIZERS: testing.check_regularizer,
    r.AUGMENTS: testing.check_augment,
    r.TRANSFORMS: testing.check_transform,
    r.OPTIMIZERS: testing.check_optimizer,
    r.OPTIM_WRAPPERS: testing.check_optim_wrapper,
}
#: registry -> where what it holds is tried
ELSEWHERE = {
    r.RUNNERS: "every run of these tests",
    r.LOOPS: "every run of these tests",
    r.MODELS: "every run of these tests",
    r.OPTIM_WRAPPER_CONSTRUCTORS: "every run of these tests",
    r.EVALUATOR: "tests/test_evaluation/test_evaluator.py",
    r.VISBACKENDS: "tests/test_apis: packages of others",
    r.FUNCTIONS: "every run of these tests",
    r.DEGRADATIONS: "tests/test_restoration/test_degradations.py",
}


def ours(registry):
    return sorted(n for n, x in registry.module_dict.items() if x.__module__.startswith("mmcgan."))


def of_base(*bases):
    return [name for name in ours(r.SAMPLERS) if issubclass(r.SAMPLERS.get(name), bases)]


def config(registry, name, folder=None, patch=None):
    """Return a config of a class, with the files that it needs in a folder."""
    settings = EXAMPLES[registry].get(name, {})
    return {"type": name, **(settings(folder, patch) if callable(settings) else settings)}


def filled(registry, name):
    """Return a config with the data set's facts where the constructor asks for them."""
    asked = inspect.signature(registry.get(name)).parameters
    facts = dict(image_size=SIZE, num_classes=CLASSES)
    return {**{k: v for k, v in facts.items() if k in asked}, **config(registry, name)}


def test_every_registry_with_classes_of_ours_is_walked():
    known = {*EXAMPLES, *ELSEWHERE}
    assert [
        registry.name for registry in r.every_registry() if ours(registry) and registry not in known
    ] == []


@pytest.mark.parametrize("registry", EXAMPLES, ids=lambda registry: registry.name)
def test_examples_are_of_classes_that_are_there(registry):
    assert set(EXAMPLES[registry]) <= set(ours(registry))


@pytest.mark.parametrize("name", ours(r.GENERATORS))
def test_generators(name):
    given = filled(r.GENERATORS, name)
    given.pop("image_size", None) if name == "CodedGenerator" else None
    testing.check_generator(given)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in ours(r.GENERATORS) if n != "SPADEGenerator"])
def test_generators_as_onnx(name):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    given = filled(r.GENERATORS, name)
    given.pop("image_size", None) if name == "CodedGenerator" else None
    extra = {"eval_noise": "const"} if name == "StyleGAN2Generator" else {}
    testing.check_generator({**given, **extra}, export=True)


@pytest.mark.parametrize("name", ours(r.BACKBONES))
def test_backbones(name):
    testing.check_backbone(filled(r.BACKBONES, name), SIZE, sizes={"label_map": 3})


@pytest.mark.parametrize("name", ours(r.HEADS))
def test_heads(name):
    testing.check_head(filled(r.HEADS, name), CLASSES)


@pytest.mark.parametrize("name", ours(r.LOSSES))
def test_losses(name):
    needed = [key for key, required in loss_arguments(r.LOSSES.get(name)).items() if required]
    known = {key: losses.INPUTS[key] for key in needed if key in losses.INPUTS}
    testing.check_loss(config(r.LOSSES, name), {**known, **losses.SHAPES.get(name, {})})


@pytest.mark.parametrize(
    ("registry", "name"), [(registry, name) for registry in ALONE for name in ours(registry)], ids=str
)
def test_what_its_settings_suffice_for(registry, name):
    ALONE[registry](config(registry, name))


def test_every_sampler_is_of_one_of_three_kinds():
    assert set(ours(r.SAMPLERS)) == set(of_base(LatentSampler, ConditionSampler, LatentMove))


@pytest.mark.parametrize("name", of_base(LatentSampler))
def test_laws_of_latents(name):
    testing.check_latent_sampler(config(r.SAMPLERS, name))


@pytest.mark.parametrize("name", of_base(LatentMove))
def test_rules_that_move_latents(name):
    testing.check_latent_move(config(r.SAMPLERS, name))


@pytest.mark.parametrize("name", of_base(ConditionSampler))
def test_laws_of_conditions(name):
    testing.check_condition_sampler(config(r.SAMPLERS, name))


@pytest.mark.parametrize("name", ours(r.CONDITION_FIELDS))
def test_condition_fields(name):
    testing.check_condition_field(name)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n in evaluation.SLOW else ()) for n in ours(r.EXTRACTORS)],
)
def test_extractors(name, tmp_path, monkeypatch):
    testing.check_extractor(config(r.EXTRACTORS, name, tmp_path, monkeypatch))


KINDS = {each.weight_kind: name for name, each in r.EXTRACTORS.named().items() if each.weight_kind}


@pytest.mark.parametrize("kind", KINDS)
def test_extractors_with_all_shipped_weights(kind):
    for weights in read_index(kind):
        testing.check_extractor(dict(type=KINDS[kind], weights=weights))


@pytest.mark.parametrize("name", ours(r.GENERATION_METRICS))
def test_metrics(name, monkeypatch):
    distance = lambda first, second: (first - second).square().mean((1, 2, 3))  # noqa: E731
    monkeypatch.setattr("mmcgan.evaluation.metrics.pixels.load_lpips", lambda *_: distance)
    testing.check_metric(config(r.GENERATION_METRICS, name))


@pytest.mark.parametrize("name", ours(r.DATASETS))
def test_data_sets(name, tmp_path, monkeypatch):
    testing.check_dataset(config(r.DATASETS, name, tmp_path, monkeypatch))


@pytest.mark.parametrize("name", ours(r.DATA_SAMPLERS))
def test_orders_of_reading(name):
    images = r.DATASETS.build(dict(type="SyntheticImages", num_classes=3, image_size=8, size=23))
    images.shard_sizes = [9, 9, 5]
    testing.check_data_sampler({**config(r.DATA_SAMPLERS, name), "seed": 3}, images)


@pytest.mark.slow
@pytest.mark.parametrize("name", ours(r.HOOKS))
def test_hooks(name):
    testing.check_hook(config(r.HOOKS, name), evaluated=name in training.WATCHING)


@pytest.mark.slow
@pytest.mark.parametrize("name", ours(r.GRADIENT_EXCHANGES))
def test_ways_to_average_gradients(name):
    check_run(name, {**SMALL, **WITHOUT, "distributed": config(r.GRADIENT_EXCHANGES, name)})
