"""How the weights and settings of another codebase translate into ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan import closed_world
from mmcgan.models.discriminator import Discriminator
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
#: where settings of a network come from that is not ours
CONVERTED = closed_world.Origin("the checkpoint to convert")

Config = dict[str, Any]
State = dict[str, Tensor]
Spec = Mapping[str, Any]
#: Regular expressions and replacements, applied in order with ``re.sub``. A replacement of None
#: drops the keys that match.
Table = Sequence[tuple[str, str | None]]


class UnsupportedSetting(ValueError):
    """A peer's setting that our networks have no counterpart for."""


class Settings:
    """Reads a peer's settings so that none is silently ignored.

    Args:
        values: the settings; ``finish`` raises unless every one was taken.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)

    def take(self, name: str, default: Any = None) -> Any:
        """Return a setting, or the peer's default, and mark it as read."""
        return self.values.pop(name, default)

    def require(self, name: str, *allowed: Any) -> Any:
        """Read a setting that may be absent or one of ``allowed``.

        Raises:
            UnsupportedSetting: another value.
        """
        value = self.values.pop(name, allowed[0])
        if value not in allowed:
            raise UnsupportedSetting(f"{name}={value!r} is not supported, only {list(allowed)}")
        return value

    def ignore(self, *names: str) -> None:
        """Drop settings that do not change what the network computes."""
        for name in names:
            self.values.pop(name, None)

    def finish(self) -> None:
        """Raise UnsupportedSetting if anything was not read."""
        if self.values:
            raise UnsupportedSetting(f"unknown settings: {self.values}")


@dataclass(frozen=True)
class PeerFormat:
    """One architecture of one peer.

    Attributes:
        name: key in ``PEERS``, e.g. ``studiogan_big_resnet``.
        peer: the peer, as :attr:`tests.parity.GoldenCase.peer` spells it.
        accepts: whether the description of a network (a golden JSON: constructor settings and
            what surrounds them) is of this architecture.
        role_of: ``generator`` or ``discriminator``, from the same description.
        generator_config: description -> config of our generator.
        discriminator_config: description -> config of our discriminator (``backbone``, ``heads``).
        tables: for each role, how keys are renamed.
        slots: a regular expression with one group, the position in the peer's list of blocks, that
            matches one key of every self-attention, where these count as blocks of their own.
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
    generator_config: Callable[[Spec], Config]
    discriminator_config: Callable[[Spec], Config]
    tables: Mapping[str, Table]
    slots: str | None = None
    optional: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    present: Callable[[Spec, State], State] = lambda spec, outputs: outputs
    receive: Callable[[Spec, Mapping[str, Tensor]], Mapping[str, Tensor]] = lambda spec, inputs: inputs

    def key_map(self, keys: Iterable[str], role: str) -> dict[str, str]:
        """Return our key for every key of the peer that is kept."""
        keys = list(keys)
        renamed = {key: rename(key, self.tables[role]) for key in self._unslotted(keys)}
        plain = dict(zip(self._unslotted(keys), keys, strict=True))
        return {plain[key]: ours for key, ours in renamed.items() if ours is not None}

    def _unslotted(self, keys: list[str]) -> list[str]:
        """Write block positions as if self-attention had none: ``<slot>.<rest>`` after its block.

        An attention in slot s that follows block b becomes ``attention.b.<rest>``; later blocks move
        down.
        """
        if self.slots is None:
            return keys
        taken = sorted({int(found[1]) for key in keys if (found := re.match(self.slots, key))})
        return [_without_slot(key, taken) for key in keys]

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
            ours: convert_value(ours, state[theirs]) for theirs, ours in self.key_map(state, role).items()
        }
        for key in list(converted):
            if key.endswith("running_mean"):
                counter = key.removesuffix("running_mean") + "num_batches_tracked"
                converted.setdefault(counter, torch.tensor(0))
        return converted

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return the role of a state dict with these keys, or None if it is not of this format."""
        keys = list(keys)
        for role in self.tables:
            ours = self.key_map(keys, role).values()
            if ours and all(OURS[role].match(key) for key in ours):
                return role
        return None

    def build(self, spec: Spec) -> nn.Module:
        """Return our untrained network for a peer's description.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        if self.role_of(spec) == GENERATOR:
            return build_network(GENERATOR, self.generator_config(spec))
        return build_network(DISCRIMINATOR, self.discriminator_config(spec))

    def network(self, spec: Spec, state: Mapping[str, Tensor]) -> PeerNetwork:
        """Return our network with the peer's weights, ready to be called as the peer's.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
            ValueError: keys that are left over, missing, or of another shape.
        """
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
        condition = read_condition(given)
        if self.role == GENERATOR:
            # a generator without z is given an empty one
            latent = given.get("latent", torch.empty(0))
            image = self.format.generate(self.module, latent, condition, inputs)
            return self.format.present(self.spec, {self.format.image: image})
        outputs = self.format.discriminate(self.module, given["image"], condition, inputs)
        names = self.format.outputs or {name: name for name in outputs}
        named = {theirs: outputs[ours] for theirs, ours in names.items() if ours in outputs}
        return self.format.present(self.spec, named)


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
    return Condition(**used)


@lru_cache(maxsize=1 << 16)
def rename(key: str, table: Table) -> str | None:
    """Return our name of a key, or None if it is dropped; ``table`` is a tuple.

    Recognising a checkpoint tries every format: most names are asked for many times.
    """
    for pattern, replacement in table:
        if replacement is None:
            if re.search(pattern, key):
                return None
        else:
            key = re.sub(pattern, replacement, key)
    return key


def convert_value(key: str, value: Tensor) -> Tensor:
    """Return a peer's value in the shape of our ``key``: flat singular vectors, scalar gamma."""
    if re.search(r"spectral\.[uv]\d+$", key):
        return value.flatten()
    return value.reshape(()) if key.endswith(".gamma") else value


def _without_slot(key: str, taken: Sequence[int]) -> str:
    found = re.match(r"(\w+)\.(\d+)\.(.*)", key)
    if not found:
        return key
    head, slot, rest = found[1], int(found[2]), found[3]
    before = sum(other < slot for other in taken)
    if slot in taken:
        return f"attention.{slot - before - 1}.{rest}"
    return f"{head}.{slot - before}.{rest}"


#: What our networks' keys look like, for recognising a converted state dict.
OURS = {
    GENERATOR: re.compile(
        r"(linear|codes|condition|implicit|mapping|blocks\.\d+|(attention|excitations)\.\d+|output_norm|output_conv)\."
        r"|(constant|mean_style)$"
    ),
    DISCRIMINATOR: re.compile(
        r"(backbone\.((blocks|attention|from_rgb)\.\d+|input_conv|basis|last_conv|last_norm|last_linear)|heads\.\w+)\."
    ),
}

#: Leaf names of BigGAN-PyTorch's spectral norm, shared by its descendants and MMagic's ``ajbrock``.
AJBROCK_SPECTRAL: Table = ((r"\.u(\d)$", r".spectral.u\1"), (r"\.sv(\d)$", r".spectral.sigma\1"))
#: Leaf names of torch's classic spectral-norm hook.
TORCH_SPECTRAL: Table = (
    (r"\.weight_orig$", ".weight"),
    (r"\.weight_u$", ".spectral.u0"),
    (r"\.weight_v$", ".spectral.v0"),
)
