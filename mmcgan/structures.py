"""What travels between the parts of a cGAN: typed, never a tuple of varying length."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from mmcgan.registry import CONDITION_FIELDS
from mmcgan.suggestions import nearest


@dataclass(frozen=True)
class Condition:
    """What an image is asked to show. Absent fields are None.

    Fields of other kinds, which plugins register (:class:`mmcgan.condition_fields.ConditionField`), stand in
    ``others``; :meth:`of` and :meth:`get` make no difference between them and those below.

    Attributes:
        label: class index, int64 (N,).
        instance: L2-normalised feature vector of a conditioning image, float32 (N, F).
        attributes: multi-hot attribute vector, float32 (N, A).
        label_map: class index of every pixel, int64 (N, H, W).
        edge_map: whether a pixel lies at the border of an instance, bool (N, H, W).
        others: fields of registered kinds by name, (N, ...); none of them None.

    Raises:
        ValueError: a name in ``others`` that is not registered, or that is one of the above.

    Examples:
        >>> import torch
        >>> asked = Condition(label=torch.tensor([3, 5, 7]))
        >>> asked[:2].label
        tensor([3, 5])
        >>> asked.instance is None
        True
    """

    label: Tensor | None = None
    instance: Tensor | None = None
    attributes: Tensor | None = None
    label_map: Tensor | None = None
    edge_map: Tensor | None = None
    others: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.others:
            check_field(name)
            if name in FIELDS:
                raise ValueError(f"condition.{name} is a field of its own: Condition({name}=...)")

    @classmethod
    def of(cls, values: Mapping[str, Tensor]) -> Condition:
        """Return the condition with these values by field, of any kind.

        Raises:
            ValueError: a name that is no field.
        """
        own = {name: value for name, value in values.items() if name in FIELDS}
        return cls(**own, others={name: value for name, value in values.items() if name not in own})

    def get(self, name: str) -> Tensor | None:
        """Return a field of any kind, None if it is absent.

        Raises:
            ValueError: no field of that name.
        """
        if name in FIELDS:
            value: Tensor | None = getattr(self, name)
            return value
        check_field(name)
        return self.others.get(name)

    def present(self) -> dict[str, Tensor]:
        """Return the fields that are not None, by name."""
        own = {name: getattr(self, name) for name in FIELDS}
        return {**{name: value for name, value in own.items() if value is not None}, **self.others}

    def __len__(self) -> int:
        return next((len(value) for value in self.present().values()), 0)

    def map(self, function: Callable[[Tensor], Tensor]) -> Condition:
        """Apply ``function`` to every present field."""
        return Condition.of({name: function(value) for name, value in self.present().items()})

    def __getitem__(self, index: slice | Tensor) -> Condition:
        return self.map(lambda value: value[index])

    def only(self, names: Collection[str]) -> Condition:
        """Return the present fields among ``names``."""
        return Condition.of({name: value for name, value in self.present().items() if name in names})

    def to(self, device: torch.device | str) -> Condition:
        """Move every field to ``device``, without waiting unless it is the host, where it is read next."""
        waits = torch.device(device).type == "cpu"
        return self.map(lambda value: value.to(device, non_blocking=not waits))

    @staticmethod
    def cat(conditions: Sequence[Condition]) -> Condition:
        """Concatenate along the batch; all must have the same fields.

        Raises:
            ValueError: the conditions carry different fields.
        """
        parts = [condition.present() for condition in conditions]
        if any(part.keys() != parts[0].keys() for part in parts):
            raise ValueError(
                f"cannot concatenate conditions with different fields: {[tuple(part) for part in parts]}"
            )
        return Condition.of({name: torch.cat([part[name] for part in parts]) for name in parts[0]})


#: the fields that :class:`Condition` has itself
FIELDS = tuple(each.name for each in fields(Condition) if each.name != "others")


def check_field(name: str) -> None:
    """Refuse a name that is no field of conditions.

    Raises:
        ValueError: suggests names.
    """
    if name in FIELDS or CONDITION_FIELDS.get(name) is not None:
        return
    if name not in CONDITION_FIELDS.named():  # of a plugin that nothing has imported yet?
        hint = nearest(name, [*FIELDS, *CONDITION_FIELDS.named()])
        raise ValueError(
            f"a condition has no field {name!r}.{hint} New kinds are registered in CONDITION_FIELDS, see "
            "docs/extending/condition_field.md"
        )


@dataclass(frozen=True)
class GANBatch:
    """Images with what they show.

    Attributes:
        image: float32 (N, C, H, W) in [-1, 1].
        condition: the condition of each image; may be empty.
        latent: what the images were made from, (N, D); None for real images.
        law: ``mean`` and ``log_variance`` of the latent's law, (N, D), where an encoder drew it.
    """

    image: Tensor
    condition: Condition
    latent: Tensor | None = None
    law: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, index: slice | Tensor) -> GANBatch:
        latent = None if self.latent is None else self.latent[index]
        law = {name: value[index] for name, value in self.law.items()}
        return GANBatch(self.image[index], self.condition[index], latent, law)

    def split(self, parts: int) -> list[GANBatch]:
        """Cut into ``parts`` equal batches, in order.

        Raises:
            ValueError: the batch size is not divisible by ``parts``.
        """
        if len(self) % parts:
            raise ValueError(
                f"a batch of {len(self)} images cannot be cut into {parts} equal mini-batches "
                "(n_critic x d_accumulation); change train_dataloader.batch_size"
            )
        size = len(self) // parts
        return [self[i * size : (i + 1) * size] for i in range(parts)]


def height_and_width(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Return (height, width) of an ``image_size``: the side of a square, or the pair itself.

    Raises:
        ValueError: neither a positive whole number nor two of them.

    Examples:
        >>> height_and_width(64), height_and_width((32, 64))
        ((64, 64), (32, 64))
    """
    sides = [image_size, image_size] if isinstance(image_size, int) else list(image_size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"image_size must be a side or (height, width) in whole pixels, got {image_size!r}")
    return sides[0], sides[1]
