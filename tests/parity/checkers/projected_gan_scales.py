"""Checkers: Projected GAN's projectors and discriminators of scales around a frozen stand-in network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.models.heads import PatchHead, PatchProjectionHead
from mmcgan.models.layers.projection_blocks import MIXINGS, RandomMixing, ScaleDiscriminator
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.projected_gan.discriminator import DISCRIMINATOR_TABLE, INTERPOLATED, SPECTRAL
from mmcgan.peers.projected_gan.fastgan import PEER
from mmcgan.peers.translation.names import to_ours
from mmcgan.registry import EXTRACTORS
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.checkers.projected_gan import EXACT, Run, compare_run
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

#: Which of the frozen network's blocks end at a tap.
TAPS = (1, 2, 4, 6)

# --- the frozen network -----------------------------------------------------------------------------------


@EXTRACTORS.register_module()
class GoldenStub(Extractor):
    """The golden set's stand-in: a stem and seven blocks of convolution, batch norm and SiLU.

    Args:
        stub: channels and stride of the stem and of the blocks.
    """

    def __init__(self, stub: dict[str, Any]) -> None:
        super().__init__("golden stub", Preprocessing(INTERPOLATED, "bilinear"))
        plan = [stub["stem"], *stub["blocks"]]
        widths = [3, *(channels for channels, _ in plan)]
        self.feature_dim = widths[-1]
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.SiLU()
            )
            for before, (after, stride) in zip(widths, plan, strict=False)
        )
        for parameter in self.parameters():
            nn.init.zeros_(parameter)  # until the peer's are loaded: one and the same hash
        self.freeze()

    def feature_maps(self, pixels: Tensor) -> list[Tensor]:
        """Return the maps at the peer's taps."""
        found = []
        for index, layer in enumerate(self.layers):
            pixels = layer(pixels)
            if index - 1 in TAPS:
                found.append(pixels)
        return found

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return the mean of the last map, which no case looks at."""
        for layer in self.layers:
            pixels = layer(pixels)
        return ExtractorOutput(pixels.mean((2, 3)))

    def load_peer(self, state: Mapping[str, Tensor]) -> None:
        """Load what the peer stores under ``pretrained.``, whole."""
        self.load_state_dict({stub_key(key): value for key, value in state.items() if stub_key(key)})


def stub_key(key: str) -> str:
    found = re.match(r"(?:feature_network\.)?pretrained\.layer(\d)\.(.*)", key)
    if not found:
        return ""
    tap, rest = int(found[1]), found[2]
    first = 1 + (0 if tap == 0 else TAPS[tap - 1] + 1)
    parts = rest.split(".")
    if tap == 0 and int(parts[0]) < 2:  # the stem lies open
        return "layers.0." + rest
    number = int(parts[0]) - (3 if tap == 0 else 0)
    return ".".join(["layers", str(first + number), *parts[1:]])


# --- one scale --------------------------------------------------------------------------------------------


#: Where the peer's whole discriminator has a scale and the mixing, whose names its one table turns into ours.
SCALE_THERE, MIXING_THERE = "discriminator.mini_discs.", "feature_network."
PART = re.compile(r"(backbone\.blocks|heads\.adv\.parts)\.(\d+)\.(.*)")


def scale_keys(state: Mapping[str, Tensor], prefix: str = SCALE_THERE) -> dict[str, str]:
    """Return our keys, ``<number>.blocks.`` and ``<number>.head.``, of scales under ``prefix``, by theirs."""
    whole = {f"{SCALE_THERE}{key.removeprefix(prefix)}": key for key in state if key.startswith(prefix)}
    found: dict[str, str] = {}
    for name, ours in to_ours(DISCRIMINATOR_TABLE, list(whole)).items():
        match = PART.fullmatch(str(ours))
        assert match, f"{name} becomes {ours}"
        found[whole[name]] = f"{match[2]}.{'blocks' if 'blocks' in match[1] else 'head'}.{match[3]}"
    return found


def mixing_keys(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Return our keys of the mixing alone by the peer's ``scratch.``."""
    whole = {f"{MIXING_THERE}{key}": key for key in state if key.startswith("scratch.")}
    found = to_ours(DISCRIMINATOR_TABLE, list(whole))
    return {whole[name]: str(ours).removeprefix("backbone.mixing.") for name, ours in found.items()}


class OneScale(nn.Module):
    """The layers of one scale and its head."""

    def __init__(self, blocks: ScaleDiscriminator, head: PatchHead | PatchProjectionHead) -> None:
        super().__init__()
        self.blocks, self.head = blocks, head

    def forward(self, x: Tensor, condition: Condition) -> Tensor:
        """Return the map of logits (N, 1, h, w)."""
        return self.head({"map": self.blocks(x)}, condition)["logit"][:, None]


