"""Files say which distribution their classes came from, and what is missing where it is not here."""

import re
import sys
import warnings

import pytest

from mmcgan import plugins, registry
from mmcgan.apis import load_model
from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.origin import RefusedConfigError
from mmcgan.provenance import MODULE, origins
from mmcgan.registry import RUNNERS
from mmcgan.version import __version__
from mmcgan.zoo.card import model_card
from mmcgan.zoo.models import export_weights

SOURCE = """
import torch
from mmcgan.models.generators import Generator
from mmcgan.registry import GENERATORS

@GENERATORS.register_module()
class FlatGenerator(Generator):
    requires = ("label",)
    def __init__(self, image_size: int, num_classes: int, latent_dim: int = 4) -> None:
        super().__init__()
        self.image_size, self.num_classes, self.latent_dim = image_size, num_classes, latent_dim
        self.rows = torch.nn.Embedding(num_classes, latent_dim)
        self.linear = torch.nn.Linear(latent_dim, 3 * image_size**2)
    def embed(self, condition):
        return self.rows(condition.label)
    def synthesize(self, latent, embedding):
        return torch.tanh(self.linear(latent + embedding)).unflatten(1, (3, self.image_size, self.image_size))
"""
SMALL = {
    "model.generator": dict(type="FlatGenerator"),
    "model.discriminator.backbone.base_channels": 4,
    "train_dataloader.batch_size": 4,
    "train_dataloader.num_workers": 0,
    "train_dataloader.persistent_workers": False,
    "train_dataloader.prefetch_factor": None,
    "train_cfg.max_iters": 1,
    "val_dataloader": None,
    "val_evaluator": None,
    "val_cfg": None,
    "default_hooks.checkpoint.save_best": None,
    "log_level": "ERROR",
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder on the import path; forgets plugins and modules in it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = registry.snapshot()
    plugins._load_all.cache_clear()
    yield tmp_path
    forget()
    registry.restore(before)


def install(place, name, source, version="0.3.0"):
    (place / f"{name}.py").write_text(source)
    information = place / f"{name}.dist-info"
    information.mkdir(exist_ok=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (information / "entry_points.txt").write_text(f"[mmcgan.plugins]\n{name} = {name}\n")


def remove(place, name):
    (place / f"{name}.py").unlink()
    for file in (place / f"{name}.dist-info").iterdir():
        file.unlink()
    (place / f"{name}.dist-info").rmdir()


def forget():
    plugins._load_all.cache_clear()
    registry.FAILED_PLUGINS.clear()
    for name in ("mixgan", "mixmodule"):
        sys.modules.pop(name, None)
    for each in registry.every_registry():
        each.namespaces.pop("mixgan", None)
        for name in [n for n, x in each._module_dict.items() if x.__module__ in ("mixgan", "mixmodule")]:
            del each._module_dict[name]


def trained(place, **options):
    config = load_config("biggan_digits-16", {**SMALL, **options})
    config.work_dir = str(place / "run")
    runner = RUNNERS.require("GANRunner").from_cfg(config)
    runner.train()
    return next((place / "run").rglob("*.pth"))


def test_the_way_of_a_plugins_file(place):
    install(place, "mixgan", SOURCE)
    checkpoint = trained(place)
    stated = load_checkpoint(checkpoint)["meta"]["components"]
    assert stated["FlatGenerator"] == "mixgan 0.3.0" and stated["HingeLoss"] == f"mmcgan {__version__}"
    exported = place / "mine.safetensors"
    export_weights(checkpoint, exported)
    record = load_model(exported).record
    assert record.components["FlatGenerator"] == "mixgan 0.3.0" and "HingeLoss" not in record.components
    page = model_card(record, "someone/mix", "MIT", "ab" * 32)
    assert 'python3 -m pip install "mmcgan[hub]" "mixgan==0.3.0"\n' in page
    assert "| FlatGenerator | mixgan 0.3.0 |" in page and str(place) not in page

    remove(place, "mixgan")
    forget()
    for file in (exported, checkpoint):
        with pytest.raises(RefusedConfigError, match=r"plugin mixgan 0.3.0 for 'FlatGenerator': not instal"):
            load_model(file)

    install(place, "mixgan", "raise OSError('no licence')", version="0.4.0")
    forget()
    with (
        pytest.warns(UserWarning, match="mixgan"),
        pytest.raises(RefusedConfigError, match=r"mixgan 0.3.0 .*: mixgan 0.4.0 failed with OSError: no lic"),
    ):
        load_model(exported)

    install(place, "mixgan", "", version="0.5.0")
    forget()
    with pytest.raises(RefusedConfigError, match=r"mixgan 0.5.0 is installed and has it no more"):
        load_model(exported)


def test_a_file_trained_through_custom_imports_says_so(place, monkeypatch):
    (place / "mixmodule.py").write_text(SOURCE)
    given = {"custom_imports": dict(imports=["mixmodule"])}
    checkpoint = trained(place, **given)
    exported = place / "mine.safetensors"
    assert load_checkpoint(checkpoint)["meta"]["components"]["FlatGenerator"] == f"{MODULE} mixmodule"
    export_weights(checkpoint, exported)
    page = model_card(load_model(exported).record, "someone/mix", "MIT", "ab" * 32)
    assert "Classes of mixmodule are part of no package" in page
    forget()
    with pytest.raises(RefusedConfigError, match=r"'FlatGenerator' of the module 'mixmodule'.*CONFIG FILE"):
        load_model(exported)
    with pytest.raises(RefusedConfigError, match=r"'FlatGenerator' of the module 'mixmodule'"):
        load_model(checkpoint)
    monkeypatch.setattr("mmcgan.zoo.reading.is_own", lambda *_: False)
    with pytest.raises(RefusedConfigError, match="custom_imports of 'mixmodule', which a file cannot"):
        load_model(checkpoint)


def test_origins_are_data_of_any_kind(place):
    assert origins({"a": [dict(type="HingeLoss"), dict(type="Adam"), dict(type="Nothing")]}) == {
        "HingeLoss": f"mmcgan {__version__}"
    }


MORE = """
from mmengine.hooks import Hook
from mmcgan.evaluation import GenerationMetric
from mmcgan.registry import GENERATION_METRICS, HOOKS, TRANSFORMS

@HOOKS.register_module()
class QuietHook(Hook):
    pass

@TRANSFORMS.register_module()
class Same:
    def __call__(self, results):
        return results

@GENERATION_METRICS.register_module()
class Zero(GenerationMetric):
    figures = ("zero",)
    better = {"zero": "less"}
    def reset(self): pass
    def update(self, output, condition): pass
    def merge(self): pass
    def compute(self): return {"zero": 0.0}
"""
CONFIG = """
_base_ = "{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py"
_small = dict(num_workers=0, persistent_workers=False, prefetch_factor=None)
model = dict(generator=dict(_delete_=True, type="FlatGenerator"),
             discriminator=dict(backbone=dict(base_channels=4)))
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=[dict(type="Same")]), **_small)
train_cfg = dict(max_iters=1, val_interval=1)
val_dataloader = test_dataloader = dict(dataset=dict(size=8), **_small)
val_evaluator = test_evaluator = dict(
    _delete_=True, type="GenerationEvaluator", metrics=[dict(type="Zero")],
    extractor=dict(type="SmallClassifier", weights="digits-16"))
custom_hooks = [dict(type="QuietHook")]
default_hooks = dict(sample_grid=None, checkpoint=dict(save_best="zero"))
log_level = "ERROR"
"""
ROLES = ("FlatGenerator", "Same", "Zero", "QuietHook")


@pytest.mark.broad  # ten seconds and more on an old processor
def test_every_command_says_which_plugin_is_missing_for_every_role(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    install(place, "mixgan", SOURCE + MORE)
    (place / "mine.py").write_text(CONFIG)
    assert main(["train", "mine.py", "--work-dir", "run"]) == 0
    checkpoint = str(place / "run" / "iter_1.pth")
    stated = load_checkpoint(checkpoint)["meta"]["components"]
    assert {kind: stated[kind] for kind in ROLES} == dict.fromkeys(ROLES, "mixgan 0.3.0")
    (place / "after.py").write_text(f"_base_ = 'mine.py'\nload_from = {checkpoint!r}\n")
    routes = {
        "sample": ["sample", checkpoint, "--num", "1", "--out", "samples"],
        "interpolate": ["interpolate", checkpoint, "--out", "way.png"],
        "export": ["export", checkpoint, "g.onnx"],
        "sefa": ["sefa", checkpoint, "--out", "sefa.png"],
        "demo": ["demo", checkpoint],
        "sample with a config": ["sample", "mine.py", checkpoint, "--num", "1", "--out", "samples"],
        "test": ["test", "mine.py", checkpoint, "--work-dir", "judged"],
        "resume": ["train", "mine.py", "--work-dir", "run", "--resume"],
        "load_from": ["train", "after.py", "--work-dir", "after"],
        "from": ["train", "mine.py", "--from", checkpoint, "--work-dir", "after"],
    }
    for source, state in (
        (None, r"not installed \(python3 -m pip install mixgan==0.3.0\)"),
        ("raise OSError('no licence')", "mixgan 0.4.0 failed with OSError: no licence"),
        ("", "mixgan 0.4.0 is installed and has it no more"),
    ):
        remove(place, "mixgan")
        if source is not None:
            install(place, "mixgan", source, version="0.4.0")
        forget()
        for name, route in routes.items():
            status, said = called(route, capsys)
            kinds = ROLES if route[0] == "test" or route[0] == "train" else ROLES[:1]
            for kind in kinds:
                assert re.search(rf"needs the plugin mixgan 0.3.0 for '{kind}': {state}", said), (name, said)
            assert status == 2 and not (place / "after").exists()
        if source is None:
            install(place, "mixgan", "")


def called(words, capsys):
    """Return the status of a command and what it said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            status = main(words)
        except SystemExit as error:
            status = error.code
    return status, capsys.readouterr().err
