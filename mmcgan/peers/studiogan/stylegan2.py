"""StudioGAN's stylegan2: StyleGAN2-ADA's networks with StudioGAN's discriminator conditionings."""

from __future__ import annotations

from torch import nn

from mmcgan.peers.studiogan.codes import ABSENT, CODE_KEYS, code_dim
from mmcgan.peers.studiogan.common import STUDIOGAN_HEADS, files, register
from mmcgan.peers.studiogan.heads import HEAD_TABLE, OUTPUTS, present, read_heads, write_heads
from mmcgan.peers.stylegan2_ada import BACKBONE, GENERATOR_TABLE, KINDS, MAPPING, style_reading
from mmcgan.peers.stylegan2_ada.settings import (
    backbone_settings,
    describe_discriminator,
    describe_generator,
    filters,
    generator_settings,
    projection_settings,
)
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
    Writing,
)
from mmcgan.peers.writing.describing import classes_of

DISCRIMINATOR_TABLE: Table = (
    *((f"^{table}.embed", f"^{table}.network.label") for table in ("embedding", "embedding_mi")),
    *((f"^{table}.fc{{i}}", f"^{table}.network.layers.{{i}}") for table in ("embedding", "embedding_mi")),
    *MAPPING,
    ("^mapping", "^heads.adv.mapping"),
    *BACKBONE,
    *HEAD_TABLE,
)


def _generator(spec: Spec) -> Config:
    given = {**spec.get("model_config", {}), **spec["constructor_kwargs"]}
    columns = code_dim(given)
    Settings(given).require("g_info_injection", *(("concat",) if columns else (*ABSENT, "concat", "cBN")))
    kept = {key: value for key, value in spec["constructor_kwargs"].items() if key not in CODE_KEYS}
    config = generator_settings({**spec, "constructor_kwargs": kept}, mean_decay=0.998)
    # Here the mapping network takes noise and codes alike: there is no map in front of it.
    return {**config, "latent_dim": config["latent_dim"] + columns}


def _discriminator(spec: Spec) -> Config:
    model = spec.get("model_config", {})
    codes = {key: model[key] for key in model if key.startswith("info_") or key == "g_info_injection"}
    settings = Settings({**codes, **spec["constructor_kwargs"]})
    if settings.values.get("d_cond_mtd") == "PD":
        raise UnsupportedSetting("d_cond_mtd='PD': the peer's StyleGAN2 has no such head")
    projected = settings.values.get("d_cond_mtd") == "SPD"
    projection = projection_settings(settings)
    if projected:
        settings.values["d_cond_mtd"] = "W/O"
    heads = read_heads(settings, None)
    if projected:
        heads["adv"] = projection
    return {"backbone": backbone_settings(settings), "heads": heads, "init": "equalized"}


#: Conditionings that the peer's trainer builds a mapping of the class for.
EMBEDDING = ("SPD", "2C", "D2DCE")


def _describe(role: str, config: Config, network: nn.Module) -> Config:
    """Return what ``Generator`` or ``Discriminator`` is called with for a network of ours."""
    player, settings = ("G", {}) if role == GENERATOR else ("D", _heads(config))
    described = (describe_generator if role == GENERATOR else describe_discriminator)(config, network)
    return {
        **described,
        "kind": f"network/stylegan2/{player}",
        "model_config": {"backbone": "stylegan2"},
        "constructor_kwargs": {**described["constructor_kwargs"], **settings},
    }


def _heads(config: Config) -> Config:
    """Return the settings of the conditioning; a projection is a word of this backbone alone."""
    heads, classes = dict(config["heads"]), classes_of(config)
    projected = heads.get("adv", {}).get("type") == "MappedProjectionHead"
    if projected:
        heads["adv"] = {"type": "AdversarialHead"}
    settings = {**write_heads(heads), "num_classes": classes, **({"d_cond_mtd": "SPD"} if projected else {})}
    return {**settings, "c_dim": classes if settings["d_cond_mtd"] in EMBEDDING else 0}


def _present(spec: Spec, outputs: State) -> State:
    """Show our outputs as the peer does: SPD's score is a column, and its vector is the embedding."""
    shown = present(spec, outputs)
    if spec["constructor_kwargs"].get("d_cond_mtd") == "SPD":
        shown["adv_output"] = outputs["adv_output"].unsqueeze(1)
        shown["embed"] = shown.pop("adv_embed")
    return shown


STUDIOGAN_STYLEGAN2 = register(
    "studiogan_stylegan2",
    ("stylegan2",),
    _generator,
    _discriminator,
    with_map=False,
    tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
    reading=style_reading(0.998, STUDIOGAN_HEADS),
    writing=Writing(KINDS, _describe, files, extras=filters),
    outputs={**OUTPUTS, "adv_embed": "adv.embed"},
    present=_present,
)
