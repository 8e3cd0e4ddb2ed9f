"""Checkers: FastGAN's generators and the layers of Projected GAN's networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmcgan.models.layers import ConditionalBatchNorm, PlainBatchNorm
from mmcgan.models.layers.gated_blocks import GatedUpBlock, LatentStart, NoiseInjection, SkipExcitation
from mmcgan.models.layers.projection_blocks import ReducingBlock, fuse
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers import PeerNetwork, peer_format
from mmcgan.peers.projected_gan.discriminator import PLAIN
from mmcgan.peers.projected_gan.fastgan import (
    DEEP_BLOCK,
    EXCITATION_TABLE,
    LIGHT_BLOCK,
    PEER,
    SIZES,
    START_TABLE,
    FastGANFormat,
    given_noise,
    statistics,
)
from mmcgan.peers.translation import TORCH_SPECTRAL, Table
from mmcgan.peers.translation.names import to_ours
from tests.parity.cases import GoldenCase, State
from tests.parity.checkers.networks import compare_gradient_norms, recorded_gradient_norms
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

EXACT = Tolerance(1e-9, 1e-9)
BUFFER_NAMES = ("weight_u", "weight_v", "running_mean", "running_var", "num_batches_tracked")


@dataclass
class Run:
    """One of our modules under the peer's names.

    Attributes:
        module: ours.
        keys: our key for every key of the peer that we keep.
        call: (inputs by the peer's names) -> output.
        leaves: names of inputs whose gradients are recorded.
    """

    module: nn.Module
    keys: Mapping[str, str]
    call: Callable[[Mapping[str, Tensor]], Tensor]
    leaves: tuple[str, ...]

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Load the peer's state."""
        converted = {ours: state[theirs] for theirs, ours in self.keys.items()}
        missing, extra = self.module.load_state_dict(converted, strict=False)
        # counters that the peer does not keep, and the hash of a frozen network that it stores whole
        missing = [key for key in missing if not key.endswith(("num_batches_tracked", "fingerprint"))]
        if missing or extra:
            raise ValueError(f"weights do not fit: missing {missing}, left over {extra}")


def compare_run(case: GoldenCase, comparison: Comparison, run: Run) -> None:
    """Compare evaluation, a training forward, what it moved, and its gradients."""
    inputs = case.group("in/")
    run.module.eval()
    with torch.no_grad():
        _compare_output(case, comparison, "eval", run.call(inputs))
    run.load(case.state())
    run.module.train()
    leaves = {name: inputs[name].clone().requires_grad_() for name in run.leaves}
    output = run.call({**inputs, **leaves})
    _compare_output(case, comparison, "train", output)
    state = run.module.state_dict()
    for key, expected in case.group("out/state_after_train_forward/").items():
        comparison.equal(f"out/state_after_train_forward/{key}", state[run.keys[key]], expected)
    loss = (output * case.tensors["in/loss_weight"]).sum()
    scale = max(1.0, float(output.detach().abs().sum()) * 1e-2)
    comparison.equal("out/train_loss", loss, case.tensors["out/train_loss"], Tolerance(1e-4, 2e-5 * scale))
    run.module.zero_grad()
    loss.backward()
    own = dict(run.module.named_parameters())
    gradients = {theirs: own[ours].grad for theirs, ours in run.keys.items() if ours in own}
    found = {name: value for name, value in gradients.items() if value is not None}
    compare_gradient_norms(comparison, found, _true_norms(case))
    for name, leaf in leaves.items():
        expected = case.tensors[f"out/grad_input/{name}"]
        assert leaf.grad is not None
        loose = Tolerance(1e-3, max(1e-4 * float(expected.abs().max()), 1e-12))
        comparison.equal(f"out/grad_input/{name}", leaf.grad, expected, loose)


def _true_norms(case: GoldenCase) -> dict[str, float]:
    """Return the recorded norms of gradients but those that are rounding alone."""
    noise = case.spec.get("grad_norms_that_are_pure_rounding_noise", {})
    names = set(noise.get("grad_norms", ()))
    return {name: norm for name, norm in recorded_gradient_norms(case).items() if name not in names}


def _compare_output(case: GoldenCase, comparison: Comparison, mode: str, output: Tensor) -> None:
    key = next(
        name
        for name in case.tensors
        if name.startswith(f"out/{mode}") and "_loss" not in name and "feature" not in name
    )
    stride = int(key.partition("_stride")[2] or 1)
    comparison.equal(key, output[:, :, ::stride, ::stride] if stride > 1 else output, case.tensors[key])


# --- generators ---------------------------------------------------------------------------------


@checker((PEER, "network"))
def check_generator(case: GoldenCase, comparison: Comparison) -> None:
    """A generator: images, statistics of every stage, state, gradients, number of parameters."""
    network = peer_format(PEER, case.spec).network(case.spec, case.state())
    unused = [
        k
        for k in case.state()
        if k not in network.keys and not k.endswith((*BUFFER_NAMES, "stored_mean", "stored_var"))
    ]
    count = sum(p.numel() for p in network.module.parameters()) + sum(case.state()[k].numel() for k in unused)
    comparison.equal("parameter count", float(count), float(case.spec["param_count"]), EXACT)
    stages: dict[str, Tensor] = {}
    for name, module in _stages(network).items():
        module.register_forward_hook(lambda m, i, o, name=name: stages.__setitem__(name, o))
    run = Run(network.module, network.keys, lambda inputs: network.call(inputs)[""], ("z",))
    compare_run(case, comparison, run)  # evaluation first, which visits the stages in the same order
    expected = case.tensors["out/train_feature_mean_std"]
    # in the order in which they ran
    found = [torch.stack([stage.mean(), stage.std(correction=0)]) for stage in stages.values()]
    comparison.equal("out/train_feature_mean_std", torch.stack(found), expected)


def _stages(network: PeerNetwork) -> dict[str, nn.Module]:
    """Return the modules whose outputs the case describes, by the peer's names."""
    blocks, gates = network.module.blocks, network.module.excitations
    sizes = {step: size for size, step in SIZES.items()}
    named = {f"synthesis.feat_{sizes[i]}": block for i, block in enumerate(blocks) if i}  # type: ignore[arg-type]
    named |= {f"synthesis.se_{sizes[int(step)]}": gate for step, gate in gates.items()}  # type: ignore[operator, union-attr]
    return {"synthesis.init": blocks[0], **named}  # type: ignore[index]


def noise_of(form: FastGANFormat, recorded: State) -> dict[tuple[str, int], Tensor]:
    """Return the noise of our injections and calls from what is recorded by the peer's."""
    return {form.injection(key): value for key, value in recorded.items()}


# --- layers -------------------------------------------------------------------------------------


def _start(given: Mapping[str, int]) -> tuple[nn.Module, Table]:
    return LatentStart(given["nz"], given["channel"], CLASSIC_SPECTRAL), START_TABLE


def _conditional_norm(channels: int, dim: int) -> ConditionalBatchNorm:
    return ConditionalBatchNorm(channels, dim, spectral_norm=CLASSIC_SPECTRAL, biased_maps=True)


def _block(given: Mapping[str, int], light: bool, table: Table) -> tuple[nn.Module, Table]:
    dim = given.get("z_dim", 0)
    module = GatedUpBlock(
        given["in_planes"],
        given["out_planes"],
        8,
        norm=(lambda channels: _conditional_norm(channels, dim)) if dim else PlainBatchNorm,
        light=light,
        shared_noise=dim > 0,
        spectral_norm=CLASSIC_SPECTRAL,
    )
    return module, table


class Fusion(nn.Module):
    """Cross-scale mixing of one level."""

    def __init__(self, features: int, expand: bool) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(features, features // 2 if expand else features, 1)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """Return the map at twice its size."""
        return fuse(self.out_conv, x, skip)


def _reducing(given: Mapping[str, int]) -> tuple[nn.Module, Table]:
    separable = bool(given.get("separable", False))
    module = ReducingBlock(
        given["in_planes"], given["out_planes"], separable=separable, spectral_norm=CLASSIC_SPECTRAL
    )
    return module, tuple((f"^{theirs}", f"^{ours}") for theirs, ours in PLAIN)


LAYERS: dict[str, Callable[[Mapping[str, int]], tuple[nn.Module, Table]]] = {
    "InitLayer": _start,
    "SEBlock": lambda given: (
        SkipExcitation(given["ch_in"], given["ch_out"], CLASSIC_SPECTRAL),
        EXCITATION_TABLE,
    ),
    "NoiseInjection": lambda given: (NoiseInjection(1), ()),
    "CCBN": lambda given: (_conditional_norm(given["output_size"], given["input_size"]), statistics("")),
    "DownBlock": _reducing,
    "FeatureFusionBlock": lambda given: (Fusion(given["features"], bool(given.get("expand", False))), ()),
    "UpBlockSmall": lambda given: _block(given, True, LIGHT_BLOCK),
    "UpBlockSmallCond": lambda given: _block(given, True, LIGHT_BLOCK),
    "UpBlockBig": lambda given: _block(given, False, DEEP_BLOCK),
    "UpBlockBigCond": lambda given: _block(given, False, DEEP_BLOCK),
}


@checker((PEER, "part"))
def check_layer(case: GoldenCase, comparison: Comparison) -> None:
    """One layer or block with the noise that was recorded."""
    kind = case.spec["class_name"]
    if kind not in LAYERS:
        raise Unsupported(f"layer {kind}")
    module, table = LAYERS[kind](case.spec["constructor_kwargs"])
    keys = to_ours((*table, *TORCH_SPECTRAL), case.state())
    names = tuple(case.spec["inputs"])
    noises = _noises(case.group("in/noise/"))

    def call(inputs: Mapping[str, Tensor]) -> Tensor:
        with given_noise(module, noises):
            if isinstance(module, NoiseInjection):
                return module.add(*(inputs[name] for name in names))
            return module(*(inputs[name] for name in names))

    run = Run(module, keys, call, names)
    run.load(case.state())
    count = sum(parameter.numel() for parameter in module.parameters())
    comparison.equal("parameter count", float(count), float(case.spec["param_count"]), EXACT)
    compare_run(case, comparison, run)


def _noises(recorded: State) -> dict[tuple[str, int], Tensor]:
    """Return the noise of a block's injections: one used twice, or one after the other."""
    places = sorted({key.partition("/")[0] for key in recorded})
    found = {}
    for key, value in recorded.items():
        place, _, call = key.partition("/")
        number = places.index(place)
        found[f"noise.{number}", int(call) + number] = value
    return found
