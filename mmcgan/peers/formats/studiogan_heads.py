"""StudioGAN's discriminator conditionings: the heads its settings build, and how it shows outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from mmcgan.peers.formats.format import (
    GENERATOR,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
)
from mmcgan.peers.formats.studiogan_codes import below_codes

ABSENT = ("N/A", None, False)
Head = dict[str, Any]

#: The class classifier or proxy head is ``cls``, its twin ``twin``.
HEAD_TABLE: Table = (
    (r"^linear1\.", "heads.adv.linear."),
    (r"^embedding\.", "heads.adv.embed."),
    (r"^linear2\.", "heads.cls.linear."),
    (r"^linear_mi\.", "heads.twin.linear."),
    (r"^embedding_mi\.", "heads.twin.embed."),
    (r"^info_discrete_linear\.", "heads.discrete_code.linear."),
    (r"^info_conti_mu_linear\.", "heads.continuous_code.mean."),
    (r"^info_conti_var_linear\.", "heads.continuous_code.log_variance."),
)
OUTPUTS = {
    "adv_output": "adv.logit",
    "multi_output": "adv.logits",
    "cls_output": "cls.logits",
    "embed": "cls.embed",
    "proxy": "cls.proxy",
    "fake_proxy": "cls.fake_proxy",
    "mi_cls_output": "twin.logits",
    "mi_embed": "twin.embed",
    "mi_proxy": "twin.proxy",
    "info_discrete_c_logits": "discrete_code.logits",
    "info_conti_mu": "continuous_code.mean",
    "info_conti_var": "continuous_code.variance",
    "h": "feature.pooled",
}


@dataclass(frozen=True)
class StudioGANFormat(PeerFormat):
    """A format whose ``embedding`` is a projection's table, or the proxies where ``linear2`` exists."""

    def key_map(self, keys: Iterable[str], role: str) -> dict[str, str]:
        """Return our key for every key of the peer that is kept."""
        keys = list(keys)
        named = super().key_map(keys, role)
        if role == GENERATOR:
            return below_codes(named)
        if not any(key.startswith("linear2.") for key in keys):
            return named
        return {key: ours.replace("heads.adv.embed.", "heads.cls.embed.") for key, ours in named.items()}


@dataclass
class HeadSettings:
    """What the readers of ``d_cond_mtd`` need: normalisation, classes, embedding."""

    norm: Config | None
    classes: int
    embed_dim: Any
    normalize: bool

    def classifier(self) -> Head:
        """Return the class classifier."""
        return {
            "type": "ClassifierHead",
            "num_classes": self.classes,
            "bias": False,
            "normalize": self.normalize,
            "spectral_norm": self.norm,
        }

    def proxies(self) -> Head:
        """Return the proxy head.

        Raises:
            UnsupportedSetting: the embedding's length is not given.
        """
        if not isinstance(self.embed_dim, int):
            raise UnsupportedSetting(f"d_embed_dim={self.embed_dim!r}: proxies need a length")
        return {
            "type": "ProxyHead",
            "num_classes": self.classes,
            "embed_dim": self.embed_dim,
            "normalize": self.normalize,
            "spectral_norm": self.norm,
        }

    def adversarial(self, kind: str = "AdversarialHead") -> Head:
        """Return the head behind ``linear1``, which may look at classes."""
        classes = {} if kind == "AdversarialHead" else {"num_classes": self.classes}
        return {"type": kind, "spectral_norm": self.norm, **classes}


#: ``d_cond_mtd`` -> the heads it builds.
HEADS: dict[str, Callable[[HeadSettings], dict[str, Head]]] = {
    "W/O": lambda settings: {"adv": settings.adversarial()},
    "PD": lambda settings: {"adv": settings.adversarial("ProjectionHead")},
    "AC": lambda settings: {"adv": settings.adversarial(), "cls": settings.classifier()},
    "2C": lambda settings: {"adv": settings.adversarial(), "cls": settings.proxies()},
    "D2DCE": lambda settings: {"adv": settings.adversarial(), "cls": settings.proxies()},
    "MD": lambda settings: {"adv": settings.adversarial("PerClassHead")},
    "MH": lambda settings: {"adv": settings.adversarial("FakeClassHead")},
}


