"""Write what follows from the configs: ``docs/methods.md``, the metafiles' models, ``model-index.yml``.

    python tools/dev/methods_table.py            # write
    python tools/dev/methods_table.py --check    # say what is out of date, status 1 if anything is

A new method folder needs a ``metafile.yml`` whose ``Collections`` names its paper; the rest is made here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mmcgan.checkpoints.atomic import write_file
from mmcgan.config import all_configs
from mmcgan.config.load import read_config
from mmcgan.weights import read_index
from mmcgan.zoo import ZooRecord, published_records
from mmcgan.zoo.record import PUBLISHED, US

ROOT = Path(__file__).resolve().parents[2]

#: the last part of a config's name -> how the data set is called
DATA = {
    "afhq-256": "AFHQ 256x256",
    "cifar10-32": "CIFAR10",
    "cityscapes-256x512": "Cityscapes 256x512",
    "cifar100-32": "CIFAR100",
    "cub200-128": "CUB-200-2011 128x128",
    "digits-16": "scikit-learn digits",
    "emoji-32": "emoji of two vendors 32x32",
    "emoji-64": "emoji of two vendors",
    "fashion-mnist-32": "Fashion-MNIST",
    "coco-stuff-128": "COCO-Stuff 128x128",
    "coco-stuff-256": "COCO-Stuff 256x256",
    "folder-64": "a folder of images, 64x64",
    "imagenet-64": "ImageNet-1k 64x64",
    "ffhq-64": "FFHQ 64x64",
    "ffhq-256": "FFHQ 256x256",
    "imagenet-32": "ImageNet 32x32",
    "imagenet-128": "ImageNet-1k 128x128",
    "imagenet-256": "ImageNet-1k 256x256",
    "imagenet-lt-64": "ImageNet-LT 64x64",
    "imagenet-lt-128": "ImageNet-LT 128x128",
    "imagenet-lt-256": "ImageNet-LT 256x256",
    "stacked-digits-16": "stacked digits",
    "mnist-svhn-32": "MNIST and SVHN 32x32",
    "garment-pairs-16": "pairs of Fashion-MNIST",
    "scenes-64": "scenes of digits, 64x64",
    "tiny-imagenet-64": "Tiny-ImageNet",
    "two-domain-digits-16": "two-domain digits",
}
#: components that come from a paper of their own, beside the method's
PAPERS = {
    "ADA": "https://arxiv.org/abs/2006.06676",
    "APA": "https://arxiv.org/abs/2111.06849",
    "DiffAugment": "https://arxiv.org/abs/2006.10738",
    "DivergencePenalty": "https://arxiv.org/abs/1712.01026",
    "D2DCELoss": "https://arxiv.org/abs/2111.01118",
    "GradientPenalty": "https://arxiv.org/abs/1704.00028",
    "ImageConsistency": "https://arxiv.org/abs/1910.12027",
    "LatentConsistency": "https://arxiv.org/abs/2002.04724",
    "LeCamLoss": "https://arxiv.org/abs/2104.03310",
    "PerturbationPenalty": "https://arxiv.org/abs/1705.07215",
    "ModeSeeking": "https://arxiv.org/abs/1903.05628",
    "TopKLoss": "https://arxiv.org/abs/2002.06224",
}
COLUMNS = ("method", "networks", "heads", "losses", "regularisers", "augmentation", "paper", "configs")
INTRODUCTION = """# Methods

Every config, by what it is made of. `tools/dev/methods_table.py` writes this page from the configs.

A loss counts in all its views unless some are named: `real` and `fake` when the discriminator learns,
`generated` when the generator learns; a minus is a negative weight. `<method>-diffaug`, `-ada`, `-top-k` and
the like are the method's config with one thing added. [One iteration](one_iteration.md) says how the parts
act together, [adding a head](add_a_head.md) how to combine others.

