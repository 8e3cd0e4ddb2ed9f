"""What StudioGAN's convolutional networks share: names of layers, settings, how they are read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from mmcgan.peers.studiogan.codes import ABSENT, CODE_TABLE, with_codes, with_written_codes
from mmcgan.peers.studiogan.heads import HEAD_TABLE, OUTPUTS, present, read_heads, role_of, write_heads
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    HOOK,
    TORCH_SPECTRAL,
    Config,
    Exported,
    Pair,
    PeerFormat,
    Reading,
    Settings,
    Slots,
    Spec,
    Table,
    Writing,
    below,
    read_pairs,
    register_peer,
    residual_reading,
    scalar,
    write_pairs,
)
from mmcgan.peers.writing.describing import (
    attention_places,
    base_width,
    classes_of,
    own_config,
    spectral_options,
)

# --- names ----------------------------------------------------------------------------------------
SLOTS: Table = (
    Slots("blocks", "0.sigma"),
    ("^blocks.{i}.0", "^blocks.{i}"),
    ("^attention.{i}.0", "^attention.{i}"),
)
ATTENTION: Table = (
    ("conv1x1_theta", "query"),
    ("conv1x1_phi", "key"),
    ("conv1x1_g", "value"),
    ("conv1x1_attn", "output"),
    ("^attention.{i}.sigma$", "^attention.{i}.gamma$"),
    *TORCH_SPECTRAL,
)
#: Conditional batch norms have a plain one below them; plain ones stand for themselves.
CONDITIONAL, PLAIN = (("norms", kind) for kind in ("conditional", "plain"))
LEAVES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def norms(name: str) -> Table:
    """Return the rows of batch norms of this name of ours, by segment."""
    plain = ((f"{name}.{leaf}$", f"{name}.norm.{leaf}$", PLAIN) for leaf in LEAVES)
    return (*plain, (f"{name}.bn", f"{name}.norm", CONDITIONAL))


def tables(generator: Table, discriminator: Table) -> dict[str, Table]:
    """Return the tables of both players around what is particular to a backbone."""
    backbone = below("backbone", "blocks", "attention")
    return {
        GENERATOR: (*SLOTS, *generator, *ATTENTION, *CODE_TABLE),
        DISCRIMINATOR: (*SLOTS, *discriminator, *ATTENTION, *backbone, *HEAD_TABLE),
    }


def _facts(config: Config) -> Mapping[str, Any]:
    # one-hot labels alone reach these batch norms; elsewhere the chunks of the latent do, too
    config = config.get("generator", config)
    conditional = "type" in config and (
        config["type"].startswith("BigGAN") or config["num_classes"] or config.get("code_dim")
    )
    return dict((CONDITIONAL if conditional else PLAIN,))


# --- settings -------------------------------------------------------------------------------------
INITS = {"ortho": "orthogonal", "N02": "normal", "xavier": "xavier", "glorot": "xavier", "N/A": "default"}
ACTIVATIONS = {"ReLU": "relu", "Leaky_ReLU": "leaky_relu_0.1", "ELU": "elu", "GELU": "gelu"}
IN_PLACE = ("ReLU", "Leaky_ReLU", "ELU")
BATCH_NORM = {"eps": 1e-4}
EPS_6: Config = {"eps": 1e-6}


def player_pairs(player: str) -> tuple[Pair, ...]:
    """Return the settings that both players (``g``, ``d``) name alike."""
    return (
        Pair("img_size", "image_size"),
        Pair(f"{player}_conv_dim", "base_channels"),
        Pair(f"{player}_act_fn", "activation_name", "ReLU", ACTIVATIONS),
        Pair(f"{player}_init", "init", "ortho", INITS, loaded=True),
    )


LATENT = Pair("z_dim", "latent_dim")


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


def _player(settings: Settings, player: str) -> Config:
    """Read sizes, activation, attention and spectral norm; the peer counts blocks from 1."""
    places, applied = settings.take(f"attn_{player}_loc", []), settings.take("apply_attn", False)
    # torch's classic hook everywhere
    norm = {**EPS_6, "iterate_in_eval": False} if settings.take(f"apply_{player}_sn", False) else None
    return {
        **read_pairs(settings, player_pairs(player)),
        "attention_blocks": [place - 1 for place in places] if applied and applied != "N/A" else [],
        "spectral_norm": norm,
    }


def generator_settings(settings: Settings) -> Config:
    """Read what the generators of all convolutional backbones share."""
    settings.ignore("d_act_fn", "apply_d_sn")
    return {**_player(settings, "g"), **read_pairs(settings, (LATENT,)), "batch_norm": BATCH_NORM}


def one_hot_classes(settings: Settings, norm: Config | None) -> Config:
    """Read generators whose batch norms see one-hot labels, or nothing.

    Raises:
        UnsupportedSetting: another conditioning than ``cBN`` and ``W/O``.
    """
    settings.ignore("g_shared_dim")
    method, classes = settings.require("g_cond_mtd", "W/O", "cBN"), settings.take("num_classes", 0)
    return {
        "num_classes": classes if method == "cBN" else 0,
        "condition_spectral_norm": norm,
        "one_hot": True,
    }


def discriminator_settings(settings: Settings, **own: Any) -> Config:
    """Read a discriminator of a convolutional backbone; ``own`` are the backbone's settings that it adds."""
    settings.ignore("g_act_fn", "apply_g_sn", "g_cond_mtd")
    in_place = settings.values.get("d_act_fn", "ReLU") in IN_PLACE
    backbone = {**_player(settings, "d"), "activated_shortcut": in_place, **own}
    norm = backbone["spectral_norm"]
    backbone.setdefault("batch_norm", None if norm else BATCH_NORM)
    heads = read_heads(settings, norm)
    settings.finish()
    return {"backbone": backbone, "heads": heads}


