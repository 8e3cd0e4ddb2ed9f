"""Every kind of mistake is found, with its path and a suggestion, and all of them at once."""

import pytest

from mmcgan.config.facts import fill_facts
from mmcgan.config.validate import find_problems
from tests.test_config.examples import example, put


def problems_of(*edits):
    config = example()
    for path, value in edits:
        put(config, path, value)
    fill_facts(config)
    return find_problems(config)


def test_correct_config_has_no_problems():
    assert problems_of() == []


@pytest.mark.parametrize(
    ("path", "value", "where", "message"),
    [
        # misspelt keys, at every level
        ("randomnes", dict(seed=1), "randomnes", "Did you mean 'randomness'"),
        ("train_dataloader.num_worker", 2, "train_dataloader.num_worker", "Did you mean 'num_workers'"),
        ("randomness.sead", 2, "randomness.sead", "Did you mean 'seed'"),
        ("model.emma", True, "model.emma", "ConditionalGAN takes no 'emma'. Did you mean 'ema'"),
        ("model.step.n_crtic", 2, "model.step.n_crtic", "Did you mean 'n_critic'"),
        ("model.generator.base_chanels", 4, "model.generator.base_chanels", "Did you mean 'base_channels'"),
        ("model.discriminator.backbones", {}, "model.discriminator.backbones", "Did you mean 'backbone'"),
        (
            "model.discriminator.heads.adv.bais",
            1,
            "model.discriminator.heads.adv.bais",
            "ProjectionHead takes",
        ),
        ("model.losses.adversarial.margin", 1, "model.losses.adversarial.margin", "HingeLoss takes no"),
        ("optim_wrapper.precision", "bf16", "optim_wrapper.precision", "must be one of auto, float32,"),
        ("optim_wrapper.generator.precision", "float", "optim_wrapper.generator.precision", "mean 'float"),
        ("val_evaluator.extractor.precision", "bf16", "val_evaluator.extractor.precision", "must be Literal"),
        ("optim_wrapper.generator.optimiser", {}, "optim_wrapper.generator.optimiser", "mean 'optimizer'"),
        ("optim_wrapper.generator.optimizer.beta", 0, "optim_wrapper.generator.optimizer.beta", "'betas'"),
        ("default_hooks.sample_grid.intervall", 5, "default_hooks.sample_grid.intervall", "'interval'"),
        ("train_cfg.max_iter", 5, "train_cfg.max_iter", "Did you mean 'max_iters'"),
        ("val_dataloader.dataset.sise", 5, "val_dataloader.dataset.sise", "Did you mean 'size'"),
        # values
        ("model.generator.base_channels", 0, "model.generator.base_channels", "at least 1, got 0"),
        ("train_dataloader.batch_size", 8.5, "train_dataloader.batch_size", "8.5"),
        (
            "default_hooks.checkpoint.interval",
            -1,
            "default_hooks.checkpoint.interval",
            "of at least 1, got -1",
        ),
        # unknown names
        ("model.type", "ConditionlGAN", "model.type", "Did you mean 'ConditionalGAN'"),
        ("model.generator.type", "DCGenerator", "model.generator.type", "no generator named 'DCGenerator'"),
        (
            "model.discriminator.heads.cls.type",
            "ClasifierHead",
            "model.discriminator.heads.cls.type",
            "'ClassifierHead'",
        ),
        ("model.losses.classes.type", "CrossEntropy", "model.losses.classes.type", "'CrossEntropyLoss'"),
        (
            "optim_wrapper.generator.optimizer.type",
            "Adma",
            "optim_wrapper.generator.optimizer.type",
            "'Adam'",
        ),
        ("default_hooks.logger.type", "LogerHook", "default_hooks.logger.type", "'LoggerHook'"),
        ("val_evaluator.metrics.0.type", "Acuracy", "val_evaluator.metrics.0.type", "no generation metric"),
        ("model.generator.type", 3, "model.generator.type", "must be a name or a class, got 3"),
        # a component of another role
        ("model.generator.type", "DCGANBackbone", "model.generator.type", "no generator named"),
        # wrong types
        ("model.generator.base_channels", "4", "model.generator.base_channels", "must be int, got '4'"),
        ("model.step.split_d", "no", "model.step.split_d", "must be bool"),
        ("model.step.n_critic", 1.5, "model.step.n_critic", "must be int"),
        (
            "optim_wrapper.generator.optimizer.lr",
            "2e-4",
            "optim_wrapper.generator.optimizer.lr",
            "must be float",
        ),
        ("train_dataloader.dataset.split", 5, "train_dataloader.dataset.split", "must be str"),
        # wiring
        (
            "model.losses.adversarial.inputs.logit",
            "adv.logits",
            "model.losses.adversarial.inputs",
            "'adv.logit'",
        ),
        (
            "model.losses.adversarial.inputs.logits",
            "adv.logit",
            "model.losses.adversarial.inputs",
            "no input 'logits'",
        ),
        (
            "model.losses.classes.inputs",
            dict(logits="cls.logits"),
            "model.losses.classes.inputs",
            "needs an input 'label'",
        ),
        ("model.losses.adversarial.inputs", "adv.logit", "model.losses.adversarial.inputs", "must be a dict"),
        (
            "model.losses.adversarial.weights",
            dict(reel=1.0),
            "model.losses.adversarial.weights.reel",
            "'real'",
        ),
        ("model.losses.adversarial.weights", "1", "model.losses.adversarial.weights", "must be a number"),
        # sizes
        (
            "train_dataloader.batch_size",
            9,
            "train_dataloader.batch_size",
            "cannot be cut into 2 mini-batches",
        ),
        ("model.step.n_critic", 0, "model.step", "must be at least 1"),
    ],
)
def test_mistake_is_found_where_it_is(path, value, where, message):
    found = problems_of((path, value))
    assert [problem.path for problem in found if problem.path == where], found
    assert any(message in problem.message for problem in found), found


