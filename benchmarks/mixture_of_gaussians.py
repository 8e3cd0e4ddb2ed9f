"""Who fits overlapping classes? A 1-D mixture of Gaussians (ReACGAN, Appendix E and Fig. A4).

    python benchmarks/mixture_of_gaussians.py [--seeds 0 1 2] [--iterations 3000] [--out DIR]

Three classes, equally likely: N(0, 1), N(3, 2^2), N(6, 3^2), after Gong et al. (2019), who overlap Gaussians
the same way. AC-GAN, TAC-GAN, ReACGAN and ReACGAN + TAC train from the heads and losses of their configs; the
networks, the data and their scale are registered here. An "image" is one number, (N, 1, 1, 1).

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
import torch.nn.functional as F
from mmengine.config import Config
from rich.progress import track
from torch import Tensor, nn

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.config import find_config
from mmcgan.config.load import prepare_config, read_config
from mmcgan.datasets.base import GANDataset
from mmcgan.engine import GANRunner
from mmcgan.models.backbones.base import Backbone
from mmcgan.models.data_preprocessor import GANDataPreprocessor
from mmcgan.models.generators.base import Generator
from mmcgan.random import make_generator
from mmcgan.registry import BACKBONES, DATASETS, GENERATORS, MODELS
from mmcgan.structures import Condition, GANBatch

MEANS, DEVIATIONS = torch.tensor([0.0, 3.0, 6.0]), torch.tensor([1.0, 2.0, 3.0])
CLASSES, SAMPLES = 3, 20000
# the networks see x shifted and scaled to about [-2.5, 2.5]
CENTRE, SCALE = 3.0, 3.5
EDGES = torch.linspace(-6, 18, 121)
METHODS = {
    "acgan": "AC-GAN",
    "tacgan": "TAC-GAN",
    "reacgan": "ReACGAN",
    "reacgan-tac": "ReACGAN + TAC",
}
BATCH = 256


# --- data and networks ---------------------------------------------------------------------------
def truth(label: Tensor, seed: int | str) -> Tensor:
    noise = torch.randn(len(label), generator=make_generator(0, "mixture", seed))
    return MEANS[label] + DEVIATIONS[label] * noise


@DATASETS.register_module()
class GaussianMixture(GANDataset):
    """Numbers with the class they were drawn from; ``image`` float32 (N, 1, 1, 1), scaled."""

    def __init__(self, size: int = 100_000) -> None:
        self.label = torch.arange(size) % CLASSES
        self.image = ((truth(self.label, "train") - CENTRE) / SCALE).view(-1, 1, 1, 1)

    @property
    def metainfo(self) -> dict[str, Any]:
        return dict(classes=("a", "b", "c"), num_classes=CLASSES, image_size=1, size=len(self.label))

    def __len__(self) -> int:
        return len(self.label)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        rows = torch.tensor([int(index) for index in indices])
        return dict(image=self.image[rows], label=self.label[rows])

    @classmethod
    def facts(cls, size: int = 100_000) -> dict[str, int]:
        return dict(num_classes=CLASSES, image_size=1)


@MODELS.register_module()
class NumberPreprocessor(GANDataPreprocessor):
    """Numbers are what they are: no bytes to scale."""

    def forward(
        self, data: dict, training: bool = False, generator: torch.Generator | None = None
    ) -> GANBatch:
        return GANBatch(data["image"].to(self.device), self.condition(data))


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )


@GENERATORS.register_module()
class NumberGenerator(Generator):
    """(z, class) -> one number."""

    requires = ("label",)

    def __init__(self, num_classes: int, image_size: int = 1, latent_dim: int = 2, hidden: int = 64) -> None:
        super().__init__()
        self.num_classes, self.image_size, self.latent_dim = num_classes, image_size, latent_dim
        self.layers = perceptron(latent_dim + num_classes, hidden, 1)

    def embed(self, condition: Condition) -> Tensor:
        assert condition.label is not None
        return F.one_hot(condition.label, self.num_classes).float()

    def synthesize(self, latent: Tensor, embedding: Tensor) -> Tensor:
        return self.layers(torch.cat([latent, embedding], dim=1))[:, :, None, None]

    def forward(self, latent: Tensor, condition: Condition) -> Tensor:
        return self.synthesize(latent, self.embed(condition))


@BACKBONES.register_module()
class NumberBackbone(Backbone):
    """One number -> features."""

    emits = ("pooled", "map")

    def __init__(self, image_size: int = 1, hidden: int = 64) -> None:
        super().__init__()
        self.out_channels = hidden
        self.layers = perceptron(1, hidden, hidden)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = F.relu(self.layers(image.flatten(1)))
        return {"pooled": features, "map": features[:, :, None, None]}


# --- training ------------------------------------------------------------------------------------
def make_config(method: str, iterations: int, seed: int, work_dir: Path) -> Config:
    """Return the method's config for digits with other networks and data."""
    config = read_config(find_config(f"{method}_biggan_digits-16"))
    optimizer = dict(_delete_=True, type="Adam", lr=1e-3, betas=(0.0, 0.99))
    plain = {name: dict(spectral_norm=None) for name in config.model.discriminator.heads}
    changes: dict[str, Any] = {
        "work_dir": str(work_dir),
        "randomness.seed": seed,
        "log_level": "WARNING",
        "model.generator": dict(_delete_=True, type="NumberGenerator"),
        "model.discriminator.backbone": dict(_delete_=True, type="NumberBackbone"),
        "model.discriminator.heads": plain,
        "model.data_preprocessor": dict(_delete_=True, type="NumberPreprocessor"),
        "train_dataloader.dataset": dict(_delete_=True, type="GaussianMixture"),
        "train_dataloader.batch_size": BATCH,
        "optim_wrapper.precision": "float32",
        "optim_wrapper.generator.optimizer": optimizer,
        "optim_wrapper.discriminator.optimizer": optimizer,
        "param_scheduler": {
            player: [dict(type="LinearLR", start_factor=1.0, end_factor=0.05, end=iterations, by_epoch=False)]
            for player in ("generator", "discriminator")
        },
        "train_cfg": dict(_delete_=True, type="GANTrainLoop", max_iters=iterations),
        "default_hooks.generator_ema": dict(decay=0.998, start=iterations // 4),
        "default_hooks.sample_grid": None,
        "default_hooks.logger.interval": iterations,
        "default_hooks.checkpoint": dict(_delete_=True, type="GANCheckpointHook", interval=iterations),
    }
    config.merge_from_dict(changes)
    for key in [key for key in config if key.startswith(("val_", "test_"))]:
        config.pop(key)
    problems = prepare_config(config, {})
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return config


@torch.no_grad()
def sample(model: Any) -> list[Tensor]:
    """Return sorted samples of every class, in units of x."""
    drawn = []
    for label in range(CLASSES):
        condition = Condition(label=torch.full((SAMPLES,), label))
        latent = model.latent_sampler.sample(SAMPLES, make_generator(0, "test latent", label))
        # model.sample would clip to the range of images
        image = model.generator_ema.eval()(latent, condition)
        drawn.append((image.flatten() * SCALE + CENTRE).sort().values)
    return drawn


def run(method: str, seed: int, iterations: int, out: Path) -> dict[str, Any]:
    """Return samples' histograms and distances of one training, from disk if it is finished."""
    result = out / f"{method}-{seed}-{iterations}.json"
    if not result.is_file():
        work_dir = out / "runs" / f"{method}-{seed}"
        shutil.rmtree(work_dir, ignore_errors=True)
        drawn = sample(GANRunner.from_cfg(make_config(method, iterations, seed, work_dir)).train())
        found = {"histograms": [histogram(x).tolist() for x in drawn], **distances(drawn)}
        atomic_write(result, lambda file: file.write(json.dumps(found).encode()) and None)
    return json.loads(result.read_text())


# --- distances -----------------------------------------------------------------------------------
def histogram(x: Tensor) -> Tensor:
    """Return the share of ``x`` in every bin; what lies outside counts in the outermost ones."""
    inside = x.clamp(float(EDGES[0]) + 1e-4, float(EDGES[-1]) - 1e-4)
    return torch.histogram(inside.float(), EDGES).hist / len(x)


def distances(drawn: Sequence[Tensor]) -> dict[str, list[float]]:
    """Return total variation and Wasserstein-1 of the classes and, last, of the mixture."""
    labels = torch.arange(CLASSES).repeat_interleave(SAMPLES)
    true = list(truth(labels, "test").view(CLASSES, SAMPLES).sort(dim=1).values)
    pairs = [
        *zip(drawn, true, strict=True),
        (torch.cat(list(drawn)).sort().values, torch.cat(true).sort().values),
    ]
    return {
        "total_variation": [float((histogram(a) - histogram(b)).abs().sum() / 2) for a, b in pairs],
        "wasserstein": [float((a - b).abs().mean()) for a, b in pairs],
    }


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