def describe(
    backbone: str,
    generator_channels: Mapping[int, Sequence[int]],
    backbone_channels: Mapping[int, Sequence[int]],
    role: str,
    config: Config,
    network: nn.Module,
) -> Config:
    """Return what the peer's ``Generator`` or ``Discriminator`` of a backbone is called with."""
    if role == GENERATOR and "generator" in config:
        channels, inner = (generator_channels, backbone_channels), network.get_submodule("generator")
        described = describe(backbone, *channels, role, config["generator"], inner)
        return with_written_codes(described, config["code_dim"], "concat")
    player = "g" if role == GENERATOR else "d"
    own = own_config(role, config, network)
    table = generator_channels if role == GENERATOR else backbone_channels
    depth = int(own.get("depth", 1))
    places = [place // depth for place in attention_places(network)]
    settings = write_pairs(own, player_pairs(player)) | {
        # without a table the width is no setting
        f"{player}_conv_dim": base_width(network, own["image_size"], table) if table else "N/A",
        "num_classes": classes_of(config),
        "apply_attn": bool(places),
        f"attn_{player}_loc": [place + 1 for place in places],
        f"apply_{player}_sn": spectral_options(network)[0],
        **({f"{player}_depth": depth} if "depth" in own else {}),
    }
    if role == GENERATOR:
        label = network.state_dict().get("condition.label.weight")
        settings |= write_pairs(own, (LATENT,))
        settings["g_shared_dim"] = 0 if label is None else label.shape[1]
        settings["g_cond_mtd"] = "cBN" if config["num_classes"] else "W/O"
    else:
        settings |= write_heads(config["heads"])
    described = {
        "kind": f"network/{backbone}/{player.upper()}",
        "model_config": {"backbone": backbone},
        "constructor_kwargs": settings,
    }
    return with_written_codes(described, own.get("code_dim", 0), "cBN")


def files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    """Return the files of a run's weights."""
    return {
        f"model={name}-current-weights-step={step}.pth": {"state_dict": exported.state, "step": step}
        for name, exported in exports.items()
    }


# --- the formats ----------------------------------------------------------------------------------
STUDIOGAN_HEADS = {
    f"{prefix}{kind}": {"normalize": normalize}
    for prefix in ("", "Discriminative")
    for kind, normalize in (("ProxyHead", True), ("ClassifierHead", False))
}


def reading(generator: Any, backbone: Any, one_norm: bool = False, **assumed: Any) -> Reading:
    """Return how a convolutional backbone is read; its rectifiers work in place: shortcuts see their output.

    Args:
        generator, backbone: readers of shapes.
        one_norm: see :func:`~mmcgan.peers.translation.residual_reading`.
        assumed: further settings of the generator.
    """
    activated = {"activated_shortcut": True}
    return residual_reading(
        generator,
        backbone,
        EPS_6,
        BATCH_NORM["eps"],
        more_generator=assumed,
        more_backbone=activated,
        heads=STUDIOGAN_HEADS,
        one_norm=one_norm,
    )


def writing(kinds: tuple[str, ...], describer: Callable[[str, Config, nn.Module], Config]) -> Writing:
    """Return how networks of these classes of ours are written."""
    return Writing((*kinds, "CodedGenerator"), describer, files, HOOK, _facts)


def register(
    name: str,
    backbones: Sequence[str],
    generator: Callable[[Spec], Config],
    discriminator: Callable[[Spec], Config],
    with_map: bool = True,
    **fields: Any,
) -> PeerFormat:
    """Register the format of the networks with one of these ``backbones``.

    Args:
        name: of the format.
        backbones: the peer's words for it.
        generator, discriminator: readers of descriptions.
        with_map: whether codes come in through a linear map in front of the generator.
        fields: further ones of :class:`PeerFormat`.
    """
    shared = {
        "inputs": {"z": "latent", "image": "image", "label": "label"},
        "image": "image",
        "outputs": OUTPUTS,
        "present": present,
        "values": (scalar(r"(^|\.)sigma$"),),
    }
    return register_peer(
        PeerFormat(
            name=name,
            peer="studiogan",
            mixes=False,
            accepts=lambda spec: spec.get("model_config", {}).get("backbone") in backbones,
            role_of=role_of,
            configs={
                GENERATOR: with_codes(generator) if with_map else generator,
                DISCRIMINATOR: discriminator,
            },
            **{**shared, **fields},
        )
    )