def one_scale(
    channels: int, start: int, given: Mapping[str, Any], narrow: Mapping[str, int], conditional: bool
) -> OneScale:
    """Return one scale of these settings; ``start`` is the nominal size of its map."""
    ndf = given.get("ndf") or narrow.get("ndf")
    width = {"max_channels": ndf, "min_channels": ndf} if ndf else {}
    count = (start // given.get("end_sz", 8)).bit_length() - 1
    blocks = ScaleDiscriminator(
        channels,
        count,
        entry_convolution=bool(given.get("head")),
        separable=bool(given.get("separable", False)),
        patch=bool(given.get("patch", False)),
        spectral_norm=CLASSIC_SPECTRAL,
        **width,
    )
    return OneScale(blocks, scale_head(ndf or 512, narrow, conditional))


def scale_head(
    channels: int, narrow: Mapping[str, int], conditional: bool
) -> PatchHead | PatchProjectionHead:
    """Return the head of one scale."""
    options: dict[str, Any] = {"kernel_size": 4, "padding": 0, "spectral_norm": SPECTRAL}
    if not conditional:
        return PatchHead(channels, bias=False, **options)
    return PatchProjectionHead(channels, **head_settings(narrow), **options)


def head_settings(narrow: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes of a conditional head."""
    return {
        "num_classes": narrow.get("c_dim", 1000),
        "dim": narrow.get("cmap_dim", 64),
        "embedding_dim": narrow.get("embedding_dim", 128),
    }


def condition_of(rows: Tensor | None) -> Condition:
    """Return the condition of one-hot rows; none of no columns."""
    return Condition() if rows is None or not rows.shape[-1] else Condition(label=rows.argmax(-1))


@checker((PEER, "single_disc"))
def check_scale(case: GoldenCase, comparison: Comparison) -> None:
    """The discriminator of one scale: logits, state, gradients."""
    given, narrow = dict(case.spec["constructor_kwargs"]), case.spec.get("narrow", {})
    narrow = {**narrow, **{key: given[key] for key in ("c_dim", "cmap_dim", "embedding_dim") if key in given}}
    conditional = any(key.startswith("cls.") for key in case.state())
    module = one_scale(given["nc"], given["start_sz"], given, narrow, conditional)
    own = scale_keys({f"0.{key}": value for key, value in case.state().items()}, "")
    keys = {theirs.removeprefix("0."): ours.removeprefix("0.") for theirs, ours in own.items()}

    def call(inputs: Mapping[str, Tensor]) -> Tensor:
        return module(inputs["x"], condition_of(inputs.get("c")))

    _compare(case, comparison, Run(module, keys, call, ("x",)))


def _compare(case: GoldenCase, comparison: Comparison, run: Run, unused: int = 0) -> None:
    run.load(case.state())
    count = unused + sum(parameter.numel() for parameter in run.module.parameters())
    if isinstance(case.spec.get("param_count"), int):
        comparison.equal("parameter count", float(count), float(case.spec["param_count"]), EXACT)
    compare_run(case, comparison, run)


class AllScales(nn.Module):
    """Scales side by side; logits of all in one row, the finest first."""

    def __init__(self, scales: Sequence[OneScale]) -> None:
        super().__init__()
        self.scales = nn.ModuleList(scales)

    def forward(self, maps: Sequence[Tensor], condition: Condition) -> Tensor:
        """Return (N, logits)."""
        rows = [scale(x, condition).flatten(1) for scale, x in zip(self.scales, maps, strict=False)]
        return torch.cat(rows, dim=1)


@checker((PEER, "multi_disc"))
def check_scales(case: GoldenCase, comparison: Comparison) -> None:
    """The discriminators of several scales on given maps."""
    given, narrow = case.spec["constructor_kwargs"], case.spec.get("narrow", {})
    patch, number = bool(given.get("patch", False)), given.get("num_discs", 1)
    module = AllScales(
        [
            one_scale(channels, 16 if patch else size, given, narrow, bool(given.get("cond")))
            for channels, size in list(zip(given["channels"], given["resolutions"], strict=True))[:number]
        ]
    )
    keys = {theirs: f"scales.{ours}" for theirs, ours in scale_keys(case.state(), "mini_discs.").items()}
    names = sorted(name for name in case.group("in/") if name.startswith("feature/"))

    def call(inputs: Mapping[str, Tensor]) -> Tensor:
        return module([inputs[name] for name in names], condition_of(inputs.get("c")))

    _compare(case, comparison, Run(module, keys, call, tuple(names[:number])))


# --- projectors -------------------------------------------------------------------------------------------


def mixing_of(given: Mapping[str, Any], stub: GoldenStub) -> RandomMixing:
    """Return the random mixing of these settings on the stand-in's maps."""
    widths = [stub.layers[tap + 1][0].out_channels for tap in TAPS]  # type: ignore[index]
    mixing = MIXINGS[given.get("proj_type", 2)]
    return RandomMixing(widths, given.get("cout", 64), mixing, given.get("expand", False))


@checker((PEER, "projector"))
def check_projector(case: GoldenCase, comparison: Comparison) -> None:
    """Frozen network and mixing: the projected maps and the gradient of the image."""
    given = case.spec["constructor_kwargs"]
    stub = GoldenStub(case.spec["stub"])
    mixing = mixing_of(given, stub)
    stub.load_peer(case.state())
    keys = mixing_keys(case.state())
    mixing.load_state_dict({ours: case.state()[theirs] for theirs, ours in keys.items()})
    count = sum(p.numel() for m in (stub, mixing) for p in m.parameters())
    comparison.equal("parameter count", float(count), float(case.spec["param_count"]), EXACT)
    image = case.tensors["in/x"].clone().requires_grad_()
    maps = mixing(stub.feature_maps(image))
    weights = case.group("in/loss_weight/")
    loss = torch.zeros(())
    for index, found in enumerate(maps):
        comparison.equal(f"out/feature/{index}", found, case.tensors[f"out/feature/{index}"])
        loss = loss + (found * weights[str(index)]).sum()
    comparison.equal("out/loss", loss, case.tensors["out/loss"])
    (gradient,) = torch.autograd.grad(loss, image)
    expected = case.tensors["out/grad_input/x"]
    loose = Tolerance(1e-3, 1e-4 * float(expected.abs().max()))
    comparison.equal("out/grad_input/x", gradient, expected, loose)
