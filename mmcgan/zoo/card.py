"""What is uploaded with weights: the weights, their config, and a page that describes the model."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from mmcgan.checkpoints.atomic import copy_file, write_file
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.provenance import modules, origins_of_types, requirements
from mmcgan.version import __version__
from mmcgan.zoo.hub import CARD_NAME, CONFIG_NAME, WEIGHTS_NAME
from mmcgan.zoo.models import GeneratorRecord, read_weights

SHOWN_CLASSES = 20
#: an SPDX name of a licence
NAME = re.compile(r"[A-Za-z0-9.+-]+")


def write_model_folder(weights: Path, folder: Path, repo: str, licence: str | None) -> list[Path]:
    """Write what :func:`mmcgan.zoo.hub.push_folder` uploads and return the files.

    Args:
        weights: exported generator (``.safetensors``).
        folder: to write to; made if needed.
        repo: ``user/name`` of the model's page, for the commands on it.
        licence: of the weights, an SPDX name or a sentence; None leaves it unsaid.

    Raises:
        FileExistsError: the folder has files.
        FileNotFoundError, ValueError: ``weights`` is no exported generator.
    """
    if weights.suffix != ".safetensors":
        raise ValueError(f"{weights}: export the checkpoint first (mmcgan export-weights)")
    record, _ = read_weights(weights)
    assert record is not None  # exported files have one
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists and is not an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / WEIGHTS_NAME
    copy_file(weights, target)
    config = json.dumps({"library": "mmcgan", "version": __version__, **asdict(record)}, indent=2)
    write_file(folder / CONFIG_NAME, config + "\n")
    write_file(folder / CARD_NAME, model_card(record, repo, licence, file_hash(target)))
    return [target, folder / CONFIG_NAME, folder / CARD_NAME]


def model_card(record: GeneratorRecord, repo: str, licence: str | None, sha256: str) -> str:
    """Return the page of a model: what it is, how to use it, its figures, where they come from."""
    name = repo.rpartition("/")[2]
    parts = [
        f"---\n{_header(record, name, licence)}---",
        f"# {name}",
        _introduction(record),
        _usage(repo, record),
    ]
    if record.components:
        parts.append(_made_with(record))
    if record.metrics:
        parts.append(_figures(record))
    if record.classes:
        parts.append(_classes(record.classes))
    if licence is not None:
        parts.append(f"## Licence\n\n{licence}")
    settings = yaml.safe_dump(json.loads(json.dumps(record.generator)), sort_keys=True).strip()
    parts.append(f"## Generator\n\n```yaml\n{settings}\n```")
    parts.append(f"`{WEIGHTS_NAME}` has the SHA-256 `{sha256}`. Nothing in it is executed when it is loaded.")
    return "\n\n".join(parts) + "\n"


def _header(record: GeneratorRecord, name: str, licence: str | None) -> str:
    # the hub knows names; a sentence is another licence to it, and stands on the page
    known = {} if licence is None else {"license": licence.lower() if NAME.fullmatch(licence) else "other"}
    header: dict[str, Any] = {
        **known,
        "library_name": "mmcgan",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "image-generation", str(record.generator.get("type", "generator"))],
    }
    if record.metrics:
        metrics = [{"type": key, "value": float(value)} for key, value in record.metrics.items()]
        data = str(record.dataset.get("type", "unknown"))
        task = {"type": "unconditional-image-generation"}
        result = {"task": task, "dataset": {"name": data, "type": data.lower()}, "metrics": metrics}
        header["model-index"] = [{"name": name, "results": [result]}]
    return yaml.safe_dump(header, sort_keys=False)


def _introduction(record: GeneratorRecord) -> str:
    size = record.generator.get("image_size", "?")
    data = ", ".join(f"{key} {value}" for key, value in record.dataset.items() if key != "type")
    trained = f"{record.iteration:,} generator updates, {record.images_seen:,} images seen"
    kind = str(record.generator.get("type"))
    package = record.components.get(kind, "mmcgan").partition(" ")[0]
    return (
        f"A {kind} of {package} that makes images of "
        f"{size} x {size} pixels. Trained on {record.dataset.get('type', 'data that is not named')}"
        f"{f' ({data})' if data else ''}: {trained}. The weights are the moving average of the generator."
    )


def _usage(repo: str, record: GeneratorRecord) -> str:
    plugins = "".join(f' "{name}"' for name in requirements(_sampled(record)))
    return (
        "## Use\n\n"
        f'```bash\npython3 -m pip install "mmcgan[hub]"{plugins}\n'
        f"mmcgan sample hf://{repo} --num 16 --out samples\n```\n\n"
        "```python\nfrom mmcgan.apis import CGANInferencer\n\n"
        f'images = CGANInferencer("hf://{repo}")(num=16, seed=0)\n```'
    )


def _sampled(record: GeneratorRecord) -> dict[str, str]:
    """Return the origins of what sampling needs: losses, hooks and metrics of training are left out."""
    configs = [record.generator, record.latent_sampler, record.condition_sampler]
    return origins_of_types(configs, record.components)


def _made_with(record: GeneratorRecord) -> str:
    """Return which distributions the classes came from."""
    lines = [f"| {kind} | {origin} |" for kind, origin in sorted(record.components.items())]
    note = ""
    if modules(_sampled(record)):
        named = ", ".join(modules(_sampled(record)))
        note = (
            f"\n\nClasses of {named} are part of no package: the training imported them by `custom_imports`, "
            "and whoever loads the weights gives a config that imports them too."
        )
    return "\n".join(["## Made with", "", "| class | package |", "|---|---|", *lines]) + note


def _figures(record: GeneratorRecord) -> str:
    lines = [f"| {key} | {value:.4g} |" for key, value in record.metrics.items()]
    note = (
        "Measured at the last evaluation of the training run, with extractor and reference of its config. "
        "They compare with other runs of that config and with nothing else."
    )
    return "\n".join(["## Figures", "", "| figure | value |", "|---|---|", *lines, "", note])


def _classes(classes: tuple[str, ...]) -> str:
    shown = ", ".join(f"{number} {label}" for number, label in enumerate(classes[:SHOWN_CLASSES]))
    more = f", ... ({len(classes)} in all)" if len(classes) > SHOWN_CLASSES else ""
    return f"## Classes\n\n{shown}{more}"
