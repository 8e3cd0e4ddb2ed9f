"""What a discriminator makes of real and generated images, measured without touching the training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmcgan.engine.random_state import preserved_random_state
from mmcgan.models.wiring import WiredLoss, sources_of
from mmcgan.random import make_generator
from mmcgan.structures import Condition, GANBatch

Named = Mapping[str, Tensor]
Figures = dict[str, float]


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put every buffer of ``model``, its random streams and the global generators back where they were.

    A generator may draw noise and mixed styles from the streams. Batch-norm statistics, spectral-norm
    vectors and the averages that losses keep are buffers.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    with preserved_random_state(model):
        try:
            yield
        finally:
            for buffer, value in buffers:
                buffer.detach().copy_(value)


@contextmanager
def cut_features(backbone: nn.Module) -> Iterator[list[dict[str, Tensor]]]:
    """Make the backbone's features leaves that collect gradients; yields them, one dict per call."""
    seen: list[dict[str, Tensor]] = []

    def cut(module: nn.Module, inputs: Any, features: Named) -> dict[str, Tensor]:
        seen.append({name: value.detach().requires_grad_() for name, value in features.items()})
        return seen[-1]

    handle = backbone.register_forward_hook(cut)
    try:
        yield seen
    finally:
        handle.remove()


def draw_fakes(model: Any, count: int, source: torch.Generator) -> GANBatch:
    """Return ``count`` images of the training generator; image i + count / 2 repeats condition i."""
    half = (count + 1) // 2
    condition = model.condition_sampler.sample(half, source)
    condition = Condition.cat([condition, condition[: count - half]]).to(model.device)
    latent = model.latent_sampler.sample(count, source).to(model.device)
    with torch.no_grad():
        return GANBatch(model.generator(latent, condition).float(), condition, latent)


def measure(
    model: Any, batches: Mapping[str, GANBatch], autocast: Callable[[], AbstractContextManager[None]]
) -> Figures:
    """Return the figures of ``real``, ``fake`` and any further ``batches``, averaged over ranks.

    The discriminator sees the images without augmentation and in training mode. Names that end in
    ``_real``, ``_fake`` … are of those images; a term is called as in the log.

    ======================================  ========================================================
    ``feature_norm_*``                      mean length of the pooled features, where there are such
    ``<head>.logit_*``                      mean of what the head says about realness, D(x)
    ``<head>.separation``                   chance that a real image gets more than a fake, 0 ... 1
    ``<head>.class_probability_*``          mean probability of the image's own class
    ``<head>.class_accuracy_*``             share of images whose own class scores highest
    ``feature_gradient.<term>``             mean length of a sample's gradient at the features
    ``weight_gradient.<term>``              length of the gradient at the heads' weights
    ``<loss>.<figure>_*``                   what a loss has logged of itself (``Loss.figures``), such as
                                            ``easy_positives`` and ``easy_negatives`` of D2D-CE
    ``diversity_*``                         root mean square pixel difference of two images
    ``diversity_same_condition``            the same of two fakes of one condition
    ======================================  ========================================================

    Args:
        model: a :class:`~mmcgan.models.gan.ConditionalGAN`.
        batches: ``real`` and ``fake`` of equal size, and others, such as ``validation``.
        autocast: the precision of the discriminator's optimiser.
    """
    with torch.enable_grad(), cut_features(model.discriminator.backbone) as features, autocast():
        named = {
            view: model._named(batch, model.score(batch.image, batch.condition, augment=False))
            for view, batch in batches.items()
        }
        figures = {
            f"feature_norm_{view}": _length(seen)
            for view, seen in zip(batches, features, strict=True)
            if "pooled" in seen
        }
        for name, head in model.discriminator.heads.items():
            figures |= {
                f"{name}.{key}": value for key, value in _head_figures(model, name, head, named).items()
            }
    for loss in model.losses:
        for view in ("real", "fake") if loss.sees_real else ("fake",):
            own = loss.figures(named[view])
            figures |= {f"{name}_{view}": value.detach() for name, value in own.items()}
    leaves = dict(zip(batches, features, strict=True))
    figures |= gradient_figures(model, named, leaves)
    figures |= {f"diversity_{view}": pairwise_difference(batches[view].image) for view in ("real", "fake")}
    fake = batches["fake"].image
    half = (len(fake) + 1) // 2
    figures["diversity_same_condition"] = _root_mean_square(fake[: len(fake) - half] - fake[half:]).mean()
    return _over_ranks(figures)


def _length(features: Named) -> Tensor:
    return features["pooled"].detach().float().norm(dim=1).mean()


def _head_figures(model: Any, name: str, head: Any, named: Mapping[str, Named]) -> dict[str, Tensor]:
    figures: dict[str, Tensor] = {}
    realness: dict[str, Tensor] = {}
    for view, outputs in named.items():
        own = {key.partition(".")[2]: value for key, value in outputs.items() if key.startswith(f"{name}.")}
        judged, scores = head.realness(own), head.class_scores(own)
        if judged is not None:
            realness[view] = judged.detach()
            figures[f"logit_{view}"] = judged.detach().mean()
        if scores is not None and "cond.label" in outputs:
            figures |= _class_figures(scores / _temperature(model, name), outputs["cond.label"], view)
    if realness:
        figures["separation"] = separation(realness["real"], realness["fake"])
    return figures


