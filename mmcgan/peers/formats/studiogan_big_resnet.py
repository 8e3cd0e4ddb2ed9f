"""StudioGAN's big_resnet with all discriminator conditionings but SPD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.biggan_pytorch import translate
from mmcgan.peers.formats.format import (
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    Settings,
    Spec,
    Table,
)
from mmcgan.peers.formats.studiogan_codes import CODE_TABLE, with_codes
from mmcgan.peers.formats.studiogan_heads import (
    ABSENT,
    HEAD_TABLE,
    OUTPUTS,
    StudioGANFormat,
    present,
    read_heads,
    role_of,
)

INITS = {"ortho": "orthogonal", "N02": "normal", "xavier": "xavier", "glorot": "xavier", "N/A": "default"}
ACTIVATIONS = {"ReLU": "relu", "Leaky_ReLU": "leaky_relu_0.1", "ELU": "elu", "GELU": "gelu"}
IN_PLACE = ("ReLU", "Leaky_ReLU", "ELU")
BATCH_NORM = {"eps": 1e-4}

#: Channel multiples where they differ from BigGAN-PyTorch's tables.
GENERATOR_CHANNELS = {64: (16, 8, 4, 2, 1)}
DISCRIMINATOR_CHANNELS = {32: (2, 2, 2, 2)}

ATTENTION: Table = (
    (r"^(blocks|attention)\.(\d+)\.0\.", r"\1.\2."),
    (r"\.conv2d0\.", ".shortcut."),
    (r"\.conv2d([12])\.", r".conv\1."),
    (r"\.conv1x1_theta\.", ".query."),
    (r"\.conv1x1_phi\.", ".key."),
    (r"\.conv1x1_g\.", ".value."),
    (r"\.conv1x1_attn\.", ".output."),
    (r"^(attention\.\d+)\.sigma$", r"\1.gamma"),
    *TORCH_SPECTRAL,
)
GENERATOR_TABLE: Table = (
    (r"^linear0\.", "linear."),
    (r"^shared\.", "condition.label."),
    (r"^bn4\.", "output_norm.norm."),
    (r"^conv2d5\.", "output_conv."),
    (r"\.bn(\d)\.bn\.", r".norm\1.norm."),
    (r"\.bn(\d)\.(gain|bias)\.weight", r".norm\1.\2.weight"),
    (r"\.bn(\d)\.", r".norm\1.norm."),
    *CODE_TABLE,
    *ATTENTION,
)
DISCRIMINATOR_TABLE: Table = (
    # The first block's one batch norm in the main branch comes after its first convolution.
    (r"^blocks\.0\.0\.bn1\.", "blocks.0.0.norm2.norm."),
    (r"\.bn(\d)\.", r".norm\1.norm."),
    *ATTENTION,
    (r"^(blocks|attention)\.", r"backbone.\1."),
    *HEAD_TABLE,
)


def spectral(applied: bool) -> Config | None:
    """Return the options of torch's classic hook, as the peer applies it everywhere."""
    return {"eps": 1e-6, "iterate_in_eval": False} if applied else None


def shared_settings(spec: Spec) -> Settings:
    """Return the constructor's settings and those of the peer's module table, as one."""
    settings = Settings({**spec.get("model_config", {}), **spec["constructor_kwargs"]})
    settings.ignore("backbone", "mixed_precision", "MODEL", "MODULES")
    for name in ("g_depth", "d_depth"):
        settings.require(name, *ABSENT)
    if role_of(spec) == GENERATOR:
        settings.ignore("info_num_discrete_c", "info_num_conti_c", "info_dim_discrete_c")
        for name in ("info_type", "g_info_injection"):
            settings.require(name, *ABSENT)
    return settings


def attention_blocks(settings: Settings, player: str) -> list[int]:
    """Return the indices of the blocks that attention follows; the peer counts from 1."""
    places = settings.take(f"attn_{player}_loc", [])
    applied = settings.take("apply_attn", False)
    return [place - 1 for place in places] if applied and applied != "N/A" else []


def _widths(table: Mapping[int, Sequence[int]], size: int, base: int) -> list[int] | None:
    return [base * multiple for multiple in table[size]] if size in table else None


def _generator(spec: Spec) -> Config:
    settings = shared_settings(spec)
    settings.ignore("d_act_fn", "apply_d_sn")
    # Without conditioning the batch norms see the latent's chunks alone.
    conditional = settings.require("g_cond_mtd", "cBN", "W/O") == "cBN"
    classes = settings.take("num_classes")
    size, base = settings.take("img_size"), settings.take("g_conv_dim")
    config = {
        "type": "BigGANGenerator",
        "image_size": size,
        "num_classes": classes if conditional else 0,
        "base_channels": base,
        "channels": _widths(GENERATOR_CHANNELS, size, base),
        "latent_dim": settings.take("z_dim"),
        "shared_dim": settings.take("g_shared_dim"),
        "attention_blocks": attention_blocks(settings, "g"),
        "activation_name": translate("g_act_fn", settings.take("g_act_fn", "ReLU"), ACTIVATIONS),
        "spectral_norm": spectral(settings.take("apply_g_sn", False)),
        "batch_norm": BATCH_NORM,
        "output_batch_norm": BATCH_NORM,
        "init": translate("g_init", settings.take("g_init", "ortho"), INITS),
    }
    settings.finish()
    return config


def _discriminator(spec: Spec) -> Config:
    settings = shared_settings(spec)
    settings.ignore("g_act_fn", "apply_g_sn", "g_cond_mtd")
    size, base, word = (
        settings.take("img_size"),
        settings.take("d_conv_dim"),
        settings.take("d_act_fn", "ReLU"),
    )
    norm = spectral(settings.take("apply_d_sn"))
    backbone = {
        "type": "BigGANBackbone",
        "image_size": size,
        "base_channels": base,
        "channels": _widths(DISCRIMINATOR_CHANNELS, size, base),
        "attention_blocks": attention_blocks(settings, "d"),
        "activation_name": translate("d_act_fn", word, ACTIVATIONS),
        "activated_shortcut": word in IN_PLACE,
        "spectral_norm": norm,
        "batch_norm": None if norm else BATCH_NORM,
        "init": translate("d_init", settings.take("d_init", "ortho"), INITS),
    }
    heads = read_heads(settings, norm)
    settings.finish()
    return {"backbone": backbone, "heads": heads}


STUDIOGAN_BIG_RESNET = register_peer(
    StudioGANFormat(
        name="studiogan_big_resnet",
        peer="studiogan",
        accepts=lambda spec: spec.get("model_config", {}).get("backbone") == "big_resnet",
        role_of=role_of,
        generator_config=with_codes(_generator),
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        slots=r"blocks\.(\d+)\.0\.sigma$",
        inputs={"z": "latent", "image": "image", "label": "label"},
        image="image",
        outputs=OUTPUTS,
        present=present,
    )
)
