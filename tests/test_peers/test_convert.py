"""What a checkpoint may look like, and what is said about one that does not fit."""

import pickle

import pytest
import torch

from mmcgan.apis import load_model
from mmcgan.checkpoints.files import CheckpointError
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.peers.reading.convert import Options, inspect_checkpoint, write
from mmcgan.peers.reading.resolving import AmbiguousError
from mmcgan.structures import Condition
from tests.test_peers.networks import GENERATOR_CONFIG, discriminator_state, generator_state, weights


@pytest.fixture(scope="module")
def generator():
    return generator_state()


@pytest.fixture(scope="module")
def run(tmp_path_factory, generator):
    """A BigGAN-PyTorch run: both generators, discriminator and training state."""
    folder = tmp_path_factory.mktemp("run")
    torch.save(generator, folder / "G_ema.pth")
    torch.save(
        {f"module.{key}": value + (value.is_floating_point()) for key, value in generator.items()},
        folder / "G.pth",
    )
    torch.save(discriminator_state(), folder / "D.pth")
    torch.save({"state": {}}, folder / "G_optim.pth")
    torch.save(
        {"itr": 7, "config": {"G_nl": "relu", "BN_eps": 3e-5, "hier": True}}, folder / "state_dict.pth"
    )
    return folder


def test_a_run_becomes_weights_config_and_training_checkpoint(run, tmp_path, monkeypatch, capsys):
    assert main(["convert", str(run), str(tmp_path / "biggan.safetensors")]) == 0
    printed = capsys.readouterr().out
    assert "batch_norm.eps" in printed and "not converted: G.pth" in printed
    loaded = load_model(tmp_path / "biggan.safetensors")
    assert loaded.record.generator["batch_norm"]["eps"] == 3e-5  # the run's own settings
    assert loaded.record.generator["attention_blocks"] == [1]
    again = load_model(tmp_path / "biggan.py", tmp_path / "biggan.safetensors")
    latent, condition = torch.randn(2, 16), Condition(label=torch.tensor([0, 4]))
    images = [model.model.sample(condition, latent) for model in (loaded, again)]
    assert torch.equal(*images)
    monkeypatch.chdir(tmp_path)
    assert main(["check-config", "biggan.py"]) == 0
    config = load_config(tmp_path / "biggan.py")
    state = torch.load(tmp_path / config.load_from, weights_only=True)["state_dict"]
    assert {key.split(".")[0] for key in state} == {"generator", "generator_ema", "discriminator", "random"}


def test_training_goes_on_from_a_converted_run(run, tmp_path, monkeypatch):
    from mmcgan.apis import train

    write(inspect_checkpoint(run), tmp_path / "biggan.safetensors")
    monkeypatch.chdir(tmp_path)
    result = train("biggan.py", tmp_path / "work", options={"train_cfg.max_iters": 1, "log_level": "ERROR"})
    assert all(torch.isfinite(torch.tensor(value)) for value in result.metrics.values())
    first = torch.load(tmp_path / "work" / "iter_1.pth", weights_only=True)["state_dict"]
    start = torch.load(tmp_path / "biggan.pth", weights_only=True)["state_dict"]
    moved = (first["generator.linear.weight"] - start["generator.linear.weight"]).abs().max()
    assert 0 < moved < 1e-3


def test_raw_and_averaged_generators_are_told_apart(run):
    raw = inspect_checkpoint(run, Options(average=False, generator_only=True))
    averaged = inspect_checkpoint(run, Options(average=True, generator_only=True))
    assert raw.names["generator"] == "G.pth" and raw.wrappers["generator"] == ("module.",)
    assert averaged.names["generator"] == "G_ema.pth" and averaged.discriminator is None
    assert not torch.equal(
        raw.generator.weights["linear.weight"], averaged.generator.weights["linear.weight"]
    )
    with pytest.raises(ValueError, match="--ema: no averaged generator among"):
        inspect_checkpoint(run / "G.pth", Options(average=True))


