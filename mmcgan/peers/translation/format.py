"""How the weights and settings of another codebase translate into ours, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan import closed_world
from mmcgan.models.discriminator import Discriminator
from mmcgan.peers.translation.names import Table, to_ours, to_theirs
from mmcgan.peers.translation.settings import Config, Spec, UnsupportedSetting, with_values
from mmcgan.peers.translation.sides import Reading, Writing
from mmcgan.peers.translation.values import Values, in_our_shape, in_their_shape
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
#: where settings of a network come from that is not ours
CONVERTED = closed_world.Origin("the checkpoint to convert")

State = dict[str, Tensor]


@dataclass(frozen=True)
class PeerFormat:
    """One architecture of one peer.

    Attributes:
        name: key in ``PEERS``, e.g. ``studiogan_big_resnet``.
        peer: the peer, as :attr:`tests.parity.GoldenCase.peer` spells it.
        accepts: whether the description of a network (a golden JSON: constructor settings and
            what surrounds them) is of this architecture.
        role_of: ``generator`` or ``discriminator``, from the same description.
        configs: for each role, description -> config of our generator, or of our discriminator
            (``backbone``, ``heads``).
        tables: for each role, the names of weights, theirs and ours (:mod:`mmcgan.peers.translation.names`).
        reading: what weights say where no settings lie beside them; None for parts that are no network.
        writing: how networks of ours are written; None for a format that is only read.
        lacks: for a role that the peer keeps in no file, one sentence that says so.
        values: weights that have other shapes there.
        stated: what lies in or beside a checkpoint in the peer's words -> our settings by dotted path, of
            those that weights do not show.
        names_itself: whether such settings are of this format and no other.
        mixes: whether a generator of this format may go with a discriminator of another of the peer's.
        optional: our keys (regular expressions) that are dropped if our network lacks them: what
            the peer stores but never uses.
        inputs: the peer's names of inputs -> ``latent``, ``image``, ``label`` or ``instance``.
        image: the peer's name of a generator's output ("" for a bare output).
        outputs: our discriminator's tensors by the peer's name ("" for a bare output); all under their
            own names if empty.
        present: description, outputs by the peer's names -> the same as the peer shows them.
        receive: description, inputs by the peer's names -> the same as our network takes them.
    """

    name: str
    peer: str
    accepts: Callable[[Spec], bool]
    role_of: Callable[[Spec], str]
    configs: Mapping[str, Callable[[Spec], Config]]
    tables: Mapping[str, Table]
    reading: Reading | None = None
    writing: Writing | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)
    values: tuple[Values, ...] = ()
    stated: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda found: {}
    names_itself: Callable[[Mapping[str, Any]], bool] = lambda found: False
    mixes: bool = True
    optional: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    present: Callable[[Spec, State], State] = lambda spec, outputs: outputs
    receive: Callable[[Spec, Mapping[str, Tensor]], Mapping[str, Tensor]] = lambda spec, inputs: inputs

    def key_map(self, keys: Iterable[str], role: str) -> dict[str, str]:
        """Return our key for every key of the peer that is kept."""
        return to_ours(self.tables[role], keys)

    def back_map(self, keys: Iterable[str], role: str, facts: Mapping[str, Any]) -> dict[str, str]:
        """Return the peer's key for every key of ours that it keeps: the same table, inverted."""
        return to_theirs(self.tables[role], keys, facts)

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return outputs by the peer's names, as our network makes them.

        Args:
            network: what is called.
            given: inputs by our kinds, see :attr:`inputs`.
            inputs: all of the peer's.
        """
        condition = read_condition(given)
        if network.role == GENERATOR:
            return {self.image: self.generate(network.module, given["latent"], condition, inputs)}
        outputs = self.discriminate(network.module, given["image"], condition, inputs)
        names = self.outputs or {name: name for name in outputs}
        return {theirs: outputs[ours] for theirs, ours in names.items() if ours in outputs}

    def generate(
        self, module: nn.Module, latent: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the images of a generator; a format may look at more of the peer's ``inputs``."""
        return module(latent, condition)

    def discriminate(
        self, module: nn.Module, image: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> State:
        """Return the outputs of a discriminator by our names; a format may look at more ``inputs``."""
        return module(image, condition)

    def convert_state(self, state: Mapping[str, Tensor], role: str) -> State:
        """Return our state dict; batch-norm counters that the peer does not keep start at 0."""
        converted = {
            ours: in_our_shape(self.values, theirs, state[theirs])
            for theirs, ours in self.key_map(state, role).items()
        }
        for key in list(converted):
            if key.endswith("running_mean"):
                counter = key.removesuffix("running_mean") + "num_batches_tracked"
                converted.setdefault(counter, torch.tensor(0))
        return converted

    def back_state(self, state: Mapping[str, Tensor], role: str, facts: Mapping[str, Any]) -> State:
        """Return a state dict of ours in the peer's words."""
        return {
            theirs: in_their_shape(self.values, theirs, state[ours])
            for ours, theirs in self.back_map(state, role, facts).items()
        }

    def supplied(self, build: Callable[[], nn.Module], state: Mapping[str, Tensor]) -> State:
        """Return values of our keys that our network has by itself and the peer's weights do not hold.

        Args:
            build: returns our network.
            state: the peer's weights.
        """
        return {}

    def read(self, spec: Spec) -> Config:
        """Return the config of our network for a peer's description.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        spec = with_values(spec)
        role = self.role_of(spec)
        if role not in self.configs:
            raise UnsupportedSetting(self.lacks.get(role) or f"{self.name} has no {role} of its own")
        return self.configs[role](spec)

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return the role of a state dict with these keys, or None if it is not of this format."""
        keys = list(keys)
        return next((role for role in self.roles if self.known_share(keys, role) == 1), None)

    @property
    def roles(self) -> list[str]:
        """The networks that the format has, without parts of them."""
        return [role for role in self.tables if role in OURS]

    def known_share(self, keys: Iterable[str], role: str) -> float:
        """Return which share of the keys that are kept looks like one of our ``role``."""
        ours = self.key_map(keys, role).values()
        return sum(bool(OURS[role].match(key)) for key in ours) / max(1, len(ours))

    def build(self, spec: Spec) -> nn.Module:
        """Return our untrained network for a peer's description.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        return build_network(self.role_of(spec), self.read(spec))

    def network(self, spec: Spec, state: Mapping[str, Tensor]) -> PeerNetwork:
        """Return our network with the peer's weights, ready to be called as the peer's.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
            ValueError: keys that are left over, missing, or of another shape.
        """
        spec = with_values(spec)
        network = PeerNetwork(self, spec, self.build(spec), self.key_map(state, self.role_of(spec)))
        network.load(state)
        return network


def build_network(role: str, config: Mapping[str, Any]) -> nn.Module:
    """Return an untrained network for settings of a stranger: from the file, or from what lies beside it.

    Raises:
        ValueError: the config is not one of a network, or asks for what no file may.
    """
    place = GENERATORS if role == GENERATOR else Discriminator
    return closed_world.build(place, config, CONVERTED, role)


@dataclass
class PeerNetwork:
    """Our network behind a peer's names.

    Attributes:
        format: the translation.
        spec: the description it was built from.
        module: our generator or :class:`Discriminator`.
        keys: our key for every key of the peer.
        unused_size: number of values that the peer stores but never uses, and our network lacks.
    """

    format: PeerFormat
    spec: Spec
    module: nn.Module
    keys: dict[str, str]
    unused_size: int = 0

    @property
    def role(self) -> str:
        """``generator`` or ``discriminator``."""
        return self.format.role_of(self.spec)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Load the peer's weights, all of them.

        Raises:
            ValueError: keys that are left over, missing, or of another shape.
        """
        converted = self.format.convert_state(state, self.role)
        converted |= self.format.supplied(lambda: self.module, state)
        own = self.module.state_dict()
        spare = [key for key in converted if key not in own and not self._is_optional(key)]
        absent = [key for key in own if key not in converted]
        kept = {key: value for key, value in converted.items() if key in own}
        wrong = [
            f"{k}: {tuple(v.shape)} for {tuple(own[k].shape)}"
            for k, v in kept.items()
            if v.shape != own[k].shape
        ]
        if spare or absent or wrong:
            raise ValueError(
                f"{self.format.name}: weights do not fit: left over {spare}, missing {absent}, shapes {wrong}"
            )
        self.module.load_state_dict(kept)
        self.unused_size = sum(value.numel() for key, value in converted.items() if key not in own)
        self.keys = {theirs: ours for theirs, ours in self.keys.items() if ours in own}

    def _is_optional(self, key: str) -> bool:
        return any(re.match(pattern, key) for pattern in self.format.optional)

    def state(self) -> State:
        """Return the module's present state by the peer's keys, in our shapes (vectors are flat)."""
        own = self.module.state_dict()
        return {theirs: own[ours] for theirs, ours in self.keys.items()}

    def gradients(self) -> State:
        """Return the gradients by the peer's keys; parameters without gradient are left out."""
        own = dict(self.module.named_parameters())
        found = {theirs: own[ours].grad for theirs, ours in self.keys.items() if ours in own}
        return {theirs: gradient for theirs, gradient in found.items() if gradient is not None}

    def call(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the network on the peer's inputs; return its outputs by the peer's names.

        Inputs that the format does not name (loss weights and the like) are not looked at.
        """
        inputs = self.format.receive(self.spec, inputs)
        given = {self.format.inputs[k]: v for k, v in inputs.items() if k in self.format.inputs}
        return self.format.present(self.spec, self.format.call(self, given, inputs))


def read_condition(given: Mapping[str, Tensor]) -> Condition:
    """Return the condition of a peer's inputs: labels or one-hot rows, instances; no columns mean none.

    Raises:
        UnsupportedSetting: rows of labels that are not one-hot.
    """
    used = {name: given[name] for name in ("label", "instance") if name in given}
    used = {name: value for name, value in used.items() if value.dim() == 1 or value.shape[1]}
    label = used.get("label")
    if label is not None and label.dim() == 2:
        if not bool(((label == 1).sum(1) == 1).all()) or int(label.count_nonzero()) != len(label):
            raise UnsupportedSetting("rows of labels that are not one-hot")
        used["label"] = label.argmax(1)
    return Condition.of(used)


#: What our networks' keys look like, for recognising a converted state dict.
OURS = {
    GENERATOR: re.compile(
        # behind a map of codes all but the map lies in ``generator.``
        r"(generator\.)?(mix|stem|encoder\.(blocks\.\d+|mean|log_variance)|linear|codes|condition|implicit|mapping|blocks\.\d+"
        r"|(attention|excitations)\.\d+|output_norm|output_conv)\."
        r"|(constant|mean_style)$"
    ),
    DISCRIMINATOR: re.compile(
        r"(backbone\.((blocks|attention|from_rgb)\.\d+|input_conv|basis|mixing|last_conv|last_norm|last_linear)|heads\.\w+)\."
    ),
}
