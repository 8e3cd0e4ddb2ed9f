"""How many images were found, read and left out, and why: what every report of images says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 20


@dataclass(frozen=True)
class ImageCounts:
    """What became of the images of a set.

    Attributes:
        found: how many images there are, those that cannot be used included.
        read: how many are used.
        left_out: one line for each image, folder or link that was left out: which, and why.
        other_files: how many files are no images, by the ending of their names.
    """

    found: int
    read: int
    left_out: Sequence[str] = ()
    other_files: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return found, read and left out, with the reasons, as JSON types."""
        return {
            "found": self.found,
            "read": self.read,
            "left_out": len(self.left_out),
            "reasons": list(self.left_out),
            "other_files": dict(self.other_files),
        }


def counts_of(dataset: Any, skipped: Sequence[str] = ()) -> ImageCounts:
    """Return the counts of a data set that is used whole, but for ``skipped`` (one line for each image)."""
    noted = dataset.left_out
    size, read = len(dataset), len(dataset) - len(skipped)
    if noted is None:
        return ImageCounts(size, read, skipped)
    reasons = [*noted.reasons, *skipped]
    return ImageCounts(size + noted.unread_images, read, reasons, dict(noted.other_suffixes))


def counts_lines(counts: dict[str, Any], side: str = "") -> list[str]:
    """Return :meth:`ImageCounts.to_json` as lines to show.

    Args:
        counts: what was counted.
        side: of several sets of images, which this is.
    """
    which = f" ({side})" if side else ""
    others = ", ".join(f"{count} {suffix}" for suffix, count in counts["other_files"].items())
    numbers = f"{counts['found']:,} found, {counts['read']:,} read, {counts['left_out']:,} left out"
    lines = [f"images{which}: {numbers}" + (f"; other files: {others}" if others else "")]
    lines += [f"left out{which}: {reason}" for reason in counts["reasons"][:SHOWN]]
    more = len(counts["reasons"]) - SHOWN
    return [*lines, f"left out{which}: and {more} more"] if more > 0 else lines
