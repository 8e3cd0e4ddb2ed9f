"""Augmentations fed with chosen numbers."""

import torch

from mmcgan.augments import Draws


class FixedDraws(Draws):
    """Returns the given values by name, and a default for every other draw."""

    def __init__(self, image, uniform=0.5, normal=0.0, chosen=True, **values):
        super().__init__(torch.Generator(), image)
        self.values, self.defaults = values, {"uniform": uniform, "normal": normal, "chosen": chosen}

    def _value(self, kind, name, *shape):
        value = torch.as_tensor(self.values.get(name, self.defaults[kind])).to(self._device)
        if value.is_floating_point():
            value = value.to(self._dtype)
        while value.dim() < len(shape) + 1 and value.dim() > 0:
            value = value[..., None]
        return value.expand(self._rows, *shape).clone()

    def uniform(self, name, *shape):
        return self._value("uniform", name, *shape)

    def normal(self, name, *shape):
        return self._value("normal", name, *shape)

    def integer(self, name, low, high):
        value = self._value("uniform", name).long()
        assert low <= int(value.min()) and int(value.max()) <= high
        return value

    def chosen(self, name, probability):
        return self._value("chosen", name).bool()
