"""Every golden network, from the peer's own file to our weights, and back where we write the format."""

import pytest
import torch

from mmcgan.apis import load_model
from mmcgan.peers import GENERATOR
from mmcgan.peers.reading.convert import write
from mmcgan.peers.translation.registry import readable_formats, writable_formats
from mmcgan.peers.writing.export import export_network
from mmcgan.random import make_generator
from mmcgan.structures import Condition
from tests.parity import GoldenCase
from tests.parity.checkers.networks import compare_outputs
from tests.parity.compare import Comparison
from tests.test_parity.golden_sets import full_set
from tests.test_peers.golden_files import GoldenNetwork, is_narrowed, network_stems, used

STEMS = network_stems()
#: Tested elsewhere.
LATER = {"spade", "projected_gan_discriminator"}
WRITTEN = {form.name: form.peer for form in writable_formats()}


def identify(stem):
    return f"{stem.parent.name}/{stem.name}"


# test_parity holds every case against our networks; here a sixth is enough for each run, a third for CI
CASES = [
    pytest.param(
        stem,
        marks=pytest.mark.slow if i % 3 else pytest.mark.broad if i % 6 else (),
        id=identify(stem),
    )
    for i, stem in enumerate(STEMS)
]


@pytest.mark.parametrize("stem", CASES)
def test_the_peers_file_gives_the_peers_outputs(stem, tmp_path):
    golden = GoldenNetwork(stem)
    conversion = golden.convert(golden.save(tmp_path / "peer"))
    fit = conversion.networks[0]
    assert fit.role == golden.role
    module = fit.build()
    if fit.role == GENERATOR:
        write(conversion, tmp_path / "ours.safetensors")
        module = load_model(tmp_path / "ours.safetensors").model.generator
    compare(golden, module)
    if golden.format.name in WRITTEN and not is_narrowed(golden.case):
        exported = export_network(WRITTEN[golden.format.name], fit.role, fit.config, fit.weights)
        # two formats may have one network in common, such as a discriminator of residual blocks
        assert WRITTEN[exported.format] == WRITTEN[golden.format.name]
        assert exported.state.keys() == golden.state.keys()
        known = used(golden.format.name, golden.state)
        assert all(torch.equal(exported.state[key], golden.state[key]) for key in known)


def compare(golden, module):
    """Compare with the recorded outputs; where these need more than a call, with the loader's own network."""
    network, inputs = golden.network(module.eval()), golden.case.group("in/")
    names = {"out/eval", *(f"out/eval/{name}" for name in golden.format.outputs if name)}
    recorded = GoldenCase(golden.case.path, golden.case.spec)
    recorded.tensors = {key: value for key, value in golden.case.tensors.items() if key in names}
    if not recorded.tensors:
        compare_with_loader(golden, module)
        return
    comparison = Comparison(golden.case.tolerance)
    with torch.no_grad():
        compare_outputs(recorded, comparison, "eval", network.call(inputs))
    assert len(comparison.measured) == len(recorded.tensors)
    assert not comparison.failures, comparison.failures[:3]


def compare_with_loader(golden, module):
    """Compare weights, settings and outputs with the network that the peer's settings build."""
    reference = golden.format.network(golden.spec, golden.state).module.eval()
    expected, found = reference.state_dict(), module.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    outputs = [probe(each, golden.role) for each in (reference, module)]
    assert outputs[0].keys() == outputs[1].keys()
    assert all(torch.equal(value, outputs[1][name]) for name, value in outputs[0].items())


@torch.no_grad()
def probe(module, role):
    """Return what a network makes of two random inputs."""
    source = make_generator("test inputs")
    condition = Condition(label=torch.tensor([0, 1]) if "label" in module.requires else None)
    if role == GENERATOR:
        return {"image": module(torch.randn(2, module.latent_dim, generator=source), condition)}
    size = module.backbone.image_size
    return dict(module(torch.randn(2, 3, size, size, generator=source), condition))


def test_every_peer_is_covered():
    if full_set() is None:
        pytest.skip("no full golden set: set MMCGAN_GOLDEN to its folder")
    found = {GoldenNetwork(stem).format.name for stem in STEMS}
    assert found == set(readable_formats()) - LATER