def _class_figures(scores: Tensor, label: Tensor, view: str) -> dict[str, Tensor]:
    probability = scores.detach().float().softmax(1).gather(1, label[:, None])
    right = scores.argmax(1) == label
    return {
        f"class_probability_{view}": probability.mean(),
        f"class_accuracy_{view}": right.float().mean(),
    }


def _temperature(model: Any, head: str) -> float:
    """Return the first temperature but 1 that a loss wired to ``head`` declares for its scores, else 1."""
    wired = [loss for loss in model.losses if any(s.startswith(f"{head}.") for s in sources_of(loss.inputs))]
    return next((w.loss.score_temperature for w in wired if w.loss.score_temperature != 1.0), 1.0)


def separation(real: Tensor, fake: Tensor) -> Tensor:
    """Return the chance that a real image scores above a fake one, ties counted half.

    1/2 for a discriminator that knows nothing, 1 for one that never errs. Scores (N,) and (M,).
    """
    gap = real[:, None] - fake
    return ((gap > 0).float() + 0.5 * (gap == 0).float()).mean()


def pairwise_difference(image: Tensor) -> Tensor:
    """Return the mean over pairs of the root mean square difference of images (N, C, H, W)."""
    flat = image.flatten(1).float()
    return torch.nn.functional.pdist(flat).mean() / flat.shape[1] ** 0.5 if len(flat) > 1 else flat.sum() * 0


def _root_mean_square(difference: Tensor) -> Tensor:
    return difference.flatten(1).square().mean(1).sqrt()


def gradient_figures(
    model: Any, named: Mapping[str, Named], leaves: Mapping[str, Named]
) -> dict[str, Tensor]:
    """Return the lengths of every loss term's gradients at the features and at the heads' weights.

    At the features it is the gradient of the term times N, so that for a mean over N samples the
    figure does not depend on N. Terms are weighted as the config says.
    """
    figures: dict[str, Tensor] = {}
    weights = list(model.discriminator.heads.parameters())
    for name, term in _terms(model.losses, named).items():
        if not term.requires_grad:
            continue
        points = [value for view in ("real", "fake") for value in leaves[view].values()]
        found = torch.autograd.grad(term, [*points, *weights], retain_graph=True, allow_unused=True)
        by_view = _split(found[: len(points)], 2)
        felt = [rows for part in by_view if (rows := _row_lengths(part)) is not None]
        if felt:
            figures[f"feature_gradient.{name}"] = (torch.cat(felt) * len(felt[0])).mean()
        at_weights = [g.float().norm() for g in found[len(points) :] if g is not None]
        if at_weights:
            figures[f"weight_gradient.{name}"] = torch.stack(at_weights).norm()
    return figures


def _terms(losses: list[WiredLoss], named: Mapping[str, Named]) -> dict[str, Tensor]:
    """Return the terms of both players' steps, named as in the log."""
    terms: dict[str, Tensor] = {}
    real, fake = named["real"], named["fake"]
    for loss in losses:
        terms |= {f"d_{key}": value for key, value in loss.discriminator(real, fake).items()}
        compared = real if loss.needs_real else None
        terms |= {f"g_{key}": value for key, value in loss.generator(fake, compared).items()}
    return terms


def _split(gradients: tuple[Tensor | None, ...], parts: int) -> list[list[Tensor]]:
    size = len(gradients) // parts
    return [[g for g in gradients[i * size : (i + 1) * size] if g is not None] for i in range(parts)]


def _row_lengths(gradients: list[Tensor]) -> Tensor | None:
    """Return the length of each sample's gradient over all its features, (N,)."""
    if not gradients:
        return None
    return torch.cat([gradient.flatten(1).float() for gradient in gradients], dim=1).norm(dim=1)


def _over_ranks(figures: Mapping[str, Tensor]) -> Figures:
    values = torch.stack([value.detach().float() for value in figures.values()])
    all_reduce(values, "mean")
    return dict(zip(figures, values.tolist(), strict=True))


def measure_now(
    runner: Any, data: Named, size: int, seed: int, further: Mapping[str, Named] | None = None
) -> Figures:
    """Return :func:`measure` of the runner's model, with ``size`` rows of ``data`` as real images.

    Training goes on as if nothing had been measured. All ranks must call it.

    Args:
        data: a collated training batch.
        size: images of each kind at most.
        seed: of the latents and conditions of the fakes, with iteration and rank.
        further: collated batches of other real images by name.
    """
    model = runner.model
    collated = {"real": {name: value[:size] for name, value in data.items()}, **(further or {})}
    with runner.exchange.whole(), undisturbed(model):
        batches = {view: model.data_preprocessor(batch) for view, batch in collated.items()}
        source = make_generator(seed, "diagnostics", runner.iter, f"rank{runner.rank}")
        autocast = runner.optim_wrapper["discriminator"].autocast
        with autocast():
            batches["fake"] = draw_fakes(model, len(batches["real"]), source)
        return measure(model, batches, autocast)
