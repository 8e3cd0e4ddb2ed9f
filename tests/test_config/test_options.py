"""--cfg-options: values are literals, paths must exist."""

import pytest

from mmcgan.checkpoints.literals import assignments
from mmcgan.config.options import apply_options, parse_options, parse_value
from tests.test_config.examples import example


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2.5e-4", -2.5e-4),
        ("True", True),
        ("false", False),
        ("none", None),
        ("(0.0, 0.9)", (0.0, 0.9)),
        ("1,2", [1, 2]),
        ("a,b", ["a", "b"]),
        ("data/my set", "data/my set"),
        ("work_dirs/a-b.pth", "work_dirs/a-b.pth"),
        ("data/a,data/b", ["data/a", "data/b"]),
        ("'3'", "3"),
        ("", ""),
        # MMEngine's own parser never returns from this one
        ("[dict(type='A')]", [{"type": "A"}]),
        ("dict(type='A', n=[1, dict(b=None)])", {"type": "A", "n": [1, {"b": None}]}),
        ("{'a': (1, 2)}", {"a": (1, 2)}),
    ],
)
def test_value_is_read_as_written(text, value):
    parsed = parse_value(text)
    assert parsed == value and type(parsed) is type(value)


def test_calls_are_not_executed():
    assert parse_value("__import__('os').getcwd()") == "__import__('os').getcwd()"


@pytest.mark.parametrize("item", ["novalue", "=3", "."])
def test_item_without_key_or_value_is_refused(item):
    with pytest.raises(ValueError, match="expected KEY=VALUE"):
        parse_options([item])


def test_key_given_twice_is_refused():
    with pytest.raises(ValueError, match=r"'a\.b' is given twice"):
        parse_options(["a.b=1", "a.b=2"])


def test_value_may_contain_an_equals_sign():
    assert parse_options(["a=dict(b=1)"]) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("train_cfg.max_iters", lambda c: c["train_cfg"]["max_iters"]),
        ("val_evaluator.metrics.0.type", lambda c: c["val_evaluator"]["metrics"][0]["type"]),
        # silent in the config, but an argument of what stands there
        ("model.generator.init", lambda c: c["model"]["generator"]["init"]),
        ("model.step.split_d", lambda c: c["model"]["step"]["split_d"]),
        ("train_dataloader.num_workers", lambda c: c["train_dataloader"]["num_workers"]),
        ("load_from", lambda c: c["load_from"]),
        ("model.losses.adversarial.weights", lambda c: c["model"]["losses"]["adversarial"]["weights"]),
        ("optim_wrapper.precision", lambda c: c["optim_wrapper"]["precision"]),
        ("model.data_preprocessor", lambda c: c["model"]["data_preprocessor"]),
    ],
)
def test_option_that_has_a_place_is_applied(path, read):
    config = example()
    assert apply_options(config, {path: "new"}) == []
    assert read(config) == "new"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("train_cfg.max_iter", "Did you mean 'max_iters'"),
        ("model.generator.base_chanels", "Did you mean 'base_channels'"),
        ("model.step.n_critics", "Did you mean 'n_critic'"),
        ("modle.generator.base_channels", "Did you mean 'model'"),
        ("train_dataloader.batchsize", "Did you mean 'batch_size'"),
        ("model.losses.adversarial.inputs.logit.deeper", "has no keys"),
        ("val_evaluator.metrics.3.type", "is a list of 1"),
        ("model.discriminator.heads.aux", "has no 'aux'"),
    ],
)
def test_option_without_a_place_is_refused_and_changes_nothing(path, message):
    config = example()
    (problem,) = apply_options(config, {path: 1})
    assert message in problem.message
    assert path.startswith(problem.path)
    assert config == example()


def test_text_of_a_config_is_read_without_executing_it():
    assert assignments("a = dict(b=[1, (2.0, None)])\nc = 'x'") == {"a": {"b": [1, (2.0, None)]}, "c": "x"}
    for text in ("import os", "a = open('x')", "a = b", "a.b = 1", "a = "):
        with pytest.raises(ValueError):
            assignments(text)
