"""A :class:`ConditionalGAN` that trains on a peer's recorded draws instead of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import Generator, Tensor, nn

from mmcgan.augments.base import Augment
from mmcgan.models.data_preprocessor import GANDataPreprocessor
from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.models.gan import ConditionalGAN
from mmcgan.models.heads.base import Head
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.peers import DISCRIMINATOR, GENERATOR, PeerFormat, peer_format
from mmcgan.samplers.base import ConditionSampler, LatentSampler
from mmcgan.structures import Condition, GANBatch
from tests.parity.cases import State

Config = dict[str, Any]


class ReplayedLatents(LatentSampler):
    """A latent sampler that returns recorded draws, each cut to the rows asked for."""

    def __init__(self, draws: Sequence[Tensor]) -> None:
        super().__init__(draws[0].shape[1] if draws else 1)
        self.draws = list(draws)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Return the first ``n`` rows of the next recorded draw."""
        return self.draws.pop(0)[:n]


class ReplayedConditions(ConditionSampler):
    """A condition sampler that returns recorded labels, instances or both, each cut to the rows asked for."""

    def __init__(self, labels: Sequence[Tensor], instances: Sequence[Tensor]) -> None:
        self.draws = {"label": list(labels), "instance": list(instances)}

    def sample(self, n: int, generator: Generator) -> Condition:
        """Return the first ``n`` rows of the next recorded draw."""
        return Condition(**{name: draws.pop(0)[:n] for name, draws in self.draws.items() if draws})


class PassingPreprocessor(GANDataPreprocessor):
    """Passes on images that a peer recorded as floats in [-1, 1]."""

    def forward(self, data: dict, training: bool = False, generator: Generator | None = None) -> GANBatch:
        """Return ``data`` as a batch in torch's default format; bytes are scaled as always."""
        if data["image"].dtype == torch.uint8:
            batch = super().forward(data, training, generator)
            return replace(batch, image=batch.image.to(torch.get_default_dtype()))
        return GANBatch(data["image"], self.condition(data))


class RecordingGAN(ConditionalGAN):
    """Keeps the loss terms of every mini-batch and the discriminator before each generator step."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.discriminator_log: list[dict[str, float]] = []
        self.generator_log: list[dict[str, float]] = []
        self.discriminator_states: list[State] = []
        self.score_log: list[State] = []

    def score(self, image: Tensor, condition: Condition, augment: bool = True) -> State:
        """Return the outputs of the base class and keep them."""
        outputs = super().score(image, condition, augment)
        self.score_log.append({name: value.detach().clone() for name, value in outputs.items()})
        return outputs

    def discriminator_terms(self, real: GANBatch, optimizer: Any) -> dict[str, Tensor]:
        """Return the terms of the base class and keep their values."""
        terms = super().discriminator_terms(real, optimizer)
        self.discriminator_log.append({name: float(value.detach()) for name, value in terms.items()})
        return terms

    def generator_terms(self, real: GANBatch, optimizer: Any) -> dict[str, Tensor]:
        """Return the terms of the base class and keep their values and the discriminator's state."""
        self.discriminator_states.append({k: v.clone() for k, v in self.discriminator.state_dict().items()})
        terms = super().generator_terms(real, optimizer)
        self.generator_log.append({name: float(value.detach()) for name, value in terms.items()})
        return terms


