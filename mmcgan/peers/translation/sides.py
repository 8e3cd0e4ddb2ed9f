"""What a format says beside names: how its weights are read without settings, and how ours are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from mmcgan.peers.reading.shapes import LOADED, Config, Given, Shapes

State = dict[str, Tensor]


@dataclass(frozen=True)
class Exported:
    """One network in a peer's words.

    Attributes:
        format: name of the peer's format.
        state: the peer's keys -> tensors.
        spec: what the peer's constructor is called with, as a golden case describes it.
    """

    format: str
    state: State
    spec: Config


Infer = Callable[[Shapes, Given], list[Config]]
#: The peer's state dict -> settings that its keys or values show.
Evidence = Callable[[Mapping[str, Tensor]], Config]
Choices = Callable[[Mapping[str, Tensor]], list[Config]]
#: Role, config and network of ours -> what the peer's constructor is called with, as a description.
Describe = Callable[[str, Config, nn.Module], Config]
#: The exported networks (``G_ema``, ``G``, ``D``) and the iteration -> name and content of every file.
Files = Callable[[Mapping[str, Exported], int], dict[str, Any]]

#: What a peer's form does with spectral norm: keeps u and sigma, or torch's two vectors, or either.
OWN, HOOK, EITHER = "own", "hook", "either"


@dataclass(frozen=True)
class Reading:
    """How the networks of one format are told from their weights alone.

    Attributes:
        generator, backbone: shapes and given settings -> possible configs; None if it has no such player.
        assumed_generator, assumed_backbone: what all published models share and shapes do not show.
        assumed_heads: the same for heads, by type; ``*`` for all.
        choices_generator, choices_backbone: the peer's state dict -> what is possible where published
            models differ and shapes do not show it: settings that go together, by dotted path.
        evidence: what the peer's own keys or values show of a generator beyond our shapes.
        evidence_backbone: the same of a backbone.
        head_init: initialisation of the heads, ``equalized`` for an equalised learning rate.
    """

    generator: Infer | None
    backbone: Infer | None
    assumed_generator: Config = field(default_factory=dict)
    assumed_backbone: Config = field(default_factory=dict)
    assumed_heads: Config = field(default_factory=dict)
    choices_generator: Choices = lambda state: [{}]
    choices_backbone: Choices = lambda state: [{}]
    evidence: Evidence = lambda state: {}
    evidence_backbone: Evidence = lambda state: {}
    head_init: str = LOADED


def residual_reading(
    generator: Infer,
    backbone: Infer | None,
    spectral: Config,
    eps: float,
    *,
    more_generator: Config | None = None,
    more_backbone: Config | None = None,
    heads: Config | None = None,
    one_norm: bool = False,
    **evidence: Any,
) -> Reading:
    """Return the reading of a format of residual networks with rectifiers, batch norm and spectral norm.

    Args:
        generator, backbone: see :class:`Reading`.
        spectral: what is assumed of spectral norm.
        eps: of batch norms.
        more_generator, more_backbone, heads: further assumptions.
        one_norm: whether the generator's last batch norm is always like the others.
        evidence: of :class:`Reading`: choices and evidence.
    """
    last: Config = {} if one_norm else {"output_batch_norm": {"eps": eps}}
    common = {"activation_name": "relu", "spectral_norm": spectral, "batch_norm": {"eps": eps}}
    return Reading(
        generator,
        backbone,
        assumed_generator={**common, **last, **(more_generator or {})},
        assumed_backbone={**common, **(more_backbone or {})},
        assumed_heads={"*": {"spectral_norm": spectral}, **(heads or {})},
        **evidence,
    )


@dataclass(frozen=True)
class Writing:
    """How networks of ours are written in one format.

    Attributes:
        kinds: classes of our generators and backbones that the format has counterparts of.
        describe: what the peer's constructor is called with to build a network of ours.
        files: names and contents of the files; all formats of a peer have the same.
        spectral: which spectral norm the peer has: ``OWN``, ``HOOK`` or ``EITHER``.
        facts: config -> what decides where one name of ours has several of the peer's.
        extras: the state in the peer's words, and the config -> what the peer stores and we do not.
    """

    kinds: tuple[str, ...]
    describe: Describe
    files: Files
    spectral: str = OWN
    facts: Callable[[Config], Mapping[str, Any]] = lambda config: {}
    extras: Callable[[State, nn.Module], State] = lambda state, network: {}
