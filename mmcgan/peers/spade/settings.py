"""Settings of SPADE's constructors, in both directions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch import nn

from mmcgan.models.backbones.patch import map_name
from mmcgan.models.generators.spade import UPSAMPLING
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.translation import GENERATOR, Config, Settings, Spec, UnsupportedSetting
from mmcgan.peers.writing.describing import own_config
from mmcgan.structures import height_and_width

SPADE_NORM = re.compile(r"(spectral)?spade(syncbatch|batch|instance)(\d+)x\3")
OTHER_NORM = re.compile(r"spectral(instance|batch|sync_batch|none)?")
#: On one device their synchronised batch norm is a batch norm.
NORMS = {"syncbatch": "batch", "sync_batch": "batch", "": "none"}
#: Side of the kernels of its discriminators.
PATCH_KERNEL = 4
#: Channels of the first features in units of ``ngf``.
WIDEST = 16
#: Our norms in SPADE layers, and behind other convolutions, in their words.
WORDS = {"batch": "syncbatch"}
OTHER_WORDS = {"batch": "sync_batch", "none": ""}


def settings_of(spec: Spec) -> Settings:
    """Return what a constructor is called with."""
    return Settings(spec["constructor_settings"])


def spade_norm(text: str) -> tuple[bool, Config]:
    """Return whether convolutions are spectrally normalised, and the options of the SPADE layers.

    Raises:
        UnsupportedSetting: another word.
    """
    found = SPADE_NORM.fullmatch(text)
    if not found:
        raise UnsupportedSetting(f"norm {text!r}; known are [spectral]spade<norm><k>x<k>")
    norm = NORMS.get(found[2], found[2])
    return bool(found[1]), {"norm": norm, "kernel_size": int(found[3])}


def other_norm(text: str) -> str:
    """Return the norm behind the spectrally normalised convolutions of discriminator and encoder.

    Raises:
        UnsupportedSetting: another word; without spectral norm the peer itself fails.
    """
    found = OTHER_NORM.fullmatch(text)
    if not found:
        raise UnsupportedSetting(f"norm {text!r}; known are spectral, spectralinstance and spectralbatch")
    return NORMS.get(found[1] or "", found[1])


def generator(spec: Spec) -> Config:
    """Read a generator.

    Raises:
        UnsupportedSetting: a setting that we have no counterpart for.
    """
    settings = settings_of(spec)
    spectral, layers = spade_norm(settings.take("norm_G", "spectralspadesyncbatch3x3"))
    depth = settings.require("num_upsampling_layers", *UPSAMPLING)
    factor = 1 << sum(UPSAMPLING[depth])
    columns = settings.take("crop_size") // factor
    # Python's rounding, as the peer's
    rows = round(columns / settings.take("aspect_ratio", 1.0))
    base, latent_dim = settings.take("ngf", 64), settings.take("z_dim", 256)
    latent_dim = latent_dim if settings.take("use_vae", False) else 0
    channels = settings.take("semantic_nc")
    semantics = _semantics(settings) if "label_nc" in settings.values else {"num_map_classes": channels}
    settings.finish()
    # the peer's encoder is a network of its own; who trains with it says so
    encoder = {"encoder": {"base_channels": base}} if spec.get("with_encoder") else {}
    return {
        "type": "SPADEGenerator",
        "image_size": (rows * factor, columns * factor),
        **semantics,
        **encoder,
        "base_channels": base,
        "latent_dim": latent_dim,
        "upsampling": depth,
        "spectral_norm": asdict(CLASSIC_SPECTRAL) if spectral else None,
        **layers,
    }


def _semantics(settings: Settings) -> Config:
    """Return how a label map enters: its classes, and whether there are edges beside them."""
    dont_care = bool(settings.take("contain_dontcare_label", False))
    edges = not settings.take("no_instance", False)
    return {"num_map_classes": settings.take("label_nc") + dont_care, "has_edges": edges}


def discriminator(spec: Spec) -> Config:
    """Read a discriminator.

    Raises:
        UnsupportedSetting: a setting that we have no counterpart for.
    """
    settings = settings_of(spec)
    settings.require("netD_subarch", "n_layer")
    settings.require("output_nc", 3)
    settings.ignore("no_ganFeat_loss")
    norm = other_norm(settings.take("norm_D", "spectralinstance"))
    scales = settings.take("num_D", 2)
    backbone = {
        "type": "PatchBackbone",
        **_semantics(settings),
        "base_channels": settings.take("ndf", 64),
        "num_scales": scales,
        "num_layers": settings.take("n_layers_D", 4),
        "norm": norm,
        "spectral_norm": asdict(CLASSIC_SPECTRAL),
    }
    settings.finish()
    heads = {
        f"patch_{scale}": {
            "type": "PatchHead",
            "kernel_size": PATCH_KERNEL,
            "spectral_norm": False,
            "feature": map_name(scale),
        }
        for scale in range(scales)
    }
    return {"backbone": backbone, "heads": heads, "init": "xavier_0.02"}


# --- the way back ---------------------------------------------------------------------------------
def describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``SPADEGenerator`` or ``MultiscaleDiscriminator`` is called with for a network of ours.

    Raises:
        ValueError: a discriminator whose convolutions are not spectrally normalised, with which the peer
            fails itself.
    """
    own = own_config(role, config, network)
    reader = _describe_generator if role == GENERATOR else _describe_discriminator
    return reader(own)


def _seen(own: Mapping[str, Any]) -> Config:
    """Return how a label map enters."""
    return {
        "label_nc": own["num_map_classes"],
        "contain_dontcare_label": False,
        "no_instance": not own["has_edges"],
    }


def _describe_generator(own: Mapping[str, Any]) -> Config:
    rows, columns = height_and_width(own["image_size"])
    spectral = "" if own["spectral_norm"] in (None, False) else "spectral"
    norm = WORDS.get(own["norm"], own["norm"])
    base = max(1, own["channels"][0] // WIDEST) if own["channels"] else own["base_channels"]
    return {
        "kind": "network/G",
        "with_encoder": own["encoder"] is not None,
        "constructor_settings": {
            **_seen(own),
            "semantic_nc": own["num_map_classes"] + own["has_edges"],
            "ngf": base,
            "z_dim": own["latent_dim"] or 256,
            "use_vae": bool(own["latent_dim"]),
            "num_upsampling_layers": own["upsampling"],
            "crop_size": columns,
            "aspect_ratio": columns / rows,
            "norm_G": f"{spectral}spade{norm}{own['kernel_size']}x{own['kernel_size']}",
        },
    }


def _describe_discriminator(own: Mapping[str, Any]) -> Config:
    if own["spectral_norm"] in (None, False):
        raise ValueError("its discriminators have spectral norm in every layer with a norm")
    if own["kernel_size"] != PATCH_KERNEL:
        raise ValueError(f"its discriminators' kernels are of {PATCH_KERNEL}, not of {own['kernel_size']}")
    return {
        "kind": "network/D",
        "constructor_settings": {
            **_seen(own),
            "output_nc": 3,
            "ndf": own["base_channels"],
            "num_D": own["num_scales"],
            "n_layers_D": own["num_layers"],
            "norm_D": f"spectral{OTHER_WORDS.get(own['norm'], own['norm'])}",
            "netD_subarch": "n_layer",
            "no_ganFeat_loss": False,
        },
    }
