"""Dataset facts are written once and reach every component that asks."""

import pytest

from mmcgan.config.facts import dataset_facts, effective_latent_dim, fill_facts
from mmcgan.registry import GENERATORS
from tests.test_config.examples import example, put
from tests.tiny_networks import tiny_biggan


def test_facts_reach_every_silent_component():
    config = example()
    assert fill_facts(config) == []
    model = config["model"]
    assert model["generator"]["num_classes"] == 10
    assert model["generator"]["image_size"] == 16
    assert model["discriminator"]["backbone"]["image_size"] == 16
    assert [head["num_classes"] for head in model["discriminator"]["heads"].values()] == [10, 10]
    assert model["condition_sampler"]["num_classes"] == 10
    assert config["val_dataloader"]["dataset"]["num_classes"] == 10


def test_class_counts_reach_the_sampler_that_asks():
    config = example()
    put(config, "model.condition_sampler", dict(type="EmpiricalLabel"))
    assert fill_facts(config) == []
    counts = config["model"]["condition_sampler"]["class_counts"]
    assert len(counts) == 10 and sum(counts) == pytest.approx(1797 * 0.8, abs=5)


def test_the_extractor_keeps_its_own_size():
    config = example()
    fill_facts(config)
    assert config["val_evaluator"]["extractor"] == dict(type="SmallClassifier", weights="digits-16")


@pytest.mark.parametrize(
    ("path", "value", "known"),
    [
        ("model.generator.num_classes", 7, "num_classes 10"),
        ("model.discriminator.heads.cls.num_classes", 100, "num_classes 10"),
        ("model.discriminator.backbone.image_size", 32, "image_size 16"),
    ],
)
def test_contradiction_names_both_places(path, value, known):
    config = example()
    put(config, path, value)
    (problem,) = fill_facts(config)
    assert problem.path == path
    assert str(value) in problem.message and known in problem.message
    assert "train_dataloader.dataset (DigitsDataset)" in problem.message


def test_equal_value_and_explicit_zero_classes_do_not_contradict():
    config = example()
    put(config, "model.generator.num_classes", 0)
    put(config, "model.discriminator.backbone.image_size", 16)
    assert fill_facts(config) == []
    assert config["model"]["generator"]["num_classes"] == 0


def test_other_dataset_other_facts():
    config = example()
    put(config, "train_dataloader.dataset", dict(type="SyntheticImages", num_classes=3, image_size=8))
    put(config, "val_dataloader", None)
    assert fill_facts(config) == []
    assert config["model"]["generator"]["num_classes"] == 3


def test_evaluation_conditions_get_the_latent_size_of_the_built_generator():
    generator = tiny_biggan(10, 30, image_size=32, hierarchical=True)
    config = example()
    put(config, "train_dataloader.dataset", dict(type="SyntheticImages", num_classes=10, image_size=32))
    put(config, "model.generator", dict(generator))
    fill_facts(config)
    built = GENERATORS.build(dict(generator))
    assert config["val_dataloader"]["dataset"]["latent_dim"] == built.latent_dim
    assert effective_latent_dim(generator) == built.latent_dim


def test_dataset_with_bad_arguments_is_a_problem_not_a_crash():
    config = example()
    put(config, "train_dataloader.dataset.spilt", "train")
    (problem,) = fill_facts(config)
    assert problem.path == "train_dataloader.dataset" and "spilt" in problem.message


def test_no_dataset_no_facts():
    assert dataset_facts({}) == {}


def test_facts_of_label_maps_reach_generator_backbone_and_heads():
    maps = dict(type="SyntheticLabelMaps", num_map_classes=3, image_size=(32, 64), has_edges=True)
    config = dict(
        train_dataloader=dict(dataset=maps),
        model=dict(
            type="ConditionalGAN",
            generator=dict(type="SPADEGenerator"),
            discriminator=dict(
                backbone=dict(type="PatchBackbone", num_map_classes=0),
                heads=dict(pixel=dict(type="PixelClassHead"), patch=dict(type="PatchHead")),
            ),
            condition_sampler=dict(type="RealCondition"),
            discriminator_condition_sampler=dict(type="RealCondition"),
        ),
    )
    assert fill_facts(config) == []
    model = config["model"]
    facts = dict(num_map_classes=3, image_size=(32, 64), has_edges=True)
    assert model["generator"] == dict(type="SPADEGenerator", **facts)
    assert model["discriminator"]["backbone"]["num_map_classes"] == 0, "0 says: sees no map"
    assert model["discriminator"]["heads"]["pixel"]["num_map_classes"] == 3
    for sampler in ("condition_sampler", "discriminator_condition_sampler"):
        assert model[sampler]["dataset"] == maps
    model["generator"]["num_map_classes"] = 4
    assert "num_map_classes 3" in fill_facts(config)[0].message


CODES = dict(type="CodedLatent", codes=1, values=3)


def evaluating(law, given):
    """Return the example with two evaluations; the second says its latent law."""
    config = example()
    config["model"]["latent_sampler"] = law
    for phase, own in (("val", None), ("test", given)):
        dataset = {"type": "ConditionDataset", "size": 20}
        config[f"{phase}_dataloader"] = dict(
            batch_size=10, dataset=dataset if own is None else {**dataset, "latent_sampler": own}
        )
    return config


@pytest.mark.parametrize("law", [CODES, dict(type="UniformLatent"), None])
def test_an_evaluation_inherits_the_latent_law_of_the_model(law):
    config = evaluating(law, None)
    assert fill_facts(config) == []
    for phase in ("val", "test"):
        assert config[f"{phase}_dataloader"]["dataset"]["latent_sampler"] == (law or {"type": "NormalLatent"})


@pytest.mark.parametrize(
    ("law", "given"),
    [
        (None, dict(type="NormalLatent")),
        (CODES, dict(**CODES, continuous=0)),  # the default, written out
        (dict(type="TruncatedNormalLatent"), dict(type="TruncatedNormalLatent", threshold=2.0)),
    ],
)
def test_the_law_of_the_model_may_be_repeated(law, given):
    assert fill_facts(evaluating(law, given)) == []


@pytest.mark.parametrize(
    ("law", "given"),
    [
        (dict(type="UniformLatent"), dict(type="NormalLatent")),
        (None, dict(type="UniformLatent")),
        (CODES, {**CODES, "values": 4}),
        (None, dict(type="TruncatedNormalLatent", threshold=0.5)),
    ],
)
def test_an_evaluation_with_another_latent_law_is_refused(law, given):
    (problem,) = fill_facts(evaluating(law, given))
    assert problem.path == "test_dataloader.dataset.latent_sampler"
    assert given["type"] in problem.message and "contradicts model.latent_sampler" in problem.message
