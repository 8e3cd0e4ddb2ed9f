"""StudioGAN's discriminator conditionings: the heads its settings build, and how it shows outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch.nn import functional as F

from mmcgan.peers.studiogan.codes import CODE_HEADS, Head, read_code_heads, write_code_heads
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    Config,
    Settings,
    Spec,
    State,
    Table,
    UnsupportedSetting,
)


class ProxyTable:
    """The peer's ``embedding`` is a projection's table, or the proxies where ``linear2`` exists."""

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with the proxies in the classifier's head."""
        if not any(key.startswith("heads.cls.linear.") for key in keys):
            return list(keys)
        return [key.replace("heads.adv.embed.", "heads.cls.embed.") for key in keys]

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys with one name for both."""
        return [key.replace("heads.cls.embed.", "heads.adv.embed.") for key in keys]


#: The class classifier or proxy head is ``cls``, its twin ``twin``. Ends a discriminator's table.
HEAD_TABLE: Table = (
    ("^linear1", "^heads.adv.linear"),
    ("^embedding", "^heads.adv.embed"),
    ("^linear2", "^heads.cls.linear"),
    ("^linear_mi", "^heads.twin.linear"),
    ("^embedding_mi", "^heads.twin.embed"),
    *CODE_HEADS,
    ProxyTable(),
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


#: What our names of the two classifiers of ADC-GAN begin with.
ADC = "Discriminative"
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
    return {**heads, "cls": {**heads["cls"], "type": f"{ADC}{heads['cls']['type']}"}}


def write_heads(heads: Mapping[str, Head]) -> Config:
    """Return the settings of a discriminator's conditioning, the same for all of the peer's backbones."""
    classifier = heads.get("cls", {})
    settings: Config = {
        "d_cond_mtd": _method(heads),
        "d_embed_dim": classifier.get("embed_dim"),
        "normalize_d_embed": bool(classifier.get("normalize", "embed_dim" in classifier)),
        **write_code_heads(heads),
    }
    if "twin" in heads:
        settings["aux_cls_type"] = "TAC"
    elif classifier.get("type", "").startswith(ADC):
        settings["aux_cls_type"] = "ADC"
    return settings


def _method(heads: Mapping[str, Head]) -> str:
    """Return the ``d_cond_mtd`` that builds these heads, or their names."""
    kinds = {name: heads[name]["type"].removeprefix(ADC) for name in ("adv", "cls") if name in heads}
    sample = HeadSettings(None, 1, 1, False)
    for method, build in HEADS.items():
        if {name: head["type"] for name, head in build(sample).items()} == kinds:
            return method
    return " + ".join(sorted(kinds.values()))


def role_of(spec: Spec) -> str:
    """Read the player from the kind, which ends in G or D."""
    return GENERATOR if str(spec["kind"]).endswith("/G") else DISCRIMINATOR


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
        shown["h"] = F.normalize(shown["h"], dim=1)
    return shown
