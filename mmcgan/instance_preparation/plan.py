"""What decides the content of an instance store, and whether a folder has it already."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmcgan.datasets.base import ImageDataset
from mmcgan.extractors.base import Extractor
from mmcgan.instance_preparation.options import Options
from mmcgan.instances.store_metadata import FORMAT, METADATA
from mmcgan.text_files import read_json


def make_plan(dataset: ImageDataset, network: Extractor, options: Options) -> dict[str, Any]:
    """Return what decides the content of the store, as JSON types."""
    described = {key: value for key, value in network.describe().items() if key != "precision"}
    kept = {key: value for key, value in asdict(options).items() if key not in ("max_memory", "command")}
    plan = dict(format=FORMAT, dataset=dataset.fingerprint(), extractor=described, options=kept)
    return json.loads(json.dumps(plan))


def is_done(out: Path, plan: dict[str, Any]) -> bool:
    """Return whether ``out`` is the finished store of this plan.

    Raises:
        FileExistsError: it is something else.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if (out / METADATA).is_file():
        found = read_json(out / METADATA, "the metadata of an instance store").get("plan")
        if found == plan:
            return True
        found = found if isinstance(found, dict) else {}
        different = [key for key in plan if found.get(key) != plan[key]]
        raise FileExistsError(
            f"{out} is an instance store made of something else (other {', '.join(different)}); choose "
            "another folder or remove it"
        )
    raise FileExistsError(f"{out} exists and is no instance store; choose another folder or remove it")