def test_wrappers_and_old_files_do_not_matter(generator, tmp_path):
    plain = inspect(generator, tmp_path / "plain.pth").generator
    for name, content in {
        "parallel": {f"module.{key}": value for key, value in generator.items()},
        "lightning": {"state_dict": {f"model.generator.{k}": v for k, v in generator.items()}},
        "both": {"state_dict": {**under("generator", generator), **under("generator_ema", generator)}},
        "players": {"G_ema": generator, "step": 3},
    }.items():
        found = inspect(content, tmp_path / f"{name}.pth").generator
        assert found.config == plain.config, name
        assert all(torch.equal(found.weights[key], value) for key, value in plain.weights.items()), name
    torch.save(generator, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert inspect_checkpoint(tmp_path / "old.pth").generator.config == plain.config


def under(prefix, state):
    return {f"{prefix}.{key}": value for key, value in state.items()}


def inspect(content, path, **options):
    torch.save(content, path)
    return inspect_checkpoint(path, Options(**options))


def test_keys_that_do_not_fit_are_listed_and_nothing_is_written(generator, tmp_path, capsys):
    broken = {**generator, "blocks.9.extra": torch.zeros(3), "linear.bias": torch.zeros(7)}
    del broken["output_layer.2.bias"]
    torch.save(broken, tmp_path / "broken.pth")
    destination = tmp_path / "out.safetensors"
    assert main(["convert", str(tmp_path / "broken.pth"), str(destination)]) == 1
    message = capsys.readouterr().err
    assert "1 unused keys: blocks.9.extra" in message
    assert "1 missing keys: output_layer.2.bias" in message
    assert "linear.bias is (7,), expected (256,)" in message
    assert not destination.exists()


def test_files_that_are_no_networks_are_refused(generator, tmp_path):
    torch.save(generator, tmp_path / "whole.pth")
    content = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.pth").write_text("not a checkpoint")
    (tmp_path / "text.safetensors").write_text("not a checkpoint")
    for name, error, message in (
        ("half.pth", CheckpointError, "half.pth"),
        ("text.pth", CheckpointError, "text.pth"),
        ("text.safetensors", CheckpointError, "not a readable safetensors file"),
        ("absent.pth", FileNotFoundError, "no checkpoint file or folder"),
    ):
        with pytest.raises(error, match=message):
            inspect_checkpoint(tmp_path / name)
    with pytest.raises(CheckpointError, match="holds no weights"):
        inspect({"epoch": 3, "lr": 0.1}, tmp_path / "numbers.pth")
    with pytest.raises(ValueError, match="no format knows its 2 keys"):
        inspect({"encoder.weight": torch.zeros(2), "decoder.weight": torch.zeros(2)}, tmp_path / "other.pth")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"expected G_ema.pth.* found no checkpoint files"):
        inspect_checkpoint(tmp_path / "empty")


