"""Trained painters of label maps side by side: figures over the held-out scenes, and a picture.

    python benchmarks/semantic_synthesis.py --out DIR SPADE=work_dirs/a/iter_600.pth omni=NAME_OR_FILE ...

Writes ``DIR/figures.md`` (mean IoU, pixel accuracy, FID; those of the real images are the ceiling) and
``DIR/painted.png``: label map, real image and the sample of every model, for the first maps. A name given
several times, with checkpoints of other seeds, has mean and sample standard deviation.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmcgan.apis.label_map_sampling import held_out_dataset, label_colours
from mmcgan.evaluation.evaluator import GenerationEvaluator
from mmcgan.extractors import SmallSegmenter
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.progress import progress_bar
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel, load_model

FIGURES = {"miou": "mean IoU", "pixel_accuracy": "pixel accuracy", "fid": "FID"}
BATCH = 100


def paint(model: LoadedModel, label_map: Tensor) -> Tensor:
    """Return images (N, 3, H, W) in [-1, 1] of label maps (N, H, W); the latents are seeded by 0."""
    source = torch.Generator().manual_seed(0)
    return model.model.sample(Condition(label_map=label_map), generator=source)


def evaluate(model: LoadedModel | None, dataset: Any, extractor: SmallSegmenter) -> dict[str, float]:
    """Return the figures of a model, or of the real images, over all of ``dataset``."""
    evaluator = GenerationEvaluator(
        [dict(type="MIoU"), dict(type="FID")], extractor, reference=dict(dataset=dataset)
    )
    starts = range(0, len(dataset), BATCH)
    with progress_bar("Painting", len(starts)) as advance:
        for start in starts:
            batch = dataset.__getitems__(range(start, min(start + BATCH, len(dataset))))
            image = batch["image"] if model is None else paint(model, batch["label_map"])
            evaluator.process([{"image": image, "condition": Condition(label_map=batch["label_map"])}])
            advance()
    return evaluator.evaluate(len(dataset))


def table(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return the figures as a Markdown table, a row per name."""
    lines = ["| | seeds | " + " | ".join(FIGURES.values()) + " |", "|---|---|" + "---|" * len(FIGURES)]
    for name, runs in rows.items():
        cells = [_cell([run[key] for run in runs], key) for key in FIGURES]
        lines.append(f"| {name} | {len(runs)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float], key: str) -> str:
    scale, unit = (1.0, "") if key == "fid" else (100.0, " %")
    mean = f"{scale * statistics.mean(values):.2f}{unit}"
    return mean if len(values) == 1 else f"{mean} ± {scale * statistics.stdev(values):.2f}"


def picture(models: Sequence[LoadedModel], dataset: Any, count: int) -> np.ndarray:
    """Return a column per label map: the map, the real image, and what each model makes of it."""
    batch = dataset.__getitems__(range(count))
    colours = label_colours(dataset.num_map_classes)[batch["label_map"]].permute(0, 3, 1, 2)
    rows = [colours.float() / 127.5 - 1, batch["image"].float() / 127.5 - 1]
    rows += [paint(model, batch["label_map"]) for model in models]
    return contact_sheet(torch.cat(rows), count)


def main() -> int:
    """Evaluate, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="NAME=WEIGHTS")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--num", type=int, help="scenes to evaluate (default: all)")
    parser.add_argument("--columns", type=int, default=10, help="scenes in the picture")
    arguments = parser.parse_args()
    pairs = [argument.partition("=")[::2] for argument in arguments.models]
    loaded = [(name, load_model(source)) for name, source in pairs]
    config = {**loaded[0][1].record.dataset, **({"size": arguments.num} if arguments.num else {})}
    dataset = held_out_dataset(config, loaded[0][1].name)
    extractor = SmallSegmenter()
    rows: dict[str, list[dict[str, float]]] = {"real images": [evaluate(None, dataset, extractor)]}
    for name, model in loaded:
        rows.setdefault(name, []).append(evaluate(model, dataset, extractor))
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "figures.md").write_text(table(rows), encoding="utf-8")
    first = dict(reversed(loaded))
    shown = [first[name] for name in rows if name in first]
    write_png(picture(shown, dataset, arguments.columns), arguments.out / "painted.png")
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