def test_missing_argument_is_named():
    config = example()
    del config["val_dataloader"]["dataset"]["size"]
    fill_facts(config)
    assert [str(p) for p in find_problems(config)] == [
        "val_dataloader.dataset: ConditionDataset needs 'size', which is not given"
    ]


def test_missing_model_is_named():
    config = example()
    del config["model"]
    assert "model: is missing" in [str(problem) for problem in find_problems(config)]


def test_all_mistakes_are_reported_at_once():
    found = problems_of(
        ("randomnes", {}),
        ("model.generator.base_chanels", 4),
        ("model.losses.classes.type", "CrossEntropy"),
        ("model.losses.adversarial.inputs.logit", "adv.x"),
        ("train_cfg.max_iter", 5),
    )
    assert {problem.path for problem in found} == {
        "randomnes",
        "model.generator.base_chanels",
        "model.losses.classes.type",
        "model.losses.adversarial.inputs",
        "train_cfg.max_iter",
    }


def test_auxiliary_variables_start_with_an_underscore():
    assert problems_of(("_size", 16)) == []


def test_features_conditions_and_images_can_be_wired():
    for source in ("feature.pooled", "image", "cond.label", "train.iteration"):
        assert problems_of(("model.losses.adversarial.inputs.logit", source)) == []


def test_wiring_to_an_unknown_head_is_left_to_the_head():
    found = problems_of(("model.discriminator.heads.adv.type", "Unknown"))
    assert [problem.path for problem in found] == ["model.discriminator.heads.adv.type"]


def test_player_sections_are_not_networks():
    schedule = [dict(type="MultiStepLR", milestones=[1], by_epoch=False)]
    assert problems_of(("param_scheduler", dict(generator=schedule, discriminator=schedule))) == []
    (problem,) = problems_of(("param_scheduler", dict(generator=[dict(type="MultiStep", milestones=[1])])))
    assert problem.path == "param_scheduler.generator.0.type"


def test_transforms_of_mmcv_are_known():
    assert problems_of(("train_dataloader.dataset.pipeline", [dict(type="RandomFlip", prob=0.5)])) == []
    (problem,) = problems_of(("train_dataloader.dataset.pipeline", [dict(type="RandomFlop")]))
    assert "Did you mean 'RandomFlip'" in problem.message
