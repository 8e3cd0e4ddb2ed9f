"""The records of the models that come with the package, from its index and their configs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mmcgan.config import find_config
from mmcgan.config.load import read_config
from mmcgan.samplers.default_law import latent_law, law_text
from mmcgan.weights import FOLDER, own_index
from mmcgan.zoo.record import US, Figures, ZooRecord

FAMILY = "Ours"
#: the law of latents where the index says none
LATENTS = law_text(latent_law(None))
_CONFIG = re.compile(r"configs/[\w./-]+\.py")


def shipped_records() -> list[ZooRecord]:
    """Return a record of every generator that ships; its figures are measured by us.

    Raises:
        FileNotFoundError: the weights, or the config that they were trained with, are not there.
        ValueError: an entry of the index that makes no record.
    """
    return [_record(name, entry) for name, entry in own_index("generator").items()]


def _record(name: str, entry: Mapping[str, Any]) -> ZooRecord:
    config = config_of(name, entry)
    drawn = entry.get("latents", LATENTS)
    size = entry["dataset"].get("image_size") or entry["generator"].get("image_size")
    figures = entry["metrics"]
    return ZooRecord(
        name=name,
        family=FAMILY,
        dataset=f"{entry['dataset'].get('type', 'unknown')}, {size} px",
        source=entry["command"] or f"mmcgan train {config.parent.name}/{config.name}",
        paper=paper_of(config),
        config=f"configs/{config.parent.name}/{config.name}",
        weights=f"mmcgan/weights/{entry['file']}",
        size=(FOLDER / entry["file"]).stat().st_size,
        sha256=entry["sha256"],
        licence=entry["license"],
        figures=(Figures(figures, protocol_of(config), US),) if figures else (),
        note=f"{entry['iteration']:,} generator updates, {entry['images_seen']:,} images seen"
        + (f", latents of {drawn}" if drawn != LATENTS else ""),
    )


def config_of(name: str, entry: Mapping[str, Any]) -> Path:
    """Return the config that a shipped model was trained with: of its name, or in its command.

    Raises:
        FileNotFoundError: neither is one; names the model.
    """
    named = _CONFIG.search(entry.get("command") or "")
    for candidate in (name, named[0] if named else None):
        if candidate is not None:
            try:
                return find_config(candidate)
            except FileNotFoundError:
                continue
    raise FileNotFoundError(f"shipped model {name}: no config of that name, and its command names none")


def paper_of(config: Path) -> str:
    """Return the address of the paper that the config's folder is named after."""
    header = yaml.safe_load((config.parent / "metafile.yml").read_text(encoding="utf-8"))["Collections"][0]
    return str(header["Paper"]["URL"])


def protocol_of(config: Path) -> str:
    """Return how a config evaluates: number of images, extractor, reference."""
    loaded = read_config(config)  # as written: a store or data set need not be here
    evaluator, loader = loaded.get("val_evaluator") or {}, loaded.get("val_dataloader") or {}
    number = (loader.get("dataset") or {}).get("size")
    extractor = evaluator.get("extractor") or {}
    reference = (evaluator.get("reference") or {}).get("dataset") or {}
    judge = " ".join(str(extractor[key]) for key in ("type", "weights") if extractor.get(key))
    parts = [
        f"{number:,} images, seed 0" if number else "",
        f"features of {judge}" if judge else "",
        f"reference: {reference.get('type')} {reference.get('split', '')}".strip() if reference else "",
    ]
    return "; ".join(part for part in parts if part) or f"the evaluation of {config.name}"
