"""One training iteration of every conditional GAN.

Methods differ by config: which networks, heads, losses, regularisers and samplers are put
in. ``docs/one_iteration.md`` walks through this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor

from mmcgan.contracts import check_object
from mmcgan.distributed import average_buffers, draw_shared
from mmcgan.dtypes import at_least_float32
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.growing import grow_condition
from mmcgan.models.latent_moves import build_move
from mmcgan.models.random_source import connect_random_sources
from mmcgan.models.sampling import SamplingModel
from mmcgan.models.step_options import StepOptions
from mmcgan.models.trainable import only_trainable, untracked_batch_statistics
from mmcgan.models.wiring import WiredLoss, build_augment, build_losses
from mmcgan.random import RandomStreams
from mmcgan.registry import MODELS, SAMPLERS
from mmcgan.regularizers.base import Regularizer, StepContext, build_regularizers, weighted_terms
from mmcgan.returned import check_condition, check_images, check_latents, joined_terms
from mmcgan.samplers.base import ConditionSampler
from mmcgan.samplers.codes import code_names, latent_codes
from mmcgan.structures import Condition, GANBatch, height_and_width

Config = dict[str, Any]
Terms = dict[str, Tensor]


@MODELS.register_module()
class ConditionalGAN(SamplingModel):
    """A generator, a discriminator and the rules by which they train each other.

    Args:
        generator: config of a generator.
        discriminator: ``backbone`` and named ``heads``, see :class:`Discriminator`.
        losses: loss configs by name, each with optional ``inputs`` and ``weights``.
        condition_sampler: draws the conditions asked of the generator, in its own updates and afterwards.
        discriminator_condition_sampler: draws those of the fakes that the discriminator learns from; None for
            the same. Where some combinations of attributes are asked for that no real image has, fakes of
            the combinations that exist (``EmpiricalAttributes``) keep the discriminator from learning that
            a combination by itself is fake, so that it judges unseen ones by their parts.
        latent_sampler: draws z; ``latent_dim`` is filled from the generator.
        regularizers: regulariser configs by name.
        augment: config of an augmentation in front of the discriminator.
        step: fields of :class:`StepOptions`.
        data_preprocessor: turns loader batches into :class:`GANBatch`.
        ema: keep ``generator_ema``, which a hook averages and which samples and evaluates.
        latent_move: rule by which the discriminator moves latents when images are sampled, not in training:
            LOGAN's steps at evaluation, or DDLS (:mod:`mmcgan.samplers.moves`).
    """

    def __init__(
        self,
        generator: Config,
        discriminator: Config,
        losses: Mapping[str, Config],
        condition_sampler: Config,
        latent_sampler: Config | None = None,
        regularizers: Mapping[str, Config] | None = None,
        augment: Config | None = None,
        step: Config | None = None,
        data_preprocessor: Config | None = None,
        ema: bool = True,
        latent_move: Config | None = None,
        discriminator_condition_sampler: Config | None = None,
    ) -> None:
        super().__init__(generator, latent_sampler, data_preprocessor, ema)
        self.discriminator = Discriminator(**discriminator)
        self.discriminator.check_kernels()
        # Plain containers for typed access; the modules hold what is checkpointed of them.
        self.losses: list[WiredLoss] = build_losses(
            losses,
            [*self.discriminator.emits, *code_names(self.latent_sampler), *self.encoded_names()],
        )
        self.regularizers = build_regularizers(regularizers, self.discriminator.emits)
        self._acting: dict[tuple[str, int], dict[str, Regularizer]] = {}
        self.loss_modules = torch.nn.ModuleDict({loss.name: loss for loss in self.losses})
        self.regularizer_modules = torch.nn.ModuleDict(self.regularizers)
        self.latent_move = build_move(latent_move, self.discriminator.emits, self.latent_sampler)
        self.augment = build_augment(augment, self.discriminator.emits, self.generator.image_size)
        if augment is not None:
            self.discriminator.check_augmented(self.augment)
        self.condition_sampler: ConditionSampler = SAMPLERS.build(condition_sampler)
        check_object(self.condition_sampler, ConditionSampler)
        self.discriminator_condition_sampler: ConditionSampler | None = None
        if discriminator_condition_sampler is not None:
            self.discriminator_condition_sampler = SAMPLERS.build(discriminator_condition_sampler)
            check_object(self.discriminator_condition_sampler, ConditionSampler)
        self.step = StepOptions(**(step or {}))
        self.random = RandomStreams()
        self._condition_weight = 1.0
        connect_random_sources(self.generator, self.random)
        if self.data_preprocessor.channels_last:
            self.to(memory_format=torch.channels_last)

    # --- the iteration ------------------------------------------------------------------------

    def train_step(self, data: Mapping[str, Tensor], optim_wrapper: OptimWrapperDict) -> Terms:
        """Run ``n_critic`` discriminator updates and one generator update.

        Args:
            data: a loader batch of mini-batch size x n_critic x d_accumulation images.
            optim_wrapper: the optimisers ``generator`` and ``discriminator``.

        Returns:
            The weighted loss terms of the last mini-batch of each update, detached scalars.
        """
        batch = self.data_preprocessor(data, training=True, generator=self.random["flip"])
        real = batch.split(self.step.real_mini_batches)
        log: Terms = {}
        if self.step.generator_first:
            log |= self._train_generator(real, optim_wrapper)
        for update in range(self.step.n_critic):
            chosen = real[update * self.step.d_accumulation :][: self.step.d_accumulation]
            steps = [partial(self.discriminator_terms, part) for part in chosen]
            log |= self._update("discriminator", steps, optim_wrapper)
        if not self.step.generator_first:
            log |= self._train_generator(real, optim_wrapper)
        log |= self.augment.report()
        average_buffers(self)
        self.random.start(self.iteration + 1)
        return log

    def _train_generator(self, real: Sequence[GANBatch], optimizers: OptimWrapperDict) -> Terms:
        """Update the generator once beside those mini-batches of ``real`` that the step's options say."""
        steps = [partial(self.generator_terms, part) for part in self.step.beside_generator(real)]
        return self._update("generator", steps, optimizers)

    def _update(
        self, role: str, steps: Sequence[Callable[[Any], Terms]], optimizers: OptimWrapperDict
    ) -> Terms:
        """Average the gradients of ``steps`` and let the optimiser of ``role`` step once."""
        network, optimizer = getattr(self, role), optimizers[role]
        with only_trainable(optimizer, optimizers.values()):
            for number, compute in enumerate(steps, start=1):
                last = number == len(steps)
                terms = optimizer.accumulate(partial(compute, optimizer), len(steps), last)
        optimizer.unscale_gradients()
        due = self._due(role)
        for regularizer in due.values():
            regularizer.after_backward(network)
        optimizer.step()
        optimizer.zero_grad()
        for regularizer in due.values():
            regularizer.after_step(network)
        return {f"{role[0]}_{name}": term for name, term in (terms | optimizer.figures).items()}

    def discriminator_terms(self, real: GANBatch, optimizer: Any) -> Terms:
        """Return the discriminator's loss terms on ``real`` and as many fresh fakes."""
        if any(regularizer.needs_real_gradient for regularizer in self._due("discriminator").values()):
            real.image.requires_grad_()
        with optimizer.autocast():
            fake = self.make_fakes("discriminator", len(real), real)
            if any(each.needs_fake_gradient for each in self._due("discriminator").values()):
                fake.image.requires_grad_()
            real, fake = self.augment.pair(real, fake, self.random.local("augment", self.device))
            real_scores, fake_scores = self.score_pair(real, fake)
        self.augment.observe(real_scores, fake_scores)
        terms = [loss.discriminator(real_scores, fake_scores) for loss in self.losses]
        due = self._due_terms("discriminator", optimizer, real, fake, (real_scores, fake_scores))
        return joined_terms(*terms, due)

    def generator_terms(self, real: GANBatch, optimizer: Any) -> Terms:
        """Return the generator's loss terms on fresh fakes; ``real`` is scored only if a loss asks."""
        with optimizer.autocast():
            fake = self.make_fakes("generator", self.step.generator_batch_size or len(real), real)
            real_scores = None
            if any(loss.needs_real for loss in self.losses):
                real_scores, fake_scores = self.score_pair(real, fake)
            else:
                fake_scores = self._named(fake, self.score(fake.image, fake.condition))
        terms = [loss.generator(fake_scores, real_scores) for loss in self.losses]
        due = self._due_terms("generator", optimizer, real, fake, (real_scores, fake_scores))
        return joined_terms(*terms, due)

    def use_seed(self, seed: int) -> None:
        """Let the streams of random numbers be those of the run's seed."""
        self.random.seed = seed

    # --- its parts ----------------------------------------------------------------------------

    def draw(
        self, size: int, real: GANBatch | None = None, role: str = "generator"
    ) -> tuple[Tensor, Condition]:
        """Return ``size`` latents and conditions for fakes of an update of ``role``, on the model's device.

        Every rank draws for all ranks and keeps its own rows, so that N processes see the same
        numbers as one process with N times the batch. A sampler may take the conditions of the
        real images, if there are any, instead (:meth:`ConditionSampler.from_real`).
        """
        own = self.discriminator_condition_sampler
        sampler = self.condition_sampler if own is None or role == "generator" else own
        latent = draw_shared(partial(self._draw_latents, self.random["latent"]), size)
        condition = None if real is None else sampler.from_real(real.condition)
        if condition is None:
            condition = draw_shared(partial(self._ask, sampler, self.random["condition"]), size)
        return latent.to(self.device, non_blocking=True), condition.to(self.device)

    def _draw_latents(self, source: torch.Generator, n: int) -> Tensor:
        latent: Tensor = self.latent_sampler.sample(n, source)
        check_latents(self.latent_sampler, "sample", latent, n, self.latent_sampler.latent_dim)
        return latent

    @staticmethod
    def _ask(sampler: ConditionSampler, source: torch.Generator, n: int) -> Condition:
        condition = sampler.sample(n, source)
        check_condition(sampler, "sample", condition, n)
        return condition

    def make_fakes(self, role: str, size: int, real: GANBatch | None = None) -> GANBatch:
        """Return ``size`` generated images; due regularisers of ``role`` may move their latents first.

        Args:
            role: whose step it is.
            size: number of images.
            real: images whose conditions a sampler, and whose contents an encoder may look at; repeated
                or cut to ``size``.
        """
        if real is not None and size != len(real):
            real = real[torch.arange(size, device=real.image.device) % len(real)]
        latent, condition = self.draw(size, real, role)
        latent, law = self._encode(role, latent, real)
        generate = partial(self._generate, role, size=self._size_of(real))
        for regularizer in self._due(role).values():
            latent = regularizer.move_latent(latent, condition, self.score, generate, self.random)
        return GANBatch(generate(latent, condition), condition, latent, law)

    def _encode(self, role: str, noise: Tensor, real: GANBatch | None) -> tuple[Tensor, Terms]:
        """Return latents, and their law if an encoder of the generator draws them from ``real``."""
        if real is None or not self.generator.emits:
            return noise, {}
        with torch.set_grad_enabled(role == "generator"):
            return self.generator.encode(real.image, noise)

    def encoded_names(self) -> list[str]:
        """Return the named tensors that an encoder of the generator gives losses; none without encoder."""
        return [f"latent.{name}" for name in self.generator.emits]

    def _size_of(self, real: GANBatch | None) -> tuple[int, int] | None:
        """Return the size that real images have and fakes do not have by themselves; None for no such wish.

        Only a generator with an implicit output layer makes images of another size than its own; it is
        asked for that of the real images beside them (Omni-INR-GAN trained at several sizes).
        """
        if real is None or not self.generator.any_size:
            return None
        size, own = (real.image.shape[-2], real.image.shape[-1]), self.generator.image_size
        return None if size == (own, own) else size

    def _generate(
        self, role: str, latent: Tensor, condition: Condition, size: tuple[int, int] | None = None
    ) -> Tensor:
        """Return images; in the discriminator's step gradients pass only to latents that ask for them."""
        learns = role == "generator"
        untracked = not (learns or self.step.track_generator_statistics)
        differentiable = torch.set_grad_enabled(learns or latent.requires_grad)
        with differentiable, untracked_batch_statistics(self.generator, untracked):
            asked = {} if size is None else {"size": size}
            image = self.generator(latent, condition, **asked)
        check_images(
            self.generator, "forward", image, len(latent), size or height_and_width(self.generator.image_size)
        )
        return at_least_float32(image)

    def score(self, image: Tensor, condition: Condition, augment: bool = True) -> Terms:
        """Return the discriminator's named outputs in float32 or wider; the only caller of D in training.

        Args:
            image: (N, C, H, W) in [-1, 1].
            condition: of each image.
            augment: pass ``image`` through the augmentation first, if there is one.
        """
        if augment:
            image = self.augment(image, self.random.local("augment", image.device))
        outputs = self.discriminator(image, condition)
        return {name: at_least_float32(value) for name, value in outputs.items()}

    def score_pair(self, real: GANBatch, fake: GANBatch) -> tuple[Terms, Terms]:
        """Score real and fake images, in two passes or one as ``step.split_d`` says."""
        first, second = (real, fake) if self.step.real_first else (fake, real)
        images = self.augment.both(first.image, second.image, self.random.local("augment", self.device))
        if self.step.split_d:
            pair = [
                self.score(x, part.condition, False) for x, part in zip(images, (first, second), strict=True)
            ]
        else:
            # unlabelled real images beside fakes that carry a label: no head may look at it then
            shared = first.condition.present().keys() & second.condition.present().keys()
            condition = Condition.cat([part.condition.only(shared) for part in (first, second)])
            joint = self.score(torch.cat(images), condition, augment=False)
            pair = [
                {k: v[rows] for k, v in joint.items()}
                for rows in (slice(len(first)), slice(len(first), None))
            ]
        named = [self._named(part, scores) for part, scores in zip((first, second), pair, strict=True)]
        return (named[0], named[1]) if self.step.real_first else (named[1], named[0])

    def _named(self, batch: GANBatch, scores: Terms) -> Terms:
        """Add to ``scores`` all else that a loss may be wired to."""
        conditions = {f"cond.{name}": value for name, value in batch.condition.present().items()}
        iteration = torch.tensor(self.iteration)
        codes = latent_codes(self.latent_sampler, batch.latent)
        codes |= {f"latent.{name}": value for name, value in batch.law.items()}
        return scores | conditions | codes | {"image": batch.image, "train.iteration": iteration}

    def _due(self, role: str) -> dict[str, Regularizer]:
        """Return the regularisers that act in this update, found once in it."""
        update = (role, self.iteration)
        if update not in self._acting:
            items = self.regularizers.items()
            found = {name: r for name, r in items if r.on == role and r.is_due(self.iteration)}
            self._acting = {update: found}
        return self._acting[update]

    def _due_terms(
        self, role: str, optimizer: Any, real: GANBatch, fake: GANBatch, scores: tuple[Terms | None, Terms]
    ) -> Terms:
        assert fake.latent is not None
        given = (real, fake, fake.latent, *scores)
        generate = partial(self._generate, role, size=self._size_of(fake))
        context = StepContext(*given, self.score, generate, self.random, self.generator, optimizer.autocast)
        return weighted_terms(self._due(role), context)

    @property
    def condition_weight(self) -> float:
        """How much of the condition the networks and losses look at, in [0, 1]."""
        return self._condition_weight

    @condition_weight.setter
    def condition_weight(self, weight: float) -> None:
        grow_condition(self, weight)
        self._condition_weight = weight

    @property
    def iteration(self) -> int:
        """Iterations done so far; checkpointed with the random streams."""
        return self.random.iteration
