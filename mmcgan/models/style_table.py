"""What StyleGAN2's generator and discriminator share: sizes, channels, architectures."""

from __future__ import annotations

from collections.abc import Sequence

ARCHITECTURES = ("skip", "resnet", "orig")
#: Size of the generator's learnt constant and of the discriminator's last feature map.
BOTTOM_SIZE = 4


def style_channels(image_size: int, channel_base: int, max_channels: int) -> list[int]:
    """Return the channels at 4, 8, ... ``image_size``: ``channel_base / size``, at most ``max_channels``.

    Raises:
        ValueError: ``image_size`` is not a power of two of at least 8, or no channel would be left.
    """
    if image_size < 2 * BOTTOM_SIZE or image_size & (image_size - 1):
        raise ValueError(f"StyleGAN2 needs an image_size that is a power of two >= 8, got {image_size}")
    if channel_base < image_size or max_channels < 1:
        raise ValueError(
            f"StyleGAN2 needs channel_base >= image_size={image_size} and max_channels >= 1,"
            f" got channel_base={channel_base}, max_channels={max_channels}"
        )
    steps = range(image_size.bit_length() - BOTTOM_SIZE.bit_length() + 1)
    return [min(channel_base // (BOTTOM_SIZE << step), max_channels) for step in steps]


def resolve_channels(
    image_size: int, channel_base: int, max_channels: int, channels: Sequence[int] | None
) -> list[int]:
    """Return :func:`style_channels`, or ``channels`` where a config lists them.

    Raises:
        ValueError: as there, or a list of another length than there are sizes.
    """
    derived = style_channels(
        image_size, max(channel_base, image_size) if channels else channel_base, max_channels
    )
    if channels is not None and len(channels) != len(derived):
        raise ValueError(
            f"channels lists {len(channels)} numbers, but {len(derived)} sizes lead from {BOTTOM_SIZE}"
            f" to image_size={image_size}"
        )
    return derived if channels is None else list(channels)


def check_architecture(architecture: str, allowed: Sequence[str] = ARCHITECTURES) -> str:
    """Return ``architecture``.

    Raises:
        ValueError: it is not one of ``allowed``.
    """
    if architecture not in allowed:
        raise ValueError(f"architecture must be one of {tuple(allowed)}, got {architecture!r}")
    return architecture
