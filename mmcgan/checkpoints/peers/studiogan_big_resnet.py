"""StudioGAN's big_resnet with the discriminator conditionings W/O, PD and AC."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from mmcgan.checkpoints.peers import register_peer
from mmcgan.checkpoints.peers.biggan_pytorch import translate
from mmcgan.checkpoints.peers.format import (
    DISCRIMINATOR,
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
)

ABSENT = ("N/A", None, False)
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
    *ATTENTION,
)
DISCRIMINATOR_TABLE: Table = (
    # The first block's one batch norm in the main branch comes after its first convolution.
    (r"^blocks\.0\.0\.bn1\.", "blocks.0.0.norm2.norm."),
    (r"\.bn(\d)\.", r".norm\1.norm."),
    *ATTENTION,
    (r"^(blocks|attention)\.", r"backbone.\1."),
    (r"^linear1\.", "heads.adv.linear."),
    (r"^embedding\.", "heads.adv.embed."),
    (r"^linear2\.", "heads.cls.linear."),
)

Head = dict[str, Any]


def spectral(applied: bool) -> Config | None:
    """Return the options of torch's classic hook, as the peer applies it everywhere."""
    return {"eps": 1e-6, "iterate_in_eval": False} if applied else None


def _projection(settings: Settings, norm: Config | None, classes: int) -> dict[str, Head]:
    settings.ignore("normalize_d_embed")  # read by other conditionings only
    return {"adv": {"type": "ProjectionHead", "num_classes": classes, "spectral_norm": norm}}


def _adversarial(settings: Settings, norm: Config | None, classes: int) -> dict[str, Head]:
    settings.ignore("normalize_d_embed")
    return {"adv": {"type": "AdversarialHead", "spectral_norm": norm}}


def _classifier(settings: Settings, norm: Config | None, classes: int) -> dict[str, Head]:
    head = {
        "type": "ClassifierHead",
        "num_classes": classes,
        "bias": False,
        "normalize": bool(settings.take("normalize_d_embed", False)),
        "spectral_norm": norm,
    }
    return {"adv": {"type": "AdversarialHead", "spectral_norm": norm}, "cls": head}


#: ``d_cond_mtd`` -> the heads it builds.
HEADS: dict[str, Callable[[Settings, Config | None, int], dict[str, Head]]] = {
    "W/O": _adversarial,
    "PD": _projection,
    "AC": _classifier,
}


def shared_settings(spec: Spec) -> Settings:
    """Return the constructor's settings and those of the peer's module table, as one."""
    settings = Settings({**spec.get("model_config", {}), **spec["constructor_kwargs"]})
    settings.ignore("backbone", "mixed_precision", "MODEL", "MODULES")
    settings.ignore("info_num_discrete_c", "info_num_conti_c", "info_dim_discrete_c")
    for name in ("g_depth", "d_depth", "info_type", "g_info_injection"):
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


def read_heads(settings: Settings, norm: Config | None) -> dict[str, Head]:
    """Read the conditioning of a discriminator, the same for all of the peer's backbones.

    Raises:
        UnsupportedSetting: a conditioning without heads of ours.
    """
    method = settings.take("d_cond_mtd", "W/O")
    if method not in HEADS:
        raise UnsupportedSetting(f"d_cond_mtd={method!r} is not supported, only {list(HEADS)}")
    settings.require("aux_cls_type", "W/O", "N/A")
    settings.ignore("d_embed_dim")
    return HEADS[method](settings, norm, settings.take("num_classes"))


def role_of(spec: Spec) -> str:
    """Read the player from the kind, which ends in G or D."""
    return GENERATOR if str(spec["kind"]).endswith("/G") else DISCRIMINATOR


def _present(spec: Spec, outputs: State) -> State:
    """Squeeze scores as the peer does; with ``normalize_d_embed`` its classifiers return the unit h."""
    shown = {name: value.squeeze() if name == "adv_output" else value for name, value in outputs.items()}
    settings = spec["constructor_kwargs"]
    if "cls_output" in shown and settings.get("normalize_d_embed"):
        shown["h"] = unit_rows(shown["h"])
    return shown


def unit_rows(features: Tensor) -> Tensor:
    """Return rows (N, C) divided by their length."""
    return F.normalize(features, dim=1)


def present(spec: Spec, outputs: State) -> State:
    """Show our discriminator's outputs as StudioGAN does, whatever the backbone."""
    return outputs if "image" in outputs else _present(spec, outputs)


STUDIOGAN_BIG_RESNET = register_peer(
    PeerFormat(
        name="studiogan_big_resnet",
        peer="studiogan",
        accepts=lambda spec: spec.get("model_config", {}).get("backbone") == "big_resnet",
        role_of=role_of,
        generator_config=_generator,
        discriminator_config=_discriminator,
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        slots=r"blocks\.(\d+)\.0\.sigma$",
        inputs={"z": "latent", "image": "image", "label": "label"},
        image="image",
        outputs={"adv_output": "adv.logit", "cls_output": "cls.logits", "h": "feature.pooled"},
        present=present,
    )
)