class Touch:
    """Makes a file when it is unpickled by the ordinary means."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_hostile_files_run_nothing(generator, tmp_path):
    mark = tmp_path / "mark"
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"G_ema": Touch(mark)}))
    torch.save({**generator, "evil": Touch(mark)}, tmp_path / "evil.pth")
    for name in ("evil.pkl", "evil.pth"):
        with pytest.raises(CheckpointError, match=r"refused .*io\.open"):
            inspect_checkpoint(tmp_path / name)
    assert not mark.exists()


def test_networks_of_two_codebases_are_not_mixed(generator, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    torch.save(generator, folder / "G_ema.pth")
    torch.save(discriminator_state("mmagic"), folder / "D.pth")
    with pytest.raises(ValueError, match=r"do not belong together.*biggan_pytorch.*mmagic_biggan"):
        inspect_checkpoint(folder)
    several = tmp_path / "several"
    several.mkdir()
    for name in ("G_copy0.pth", "G_copy1.pth"):
        torch.save(generator, several / name)
    with pytest.raises(CheckpointError, match=r"several G: G_copy0.pth, G_copy1.pth"):
        inspect_checkpoint(several)


def test_what_weights_do_not_show_is_asked_for(tmp_path):
    state = discriminator_state("mmagic")
    with pytest.raises(AmbiguousError, match="activated_shortcut=True") as caught:
        inspect(state, tmp_path / "d.pth")
    assert caught.value.settings == ["discriminator.backbone.activated_shortcut"]
    chosen = inspect(state, tmp_path / "d.pth", settings={"activated_shortcut": False})
    assert chosen.discriminator.config["backbone"]["activated_shortcut"] is False


def test_the_config_in_a_checkpoint_answers(tmp_path):
    text = "model = dict(discriminator=dict(type='BigGANDiscriminator', input_scale=32, act_cfg=dict(%s)))"
    state = under("discriminator", discriminator_state("mmagic"))
    for rectifier, expected in (("type='ReLU', inplace=True", True), ("type='ReLU'", False)):
        content = {"state_dict": state, "meta": {"config": text % rectifier}}
        found = inspect(content, tmp_path / "d.pth").discriminator
        assert found.config["backbone"]["activated_shortcut"] is expected
        assert found.origin["backbone.activated_shortcut"] == "file"
    with pytest.raises(AmbiguousError):
        inspect({"state_dict": state, "meta": {"config": "import os"}}, tmp_path / "d.pth")


def test_settings_must_exist_and_not_contradict_the_weights(generator, tmp_path):
    with pytest.raises(ValueError, match=r"no network of the checkpoint has it.*activation_name"):
        inspect(generator, tmp_path / "g.pth", settings={"activation_nam": "elu"})
    with pytest.raises(ValueError, match=r"the weights say num_classes=5, not 10"):
        inspect(generator, tmp_path / "g.pth", settings={"num_classes": 10})
    with pytest.raises(ValueError, match=r"unknown format 'gan'; formats: biggan_pytorch"):
        inspect(generator, tmp_path / "g.pth", format="gan")
    with pytest.raises(ValueError, match=r"--strict: .*generator.activation_name \(usually relu\)"):
        inspect(generator, tmp_path / "g.pth", strict=True)
    other = inspect(generator, tmp_path / "g.pth", settings={"activation_name": "elu"})
    assert other.generator.config["activation_name"] == "elu"


def test_files_are_replaced_only_by_force(generator, tmp_path):
    conversion = inspect(generator, tmp_path / "g.pth")
    write(conversion, tmp_path / "ours.safetensors")
    with pytest.raises(FileExistsError, match=r"ours.safetensors, ours.py; --force replaces them"):
        write(conversion, tmp_path / "ours.safetensors")
    write(conversion, tmp_path / "ours.safetensors", force=True)
    with pytest.raises(ValueError, match=r"NAME.safetensors"):
        write(conversion, tmp_path / "ours.pth")


def test_dry_run_writes_nothing(generator, tmp_path, capsys):
    torch.save(generator, tmp_path / "g.pth")
    assert main(["convert", str(tmp_path / "g.pth"), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "activation_name" in printed and "assumed" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["g.pth"]


def test_weights_of_bgr_images_become_weights_of_rgb_images(generator, tmp_path):
    plain = inspect(generator, tmp_path / "g.pth").generator.build().double()
    conversion = inspect(generator, tmp_path / "g.pth", settings={"channel_order": "bgr"})
    swapped = conversion.generator.build().double()
    source = torch.Generator().manual_seed(1)
    latent = torch.randn(2, 16, generator=source, dtype=torch.float64)
    condition = Condition(label=torch.tensor([0, 4]))
    with torch.no_grad():
        # the norm of the last layer sums in another order: equal to rounding, of which float64 leaves little
        assert torch.allclose(
            plain(latent, condition).flip(1), swapped(latent, condition), rtol=0, atol=1e-12
        )


def test_discriminator_of_bgr_images_sees_rgb_images(tmp_path):
    state = discriminator_state()
    plain = inspect(state, tmp_path / "d.pth").discriminator.build()
    swapped = inspect(state, tmp_path / "d.pth", settings={"channel_order": "bgr"}).discriminator.build()
    image, condition = torch.randn(2, 3, 32, 32), Condition(label=torch.tensor([0, 4]))
    with torch.no_grad():
        assert torch.allclose(
            plain(image.flip(1), condition)["adv.logit"], swapped(image, condition)["adv.logit"], atol=1e-4
        )


def style_gan_pickle(network, settings):
    """Return the bytes of a pickle such as StyleGAN2-ADA's: modules that carry their source."""
    state = network.state_dict() if hasattr(network, "state_dict") else network
    flat = {"class_name": "Generator", "state": {"_parameters": dict(state), "_init_kwargs": settings}}
    body = pickle.dumps(flat, 2)[2:-1]
    function = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
    return b"\x80\x02}X\x05\x00\x00\x00G_ema" + function + b"(" + body + b"tRs."


