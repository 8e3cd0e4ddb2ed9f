"""New kinds of conditions of a plugin: trained with, resumed, sampled, interpolated, exported, evaluated."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmcgan import plugins, registry, testing
from mmcgan.apis.interpolation import interpolate
from mmcgan.apis.onnx_export import export_onnx
from mmcgan.apis.sampling import sample
from mmcgan.cli import main
from mmcgan.condition_fields import condition_of, fact_names, field_names, mirrored
from mmcgan.config import load_config
from mmcgan.config.problems import ConfigError
from mmcgan.registry import CONDITION_FIELDS, RUNNERS
from mmcgan.structures import Condition
from mmcgan.zoo.models import load_model

SOURCE = Path(__file__).with_name("text_plugin.py")
CONFIG = """
_base_ = "{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py"
model = dict(
    generator=dict(_delete_=True, type="TextGenerator"),
    discriminator=dict(backbone=dict(_delete_=True, type="DCGANBackbone", base_channels=4),
                       heads=dict(_delete_=True, text=dict(type="TextHead"))),
    losses=dict(_delete_=True, hinge=dict(type="HingeLoss", inputs=dict(logit="text.logit"))),
    condition_sampler=dict(_delete_=True, type="RealCondition"),
    data_preprocessor=dict(flip_probability=0.5),
)
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False, prefetch_factor=None,
                        dataset=dict(_delete_=True, type="Lights"))
_evaluator = dict(_delete_=True, type="GenerationEvaluator", metrics=[dict(type="TextAgreement")],
                  extractor=dict(type="MeanColour"))
val_dataloader = dict(batch_size=8, num_workers=0, persistent_workers=False, prefetch_factor=None,
                      dataset=dict(_delete_=True, type="DrawnConditionDataset", size=16))
