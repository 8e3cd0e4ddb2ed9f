"""``--cfg-options`` change a config: weights by themselves have settings of their own."""

import pytest

from mmcgan.apis.inference import CGANInferencer
from mmcgan.cli import COMMANDS, command_parser, main
from mmcgan.zoo.locate import find_weights
from mmcgan.zoo.models import load_model

MODEL = "omnigan_biggan_digits-16"
REFUSED = r"options \(--cfg-options {}\) apply to a config: give CONFIG CHECKPOINT"


def takes_options(name):
    """Return whether a command takes a trained model and options for its config."""
    actions = command_parser(name)._actions
    return {"model", "cfg_options"} <= {action.dest for action in actions}


OF_MODELS = sorted(filter(takes_options, COMMANDS))


def test_the_commands_of_trained_models_are_found():
    assert {"sample", "interpolate", "sefa", "export"} <= set(OF_MODELS)


@pytest.mark.parametrize("name", OF_MODELS)
@pytest.mark.parametrize("by_file", [False, True])
def test_every_command_refuses_options_for_weights_by_themselves(name, by_file, tmp_path, capsys):
    source = str(find_weights(MODEL)) if by_file else MODEL
    parser, out = command_parser(name), tmp_path / ("out.onnx" if name == "export" else "out.png")
    named = any("--out" in action.option_strings for action in parser._actions)
    place = ["--out", str(out)] if named else [str(out)]
    assert main([name, source, *place, "--cfg-options", "foo=7", "model.x=1"]) == 2
    said = capsys.readouterr().err
    assert "options (--cfg-options foo model.x) apply to a config: give CONFIG CHECKPOINT" in said
    assert source in said and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("load", [load_model, CGANInferencer])
def test_functions_refuse_them_too(load):
    with pytest.raises(ValueError, match=REFUSED.format("foo")):
        load(MODEL, options={"foo": 7})
    assert load(MODEL, options={}) is not None


def test_beside_a_config_they_count():
    weights = find_weights(MODEL)
    assert load_model(MODEL, weights, {"model.generator.base_channels": 8}).model.generator is not None
    with pytest.raises(ValueError, match="does not fit the generator of the config"):
        load_model(MODEL, weights, {"model.generator.base_channels": 16})


def test_a_loaded_model_has_its_settings_already():
    with pytest.raises(ValueError, match=f"{MODEL} is loaded already"):
        CGANInferencer(load_model(MODEL), options={"foo": 7})
