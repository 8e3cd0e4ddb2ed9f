"""Our models in the words of other codebases, and what their formats cannot carry."""

import json

import pytest
import torch

from mmcgan.apis import load_model
from mmcgan.cli import main
from mmcgan.peers import DISCRIMINATOR, GENERATOR
from mmcgan.peers.reading.convert import inspect_checkpoint, write
from mmcgan.peers.writing.export import NotCarried, convert_back, export_network
from mmcgan.structures import Condition
from mmcgan.weights import read_index
from tests.test_peers.networks import DISCRIMINATOR_CONFIG, GENERATOR_CONFIG, generator_state, weights


def shipped(kind):
    """Return the name of a shipped generator of a class."""
    found = [name for name, record in read_index("generator").items() if record["generator"]["type"] == kind]
    if not found:
        pytest.skip(f"no shipped {kind}")
    return found[0]


def outputs(generator, count=2):
    latent = torch.randn(count, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    label = torch.arange(count) if "label" in generator.requires else None
    with torch.no_grad():
        return generator(latent, Condition(label=label))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Weights of ours in a file, as they are shared."""
    folder = tmp_path_factory.mktemp("ours")
    torch.save(generator_state(), folder / "theirs.pth")
    write(inspect_checkpoint(folder / "theirs.pth"), folder / "ours.safetensors")
    return folder / "ours.safetensors"


def test_a_shipped_model_goes_to_mmagic_and_back(tmp_path):
    name = shipped("BigGANGenerator")
    assert main(["convert", name, str(tmp_path / "theirs"), "--to", "mmagic"]) == 0
    (file,) = (tmp_path / "theirs").glob("iter_*.pth")
    again = inspect_checkpoint(file).generator.build()
    assert torch.equal(outputs(load_model(name).model.generator), outputs(again))


def test_a_shipped_model_with_channels_of_its_own_is_refused_elsewhere(tmp_path, capsys):
    name = shipped("BigGANGenerator")
    assert main(["convert", name, str(tmp_path / "theirs"), "--to", "biggan_pytorch"]) == 2
    assert (
        "its channels are [64, 64, 32, 16], the format's own at this size [16, 16, 16, 16]"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "theirs").exists()


@pytest.mark.parametrize("to", ["biggan_pytorch", "studiogan", "mmagic"])
def test_exported_weights_go_there_and_back(to, exported, tmp_path):
    convert_back(exported, tmp_path, to)
    (file,) = tmp_path.glob("*.pth")
    again = inspect_checkpoint(file).generator.build()
    ours = outputs(load_model(exported).model.generator)
    assert torch.allclose(ours, outputs(again), atol=1e-5)
    if to != "studiogan":  # which has another eps, and keeps the vectors that one more iteration leaves
        assert torch.equal(ours, outputs(again))


def test_written_settings_rebuild_the_network(exported, tmp_path):
    convert_back(exported, tmp_path, "biggan_pytorch")
    settings = json.loads((tmp_path / "settings.json").read_text())["G_ema"]["constructor_kwargs"]
    generator = load_model(exported).model.generator
    assert settings["resolution"] == generator.image_size
    assert (settings["dim_z"], settings["shared_dim"], settings["G_attn"]) == (generator.latent_dim, 6, "16")
    with pytest.raises(FileExistsError, match=r"holds G_ema.pth, settings.json; --force replaces them"):
        convert_back(exported, tmp_path, "biggan_pytorch")


@pytest.mark.parametrize(
    ("to", "change", "message"),
    [
        ("biggan_pytorch", {"activation_name": "elu"}, "G_activation='elu' is not supported"),
        ("biggan_pytorch", {"instance_dim": 7}, "no place for condition.instance.weight"),
        ("biggan_pytorch", {"spectral_norm": {"iterate_in_eval": False}}, "torch's hook"),
        (
            "biggan_pytorch",
            {"channels": [16, 8, 8, 8]},
            r"its channels are \[16, 8, 8, 8\], the format's own",
        ),
        ("biggan_pytorch", {"image_size": 16}, "image_size=16, the format has 32, 64, 128"),
        ("studiogan", {"spectral_norm": {"singular_values": 2}}, "singular_values > 1"),
        ("studiogan", {"implicit": {}}, "studiogan_big_resnet cannot hold this network"),
    ],
)
def test_what_a_format_cannot_carry_is_named(to, change, message):
    config = {**GENERATOR_CONFIG, **change}
    with pytest.raises((NotCarried, ValueError), match=message):
        export_network(to, GENERATOR, config, weights(GENERATOR, config))


def test_a_discriminator_that_pools_otherwise_is_refused():
    backbone = {**DISCRIMINATOR_CONFIG["backbone"], "pooling": "mean"}
    config = {**DISCRIMINATOR_CONFIG, "backbone": backbone}
    with pytest.raises(NotCarried, match=r"biggan_pytorch would compute something else \(adv.logit\)"):
        export_network("biggan_pytorch", DISCRIMINATOR, config, weights(DISCRIMINATOR, config))


def test_networks_without_counterpart_are_named():
    config = {
        "type": "StyleGAN2Generator",
        "image_size": 8,
        "num_classes": 0,
        "channels": [4, 4],
        "style_dim": 4,
    }
    with pytest.raises(NotCarried, match=r"r3gan has no StyleGAN2Generator; it has counterparts of R3GAN"):
        export_network("r3gan", GENERATOR, config, weights(GENERATOR, config))
    message = "pytorch-pretrained-biggan keeps no discriminators: none was published"
    with pytest.raises(NotCarried, match=message):
        export_network(
            "hfbiggan", DISCRIMINATOR, DISCRIMINATOR_CONFIG, weights(DISCRIMINATOR, DISCRIMINATOR_CONFIG)
        )


def test_spectral_norm_is_settled_for_torchs_hook():
    state = weights(GENERATOR, GENERATOR_CONFIG)
    theirs = export_network("studiogan", GENERATOR, GENERATOR_CONFIG, state).state
    weight, left, right = (theirs[f"linear0.weight_{part}"] for part in ("orig", "u", "v"))
    matrix = weight.flatten(1)
    expected = torch.nn.functional.normalize(matrix.T @ state["linear.spectral.u0"], dim=0)
    assert torch.allclose(right, expected, atol=1e-6)
    assert torch.allclose(left, torch.nn.functional.normalize(matrix @ expected, dim=0), atol=1e-6)
