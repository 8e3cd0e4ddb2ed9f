"""From what images are asked to show to the plan of them: the one place that tells kinds of models apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn.functional import normalize

from mmcgan.apis.attribute_sampling import attribute_groups, attribute_plan
from mmcgan.apis.drawing import Draw, Plan
from mmcgan.apis.instance_grids import Instances
from mmcgan.apis.instance_sampling import (
    InstanceOptions,
    InstancePlan,
    check_options,
    given_plan,
    instance_plan,
)
from mmcgan.apis.instances import find_photos
from mmcgan.apis.label_map_sampling import (
    Maps,
    check_label_maps,
    find_maps,
    given_maps,
    map_plan,
    maps_of_files,
    maps_of_tensor,
)
from mmcgan.apis.labels import find_labels, label_plan
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel


@dataclass(frozen=True)
class Asked:
    """What images are to show; what is left open is drawn as in training, or goes through all there is.

    Attributes:
        labels: class numbers or names, taken in turn.
        attributes: group -> name or names.
        instances: photos, or features (K, F), to condition on, grids, and closest images.
        label_maps: class ids int64 (K, H, W), or pictures of them (files, folders), to paint in turn.
    """

    labels: Sequence[int | str] | None = None
    attributes: Mapping[str, Any] | None = None
    instances: InstanceOptions | Tensor | None = None
    label_maps: Sequence[str | Path] | Tensor = ()

    @property
    def longest(self) -> int:
        """How many images show everything once that is listed: labels, instances or maps; at least 1.

        Raises:
            FileNotFoundError: a photo or label map is not there.
        """
        photos = self.instances.photos if isinstance(self.instances, InstanceOptions) else ()
        features = self.instances if isinstance(self.instances, Tensor) else ()
        maps = self.label_maps
        listed = maps if isinstance(maps, Tensor) or not maps else find_maps(maps)
        return max(1, *map(len, (self.labels or (), features, find_photos(photos) if photos else (), listed)))

    def check(self, loaded: LoadedModel) -> None:
        """Refuse what the model is not conditioned on.

        Raises:
            ValueError: says what it is conditioned on, or what is for other models.
        """
        check_options(loaded, self.instances)
        check_label_maps(loaded, self.label_maps)
        if self.attributes is not None or "attributes" in loaded.requires:
            groups = attribute_groups(loaded).describe()
            if self.labels is not None:
                raise ValueError(
                    f"{loaded.name} has attributes in place of labels: give --attributes of {groups}"
                )
        elif self.labels is not None and "label" not in loaded.requires:
            raise ValueError(f"{loaded.name} has no classes, so that labels cannot be chosen")


@dataclass(frozen=True)
class Planned:
    """Images to make, and what else is known of them.

    Attributes:
        plan: of the images.
        instances: which instance each belongs to, for a model that is conditioned on instances.
        maps: what is painted, for one that paints label maps.
    """

    plan: Plan
    instances: InstancePlan | None = None
    maps: Maps | None = None


def planned(draw: Draw, asked: Asked, num: int | None, default: int = 1) -> Planned:
    """Return the plan of what is asked for.

    Args:
        draw: the model, its seed and truncation.
        asked: what the images show.
        num: number of images; None for one of each combination of attributes, if they are few, and else for
            ``default``.
        default: see ``num``.

    Raises:
        FileNotFoundError: a photo, the extractor, the store of instances or a label map is not there.
        ValueError: something asked for does not fit the model; an unreadable photo; another extractor.
    """
    asked.check(draw.loaded)
    if "attributes" in draw.loaded.requires:
        return Planned(attribute_plan(draw, asked.attributes, num))
    kind = next((plan for name, plan in PLANS.items() if name in draw.loaded.requires), _of_labels)
    return kind(draw, asked, default if num is None else num)


def conditions_of(draw: Draw, asked: Asked, numbers: Sequence[int]) -> Condition:
    """Return the conditions of images by number, complete, as :func:`planned` asks for them."""
    return draw.completed(planned(draw, asked, max(numbers) + 1).plan.conditions(numbers), numbers)


def labels_in_turn(loaded: LoadedModel, labels: Sequence[int | str] | None) -> bool:
    """Return whether images show classes in turn; otherwise their labels come with what else is drawn."""
    return "label" in loaded.requires and (labels is not None or "instance" not in loaded.requires)


def _of_labels(draw: Draw, asked: Asked, num: int) -> Planned:
    return Planned(label_plan(draw, find_labels(draw.loaded, asked.labels), num))


def _of_label_maps(draw: Draw, asked: Asked, num: int) -> Planned:
    given = asked.label_maps
    if isinstance(given, Tensor):
        maps = maps_of_tensor(draw.loaded, given_maps(draw.loaded, given))
    else:
        maps = maps_of_files(draw.loaded, given)
    return Planned(map_plan(draw, maps, num), maps=maps)


def _of_instances(draw: Draw, asked: Asked, num: int) -> Planned:
    chosen = [] if asked.labels is None else find_labels(draw.loaded, asked.labels)
    if isinstance(asked.instances, Tensor):
        features = normalize(asked.instances.float(), dim=1)
        named = [f"given{number}" for number in range(len(features))]
        found = given_plan(draw, Instances(features, named), num, chosen)
    else:
        found = instance_plan(draw, asked.instances or InstanceOptions(), num, chosen)
    return Planned(found.plan, instances=found)


#: field of the condition -> who plans images of a model that requires it; in order, and labels without any
PLANS: dict[str, Callable[[Draw, Asked, int], Planned]] = {
    "label_map": _of_label_maps,
    "instance": _of_instances,
}
