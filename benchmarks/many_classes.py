"""AC-GAN with 100 classes: features and gradients, with and without normalisation (ReACGAN, Fig. 2).

    python benchmarks/many_classes.py [--iterations 1500] [--methods acgan normalized reacgan] [--out DIR]

The 100 classes are pairs of Fashion-MNIST's: an image has one garment in its red and another in its green
channel, both 28 x 28 averaged down to 14 x 14; (a, b) is class 10 a + b. Each training image is used once as
a red and once as a green half. A finished run is not repeated; ``--plot-only`` draws from what is there.

Evaluation asks the classifier that ships with the package about each channel. Its features side by side
make the FID, its answers together the conditional accuracy over 100 classes.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.files import list_checkpoints
from mmcgan.config import find_config
from mmcgan.config.load import prepare_config, read_config
from mmcgan.engine import GANRunner
from mmcgan.scalars import read_scalars

NORMALIZED = dict(type="ClassifierHead", normalize=True, spectral_norm=None)
METHODS = {
    "acgan": ("AC-GAN", "acgan_biggan_digits-16", {}),
    # of features of length 1, a weight of spectral norm 1 makes logits below 1: too flat for 100 classes
    "normalized": ("AC-GAN, normalised features", "acgan_biggan_digits-16", {"cls": NORMALIZED}),
    "reacgan": ("ReACGAN", "reacgan_biggan_digits-16", {}),
}


def make_config(method: str, iterations: int, seed: int, work_dir: Path) -> Config:
    _, base, heads = METHODS[method]
    config = read_config(find_config(base))
    images = dict(_delete_=True, type="GarmentPairs")
    evaluator = {"extractor": dict(_delete_=True, type="PairClassifier")}
    evaluator["reference"] = dict(dataset=dict(**images, count=10000))
    config.merge_from_dict(
        {
            "work_dir": str(work_dir),
            "randomness.seed": seed,
            "model.generator": dict(base_channels=12, shared_dim=64),
            "model.discriminator.backbone.base_channels": 12,
            "model.discriminator.heads": heads,
            "train_dataloader.dataset": images,
            "val_dataloader.dataset.size": 2000,
            "val_evaluator": evaluator,
            "train_cfg": dict(max_iters=iterations, val_interval=max(iterations // 5, 1)),
            "default_hooks.logger.interval": 100,
            "default_hooks.sample_grid.interval": iterations,
            "default_hooks.checkpoint": dict(_delete_=True, type="GANCheckpointHook", interval=iterations),
            "custom_hooks": [
                dict(
                    type="DiscriminatorDiagnosticsHook",
                    interval=max(iterations // 60, 1),
                    validation=dict(type="GarmentPairs", split="test"),
                )
            ],
        }
    )
    config.pop("test_dataloader"), config.pop("test_evaluator"), config.pop("test_cfg")
    problems = prepare_config(config, {})
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return config


def train_all(methods: Sequence[str], iterations: int, seed: int, out: Path) -> None:
    for method in methods:
        work_dir = out / method
        if any(path.name == f"iter_{iterations}.pth" for path in list_checkpoints(work_dir)):
            print(f"{method}: finished before")
            continue
        shutil.rmtree(work_dir, ignore_errors=True)
        GANRunner.from_cfg(make_config(method, iterations, seed, work_dir)).train()


# --- what comes out ------------------------------------------------------------------------------
def figures_of(method: str, work_dir: Path) -> dict[str, dict[int, float]]:
    """Return the panels' series; terms are divided by their weight in the config."""
    series = read_scalars(work_dir)
    term = "contrastive" if method == "reacgan" else "classification"
    weight = 0.5 if method == "reacgan" else 1.0
    gradient = {
        name: {step: value / weight for step, value in series[f"diagnostics/{name}.d_{term}_real"].items()}
        for name in ("weight_gradient", "feature_gradient")
    }
    return {
        "length of the features, real": series["diagnostics/feature_norm_real"],
        "gradient at the classifier's weights": gradient["weight_gradient"],
        "gradient at the features": gradient["feature_gradient"],
        "probability of the class, real": series["diagnostics/cls.class_probability_real"],
        "probability of the class, fake": series["diagnostics/cls.class_probability_fake"],
        "FID": series["fid"],
        "conditional accuracy": series["conditional_accuracy"],
    }


def draw(results: Mapping[str, Mapping[str, Mapping[int, float]]], out: Path) -> None:
    from matplotlib.figure import Figure

    panels = list(next(iter(results.values())))[:6]
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    for axis, panel in zip(figure.subplots(2, 3).flat, panels, strict=True):
        for method, series in results.items():
            axis.plot(list(series[panel]), list(series[panel].values()), label=METHODS[method][0])
        axis.set(title=panel, xlabel="iteration", yscale="linear" if "probability" in panel else "log")
        axis.grid(alpha=0.3)
    figure.axes[0].legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    picture.seek(0)
    atomic_write(out, lambda file: shutil.copyfileobj(picture, file))


def table(results: Mapping[str, Mapping[str, Mapping[int, float]]]) -> str:
    lines = [
        "| method | features: first, largest, last | gradient at weights: first, largest, last "
        "| gradient at features: first, largest, last | class probability real, fake | FID | accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, series in results.items():
        values = [list(panel.values()) for panel in series.values()]
        cells = [f"{v[0]:.3g}, {max(v):.3g}, {v[-1]:.3g}" for v in values[:3]]
        cells += [
            f"{values[3][-1]:.2f} / {values[4][-1]:.2f}",
            f"{values[5][-1]:.2f}",
            f"{100 * values[6][-1]:.1f} %",
        ]
        lines.append(f"| {METHODS[method][0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--iterations", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("work_dirs/many_classes"))
    parser.add_argument("--plot-only", action="store_true", help="train nothing")
    given = parser.parse_args()
    if not given.plot_only:
        train_all(given.methods, given.iterations, given.seed, given.out)
    finished = [method for method in given.methods if list_checkpoints(given.out / method)]
    results = {method: figures_of(method, given.out / method) for method in finished}
    draw(results, given.out / "many-classes.png")
    text = table(results)
    atomic_write(given.out / "table.md", lambda file: file.write(text.encode() + b"\n") and None)
    atomic_write(given.out / "figures.json", lambda file: file.write(json.dumps(results).encode()) and None)
    print(text, f"picture: {given.out / 'many-classes.png'}", sep="\n")


if __name__ == "__main__":
    main()
