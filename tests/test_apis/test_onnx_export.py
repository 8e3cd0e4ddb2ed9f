"""Generators of every family as ONNX, compared with PyTorch."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from mmcgan.apis import onnx_export
from mmcgan.apis.onnx_export import export_onnx, onnx_runtime
from mmcgan.cli import main
from mmcgan.models.generators.dcgan import DCGANGenerator
from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition, height_and_width
from mmcgan.zoo.models import FORMAT, GeneratorRecord, LoadedModel, load_model
from tests.tiny_networks import tiny_painter, tiny_stylegan2

LABEL = dict(type="UniformLabel", num_classes=3)
BIGGAN = dict(type="BigGANGenerator", image_size=8, channels=[8, 8], latent_dim=6, shared_dim=4)
FAMILIES = {
    "DCGAN": dict(type="DCGANGenerator", image_size=8, num_classes=3, base_channels=4, latent_dim=6),
    "ResNet": dict(type="ResNetGenerator", image_size=8, num_classes=3, channels=[4, 4], latent_dim=6),
    "BigGAN": {**BIGGAN, "num_classes": 3, "instance_dim": 6, "instance_embedding_dim": 4}
    | dict(attention_resolutions=(8,)),
    "implicit": {**BIGGAN, "num_classes": 0, "attention_resolutions": (), "implicit": {}},
    "BigGAN-deep": dict(type="BigGANDeepGenerator", image_size=8, channels=[8, 8], depth=1, num_classes=3)
    | dict(latent_dim=6, shared_dim=4, attention_resolutions=()),
    "StyleGAN2": tiny_stylegan2(3, mapping_layers=1),
    "SPADE": tiny_painter(3, (32, 64), has_edges=True, spectral_norm=None, init="orthogonal"),
    "SPADE with a latent": tiny_painter(3, 64, latent_dim=6, norm="instance", spectral_norm=None)
    | dict(init="orthogonal"),
}
#: made of the same layers as BigGAN; every export takes seconds
SLOW = ("ResNet", "BigGAN-deep")
#: those that each run exports; SPADE, like others, takes ten seconds and more on an old processor
EACH_RUN = ("DCGAN", "implicit")
FIXED = {"StyleGAN2": dict(truncation=0.7), "implicit": dict(size=(12, 10))}
INPUTS = {
    "BigGAN": ["latent", "label", "instance"],
    "implicit": ["latent"],
    "SPADE": ["label_map", "edge_map"],
    "SPADE with a latent": ["latent", "label_map"],
}


@pytest.fixture
def runtime():
    try:
        return onnx_runtime()
    except ImportError as error:
        pytest.skip(str(error))


def weights_of(name, folder):
    """Write a generator whose parameters are all different and return the file."""
    torch.manual_seed(0)
    network = SamplingModel(dict(FAMILIES[name]), ema=False).generator
    state = {key: value.clone() for key, value in network.state_dict().items()}
    for key, value in state.items():
        # SPADE has drawn its weights; moved to one side, all of them would saturate the image
        if value.is_floating_point() and not ("SPADE" in name and (value.ndim > 1 or "spectral" in key)):
            state[key] = value + 0.1 * torch.rand_like(value)
    record = GeneratorRecord(FAMILIES[name], dict(type="NormalLatent"), LABEL)
    path = folder / f"{name}.safetensors"
    path.write_bytes(save(state, {"format": FORMAT, "record": json.dumps(asdict(record))}))
    return path


def given(field, shape):
    """Return what a field may hold."""
    if field == "label":
        return torch.arange(5) % 3
    if field == "edge_map":
        return torch.rand(shape) > 0.5
    return torch.randint(3, shape) if field == "label_map" else torch.randn(shape)


@torch.no_grad()
def pytorch(path, feeds, fixed):
    """Return what the network itself makes of the inputs of the file, without what is traced."""
    generator = load_model(path).model.generator
    values = {name: torch.from_numpy(value) for name, value in feeds.items()}
    latent = values.pop("latent", torch.zeros(5, 0))
    condition = Condition(**values)
    if "truncation" in fixed:
        return generator.forward_truncated(latent, condition, fixed["truncation"]).clamp(-1, 1).numpy()
    return generator(latent, condition, **fixed).clamp(-1, 1).numpy()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.slow if name in SLOW else () if name in EACH_RUN else pytest.mark.broad,
        )
        for name in FAMILIES
    ],
)
def test_every_family_agrees_at_any_batch_size(name, runtime, tmp_path):
    out = tmp_path / "model.onnx"
    path = weights_of(name, tmp_path)
    written = export_onnx(path, out, **FIXED.get(name, {}))
    assert written.difference < 1e-4
    session = runtime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_inputs()] == INPUTS.get(name, ["latent", "label"])
    assert all(entry.shape[0] == "batch" for entry in session.get_inputs())
    feeds = {}
    for entry in session.get_inputs():
        shape = (5, *entry.shape[1:])
        feeds[entry.name] = given(entry.name, shape).numpy()
    (image,) = session.run(None, feeds)
    size = height_and_width(FIXED.get(name, {}).get("size") or FAMILIES[name]["image_size"])
    assert image.dtype == np.float32 and np.isfinite(image).all()
    assert np.abs(image - pytorch(path, feeds, FIXED.get(name, {}))).max() < 1e-4
    assert image.shape == (5, 3, *size)
    assert abs(image).max() <= 1
    assert len({row.tobytes() for row in image}) == 5  # all inputs matter
    assert not list(tmp_path.glob(".*"))
    for field in {"label", "label_map"} & feeds.keys():
        for beyond in (3, -1, 1000):
            wrong = {**feeds, field: feeds[field].copy()}
            wrong[field].reshape(-1)[-1] = beyond  # as the generator itself refuses it
            with pytest.raises(Exception, match=r"invalid index|out of data bounds"):
                session.run(None, wrong)


def test_a_nan_in_what_the_file_makes_is_seen(tmp_path):
    """Stands in for the runtime: images of NaN whatever is asked."""
    loaded = load_model(weights_of("DCGAN", tmp_path))
    network = onnx_export._network(loaded, {})

    class Session:
        def __init__(self, *_, **__):
            pass

        def get_inputs(self):
            return [SimpleNamespace(shape=["images", 4])]

        def run(self, _, feeds):
            return (np.full((len(feeds["latent"]), 3, 8, 8), np.nan, np.float32),)

    runtime = SimpleNamespace(InferenceSession=Session)
    assert np.isnan(onnx_export._compare(runtime, network, loaded, tmp_path / "a.onnx"))


def test_weights_that_are_no_numbers_are_named(runtime, tmp_path):
    path = weights_of("DCGAN", tmp_path)
    with safe_open(path, framework="pt") as file:
        metadata, state = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    name = next(key for key, value in state.items() if value.is_floating_point())
    state[name].view(-1)[0] = float("nan")
    path.write_bytes(save(state, metadata))
    with pytest.raises(ValueError, match=rf"NaN or infinite values: {name}"):
        export_onnx(path, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


def test_a_file_that_differs_is_not_kept(runtime, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "_trace", lambda network, values, path, owner: path.write_bytes(b""))
    monkeypatch.setattr(onnx_export, "_compare", lambda *_: 0.5)
    with pytest.raises(ValueError, match=r"differs from PyTorch by up to 0\.5, more than 0\.01; it is"):
        export_onnx(weights_of("DCGAN", tmp_path), tmp_path / "a.onnx", tolerance=0.01)
    monkeypatch.setattr(onnx_export, "_compare", lambda *_: float("nan"))
    with pytest.raises(ValueError, match="differs from PyTorch by up to nan"):
        export_onnx(weights_of("DCGAN", tmp_path), tmp_path / "a.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["DCGAN.safetensors"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(truncation=0.5), "its truncation acts on the latents"),
        (dict(size=(9, 9)), "makes images of 8 x 8 only"),
        (dict(size=(0, 0)), "size must be a height and a width of at least 1"),
    ],
)
def test_what_the_generator_does_not_have_is_refused(runtime, settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_onnx(weights_of("DCGAN", tmp_path), tmp_path / "a.onnx", **settings)


@GENERATORS.register_module(force=True)
class NoisyInside(DCGANGenerator):
    """A generator of somebody else that draws where nobody sees it."""

    def __init__(self) -> None:
        super().__init__(**{key: value for key, value in FAMILIES["DCGAN"].items() if key != "type"})

    def synthesize(self, *given):
        """Add noise."""
        image = super().synthesize(*given)
        return image + torch.randn_like(image)


@GENERATORS.register_module(force=True)
class OpenlyNoisy(NoisyInside):
    """One that says so, of which no setting decides."""

    draws_inside = True


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        ({**FAMILIES["StyleGAN2"], "eval_noise": "random"}, "draws noise inside .eval_noise='random'."),
        (
            dict(type="FastGANGenerator", image_size=32, latent_dim=4, channels=[4] * 4, eval_noise="random"),
            "draws noise inside .eval_noise='random'.",
        ),
        (
            dict(
                type="CodedGenerator", generator={**FAMILIES["StyleGAN2"], "eval_noise": "random"}, code_dim=2
            ),
            "draws noise inside .eval_noise='random'.",
        ),
        (
            {**FAMILIES["StyleGAN2"], "eval_noise": "random"},
            r"draws .* --cfg-options model\.generator\.eval_noise=const, or none$",
        ),
        (
            dict(
                type="CodedGenerator", generator={**FAMILIES["StyleGAN2"], "eval_noise": "random"}, code_dim=2
            ),
            "draws .*: set eval_noise=const, or none, of the StyleGAN2Generator inside$",
        ),
        (
            dict(type="OpenlyNoisy"),
            "draws noise inside, which an ONNX file cannot repeat: OpenlyNoisy can be exported if its "
            "draws_inside is false$",
        ),
        (dict(type="NoisyInside"), r"draws random numbers inside \(RandomNormal"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(generator, message, runtime, tmp_path, monkeypatch):
    model = SamplingModel(dict(generator), ema=False)
    loaded = LoadedModel(model, None, GeneratorRecord(generator, {}, {}), "mine")
    monkeypatch.setattr(onnx_export, "load_model", lambda *_: loaded)
    with pytest.raises(ValueError, match=f"mine {message}"):
        export_onnx("mine", tmp_path / "g.onnx")
    assert not list(tmp_path.iterdir())


def test_the_target_is_checked_first(tmp_path):
    with pytest.raises(ValueError, match=r"is named \*\.onnx"):
        export_onnx("omnigan_biggan_digits-16", tmp_path / "a.pt")
    (tmp_path / "a.onnx").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"a\.onnx exists"):
        export_onnx("omnigan_biggan_digits-16", tmp_path / "a.onnx")


def test_without_the_extra_it_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    assert main(["export", "omnigan_biggan_digits-16", str(tmp_path / "a.onnx")]) == 2
    assert 'onnxscript: python3 -m pip install "mmcgan[onnx]"' in capsys.readouterr().err


def test_the_command_says_inputs_and_difference(runtime, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(onnx_export, "_trace", lambda network, values, path, owner: path.write_bytes(b"12"))
    monkeypatch.setattr(onnx_export, "_compare", lambda *_: 2e-6)
    out = tmp_path / "deep" / "a.onnx"
    assert main(["export", str(weights_of("DCGAN", tmp_path)), str(out)]) == 0
    text = capsys.readouterr().out
    assert "input latent: batch x 6\ninput label: batch\n" in text
    assert "largest difference from PyTorch: 2e-06 (limit 0.001)" in text
    assert f"{out}: 2 bytes" in text
