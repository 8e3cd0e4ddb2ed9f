"""What can be set besides the task, and what comes out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.checkpoints.hashing import file_hash
from mmcgan.restoration.morphing import Tuned


@dataclass(frozen=True)
class RestoreOptions:
    """What is set besides the task.

    Attributes:
        degraded: the images are degraded already; otherwise they are originals, which are degraded first
            and compared with what comes out.
        label: class of the images; None chooses one with the latent.
        to_label: of task ``transfer``: the class to show the image as.
        seed: of the candidates.
        candidates: latents to choose from; None as in the plan.
        share: of the plan's iterations to make.
        factor: of tasks ``sr`` and ``hybrid``: how many times smaller an original is made or, of a degraded
            image and a generator of any size, how many times larger the result is; None is 4 and 2.
        size: shorter side at which a generator of any size is tuned; None its own.
        render: shorter side of the picture that such a generator is asked for in the end; None as tuned.
        gif: write the way there as an animation too.
        lpips: network (``alex``, ``vgg``, ``squeeze``) of an LPIPS figure beside PSNR and SSIM; None without.
        mask: of task ``inpaint``: a picture as large as the images whose bright pixels are missing; None is
            a square in the middle.
        overwrite: restore images again that were restored with other settings.
    """

    degraded: bool = False
    label: int | None = None
    to_label: int | None = None
    seed: int = 0
    candidates: int | None = None
    share: float = 1.0
    factor: float | None = None
    size: int | None = None
    render: int | None = None
    gif: bool = False
    lpips: str | None = None
    mask: str | Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not self.share > 0:
            raise ValueError(f"share of the iterations must be greater than 0, got {self.share}")
        for name in ("size", "render"):
            side = getattr(self, name)
            if side is not None and side < 1:
                raise ValueError(f"{name} must be at least 1 pixel, got {side}")
        if self.factor is not None and not self.factor >= 1:
            raise ValueError(f"factor must be at least 1, got {self.factor}")

    def recorded(self) -> dict[str, Any]:
        """Return what decides the result."""
        kept = {k: v for k, v in asdict(self).items() if k not in ("overwrite", "gif", "mask")}
        # what is in the file, not its name; and results from before there were masks stay as they are
        return kept if self.mask is None else {**kept, "mask": file_hash(Path(self.mask))}


@dataclass(frozen=True)
class Restored:
    """One restored image.

    Attributes:
        image: (1, 3, H, W) in [-1, 1].
        tuned: the copy of the generator that makes it, and its latent.
        snapshots: what was made on the way.
    """

    image: Tensor
    tuned: Tuned
    snapshots: list[Tensor]


@dataclass(frozen=True)
class RestoreResult:
    """What was written for one image.

    Attributes:
        source: the image.
        picture: the restored image.
        sheet: what was given, the way, what came out and, where known, the original.
        figures: PSNR and SSIM (and LPIPS, if asked for), where the original is known.
        skipped: whether it had been restored before.
    """

    source: Path
    picture: Path
    sheet: Path
    figures: dict[str, float]
    skipped: bool = False
