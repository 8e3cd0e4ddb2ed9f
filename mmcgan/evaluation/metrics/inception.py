"""Inception Score over the class probabilities of any classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from mmengine.dist import all_gather_object
from torch import Tensor

from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.extractors.base import ExtractorOutput
from mmcgan.random import make_generator
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition

REMAINDERS = ("drop", "spread")


def split_bounds(count: int, splits: int, remainder: str = "drop") -> list[tuple[int, int]]:
    """Return the first and past-the-end row of each of ``splits`` consecutive parts.

    ``drop`` gives every part ``count // splits`` rows and leaves the rest out (BigGAN-PyTorch,
    MMagic); ``spread`` uses every row (part j is ``j*n//s : (j+1)*n//s``; Salimans et al., StudioGAN).

    Raises:
        ValueError: fewer rows than splits, or an unknown ``remainder``.
    """
    if remainder not in REMAINDERS:
        raise ValueError(f"remainder={remainder!r}: choose one of {', '.join(REMAINDERS)}")
    if splits < 1 or count < splits:
        raise ValueError(f"cannot cut {count} rows of probabilities into {splits} splits")
    if remainder == "spread":
        return [(j * count // splits, (j + 1) * count // splits) for j in range(splits)]
    size = count // splits
    return [(j * size, (j + 1) * size) for j in range(splits)]


def score_from_sums(negative_entropy: Tensor, probability: Tensor, count: int) -> Tensor:
    """Return exp(mean KL(p(y|x) || p(y))) from sums over images.

    Args:
        negative_entropy: sum over images of Σ_c p log p, scalar.
        probability: sum over images of p, (C,).
        count: number of images.
    """
    marginal = probability / count
    return torch.exp(negative_entropy / count - torch.special.xlogy(marginal, marginal).sum())


def inception_score(
    probabilities: Tensor, splits: int = 1, *, remainder: str = "drop", ddof: int = 0
) -> tuple[float, float]:
    """Return mean and standard deviation over splits of exp(E_x KL(p(y|x) || p(y))).

    Salimans et al. 2016, section 4. Parts are consecutive rows, in order. An exact zero probability
    counts as 0 log 0 = 0 (the peers return NaN). Computed in float64.

    Args:
        probabilities: (N, C), rows sum to 1.
        splits: number of parts; a standard deviation over one part is 0.
        remainder: what happens to rows beyond ``splits`` equal parts, see :func:`split_bounds`.
        ddof: 0 is the population deviation (BigGAN-PyTorch, MMagic), 1 the sample's (StudioGAN).

    Raises:
        ValueError: not a matrix of probabilities, or fewer rows than splits.
    """
    values = torch.as_tensor(probabilities).to(torch.float64)
    check_probabilities(values)
    scores = []
    for start, end in split_bounds(len(values), splits, remainder):
        part = values[start:end]
        scores.append(score_from_sums(torch.special.xlogy(part, part).sum(), part.sum(dim=0), len(part)))
    stacked = torch.stack(scores)
    deviation = stacked.std(correction=ddof) if splits > 1 else torch.zeros(())
    return float(stacked.mean()), float(deviation)


def check_probabilities(values: Tensor) -> None:
    """Refuse what is not a matrix (N, C) of rows that sum to 1.

    Raises:
        ValueError: wrong shape, NaN, negative values, or rows that do not sum to 1 (logits).
    """
    if values.ndim != 2:
        raise ValueError(f"probabilities must be (N, C), got shape {tuple(values.shape)}")
    sums = values.sum(dim=1)
    if not torch.isfinite(values).all() or bool((values < 0).any()) or bool(((sums - 1).abs() > 1e-2).any()):
        raise ValueError(
            "probabilities must be finite, non-negative and sum to 1 per row: softmax(logits), not logits"
        )


@GENERATION_METRICS.register_module()
class InceptionScore(GenerationMetric):
    """Inception Score (Salimans et al. 2016) over the extractor's class probabilities.

    With one split sums are streamed. With more, the probabilities are kept (float32, N x C) and shuffled
    before they are cut into parts: images that come class by class, as in folders, would else make parts of
    one class each, whose score is near 1.

    Args:
        splits: number of parts; StudioGAN uses 1, most others 10.
        remainder: ``drop`` or ``spread``, see :func:`split_bounds`.
        ddof: 0 (BigGAN-PyTorch, MMagic) or 1 (StudioGAN), of the standard deviation.
        seed: of the shuffle; None takes the parts in the order in which images were asked for.
        name: of the figure, to tell two of them apart.

    Raises:
        ValueError: an argument is out of range.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"is": {}, "is10": {"splits": 10}}
    suite: ClassVar[tuple[str, ...]] = ("is",)
    better: ClassVar[Mapping[str, str]] = {"inception_score": "greater", "inception_score_*": "greater"}
    figures = ("inception_score", "inception_score_std", "inception_score_*_splits*")

    needs_logits: ClassVar[bool] = True

    def __init__(
        self,
        splits: int = 1,
        remainder: str = "drop",
        ddof: int = 0,
        seed: int | None = 0,
        name: str = "inception_score",
    ) -> None:
        split_bounds(max(splits, 1), splits, remainder)
        self.splits = splits
        self.remainder = remainder
        self.ddof = ddof
        self.seed = seed
        self.name = name
        self.least_generated = splits
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._count = 0
        self._negative_entropy = torch.zeros((), dtype=torch.float64)
        self._probability: Tensor | None = None
        self._rows: list[Tensor] = []

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add logits (N, C)."""
        assert output.logits is not None  # checked by prepare()
        if self.splits > 1:
            self._rows.append(output.logits.softmax(dim=1).cpu())
            return
        probability = output.logits.double().softmax(dim=1).cpu()
        self._count += len(probability)
        self._negative_entropy += torch.special.xlogy(probability, probability).sum()
        total = probability.sum(dim=0)
        self._probability = total if self._probability is None else self._probability + total

    def merge(self) -> None:
        """Add the sums of all ranks, or interleave their rows as the sampler dealt them."""
        if self.splits > 1:
            own = torch.cat(self._rows) if self._rows else None
            gathered = [rows for rows in all_gather_object(own) if rows is not None]
            self._rows = [interleave(gathered)] if gathered else []
            return
        sums = [(self._count, self._negative_entropy, self._probability)]
        everyone = [entry for part in all_gather_object(sums) for entry in part if entry[0]]
        self._count = sum(count for count, _, _ in everyone)
        self._negative_entropy = sum((entropy for _, entropy, _ in everyone), torch.zeros(()).double())
        self._probability = sum(total for _, _, total in everyone) if everyone else None

    def compute(self) -> dict[str, float]:
        """Return ``inception_score`` (or ``name``) and, with several splits, ``inception_score_std``.

        Raises:
            ValueError: fewer images than splits.
        """
        if self.splits > 1:
            rows = torch.cat(self._rows) if self._rows else torch.zeros(0, 1)
            if self.seed is not None:
                generator = make_generator(self.seed, "inception score splits")
                rows = rows[torch.randperm(len(rows), generator=generator)]
            mean, deviation = inception_score(rows, self.splits, remainder=self.remainder, ddof=self.ddof)
            return {self.name: mean, f"{self.name}_std": deviation}
        if self._probability is None:
            raise ValueError("InceptionScore: no images were added")
        score = score_from_sums(self._negative_entropy, self._probability, self._count)
        return {self.name: float(score)}

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        shuffled = {"seed": self.seed} if self.splits > 1 else {}
        return {"splits": self.splits, "remainder": self.remainder, "ddof": self.ddof, **shuffled}


def interleave(parts: list[Tensor]) -> Tensor:
    """Undo ``rank::world_size``: row k of part r becomes row k * len(parts) + r.

    Args:
        parts: one tensor per rank, earlier ones at most one row longer.
    """
    longest = max(len(part) for part in parts)
    position = [torch.arange(len(part)) * len(parts) + rank for rank, part in enumerate(parts)]
    if longest - min(len(part) for part in parts) > 1:
        return torch.cat(parts)  # not dealt in turn: keep each rank's images together
    return torch.cat(parts)[torch.cat(position).argsort()]