def read_heads(settings: Settings, norm: Config | None) -> dict[str, Head]:
    """Read the conditioning of a discriminator, the same for all of the peer's backbones.

    Raises:
        UnsupportedSetting: a conditioning without heads of ours.
    """
    method = settings.take("d_cond_mtd", "W/O")
    if method not in HEADS:
        raise UnsupportedSetting(f"d_cond_mtd={method!r} is not supported, only {list(HEADS)}")
    read = HeadSettings(
        norm,
        settings.take("num_classes"),
        settings.take("d_embed_dim"),
        bool(settings.take("normalize_d_embed", False)),
    )
    return _with_auxiliary(settings, HEADS[method](read)) | read_code_heads(settings, norm)


def _with_auxiliary(settings: Settings, heads: dict[str, Head]) -> dict[str, Head]:
    """Add the twin of TAC, or exchange the classifier for that of ADC."""
    kind = settings.require("aux_cls_type", "W/O", "N/A", "TAC", "ADC")
    if kind in ("W/O", "N/A"):
        return heads
    if "cls" not in heads:
        raise UnsupportedSetting(f"aux_cls_type={kind!r} needs a classifier or proxies")
    if kind == "TAC":
        return {**heads, "twin": dict(heads["cls"])}
    kinds = {"ClassifierHead": "DiscriminativeClassifierHead", "ProxyHead": "DiscriminativeProxyHead"}
    return {**heads, "cls": {**heads["cls"], "type": kinds[heads["cls"]["type"]]}}


def read_code_heads(settings: Settings, norm: Config | None) -> dict[str, Head]:
    """Read InfoGAN's heads."""
    kind = settings.require("info_type", *ABSENT, "discrete", "continuous", "both")
    settings.ignore("g_info_injection")
    discrete, values = settings.take("info_num_discrete_c"), settings.take("info_dim_discrete_c")
    continuous = settings.take("info_num_conti_c")
    heads: dict[str, Head] = {}
    if kind in ("discrete", "both"):
        sizes = {"codes": discrete, "values": values}
        heads["discrete_code"] = {"type": "DiscreteCodeHead", **sizes, "spectral_norm": norm}
    if kind in ("continuous", "both"):
        heads["continuous_code"] = {"type": "ContinuousCodeHead", "codes": continuous, "spectral_norm": norm}
    return heads


def role_of(spec: Spec) -> str:
    """Read the player from the kind, which ends in G or D."""
    return GENERATOR if str(spec["kind"]).endswith("/G") else "discriminator"


def present(spec: Spec, outputs: State) -> State:
    """Show our outputs as StudioGAN does, whatever the backbone.

    It squeezes scores, lays the logits of all codes in one row, and with ``normalize_d_embed``
    its classifiers return the unit h.
    """
    if "image" in outputs:
        return outputs
    shown = dict(outputs)
    if "multi_output" in shown:
        shown["adv_output"] = shown.pop("multi_output")
    shown["adv_output"] = shown["adv_output"].squeeze()
    if "fake_proxy" in shown:
        fake_proxy = shown.pop("fake_proxy")
        if "adc_fake=True" in str(spec.get("call", "")):
            shown["proxy"] = fake_proxy
    if "info_discrete_c_logits" in shown:
        shown["info_discrete_c_logits"] = shown["info_discrete_c_logits"].flatten(1)
    if "cls_output" in shown and spec["constructor_kwargs"].get("normalize_d_embed"):
        shown["h"] = unit_rows(shown["h"])
    return shown


def unit_rows(features: Tensor) -> Tensor:
    """Return rows (N, C) divided by their length."""
    return F.normalize(features, dim=1)
