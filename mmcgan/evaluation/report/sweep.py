"""Repeated evaluations of one model: over seeds, truncations and widths of latents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from mmcgan.evaluation.report.report import summarize
from mmcgan.evaluation.statistics.batch_statistics import BatchStatistics
from mmcgan.samplers.latent import check_amount
from mmcgan.samplers.scaled import check_scale, scaled


@dataclass(frozen=True)
class Sweep:
    """What to evaluate.

    Attributes:
        seeds: of latents and drawn labels; empty takes the config's.
        truncations: what the generator's truncation means: thresholds at which the law of the
            latents is truncated (BigGAN, section 3.1, for normal ones), or psi (StyleGAN2); None is off.
        statistics: of batch normalisation.
        centre: what the generator's truncation moves styles towards (``mean`` or ``class``, StyleGAN2);
            None for its own.
        latent_scales: how wide latents are, 1 as in training (see
            :class:`~mmcgan.samplers.scaled.ScaledLatent`); None leaves them as the weights say.

    Raises:
        ValueError: a truncation that is negative or not finite, a scale that is not finite or not above 0,
            something twice, or stored batch statistics of several scales.
    """

    seeds: tuple[int, ...] = ()
    truncations: tuple[float | None, ...] = (None,)
    statistics: BatchStatistics = field(default_factory=BatchStatistics)
    centre: str | None = None
    latent_scales: tuple[float | None, ...] = (None,)

    def __post_init__(self) -> None:
        swept = {"seeds": self.seeds, "truncations": self.truncations, "latent scales": self.latent_scales}
        for name, values in swept.items():
            if len(set(values)) != len(values):
                raise ValueError(f"{name} {list(values)}: every one only once")
        for threshold in self.truncations:
            check_amount(threshold)
        if not self.truncations:
            raise ValueError("truncations is empty; None in it means no truncation")
        for scale in self.latent_scales:
            check_scale(scale)
        if len(self.latent_scales) > 1 and self.statistics.drawn:
            raise ValueError(
                f"latent scales {list(self.latent_scales)}: batch statistics ({self.statistics.rule}) are of "
                "latents of one scale; evaluate one at a time"
            )

    def requests(self, dataset: Mapping[str, Any], narrow: bool = True) -> Iterator[Request]:
        """Yield every evaluation as changes to the config of the evaluation conditions.

        Args:
            dataset: that config.
            narrow: truncate the latents, as their law has it; False for a generator that is told the
                truncation and keeps its latents.
        """
        seeds = self.seeds or (int(dataset.get("seed", 0)),)
        for scale, truncation, seed in product(self.latent_scales, self.truncations, seeds):
            changed = {**dataset, "seed": seed}
            if scale is not None:
                changed["latent_sampler"] = scaled(dataset.get("latent_sampler"), scale)
            if truncation is not None and narrow:
                changed["truncation"] = truncation
            yield Request(seed, truncation, changed, scale)


@dataclass(frozen=True)
class Request:
    """One evaluation.

    Attributes:
        seed, truncation: as in :class:`Sweep`.
        dataset: config of the conditions.
        latent_scale: as in :class:`Sweep`.
    """

    seed: int
    truncation: float | None
    dataset: dict[str, Any]
    latent_scale: float | None = None

    @property
    def point(self) -> dict[str, float | None]:
        """What is the same for all seeds: truncation and scale of the latents."""
        return {"truncation": self.truncation, "latent_scale": self.latent_scale}


def run_sweep(
    requests: Sequence[Request], evaluate: Callable[[Request], tuple[dict[str, float], dict[str, Any] | None]]
) -> list[dict[str, Any]]:
    """Return an entry per truncation and scale: figures of every seed, mean and deviation, and reports.

    Args:
        requests: those of one truncation and scale after each other.
        evaluate: request -> figures and the evaluator's report (None if it keeps none).
    """
    entries: list[dict[str, Any]] = []
    for request in requests:
        figures, report = evaluate(request)
        if not entries or any(entries[-1][key] != value for key, value in request.point.items()):
            entries.append({**request.point, "seeds": [], "runs": [], "reports": []})
        entry = entries[-1]
        entry["seeds"].append(request.seed)
        entry["runs"].append(dict(figures))
        entry["reports"].append(report)
    for entry in entries:
        entry["summary"] = summarize(entry["runs"])
    return entries


def heading(entry: Mapping[str, Any]) -> str:
    """Return how truncation and scale of an entry are written in tables."""
    truncation, scale = entry["truncation"], entry.get("latent_scale")
    parts = [] if truncation is None else [f"truncation {truncation:g}"]
    parts += [] if scale is None else [f"latents x {scale:g}"]
    return ", ".join(parts) or "no truncation"
