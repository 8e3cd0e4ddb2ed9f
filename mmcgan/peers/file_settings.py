"""What a checkpoint says about itself in its peer's words, in ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcgan.peers.formats import DISCRIMINATOR, GENERATOR, UnsupportedSetting, peer_format
from mmcgan.peers.reading.shapes import flatten

#: BigGAN-PyTorch's and ic_gan's command line -> settings of ours that shapes do not show.
COMMAND_LINE = {
    "G_nl": ("generator.activation_name",),
    "D_nl": ("discriminator.backbone.activation_name",),
    "BN_eps": ("generator.batch_norm.eps",),
    "SN_eps": ("generator.spectral_norm.eps", "discriminator.backbone.spectral_norm.eps"),
    "num_G_SV_itrs": ("generator.spectral_norm.iterations",),
    "num_D_SV_itrs": ("discriminator.backbone.spectral_norm.iterations",),
    "hier": ("generator.hierarchical",),
}
#: Settings that MMagic's configs say and its weights do not show.
UNSEEN = ("activation_name", "activated_shortcut", "unit_gain", "eps", "mapping_lr_mult", "minibatch_group")
RECTIFIERS = {"relu", "inplace_relu", "ir"}


def file_settings(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by our dotted paths that a file states, of those that weights do not show.

    Args:
        found: BigGAN-PyTorch's command line, HuggingFace's ``config.json``, or what a StyleGAN2-ADA
            pickle was constructed with.
    """
    settings: dict[str, Any] = {}
    if "layers" in found and "channel_width" in found:
        return _published(found)
    if "img_resolution" in found:
        return _style_gan(found)
    if isinstance(found.get("model"), Mapping):
        return _mmagic(found["model"])
    for theirs, ours in COMMAND_LINE.items():
        if theirs in found:
            value = found[theirs]
            value = "relu" if theirs.endswith("_nl") and value in RECTIFIERS else value
            settings |= dict.fromkeys(ours, value)
    return settings


def _published(found: Mapping[str, Any]) -> dict[str, Any]:
    width = int(found["channel_width"])
    plan = [[bool(enlarge), int(a) * width, int(b) * width] for enlarge, a, b in found["layers"]]
    settings: dict[str, Any] = {"generator.block_plan": plan}
    if "eps" in found:
        names = ("batch_norm", "output_batch_norm", "spectral_norm")
        settings |= {f"generator.{name}.eps": float(found["eps"]) for name in names}
    return settings


def _style_gan(found: Mapping[str, Any]) -> dict[str, Any]:
    """Read what StyleGAN2-ADA's constructors were called with; players keep these in different places."""
    synthesis = found.get("synthesis_kwargs") or {}
    mapping = found.get("mapping_kwargs") or {}
    last = found.get("epilogue_kwargs") or {}
    block = {**found, **(found.get("block_kwargs") or {})}
    values = {
        "generator.clamp": synthesis.get("conv_clamp") if synthesis else None,
        "generator.mapping_lr_mult": mapping.get("lr_multiplier"),
        "generator.mean_decay": mapping.get("w_avg_beta"),
        "discriminator.backbone.clamp": block.get("conv_clamp"),
    }
    if "mbstd_group_size" in last:
        values["discriminator.backbone.minibatch_group"] = last["mbstd_group_size"] or 0
    return {path: value for path, value in values.items() if value is not None}


def _mmagic(model: Mapping[str, Any]) -> dict[str, Any]:
    """Read the model of MMagic's own config with the reader of its golden cases; skip what it refuses."""
    settings: dict[str, Any] = {}
    for player in (GENERATOR, DISCRIMINATOR):
        spec = {"constructor": dict(model.get(player) or {})}
        try:
            form = peer_format("mmagic", spec)
            read = form.generator_config if player == GENERATOR else form.discriminator_config
            found = flatten(read(spec))
        except (UnsupportedSetting, TypeError, KeyError, AttributeError):
            continue
        kept = {path: value for path, value in found.items() if path.rpartition(".")[2] in UNSEEN}
        settings |= {f"{player}.{path}": value for path, value in kept.items()}
    return settings


def stated_format(found: Mapping[str, Any]) -> str | None:
    """Return the format that a file names, None if it does not."""
    return "ic_gan_stylegan2" if "img_resolution" in found else None
