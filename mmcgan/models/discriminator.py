"""A backbone and named heads: one image in, named tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmcgan.contracts import ContractError, declared
from mmcgan.models.backbones.base import Backbone
from mmcgan.models.heads.base import Head
from mmcgan.models.layers import initialize
from mmcgan.models.mapping import equalize
from mmcgan.registry import BACKBONES, HEADS
from mmcgan.returned import check_named
from mmcgan.structures import Condition
from mmcgan.suggestions import nearest

EQUALIZED = "equalized"


class Discriminator(nn.Module):
    """Scores images. Heads see the condition; a backbone does only if it ``requires`` fields of it.

    Args:
        backbone: config of a backbone (``out_channels`` attribute, dict of features).
        heads: head configs by name; ``in_channels`` is filled from the backbone.
        init: initialisation of the heads that follow it (``follows_init``), see
            :func:`mmcgan.models.layers.initialize`, or ``equalized`` for an equalised learning rate
            (:func:`mmcgan.models.mapping.equalize`); the backbone has an ``init`` of its own.
        freeze_stages: the first stages of the backbone that no optimiser trains (FreezeD, Mo et al.
            2020), for fine-tuning; their weights stay as loaded, batch-norm statistics still move.

    Raises:
        ValueError: ``freeze_stages`` is not between 0 and the number of stages, or a head looks at features
            that the backbone does not emit (a scale that there is not).
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        heads: dict[str, dict[str, Any]],
        init: str = "orthogonal",
        freeze_stages: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = BACKBONES.build(backbone)
        built = {
            name: HEADS.build({"in_channels": self.backbone.out_channels, **head})
            for name, head in heads.items()
        }
        _check_reads(self.backbone, built)
        self.heads = nn.ModuleDict(built)
        self.head_emits = {name: tuple(head.emits) for name, head in built.items()}
        for head in built.values():
            if head.follows_init:
                _start(head, init)
        freeze(self.backbone, freeze_stages)
        #: fields of the condition that the backbone looks at beside the image
        self.backbone_requires: tuple[str, ...] = tuple(self.backbone.requires)
        heads_require = {field for head in built.values() for field in head.requires}
        self.requires = sorted({*self.backbone_requires, *heads_require})

    @property
    def emits(self) -> list[str]:
        """Names of the tensors that :meth:`forward` returns, ``head.tensor``."""
        emitted = [f"{name}.{tensor}" for name, emits in self.head_emits.items() for tensor in emits]
        return emitted + [f"feature.{name}" for name in self.backbone.emits]

    def check_kernels(self) -> None:
        """Raise ValueError if the kernel of a head is larger than the map it looks at.

        Asked of those that say it before anything is computed: a backbone's ``map_sides``, a head's
        ``least_sides``. Others fail in the first step.
        """
        sides: Mapping[str, int] = declared(self.backbone, "map_sides")
        for name, head in self.heads.items():
            for feature, least in declared(head, "least_sides").items():
                if sides.get(feature, least) < least:
                    raise ValueError(
                        f"discriminator.heads.{name}: the kernel of {type(head).__name__} needs a map of at "
                        f"least {least} x {least} positions, and {feature!r} of "
                        f"{type(self.backbone).__name__} has {sides[feature]} x {sides[feature]}: choose a "
                        "smaller kernel_size, more padding, or maps that are reduced less (end_size)"
                    )

    def check_augmented(self, augment: nn.Module) -> None:
        """Raise ValueError if an augmentation stands before a backbone that keeps what it has seen."""
        if self.backbone.needs_unchanged_images:
            raise ValueError(
                f"augment: behind {type(augment).__name__} no batch comes again as it was, but the "
                f"discriminator's {type(self.backbone).__name__} keeps what it has seen (cache_megabytes), "
                "which would never be of use. Leave out one of the two"
            )

    def forward(self, image: Tensor, condition: Condition) -> dict[str, Tensor]:
        """Return all named tensors of ``image`` (N, C, H, W) in [-1, 1] under ``condition``.

        Raises:
            ValueError: a head or the backbone needs a field of the condition that is absent, or returns other
                tensors than it declares.
        """
        missing = [field for field in self.requires if condition.get(field) is None]
        if missing:
            present = list(condition.present())
            needing = "backbone needs" if set(missing) & set(self.backbone_requires) else "heads need"
            raise ValueError(f"the discriminator's {needing} condition.{missing}, present: {present}")
        features = self.backbone(image, condition) if self.backbone_requires else self.backbone(image)
        _check_outputs(self.backbone, "backbone", tuple(self.backbone.emits), features, len(image))
        outputs = {f"feature.{name}": value for name, value in features.items()}
        for name, head in self.heads.items():
            found = head(features, condition)
            _check_outputs(head, f"heads.{name}", self.head_emits[name], found, len(image))
            outputs |= {f"{name}.{k}": v for k, v in found.items()}
        return outputs


def _start(head: nn.Module, init: str) -> None:
    """Start the layers of a head as ``init`` says."""
    if init == EQUALIZED:
        equalize(head)
    else:
        initialize(head, init)


def _check_reads(backbone: Backbone, heads: Mapping[str, Head]) -> None:
    """Raise ValueError if a head looks at features that the backbone does not emit."""
    for name, head in heads.items():
        for feature in head.reads:
            if feature not in backbone.emits:
                raise ValueError(
                    f"discriminator.heads.{name}: {type(head).__name__} looks at {feature!r}, which "
                    f"{type(backbone).__name__} does not emit.{nearest(feature, backbone.emits)}"
                )


def _check_outputs(part: nn.Module, place: str, emits: tuple[str, ...], found: Any, rows: int) -> None:
    """Refuse tensors that are not those which a part of the discriminator declares."""
    check_named(part, "forward", found, rows)
    if found.keys() != set(emits):
        raise ValueError(
            f"discriminator.{place}: {type(part).__name__} returned {sorted(found)} and declares "
            f"emits={emits}; both must name the same tensors, see docs/extending/head.md"
        )


def freeze(backbone: Backbone, number: int) -> None:
    """Take the parameters of the first ``number`` stages of ``backbone`` out of training.

    Raises:
        ContractError: ``stages()`` returned something else than stages by name.
        ValueError: there are not so many; the message lists the stages.
    """
    found = backbone.stages()
    if not isinstance(found, Mapping):
        raise ContractError(
            f"{type(backbone).__name__}: stages() returned a {type(found).__name__}, not a dict of name -> "
            f"modules from the image on; see {backbone.contract.page}"
        )
    if not 0 <= number <= len(found):
        raise ValueError(
            f"discriminator.freeze_stages must lie in [0, {len(found)}], got {number}; "
            f"{type(backbone).__name__} has the stages {', '.join(found)}"
        )
    for modules in list(found.values())[:number]:
        for module in modules:
            module.requires_grad_(False)
