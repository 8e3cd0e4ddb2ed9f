"""Images of classes: which labels are meant, and the plan that goes through them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch

from mmcgan.apis.drawing import Draw, Plan
from mmcgan.random import make_generator
from mmcgan.structures import Condition
from mmcgan.suggestions import nearest
from mmcgan.zoo.models import LoadedModel

# enough draws to see every class that a generator was trained to show
PROBES = 10000
MOST_LISTED = 50


def label_plan(draw: Draw, chosen: Sequence[int], num: int) -> Plan:
    """Return the plan of ``num`` images, the labels ``chosen`` in turn; without any, of no label."""

    def label(row: int) -> int:
        return chosen[row % len(chosen)]

    classes = draw.loaded.record.classes
    # a generator without classes looks at the length alone
    labels = torch.tensor(chosen or [0])
    columns = len(chosen) if len(chosen) > 1 else math.ceil(math.sqrt(num))
    return Plan(
        num,
        min(columns, num),
        lambda rows: (Condition(label=labels[torch.tensor(rows) % len(labels)]), draw.latents(rows)),
        lambda row: numbered(row, label(row) if chosen else None, classes),
        label if chosen else None,
    )


def numbered(row: int, label: int | None, classes: Sequence[str] | None) -> str:
    """Return the name of image ``row``, with its label's number and name where there are some."""
    if label is None:
        return f"{row:05d}"
    name = str(label)
    if classes is not None and classes[label] != name:
        name = f"{name}-{classes[label]}"
    return f"{row:05d}_{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}"


def find_labels(loaded: LoadedModel, wanted: Sequence[int | str] | None) -> list[int]:
    """Return class numbers for numbers or names; by default those the generator was trained for.

    Raises:
        ValueError: an unknown name, a number out of range, or a model without labels.
    """
    count = loaded.model.generator.num_classes
    if wanted is None:
        drawn = loaded.condition_sampler.sample(PROBES, make_generator("classes of a sampler")).label
        return [] if drawn is None or not count else drawn.unique().tolist()
    if not count:
        raise ValueError(f"{loaded.name} has no classes, so that labels cannot be chosen")
    return [_find_label(label, count, loaded) for label in wanted]


def _find_label(label: int | str, count: int, loaded: LoadedModel) -> int:
    text, classes = str(label), loaded.record.classes
    names = [] if classes is None else list(classes)
    if isinstance(label, str):
        folded = [name.casefold() for name in names]
        matches = [i for i in range(len(names)) if text == names[i]]
        matches = matches or [i for i in range(len(names)) if text.casefold() == folded[i]]
        if len(matches) == 1:
            return matches[0]
    if re.fullmatch(r"-?\d+", text):
        if 0 <= int(text) < count:
            return int(text)
        raise ValueError(f"label {text} is outside 0..{count - 1} of {loaded.name}.{_listed(names)}")
    if len(names) > MOST_LISTED:
        raise ValueError(f"{loaded.name} has no class {text!r}.{nearest(text, names)}")
    raise ValueError(f"{loaded.name} has no class {text!r}.{_listed(names) or f' Give 0 to {count - 1}.'}")


def _listed(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(names[:MOST_LISTED]))
    return f" Classes: {listed}{', ...' if len(names) > MOST_LISTED else ''}."
