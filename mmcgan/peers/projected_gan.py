"""Projected GAN's FastGAN generators: keys of ``pg_modules/networks_fastgan.py``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn

from mmcgan.models.layers.gated_blocks import NoiseInjection
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.reading import fastgan
from mmcgan.peers.translation import GENERATOR, Config, PeerFormat, Reading, Settings, Spec, register_peer
from mmcgan.structures import Condition

PEER = "projected_gan"
#: Regular expressions and replacements, in order. What a number means depends on the kind of block, so that
#: these names are not yet a table of :mod:`mmcgan.peers.translation.names`, and only lead to ours.
Patterns = tuple[tuple[str, str], ...]
TORCH_SPECTRAL: Patterns = (
    (r"\.weight_orig$", ".weight"),
    (r"\.weight_u$", ".spectral.u0"),
    (r"\.weight_v$", ".spectral.v0"),
)
#: Sizes of the maps that blocks make, by the number of the block.
SIZES = {size: step for step, size in enumerate((8, 16, 32, 64, 128, 256, 512, 1024), start=1)}
BUFFERS: Patterns = ((r"stored_mean$", "norm.running_mean"), (r"stored_var$", "norm.running_var"))
EXCITATION_TABLE: Patterns = ((r"(^|\.)main\.1\.", r"\1conv1."), (r"(^|\.)main\.3\.", r"\1conv2."))
START_TABLE: Patterns = ((r"(^|\.)init\.0\.", r"\1conv."), (r"(^|\.)init\.1\.", r"\1norm."))
CONDITIONAL_BLOCK: Patterns = (
    (r"(^|\.)bn(\d?)\.", r"\1norm\2."),
    (r"(^|\.)conv\.", r"\1conv1."),
    (r"(^|\.)norm\.(gain\.|bias\.|stored)", r"\1norm1.\2"),
    (r"(^|\.)noise\.weight$", r"\1noise.0.weight"),
    *BUFFERS,
)
LIGHT_BLOCK: Patterns = (
    (r"(^|\.)1\.weight", r"\1conv1.weight"),
    (r"(^|\.)2\.", r"\1norm1.norm."),
    *CONDITIONAL_BLOCK,
)
DEEP_BLOCK: Patterns = (
    (r"(^|\.)1\.weight", r"\1conv1.weight"),
    (r"(^|\.)2\.weight$", r"\1noise.0.weight"),
    (r"(^|\.)3\.", r"\1norm1.norm."),
    (r"(^|\.)5\.weight", r"\1conv2.weight"),
    (r"(^|\.)6\.weight$", r"\1noise.1.weight"),
    (r"(^|\.)7\.", r"\1norm2.norm."),
    *CONDITIONAL_BLOCK,
)
#: Where each block of a generator stands in ours; the rest of a key is that of its part.
PLACES: tuple[tuple[str, Callable[[re.Match[str]], str], str], ...] = (
    (r"^synthesis\.init\.", lambda found: "blocks.0.", "start"),
    (r"^synthesis\.feat_(\d+)\.", lambda found: f"blocks.{SIZES[int(found[1])]}.", "block"),
    (r"^synthesis\.se_(\d+)\.", lambda found: f"excitations.{SIZES[int(found[1])]}.", "excitation"),
    (r"^synthesis\.embed\.", lambda found: "condition.label.", "rest"),
    (r"^synthesis\.to_big\.", lambda found: "output_conv.", "rest"),
)


def rename(key: str, patterns: Patterns) -> str:
    """Return our name of a key."""
    for pattern, replacement in patterns:
        key = re.sub(pattern, replacement, key)
    return key


class FastGANFormat(PeerFormat):
    """A generator whose blocks are light or not, which decides what their numbered layers are."""

    @property
    def parts(self) -> Mapping[str, Patterns]:
        """How the keys of each part are renamed."""
        block = LIGHT_BLOCK if self.name.endswith("lite") else DEEP_BLOCK
        tables: dict[str, Patterns] = {
            "start": START_TABLE,
            "block": block,
            "excitation": EXCITATION_TABLE,
            "rest": (),
        }
        return {name: (*table, *TORCH_SPECTRAL) for name, table in tables.items()}

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return ``generator`` if all keys are those of a synthesis network of this form."""
        keys = list(keys)
        deep = any(re.match(r"synthesis\.feat_\d+\.(5|conv2)\.", key) for key in keys)
        if deep == self.name.endswith("lite") or not all(key.startswith("synthesis.") for key in keys):
            return None
        return super().recognise(keys)

    def key_map(self, keys: Any, role: str) -> dict[str, str]:
        """Return our key for every key of the peer; one that is not of a generator keeps its name."""
        return {key: self._renamed(key) for key in keys}

    def _renamed(self, key: str) -> str:
        for pattern, place, part in PLACES:
            found = re.match(pattern, key)
            if found and (not found.groups() or int(found[1]) in SIZES):
                rest = rename("." + key[found.end() :], self.parts[part])
                return place(found) + rest.removeprefix(".")
        return key

    def generate(
        self, module: nn.Module, latent: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the images; noise that is among the peer's inputs is added in the place of fresh noise."""
        given = {k.removeprefix("noise/"): v for k, v in inputs.items() if k.startswith("noise/")}
        with given_noise(module, {self.injection(key): value for key, value in given.items()}):
            return module(latent, condition)

    def injection(self, key: str) -> tuple[str, int]:
        """Return our injection and the number of its call for ``<peer's module>/<call>``."""
        name, _, call = key.rpartition("/")
        ours = self._renamed(f"{name}.weight").removesuffix(".weight")
        return ours, int(call) + int(ours.rpartition(".")[2])


@contextmanager
def given_noise(module: nn.Module, noises: Mapping[tuple[str, int], Tensor]) -> Iterator[None]:
    """Let injections draw given noise while the context lasts.

    Args:
        module: a generator or one of its blocks.
        noises: by name of the injection in ``module`` and number of its call; a single column stands for all.
    """
    injections = {n: m for n, m in module.named_modules() if isinstance(m, NoiseInjection)} if noises else {}
    for name, injection in injections.items():
        drawn = {call: value for (place, call), value in noises.items() if place == name}
        injection.draw = drawn_from(drawn)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        for injection in injections.values():
            del injection.draw


def drawn_from(noises: Mapping[int, Tensor]) -> Callable[[Tensor, int], Tensor | None]:
    """Return what draws the noise of a call."""
    return lambda x, call: noises[call].expand(-1, -1, -1, x.shape[-1])


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor_kwargs"])
    inner = Settings(settings.take("synthesis_kwargs", {}))
    conditional = bool(settings.take("cond", False))
    classes = inner.take("num_classes", 1000)
    config = {
        "type": "FastGANGenerator",
        "image_size": settings.take("img_resolution", 256),
        "base_channels": settings.take("ngf", 128),
        "latent_dim": settings.take("z_dim", 256),
        "num_classes": classes if conditional else 0,
        "light": bool(inner.take("lite", False)),
        "eval_noise": "random",
        "spectral_norm": asdict(CLASSIC_SPECTRAL),
    }
    settings.ignore("c_dim", "w_dim")
    settings.require("img_channels", 3)
    settings.require("mlp_idx", None, -1)
    settings.finish()
    inner.finish()
    return config


def _is_generator(spec: Spec, light: bool) -> bool:
    given = spec.get("constructor_kwargs", {})
    return "z_dim" in given and bool(given.get("synthesis_kwargs", {}).get("lite", False)) == light


def _format(name: str, light: bool) -> PeerFormat:
    return register_peer(
        FastGANFormat(
            name=name,
            peer=PEER,
            accepts=lambda spec: _is_generator(spec, light),
            role_of=lambda spec: GENERATOR,
            configs={GENERATOR: _generator},
            reading=Reading(fastgan.generator, None, {"spectral_norm": {"eps": CLASSIC_SPECTRAL.eps}}),
            tables={GENERATOR: ()},
            # blocks above the image's size, which every model stores
            optional=(r"(blocks|excitations)\.[67]\.",),
            inputs={"z": "latent", "c": "label"},
        )
    )


FASTGAN = _format("projected_gan_fastgan", light=False)
FASTGAN_LITE = _format("projected_gan_fastgan_lite", light=True)
