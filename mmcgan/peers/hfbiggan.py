"""The published TensorFlow BigGAN-deep generators, as pytorch-pretrained-biggan keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmcgan.models.layers.tabulated_norm import TabulatedBatchNorm2d
from mmcgan.peers.reading import deep_generators
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    HOOK,
    TORCH_SPECTRAL,
    Config,
    Exported,
    PeerFormat,
    Settings,
    Slots,
    Spec,
    Table,
    UnsupportedSetting,
    Writing,
    register_peer,
    residual_reading,
    scalar,
    turned,
)
from mmcgan.peers.writing.describing import own_config
from mmcgan.structures import Condition

GENERATOR_TABLE: Table = (
    ("^embeddings", "^condition.label"),
    ("^generator.gen_z", "^linear"),
    ("^generator.bn", "^output_norm.norm"),
    ("^generator.conv_to_rgb", "^output_conv"),
    ("^generator.layers", "^blocks"),
    Slots("blocks", "gamma"),
    ("running_means$", "means$"),
    ("running_vars$", "variances$"),
    *((f"bn_{index}", f"norm{index + 1}") for index in range(4)),
    *((f"conv_{index}", f"conv{index + 1}") for index in range(4)),
    *((f"norm{{i}}.{leaf}$", f"norm{{i}}.norm.{leaf}$") for leaf in ("means", "variances")),
    ("norm{i}.scale", "norm{i}.gain"),
    ("norm{i}.offset", "norm{i}.bias"),
    ("snconv1x1_theta", "query"),
    ("snconv1x1_phi", "key"),
    ("snconv1x1_g", "value"),
    ("snconv1x1_o_conv", "output"),
    *TORCH_SPECTRAL,
)


class PublishedFormat(PeerFormat):
    """A truncation is among the inputs."""

    def generate(
        self, module: nn.Module, latent: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Return images with the batch statistics of ``inputs["truncation"]``, 1 by default."""
        truncation = float(inputs.get("truncation", 1.0))
        return module.forward_truncated(latent, condition, truncation)  # type: ignore[operator]


EPS = 1e-4
#: How the published weights lie: the latent in front of the label, channels behind the map's sides.
LAYOUT = {"latent_first": True, "bottom_channels_last": True}


def _attention_blocks(position: int, blocks: int) -> list[int]:
    """Return the index of the block that attention follows; the peer names the block after it."""
    if not 0 < position < blocks:
        raise UnsupportedSetting(f"attention_layer_position={position} is not between blocks")
    return [position - 1]


def _plan(layers: Sequence[Sequence[int]], width: int) -> list[list[Any]]:
    return [[bool(enlarge), int(before) * width, int(after) * width] for enlarge, before, after in layers]


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor"]["BigGANConfig"])
    settings.ignore("num_layers")
    width, layers, eps = settings.take("channel_width"), settings.take("layers"), settings.take("eps", EPS)
    norm = {"eps": eps, "rows": settings.take("n_stats", 51), "swapped_rows": True}
    config = {
        "type": "BigGANDeepGenerator",
        "image_size": settings.take("output_dim"),
        "num_classes": settings.take("num_classes", 1000),
        "base_channels": width,
        "latent_dim": settings.take("z_dim", 128),
        "shared_dim": settings.take("class_embed_dim", 128),
        "block_plan": _plan(layers, width),
        "attention_blocks": _attention_blocks(settings.take("attention_layer_position"), len(layers)),
        **LAYOUT,
        "image_filters": width,
        "spectral_norm": {"eps": eps, "iterate_in_eval": False},
        "batch_norm": norm,
        "output_batch_norm": norm,
    }
    settings.finish()
    return config


def _describe(role: str, config: Config, network: Any) -> Config:
    """Return the ``BigGANConfig`` of a network of ours.

    Raises:
        ValueError: attention that is not in one place, or no table of statistics in the batch norms.
    """
    own = own_config(role, config, network)
    statistics = network.output_norm.norm
    if len(network.attention) != 1 or not isinstance(statistics, TabulatedBatchNorm2d):
        raise ValueError("it has attention behind one block, and batch norms with a row for every truncation")
    width = own["image_filters"]
    plan = [[int(up), before // width, after // width] for up, before, after in own["block_plan"]]
    return {
        "constructor": {
            "BigGANConfig": {
                "output_dim": own["image_size"],
                "z_dim": own["latent_dim"],
                "class_embed_dim": network.condition.dim,
                "channel_width": width,
                "num_classes": own["num_classes"],
                "layers": plan,
                "attention_layer_position": int(next(iter(network.attention))) + 1,
                "eps": statistics.eps,
                "n_stats": len(statistics.means),
            }
        }
    }


def _files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    """Return the two files of a model, which holds one generator: the averaged one."""
    settings = exports["G_ema"].spec["constructor"]["BigGANConfig"]
    return {"pytorch_model.bin": exports["G_ema"].state, "config.json": json.dumps(settings).encode()}


def is_published(spec: Spec) -> bool:
    """Whether a description has a ``BigGANConfig``."""
    constructor = spec.get("constructor")
    return isinstance(constructor, Mapping) and "BigGANConfig" in constructor


def stated(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``config.json`` says, and weights do not show."""
    if not ("layers" in found and "channel_width" in found):
        return {}
    settings: dict[str, Any] = {"generator.block_plan": _plan(found["layers"], int(found["channel_width"]))}
    if "eps" in found:
        names = ("batch_norm", "output_batch_norm", "spectral_norm")
        settings |= {f"generator.{name}.eps": float(found["eps"]) for name in names}
    return settings


_TABLES = {"eps": EPS, "swapped_rows": True}
PUBLISHED_BIGGAN = register_peer(
    PublishedFormat(
        name="hfbiggan",
        peer="hfbiggan",
        accepts=is_published,
        role_of=lambda spec: GENERATOR,
        configs={GENERATOR: _generator},
        tables={GENERATOR: GENERATOR_TABLE},
        reading=residual_reading(
            deep_generators.published_deep,
            None,
            {"eps": EPS},
            EPS,
            more_generator={**LAYOUT, "batch_norm": _TABLES, "output_batch_norm": _TABLES},
        ),
        writing=Writing(("BigGANDeepGenerator",), _describe, _files, HOOK),
        lacks={DISCRIMINATOR: "pytorch-pretrained-biggan keeps no discriminators: none was published"},
        # one row per class, where the peer has one column
        values=(scalar(r"\.gamma$"), turned(r"^embeddings\.weight$")),
        stated=stated,
        inputs={"z": "latent", "y": "label"},
    )
)