Configs for CIFAR10, Tiny-ImageNet, CUB200 and ImageNet have the settings of ReACGAN's Table A1 and of
StudioGAN, unless a comment in the file says otherwise. Those for Fashion-MNIST and digits are ours: small
networks and few updates, for two CPU cores. [Real runs](results.md) has what we have trained; of the other
configs our tests train one step.
"""


@dataclass(frozen=True)
class Method:
    """One row: what a group of configs has in common."""

    collection: str
    name: str
    networks: str
    heads: str
    losses: str
    regularizers: str
    augment: str
    extra_papers: tuple[str, ...] = ()


@dataclass
class Collection:
    """One folder of configs and the paper it is named after."""

    folder: Path
    header: Mapping[str, Any]
    models: dict[Path, Any] = field(default_factory=dict)  # config file -> its `model`

    @property
    def name(self) -> str:
        """What the metafile calls it."""
        return str(self.header["Name"])

    @property
    def paper(self) -> str:
        """A link to its paper."""
        return f"[{self.name}]({self.header['Paper']['URL']})"


def collections(root: Path) -> list[Collection]:
    """Return the method folders under ``root/configs``.

    Raises:
        FileNotFoundError: a folder of configs has no ``metafile.yml``.
        ValueError: its metafile names no collection.
    """
    found: dict[Path, Collection] = {}
    for config in all_configs(root / "configs"):
        if config.parent not in found:
            found[config.parent] = Collection(config.parent, _header(config.parent / "metafile.yml"))
        found[config.parent].models[config] = read_config(config).model
    return list(found.values())


def _header(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; write its Collections (name, paper) by hand")
    content = yaml.safe_load(path.read_text()) or {}
    if len(content.get("Collections") or ()) != 1:
        raise ValueError(f"{path}: Collections must have one entry")
    return content["Collections"][0]


def data_of(config: Path) -> str:
    """Return the name of the data set of ``config``.

    Raises:
        ValueError: the file name does not end in a known data set and size.
    """
    name = config.stem.rpartition("_")[2]
    if name not in DATA:
        raise ValueError(f"{config.name}: no data set is called {name!r}; known: {', '.join(sorted(DATA))}")
    return DATA[name]


# --- the table ----------------------------------------------------------------------------------


def describe(collection: Collection, config: Path) -> Method:
    """Return the row that ``config`` belongs to."""
    model = collection.models[config]
    losses, regularizers = model.get("losses", {}), model.get("regularizers") or {}
    augments = list(_types(model.get("augment") or {}))
    used = dict.fromkeys([*_types(losses), *_types(regularizers), *augments])
    papers = {kind: PAPERS[kind] for kind in used if kind in PAPERS}
    return Method(
        collection=collection.name,
        name=config.stem.partition("_")[0],
        networks=_networks(model.generator) + _frozen(model.discriminator.backbone),
        heads=_join(" of ".join(_types(head)) for head in model.discriminator.heads.values()),
        losses=_join(_loss(loss) for loss in losses.values()),
        regularizers=_join(regularizer.type for regularizer in regularizers.values()),
        augment=_join(augments),
        extra_papers=tuple(
            f"[{kind}]({url})" for kind, url in papers.items() if url != collection.header["Paper"]["URL"]
        ),
    )


def _networks(generator: Mapping[str, Any]) -> str:
    kinds = " of ".join(kind.removesuffix("Generator") for kind in _types(generator))
    return f"{kinds}, implicit output" if generator.get("implicit") else kinds


def _frozen(backbone: Mapping[str, Any]) -> str:
    """Return what a discriminator looks through, if it is a frozen network."""
    extractor = backbone.get("extractor")
    return f", projected by {extractor['type']}" if extractor else ""


def _types(value: Any) -> Iterator[str]:
    """Yield the ``type`` of ``value`` and of all dicts inside it, outer before inner."""
    if isinstance(value, Mapping):
        if "type" in value:
            yield str(value["type"])
        for child in value.values():
            yield from _types(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _types(child)


def _loss(loss: Mapping[str, Any]) -> str:
    name = " of ".join(_types(loss))
    weights = loss.get("weights")
    if not isinstance(weights, Mapping) or (len(weights) == 3 and min(weights.values()) > 0):
        return name
    return f"{name} ({', '.join('-' * (weight < 0) + view for view, weight in weights.items())})"


def _join(parts: Any) -> str:
    return ", ".join(parts) or "-"


def table(found: Sequence[Collection], root: Path) -> str:
    """Return the text of ``docs/methods.md``."""
    lines = [INTRODUCTION, f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for collection in sorted(found, key=lambda c: c.name.lower()):
        rows: dict[Method, list[Path]] = {}
        for config in collection.models:
            rows.setdefault(describe(collection, config), []).append(config)
        lines += [_row(collection, method, configs, root) for method, configs in rows.items()]
    return "\n".join(lines) + "\n"


def _row(collection: Collection, method: Method, configs: Sequence[Path], root: Path) -> str:
    links = [
        f"[{config.stem.rpartition('_')[2]}](../{config.relative_to(root).as_posix()})" for config in configs
    ]
    cells = (
        method.name,
        method.networks,
        method.heads,
        method.losses,
        method.regularizers,
        method.augment,
        ", ".join([collection.paper, *method.extra_papers]),
        ", ".join(links),
    )
    return f"| {' | '.join(cells)} |"


# --- metafiles ----------------------------------------------------------------------------------


def metafile(collection: Collection, root: Path) -> str:
    """Return the text of a folder's ``metafile.yml``: its collection as it is, its models from its files.

    Behind the configs come the published models (:mod:`mmcgan.zoo`) that one of them describes.
    """
    models = [_model(collection, config, root) for config in collection.models]
    for config, model in zip(collection.models, list(models), strict=True):
        models += [_published(record, model) for record in _published_with(config, root)]
    content = {"Collections": [dict(collection.header)], "Models": models}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _model(collection: Collection, config: Path, root: Path) -> dict[str, Any]:
    data = data_of(config)
    labelled = collection.models[config].condition_sampler.type != "ConstantLabel"
    task = "Conditional image generation" if labelled else "Image generation"
    model: dict[str, Any] = {
        "Name": config.stem,
        "In Collection": collection.name,
        "Config": config.relative_to(root).as_posix(),
        "Metadata": {"Training Data": data},
        "Results": [{"Task": task, "Dataset": data}],
    }
    shipped = read_index("generator").get(config.stem)
    if shipped is not None:
        figures = {name: round(value, 4) for name, value in shipped["metrics"].items()}
        model["Weights"] = f"mmcgan/weights/{shipped['file']}"
        model["Results"][0]["Metrics"] = {**figures, "Measured by": US}
    return model


def _published_with(config: Path, root: Path) -> list[ZooRecord]:
    name = config.relative_to(root).as_posix()
    return [record for record in published_records().values() if record.config == name]


def _published(record: ZooRecord, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a published model beside that of the config it has in common with ``model``."""
    result = {"Task": model["Results"][0]["Task"], "Dataset": record.dataset}
    results = [
        {**result, "Metrics": {**figures.values, "Measured by": PUBLISHED, "Protocol": figures.protocol}}
        for figures in record.figures
    ]
    return {
        "Name": record.name,
        "In Collection": model["In Collection"],
        "Config": model["Config"],
        "Metadata": {"Training Data": record.dataset},
        "Results": results or [result],
        "Converted From": {"Weights": record.weights, "Code": record.source},
    }


def index(found: Sequence[Collection], root: Path) -> str:
    """Return the text of ``model-index.yml``."""
    files = [(c.folder / "metafile.yml").relative_to(root).as_posix() for c in collections(root)]
    lines = [
        "# Read by `mim`; written by tools/dev/methods_table.py from the folders under configs/.",
        "Import:",
    ]
    return "\n".join([*lines, *(f"  - {file}" for file in sorted(files))]) + "\n"


def everything(root: Path) -> dict[Path, str]:
    """Return path -> text of all files that follow from the configs."""
    found = collections(root)
    texts = {root / "docs" / "methods.md": table(found, root), root / "model-index.yml": index(found, root)}
    return texts | {c.folder / "metafile.yml": metafile(c, root) for c in found}


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check; return 1 if ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args(argv)
    stale = {
        path: text
        for path, text in everything(ROOT).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        print(f"{'out of date' if given.check else 'wrote'}: {path.relative_to(ROOT)}")
        if not given.check:
            write_file(path, text)
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