val_evaluator = test_evaluator = _evaluator
test_dataloader = val_dataloader
default_hooks = dict(checkpoint=dict(interval=2, save_best="text_agreement"), sample_grid=dict(interval=2))
train_cfg = dict(max_iters=4, val_interval=2)
log_level = "ERROR"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the plugin installed and its config; uninstalled afterwards."""
    place = tmp_path_factory.mktemp("text")
    (place / "text_plugin.py").write_text(SOURCE.read_text())
    information = place / "text_plugin-2.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: text-plugin\nVersion: 2.1\n")
    (information / "entry_points.txt").write_text("[mmcgan.plugins]\ntexts = text_plugin\n")
    (place / "text_lights.py").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(place)
        before = registry.snapshot()
        plugins._load_all.cache_clear()
        plugins.load_plugins()
        yield place
        plugins._load_all.cache_clear()
        registry.restore(before)


def train(folder, out, iterations, resume=False):
    options = {"train_cfg.max_iters": iterations, "train_cfg.val_interval": 2}
    config = load_config(folder / "text_lights.py", options)
    config.work_dir, config.resume = str(out), resume
    config.experiment_name = f"{out.name}-{iterations}"
    runner = RUNNERS.require("GANRunner").from_cfg(config)
    runner.train()
    return runner


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """Return the runner of four iterations, and its checkpoint."""
    out = tmp_path_factory.mktemp("run")
    return train(folder, out, 4), out / "iter_4.pth"


def test_fields_and_facts_of_a_plugin_are_known(folder):
    assert field_names()[:5] == ("label", "instance", "attributes", "label_map", "edge_map")
    assert set(field_names()[5:]) == {"text", "pose"} and "text_dim" in fact_names()
    assert dict(plugins.installed_plugins()[-1].adds)["condition field"] == ("text", "pose")


def test_a_condition_holds_them_like_its_own(folder):
    whole = Condition.of({"label": torch.arange(4), "text": torch.arange(8.0).view(4, 2)})
    assert whole.get("text") is whole.others["text"] and whole.get("pose") is None and len(whole) == 4
    again = Condition.cat([whole[:1], whole[1:]])
    assert all(torch.equal(again.present()[name], value) for name, value in whole.present().items())
    assert set(whole.only(["text"]).present()) == {"text"}
    with pytest.raises(ValueError, match=r"no field 'tex'. Did you mean 'text'"):
        whole.get("tex")
    with pytest.raises(ValueError, match=r"condition.label is a field of its own"):
        Condition(others={"label": torch.arange(4)})


def test_a_flip_turns_what_the_field_says(folder):
    condition = condition_of({"pose": torch.tensor([[0.25, 0.5], [0.25, 0.5]]), "image": 0})
    turned = mirrored(condition, torch.tensor([True, False]))
    assert turned.get("pose").tolist() == [[0.75, 0.5], [0.25, 0.5]]


def test_a_name_that_is_taken_is_refused(folder):
    with pytest.raises(KeyError, match=r"'text' of .* is taken by text_plugin"):

        @CONDITION_FIELDS.register_module("text")
        class Other(CONDITION_FIELDS.get("text")):
            pass


def test_a_fact_of_the_data_set_fills_whoever_asks(folder):
    config = load_config(folder / "text_lights.py", {"train_dataloader.dataset.text_dim": 7})
    assert config.model.generator.text_dim == 7 and config.model.discriminator.heads.text.text_dim == 7
    assert config.val_dataloader.dataset.condition_sampler.type == "RealCondition"
    with pytest.raises(ConfigError, match=r"text_dim: 3 contradicts .*Lights.*text_dim 5"):
        load_config(folder / "text_lights.py", {"model.generator.text_dim": 3})


def test_training_resumes_bit_for_bit(folder, trained, tmp_path):
    whole = trained[0].model.state_dict()
    train(folder, tmp_path / "cut", 2)
    resumed = train(folder, tmp_path / "cut", 4, resume=True).model.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_its_checks_pass(folder):
    testing.check_generator(
        dict(type="TextGenerator", image_size=8, text_dim=3), sizes={"text": 3, "pose": 2}
    )
    testing.check_dataset(dict(type="Lights"))
    testing.check_metric(
        dict(type="TextAgreement"), condition=Condition.of({"text": torch.randn(16, 3)}), images=16
    )
    for name in field_names():
        testing.check_condition_field(name)


def test_samples_take_what_is_drawn_or_given(trained, tmp_path):
    loaded = load_model(trained[1])
    first, second = (sample(loaded, num=3, out=tmp_path / name) for name in ("a", "b"))
    assert [x.read_bytes() for x in first.images] == [x.read_bytes() for x in second.images]
    np.save(tmp_path / "text.npy", np.ones((2, 5)))
    command = ["sample", str(trained[1]), "--num", "4", "--out", str(tmp_path / "c")]
    assert main([*command, "--condition", f"text={tmp_path / 'text.npy'}"]) in (0, None)
    assert (tmp_path / "c" / "00000.png").read_bytes() != first.images[0].read_bytes()
    given = {"text": torch.ones(1, 5), "pose": torch.zeros(1, 2)}
    made = sample(loaded, num=2, out=tmp_path / "d", conditions=given)
    with torch.no_grad():
        latent = loaded.model.latent_sampler
        assert latent.latent_dim == 6 and len(made.images) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"txt": torch.ones(1, 5)}, "--condition txt: .* is conditioned on text, pose"),
        ({"text": torch.ones(1, 4)}, r"expected the shape \(K, 5\), got \(1, 4\)"),
        ({"text": torch.ones(1, 5).long()}, "expected torch.float32, got torch.int64"),
        ({"text": torch.full((1, 5), torch.nan)}, "NaN or infinite"),
    ],
)
def test_what_is_given_must_fit(trained, tmp_path, given, message):
    with pytest.raises(ValueError, match=message):
        sample(load_model(trained[1]), num=1, out=tmp_path / "x", conditions=given)


def test_it_interpolates_and_becomes_onnx(trained, tmp_path):
    assert interpolate(trained[1], out=tmp_path / "way.png").stat().st_size
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    written = export_onnx(trained[1], tmp_path / "g.onnx")
    assert dict(written.inputs) == {"latent": ("batch", 6), "text": ("batch", 5), "pose": ("batch", 2)}


def test_it_is_evaluated_by_name(folder, trained, tmp_path):
    command = ["test", str(folder / "text_lights.py"), str(trained[1]), "--work-dir", str(tmp_path)]
    out = tmp_path / "figures.json"
    assert main([*command, "--metrics", "agreement", "--json", str(out)]) in (0, None)
    report = json.loads(out.read_text())
    assert "text_agreement" in json.dumps(report)
    assert -1 <= trained[0].message_hub.get_scalar("val/text_agreement").current() <= 1
