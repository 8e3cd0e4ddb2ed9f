"""Who fits overlapping classes? A 1-D mixture of Gaussians (ReACGAN, Appendix E and Fig. A4).

    python benchmarks/mixture_of_gaussians.py [--seeds 0 1 2] [--iterations 3000] [--out DIR]

AC-GAN, TAC-GAN, ReACGAN and ReACGAN + TAC, as :mod:`mmcgan.claims.measures.mixture` trains them.
``mmcgan claims run tac-fits-the-mixture`` asks the same with a verdict; this draws the densities.

Distances of the averaged generator's 20,000 samples a class from the truth: total variation (half the L1
distance of histograms, 0 to 1) and Wasserstein-1 (in units of x), for each class and for the mixture. A
finished run is not repeated; ``--plot-only`` draws from what is there.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.claims.measures.mixture import EDGES, distances, histogram, sample, train
from mmcgan.claims.measures.mixture_parts import CLASSES, DEVIATIONS, MEANS

METHODS = {
    "acgan": "AC-GAN",
    "tacgan": "TAC-GAN",
    "reacgan": "ReACGAN",
    "reacgan-tac": "ReACGAN + TAC",
}


def run(method: str, seed: int, iterations: int, out: Path) -> dict[str, Any]:
    """Return samples' histograms and distances of one training, from disk if it is finished."""
    result = out / f"{method}-{seed}-{iterations}.json"
    if not result.is_file():
        drawn = sample(train(method, iterations, seed, out / "runs" / f"{method}-{seed}-{iterations}"))
        found = {"histograms": [histogram(x).tolist() for x in drawn], **distances(drawn)}
        atomic_write(result, lambda file: file.write(json.dumps(found).encode()) and None)
    return json.loads(result.read_text())


# --- what comes out ------------------------------------------------------------------------------
def table(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return means and standard deviations over seeds."""
    lines = [
        "| method | TV, mean of classes | TV, mixture | W1: each class | W1, mean of classes | W1, mixture |",
        "|---|---|---|---|---|---|",
    ]
    for method, runs in results.items():
        variation = [found["total_variation"] for found in runs]
        wasserstein = [found["wasserstein"] for found in runs]
        each = ", ".join(f"{statistics.mean(w[c] for w in wasserstein):.2f}" for c in range(CLASSES))
        cells = [
            _spread([statistics.mean(v[:CLASSES]) for v in variation]),
            _spread([v[-1] for v in variation]),
            each,
            _spread([statistics.mean(w[:CLASSES]) for w in wasserstein]),
            _spread([w[-1] for w in wasserstein]),
        ]
        lines.append(f"| {METHODS.get(method, method)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{deviation}"


def draw(results: Mapping[str, Sequence[Mapping[str, Any]]], out: Path) -> None:
    """Write a PNG: true and learnt densities, a column per method, classes above, mixture below."""
    from matplotlib.figure import Figure

    centres, width = (EDGES[1:] + EDGES[:-1]) / 2, float(EDGES[1] - EDGES[0])
    normals = [torch.distributions.Normal(m, s) for m, s in zip(MEANS, DEVIATIONS, strict=True)]
    true = [normal.log_prob(centres).exp() for normal in normals]
    figure = Figure(figsize=(3.2 * len(results), 5), layout="constrained")
    axes = figure.subplots(2, len(results), sharex=True, sharey="row", squeeze=False)
    for column, (method, runs) in enumerate(results.items()):
        for c, density in enumerate(true):
            axes[0, column].fill_between(centres, density, color=f"C{c}", alpha=0.25, linewidth=0)
        axes[1, column].fill_between(centres, sum(true) / CLASSES, color="gray", alpha=0.3, linewidth=0)
        for found in runs:
            learnt = torch.tensor(found["histograms"]) / width
            for c in range(CLASSES):
                axes[0, column].plot(centres, learnt[c], color=f"C{c}", linewidth=0.9)
            axes[1, column].plot(centres, learnt.mean(0), color="black", linewidth=0.9)
        axes[0, column].set(title=METHODS[method], ylim=(0, 0.75))
        axes[1, column].set(xlabel="x", xlim=(-5, 16), ylim=(0, 0.3))
    axes[0, 0].set(ylabel="density of each class")
    axes[1, 0].set(ylabel="density of the mixture")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    picture.seek(0)
    atomic_write(out, lambda file: shutil.copyfileobj(picture, file))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--iterations", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("work_dirs/mixture_of_gaussians"))
    given = parser.parse_args()
    logging.disable(logging.INFO)
    results: dict[str, list[dict[str, Any]]] = {method: [] for method in given.methods}
    jobs = [(seed, method) for seed in given.seeds for method in given.methods]
    for seed, method in track(jobs, description="trainings"):
        results[method].append(run(method, seed, given.iterations, given.out))
    text = table(results)
    draw(results, given.out / "mixture-of-gaussians.png")
    atomic_write(given.out / "table.md", lambda file: file.write(text.encode() + b"\n") and None)
    print(text, f"picture: {given.out / 'mixture-of-gaussians.png'}", sep="\n")


if __name__ == "__main__":
    main()