def test_style_gan_pickles_say_what_they_are(tmp_path):
    config = {
        "type": "StyleGAN2Generator", "image_size": 16, "num_classes": 3, "latent_dim": 8, "style_dim": 8,
        "mapping_layers": 2, "channels": [8, 8, 4],
    }  # fmt: skip
    state = theirs(weights("generator", config))
    settings = {"img_resolution": 16, "z_dim": 8, "synthesis_kwargs": {"conv_clamp": 256}}
    (tmp_path / "network.pkl").write_bytes(style_gan_pickle(state, settings))
    found = inspect_checkpoint(tmp_path / "network.pkl").generator
    assert (found.format.name, found.config["clamp"]) == ("ic_gan_stylegan2", 256)
    assert found.config["channels"] == [8, 8, 4]
    with pytest.raises(AmbiguousError, match=r"--format ic_gan_stylegan2\|studiogan_stylegan2"):
        inspect(state, tmp_path / "bare.pth")


def theirs(state):
    """Return StyleGAN2-ADA's names of ours."""
    found = {}
    for key, value in state.items():
        name = key.replace("mapping.label.", "mapping.embed.").replace("mapping.layers.", "mapping.fc")
        name = (
            name.replace("mean_style", "mapping.w_avg")
            .replace("to_rgb", "torgb")
            .replace(".style.", ".affine.")
        )
        name = "synthesis.b4.const" if name == "constant" else name.replace("blocks.", "synthesis.b")
        found[f"{name}_const" if name.endswith(".noise") else name] = value
    return found


def test_generator_config_of_the_tests_is_what_comes_back(generator, tmp_path):
    found = inspect(generator, tmp_path / "g.pth").generator.config
    for name in ("image_size", "num_classes", "latent_dim", "shared_dim"):
        assert found[name] == GENERATOR_CONFIG[name]


def spade_state(config):
    """Return SPADE's names of a generator of ours."""
    blocks = ["head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3"]
    table = {
        ".norm1.": ".norm_0.", ".norm2.": ".norm_1.", ".shortcut_norm.": ".norm_s.",
        ".conv1.": ".conv_0.", ".conv2.": ".conv_1.", ".shortcut.": ".conv_s.",
        ".shared.": ".mlp_shared.0.", ".gain.": ".mlp_gamma.", ".bias.": ".mlp_beta.",
        ".norm.": ".param_free_norm.", "stem.": "fc.", "output_conv.": "conv_img.",
    }  # fmt: skip
    found = {}
    state = weights("generator", config)
    hooked = {key.removesuffix(".spectral.v0") for key in state if key.endswith(".spectral.v0")}
    for key, value in state.items():
        name = key
        for index, block in enumerate(blocks):
            name = name.replace(f"blocks.{index}.", f"{block}.")
        for ours, their in table.items():
            name = name.replace(ours, their)
        name = name.replace(".spectral.u0", ".weight_u").replace(".spectral.v0", ".weight_v")
        orig = key.endswith(".weight") and key.removesuffix(".weight") in hooked
        found[f"{name}_orig" if orig else name] = value
    return found


def test_spades_generator_needs_its_image_size(tmp_path):
    config = {"type": "SPADEGenerator", "image_size": 32, "num_map_classes": 5, "base_channels": 2}
    state = spade_state({**config, "hidden_channels": 4})
    with pytest.raises(AmbiguousError, match=r"weights do not show generator.image_size"):
        inspect(state, tmp_path / "latest_net_G.pth")
    given = {"image_size": 32, "has_edges": False, "upsampling": "normal"}
    conversion = inspect(state, tmp_path / "latest_net_G.pth", settings=given)
    found = conversion.generator.config
    assert (conversion.generator.format.name, found["num_map_classes"]) == ("spade", 5)
    assert (found["hidden_channels"], found["norm"], found["latent_dim"]) == (4, "batch", 0)
    write(conversion, tmp_path / "spade.safetensors")
    network = load_model(tmp_path / "spade.safetensors").model.generator
    ids = torch.zeros(1, 32, 32, dtype=torch.int64)
    with torch.no_grad():
        assert network(torch.zeros(1, 0), Condition(label_map=ids)).shape == (1, 3, 32, 32)
