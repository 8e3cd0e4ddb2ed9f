"""Inception Score over the class probabilities of any classifier."""

from __future__ import annotations

import torch
from torch import Tensor

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
            "probabilities must be finite, non-negative and sum to 1 per row; pass softmax(logits), not logits"
        )
