"""Repeated evaluations of one model: over seeds and truncations, one generation for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmcgan.evaluation.report.report import summarize
from mmcgan.evaluation.statistics.batch_statistics import BatchStatistics
from mmcgan.samplers.latent import check_amount


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

    Raises:
        ValueError: a truncation that is negative or not finite, or something twice.
    """

    seeds: tuple[int, ...] = ()
    truncations: tuple[float | None, ...] = (None,)
    statistics: BatchStatistics = field(default_factory=BatchStatistics)
    centre: str | None = None

    def __post_init__(self) -> None:
        for name, values in (("seeds", self.seeds), ("truncations", self.truncations)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} {list(values)}: every one only once")
        for threshold in self.truncations:
            check_amount(threshold)
        if not self.truncations:
            raise ValueError("truncations is empty; None in it means no truncation")

    def requests(self, dataset: Mapping[str, Any], narrow: bool = True) -> Iterator[Request]:
        """Yield every evaluation as changes to the config of the evaluation conditions.

        Args:
            dataset: that config.
            narrow: truncate the latents, as their law has it; False for a generator that is told the
                truncation and keeps its latents.
        """
        for truncation in self.truncations:
            for seed in self.seeds or (int(dataset.get("seed", 0)),):
                changed = {**dataset, "seed": seed}
                if truncation is not None and narrow:
                    changed["truncation"] = truncation
                yield Request(seed, truncation, changed)


@dataclass(frozen=True)
class Request:
    """One evaluation.

    Attributes:
        seed, truncation: as in :class:`Sweep`.
        dataset: config of the conditions.
    """

    seed: int
    truncation: float | None
    dataset: dict[str, Any]


def run_sweep(
    requests: Sequence[Request], evaluate: Callable[[Request], tuple[dict[str, float], dict[str, Any] | None]]
) -> list[dict[str, Any]]:
    """Return one entry per truncation: figures of every seed, their mean and deviation, and reports.

    Args:
        requests: in the order of their truncations.
        evaluate: request -> figures and the evaluator's report (None if it keeps none).
    """
    entries: list[dict[str, Any]] = []
    for request in requests:
        figures, report = evaluate(request)
        if not entries or entries[-1]["truncation"] != request.truncation:
            entries.append({"truncation": request.truncation, "seeds": [], "runs": [], "reports": []})
        entry = entries[-1]
        entry["seeds"].append(request.seed)
        entry["runs"].append(dict(figures))
        entry["reports"].append(report)
    for entry in entries:
        entry["summary"] = summarize(entry["runs"])
    return entries


def heading(truncation: float | None) -> str:
    """Return how a truncation is written in tables."""
    return "no truncation" if truncation is None else f"truncation {truncation:g}"
