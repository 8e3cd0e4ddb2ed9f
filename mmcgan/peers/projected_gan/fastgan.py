"""Projected GAN's FastGAN generators: keys of ``pg_modules/networks_fastgan.py``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.generators.fastgan import WIDTHS
from mmcgan.models.layers.gated_blocks import BOTTOM_SIZE, NoiseInjection
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.reading import fastgan
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    HOOK,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    Reading,
    Settings,
    Spec,
    State,
    Table,
    Within,
    Writing,
    build_network,
    register_peer,
)
from mmcgan.peers.writing.describing import inner_shapes, own_config
from mmcgan.peers.writing.files import one_file_each
from mmcgan.structures import Condition

PEER = "projected_gan"
#: Every network stores its blocks up to this size.
ALWAYS_STORED = 256
#: Sizes of the maps that blocks make, by the number of the block.
SIZES = {size: step for step, size in enumerate((8, 16, 32, 64, 128, 256, 512, 1024), start=1)}
#: Conditional blocks have named layers, plain ones stand in a numbered list.
CONDITIONAL, PLAIN = (("norms", kind) for kind in ("conditional", "plain"))


def statistics(norm: str) -> Table:
    """Return the rows of the statistics of a conditional batch norm of this name of ours, which may be ""."""
    place = f"{norm}." if norm else ""
    kept = ("mean", "var")
    return (
        (None, f"{place}norm.num_batches_tracked", CONDITIONAL),
        *((f"{place}stored_{what}$", f"{place}norm.running_{what}$", CONDITIONAL) for what in kept),
    )


START_TABLE: Table = (("init.0", "conv"), ("init.1", "norm"))
EXCITATION_TABLE: Table = (("main.1", "conv1"), ("main.3", "conv2"))
LIGHT_BLOCK: Table = (
    ("^1", "^conv1", PLAIN),
    ("^2", "^norm1.norm", PLAIN),
    ("^conv", "^conv1", CONDITIONAL),
    ("^bn", "^norm1", CONDITIONAL),
    *statistics("norm1"),
)
DEEP_BLOCK: Table = (
    ("^1", "^conv1", PLAIN),
    ("^2", "^noise.0", PLAIN),
    ("^3", "^norm1.norm", PLAIN),
    ("^5", "^conv2", PLAIN),
    ("^6", "^noise.1", PLAIN),
    ("^7", "^norm2.norm", PLAIN),
    ("^noise.weight$", "^noise.0.weight$", CONDITIONAL),
    ("bn{n}", "norm{n}", CONDITIONAL),
    *statistics("norm{n}"),
)


def _table(block: Table) -> Table:
    """Return the names of a generator with this kind of block."""
    return (
        ("^synthesis.init", "^blocks.0"),
        *((f"^synthesis.feat_{size}", f"^blocks.{step}") for size, step in SIZES.items()),
        *((f"^synthesis.se_{size}", f"^excitations.{step}") for size, step in SIZES.items()),
        ("^synthesis.embed", "^condition.label"),
        ("^synthesis.to_big", "^output_conv"),
        Within("blocks.0.", START_TABLE),
        *(Within(f"blocks.{step}.", block) for step in SIZES.values()),
        *(Within(f"excitations.{step}.", EXCITATION_TABLE) for step in SIZES.values()),
        *TORCH_SPECTRAL,
    )


class FastGANFormat(PeerFormat):
    """A generator whose blocks are light or not, which decides what their numbered layers are."""

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return ``generator`` if all keys are those of a synthesis network of this form."""
        keys = list(keys)
        deep = any(re.match(r"synthesis\.feat_\d+\.(5|conv2)\.", key) for key in keys)
        if deep == self.name.endswith("lite") or not all(key.startswith("synthesis.") for key in keys):
            return None
        return super().recognise(keys)

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
        ours = self.key_map([f"{name}.weight"], GENERATOR)[f"{name}.weight"].removesuffix(".weight")
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


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``Generator`` is called with for a network of ours."""
    own = own_config(role, config, network)
    classes = own["num_classes"] or 0
    shapes = inner_shapes(network)
    widest = shapes["blocks.0.conv.weight"][1] // 2
    return {
        "kind": "network/G",
        "constructor_kwargs": {
            "z_dim": own["latent_dim"],
            "c_dim": classes,
            "img_resolution": own["image_size"],
            "img_channels": 3,
            "ngf": max(1, int(widest / WIDTHS[BOTTOM_SIZE])),
            "cond": bool(classes),
            "synthesis_kwargs": {"lite": own["light"], **({"num_classes": classes} if classes else {})},
        },
    }


def _facts(config: Config) -> Mapping[str, Any]:
    return dict((CONDITIONAL if config["num_classes"] else PLAIN,))


def _unused_blocks(state: State, network: nn.Module) -> State:
    """Return the blocks up to 256 pixels that the peer's smaller networks store and never use."""
    (config,) = fastgan.generator(inner_shapes(network), {})
    if config["image_size"] >= ALWAYS_STORED:
        return {}
    base = config.pop("channels")[0] / WIDTHS[BOTTOM_SIZE]
    whole = {**config, "image_size": ALWAYS_STORED, "base_channels": int(base)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        larger = build_network(GENERATOR, {**whole, "spectral_norm": asdict(CLASSIC_SPECTRAL)})
    form = FASTGAN_LITE if config["light"] else FASTGAN
    theirs = form.back_state(larger.state_dict(), GENERATOR, _facts(config))
    return {key: value for key, value in theirs.items() if key not in state}


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
            writing=Writing(
                ("FastGANGenerator",), _describe, one_file_each, HOOK, _facts, extras=_unused_blocks
            ),
            tables={GENERATOR: _table(LIGHT_BLOCK if light else DEEP_BLOCK)},
            # blocks above the image's size, which every model stores
            lacks={DISCRIMINATOR: "FastGAN's generators are trained against projected discriminators"},
            optional=(r"(blocks|excitations)\.[67]\.",),
            inputs={"z": "latent", "c": "label"},
        )
    )


FASTGAN = _format("projected_gan_fastgan", light=False)
FASTGAN_LITE = _format("projected_gan_fastgan_lite", light=True)
