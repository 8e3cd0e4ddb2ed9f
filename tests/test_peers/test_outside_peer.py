"""The made-up peer of ``docs/peers.md``, registered from outside: there, here and back."""

import json
import re
from pathlib import Path

import pytest
import torch

from mmcgan.apis import load_model
from mmcgan.cli import main
from mmcgan.peers import PEERS
from mmcgan.peers.translation import build_network
from mmcgan.structures import Condition

PAGE = Path(__file__).parents[2] / "docs" / "peers.md"
CONFIG = {"type": "DCGANGenerator", "image_size": 16, "num_classes": 0, "base_channels": 4, "latent_dim": 6}


@pytest.fixture
def acme():
    """Register the peer of the page, and take it away again."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    try:
        exec(compile(source, str(PAGE), "exec"), {"__name__": "acme"})
        yield PEERS["acme"]
    finally:
        PEERS.pop("acme", None)


def test_a_peer_from_outside_is_read_and_written(acme, tmp_path, capsys):
    ours = build_network("generator", {**CONFIG, "activation_name": "elu"})
    theirs = acme.back_state(ours.state_dict(), "generator", {})
    assert {"project.weight", "up_0.conv.weight", "up_1.bn.running_mean", "to_image.bias"} <= theirs.keys()
    assert theirs["project.weight"].shape == (6, ours.linear.weight.shape[0])
    torch.save(theirs, tmp_path / "model.pth")

    # --set, as nothing beside the weights says what the activation is
    given = ["--format", "acme", "--set", "generator.activation_name=elu"]
    assert main(["convert", str(tmp_path / "model.pth"), str(tmp_path / "a.safetensors"), *given]) == 0
    assert main(["convert", str(tmp_path / "a.safetensors"), str(tmp_path / "acme"), "--to", "acme"]) == 0
    settings = json.loads((tmp_path / "acme" / "settings.json").read_text())["G_ema"]
    assert settings == {"format": "acme", "acme": {"pixels": 16, "width": 4, "noise": 6, "act": "ELU"}}
    written = torch.load(tmp_path / "acme" / "G_ema.pth")
    assert written.keys() == theirs.keys()
    assert all(torch.equal(written[key], value) for key, value in theirs.items())

    assert main(["convert", str(tmp_path / "acme"), str(tmp_path / "b.safetensors"), "--strict"]) == 0
    latent = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        images = [
            load_model(tmp_path / name).model.generator(latent, Condition())
            for name in ("a.safetensors", "b.safetensors")
        ]
        assert torch.equal(*images) and torch.equal(images[0], ours.eval()(latent, Condition()))


def test_what_it_cannot_hold_is_refused(acme, tmp_path):
    config = {**CONFIG, "activation_name": "gelu"}
    network = build_network("generator", config)
    from mmcgan.peers.writing.export import NotCarried, export_network

    with pytest.raises(NotCarried, match="acme cannot hold this network: act='gelu' is not supported"):
        export_network("acme", "generator", config, network.state_dict())


def test_unknown_peers_are_named(acme):
    from mmcgan.peers.writing.export import export_network

    state = build_network("generator", CONFIG).state_dict()
    with pytest.raises(ValueError, match=r"--to nobody: nothing is written for it, only for .*acme"):
        export_network("nobody", "generator", CONFIG, state)