@dataclass
class Replay:
    """A peer's training run, described in our words.

    Attributes:
        peer: canonical name of the peer.
        specs: network descriptions by role, as a golden JSON of a single network has them.
        states: the peer's state dicts at the start, by role.
        losses, regularizers, step: configs of :class:`ConditionalGAN`.
        optimizers: optimiser configs by role.
        average: the moving average of the generator, if there is one.
        average_numbers: what the average counts each update as; from 0 if not given.
        latents, labels, instances: every draw, in order; a peer without labels or instances has none.
        augment: what changes images in front of the discriminator, with recorded draws.
        head: class that stands in for the projection head, to repeat a peer's fault.
        condition_sampler: of a peer that takes conditions from its real images; else the recorded ones.
    """

    peer: str
    specs: Mapping[str, Mapping[str, Any]]
    states: Mapping[str, State]
    losses: Config
    optimizers: Mapping[str, Config]
    latents: Sequence[Tensor]
    labels: Sequence[Tensor]
    regularizers: Config = field(default_factory=dict)
    step: Config = field(default_factory=dict)
    average: ExponentialMovingAverage | None = None
    average_numbers: Sequence[int] | None = None
    head: type[Head] | None = None
    instances: Sequence[Tensor] = ()
    augment: Augment | None = None
    condition_sampler: Config | None = None

    def __post_init__(self) -> None:
        self.formats = self.find_formats()
        self.model = self._build()
        sections = {role: {"optimizer": dict(config)} for role, config in self.optimizers.items()}
        self.wrappers: OptimWrapperDict = GANOptimWrapperConstructor(sections)(self.model)
        self.gradients: dict[str, list[State]] = {role: [] for role in self.optimizers}
        for role in self.optimizers:
            self.wrappers[role].optimizer.register_step_pre_hook(partial(self._keep_gradients, role))

    def find_formats(self) -> dict[str, PeerFormat]:
        """Return how the weights and settings of the two networks translate."""
        return {role: peer_format(self.peer, spec) for role, spec in self.specs.items()}

    def _keep_gradients(self, role: str, *_: Any) -> None:
        """Keep the gradients of every update, by our names."""
        named = self.networks(self.model)[role].named_parameters()
        self.gradients[role].append({k: p.grad.clone() for k, p in named if p.grad is not None})

    def _build(self) -> RecordingGAN:
        discriminator = self.formats[DISCRIMINATOR].read(self.specs[DISCRIMINATOR])
        if self.head is not None and discriminator["heads"]["adv"]["type"] == "ProjectionHead":
            discriminator["heads"]["adv"]["type"] = self.head
        model = RecordingGAN(
            generator=self.formats[GENERATOR].read(self.specs[GENERATOR]),
            discriminator=discriminator,
            losses=self.losses,
            condition_sampler=self.condition_sampler or {"type": "UniformLabel", "num_classes": 1},
            regularizers=self.regularizers,
            step=self.step,
        )
        for role, network in self.networks(model).items():
            network.load_state_dict(self.formats[role].convert_state(self.states[role], role))
        assert model.generator_ema is not None
        model.generator_ema.load_state_dict(model.generator.state_dict())
        model.latent_sampler = ReplayedLatents(self.latents)
        if self.condition_sampler is None:
            model.condition_sampler = ReplayedConditions(self.labels, self.instances)
        if self.augment is not None:
            model.augment = self.augment
        model.data_preprocessor = PassingPreprocessor()
        return model.train()

    @staticmethod
    def networks(model: RecordingGAN) -> dict[str, nn.Module]:
        """Return the two networks by role."""
        return {GENERATOR: model.generator, DISCRIMINATOR: model.discriminator}

    def run(self, batches: Sequence[Mapping[str, Tensor]]) -> None:
        """Train one iteration on each of ``batches`` (``image``, ``label``), averaging after each."""
        numbers = range(len(batches)) if self.average_numbers is None else self.average_numbers
        for number, batch in zip(numbers, batches, strict=True):
            self.model.train_step(batch, self.wrappers)
            if self.average is not None:
                assert self.model.generator_ema is not None
                self.average.update(self.model.generator, self.model.generator_ema, number)

    def named(self, role: str, keys: Sequence[str], state: Mapping[str, Tensor]) -> State:
        """Return ``state`` of our network under those of the peer's ``keys`` that we keep."""
        names = self.formats[role].key_map(keys, role)
        return {theirs: state[ours] for theirs, ours in names.items() if ours in state}

    def moments(self, role: str, key: str) -> Mapping[str, Tensor]:
        """Return the optimiser's state of the parameter that the peer calls ``key``."""
        ours = self.formats[role].key_map([key], role)[key]
        parameter = dict(self.networks(self.model)[role].named_parameters())[ours]
        return self.wrappers[role].optimizer.state[parameter]
