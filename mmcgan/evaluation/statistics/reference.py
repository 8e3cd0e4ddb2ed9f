"""Statistics of the real images, computed once and verified before every use."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce, get_dist_info, is_main_process
from mmengine.logging import print_log
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mmcgan.array_files import FLOATS, read_arrays
from mmcgan.cache import cache_folder
from mmcgan.checkpoints.atomic import write_file
from mmcgan.checkpoints.hashing import text_hash
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.differences import largest_difference
from mmcgan.evaluation.any_size import batches_of
from mmcgan.evaluation.overlap import prefetch
from mmcgan.evaluation.statistics.frechet import GaussianStatistics, StreamingMoments
from mmcgan.extractors.base import Extractor, ExtractorOutput, check_finite
from mmcgan.output_paths import Output
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS
from mmcgan.text_files import content_of, parse_json

FORMAT = "mmcgan-reference-1"
STATISTICS = (".safetensors", ".npz")


class Reference:
    """Real images seen through an extractor; heavy work happens at the first use only.

    Args:
        dataset: config of the real images, the split included; or the data set itself.
        extractor: the extractor the generated images pass through too.
        path: statistics file, ``.safetensors`` of ours, or ``.npz`` with ``mu`` and ``sigma`` of others;
            None keeps one per (dataset, extractor) in the user's cache folder
            (``MMCGAN_CACHE``, else ``XDG_CACHE_HOME/mmcgan``, else ``~/.cache/mmcgan``).
        batch_size: images per extractor pass.
        keep: False computes the statistics anew instead of keeping a file, where no ``path`` is given.

    Raises:
        ValueError: ``path`` has another ending, is a folder, or can neither be read nor written.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        extractor: Extractor,
        path: str | None = None,
        batch_size: int = 256,
        keep: bool = True,
    ) -> None:
        if path is not None:
            Output("the reference's path", suffixes=STATISTICS, may_be_read=True).check(path)
        given = isinstance(dataset, Mapping)
        self.config = dict(dataset) if given else {"type": type(dataset).__name__}
        self.extractor = extractor
        self.batch_size = batch_size
        self._keeps = keep or path is not None
        self._given_path = None if path is None else Path(path).expanduser()
        self._dataset: Any = None if given else dataset
        self._identity: dict[str, Any] | None = None
        self._statistics: GaussianStatistics | None = None

    @property
    def is_open(self) -> bool:
        """Whether the real images are at hand already."""
        return self._dataset is not None

    @property
    def dataset(self) -> Any:
        """The real images, built when first asked for."""
        if self._dataset is None:
            self._dataset = DATASETS.build(dict(self.config))
        return self._dataset

    def identity(self) -> dict[str, Any]:
        """Return what a statistics file must agree with, as JSON types."""
        if self._identity is None:
            self._identity = {
                "format": FORMAT,
                "extractor": self.extractor.describe(),
                "dataset": str(self.config.get("type")),
                "split": self.dataset.split or self.config.get("split"),
                "count": len(self.dataset),
                "dataset_fingerprint": dataset_fingerprint(self.dataset),
                "ddof": 1,
            }
        return self._identity

    @property
    def path(self) -> Path:
        """Where the statistics are kept."""
        if self._given_path is not None:
            return self._given_path
        identity = self.identity()
        digest = text_hash(json.dumps(identity, sort_keys=True))
        name = "-".join(filter(None, (identity["dataset"], identity["split"], digest[:16])))
        return cache_folder() / "reference" / f"{name}.safetensors"

    def statistics(self) -> GaussianStatistics:
        """Return mean and covariance of the features, from the file or computed and then kept.

        Collective: every rank must call it.

        Raises:
            ValueError: the file was made with something else; the message says with what and how to
                make it anew.
        """
        if self._statistics is None:
            # All ranks must take the same branch, because building is a collective.
            there = torch.tensor(int(self._keeps and self.path.is_file()))
            all_reduce(there, "min")
            self._statistics = self._load() if there else self.build()
        return self._statistics

    def verify(self) -> None:
        """Load the statistics file now, if one was named and is there: a wrong one stops before any work.

        Raises:
            ValueError: the file was made with something else.
        """
        if self._given_path is not None and self._given_path.is_file():
            self._statistics = self._load()

    def _load(self) -> GaussianStatistics:
        if self.path.suffix == ".npz":
            return load_foreign_statistics(self.path, self.extractor.feature_dim)
        return load_statistics(self.path, self.identity())

    def outputs(self, what: str) -> Iterator[tuple[ExtractorOutput, Tensor | None]]:
        """Yield extractor output and labels of this rank's real images, with a bar named ``what``.

        Images are read by a thread while the extractor works on those before.

        Raises:
            ValueError: an image cannot be read, or features are NaN.
        """
        rank, world_size = get_dist_info()
        rows = range(rank, len(self.dataset), world_size)
        batches = batches_of(self.dataset, rows, self.batch_size)
        read = (self.dataset.__getitems__(batch) for batch in batches)
        with progress_bar(what, len(batches)) as advance:
            for batch in prefetch(read):
                output = self.extractor(batch["image"].to(self._device()))
                check_finite(output, self.extractor.name)
                yield output, batch.get("label")
                advance()

    def build(self) -> GaussianStatistics:
        """Compute the statistics over all ranks and write the file, whatever it held before."""
        if self._given_path is not None and self._given_path.suffix == ".npz":
            raise ValueError(
                f"{self._given_path}: the file is missing and .npz files are only read; name a .safetensors"
            )
        moments = StreamingMoments()
        for output, _ in self.outputs("statistics of the real images"):
            moments.update(output.features)
        moments.merge()
        statistics = moments.compute()
        statistics = GaussianStatistics(statistics.mean.cpu(), statistics.covariance.cpu(), statistics.count)
        if is_main_process() and self._keeps:
            self._keep(statistics)
        self._statistics = statistics
        return statistics

    def _keep(self, statistics: GaussianStatistics) -> None:
        """Write the file; a cache folder that cannot be written costs time only, so it is a warning."""
        try:
            save_statistics(self.path, statistics, self.identity())
        except OSError as error:
            if self._given_path is not None:
                raise
            print_log(
                f"statistics of the real images are not kept, {self.path} cannot be written ({error}); "
                "set MMCGAN_CACHE to a writable folder",
                logger="current",
                level=logging.WARNING,
            )

    def _device(self) -> torch.device:
        return self.extractor.device

    def describe(self) -> dict[str, Any]:
        """Return the identity and the file, for reports."""
        return {
            **self.identity(),
            "dataset_config": self.config,
            "file": self.path.name if self._keeps else None,
        }


def dataset_fingerprint(dataset: Any) -> str:
    """Return a SHA-256 over all images and labels, which does not depend on where files lie.

    A data set of ours knows its own; of another one every image is looked at, a few at a time.

    Raises:
        ValueError: there are no images.
    """
    if not len(dataset):
        raise ValueError("the reference data set has no images")
    return str(dataset.fingerprint())


def save_statistics(path: Path, statistics: GaussianStatistics, identity: Mapping[str, Any]) -> None:
    """Write the statistics with their identity, atomically."""
    tensors = {"mean": statistics.mean.contiguous(), "covariance": statistics.covariance.contiguous()}
    write_file(path, tensor_bytes(tensors, {"identity": json.dumps(identity, sort_keys=True)}))


def save_foreign_statistics(path: Path, statistics: GaussianStatistics) -> None:
    """Write an ``.npz`` with ``mu`` (F,) and ``sigma`` (F, F), float64, which clean-fid and pytorch-fid read.

    What they were made of is not in it.
    """
    content = io.BytesIO()
    np.savez(content, mu=statistics.mean.double().numpy(), sigma=statistics.covariance.double().numpy())
    write_file(path, content.getvalue())


def load_statistics(path: Path, identity: Mapping[str, Any]) -> GaussianStatistics:
    """Return the statistics in ``path`` if they were made with ``identity``.

    Raises:
        ValueError: not a statistics file, or made with something else; the message says how to rebuild.
    """
    rebuild = f"Delete it, or make it anew: tools/reference_stats.py CONFIG --out {path} --overwrite"
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("identity", "{}")
            mean, covariance = file.get_tensor("mean"), file.get_tensor("covariance")
        found = parse_json(text, path, "reference statistics")
        with content_of(path, "reference statistics"):
            count = int({**found}["count"])
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path}: not a readable file of reference statistics ({error}). {rebuild}"
        ) from error
    require_identity(found, identity, path, rebuild)
    check_statistics(mean, covariance, path)
    return GaussianStatistics(mean, covariance, count)


def require_identity(found: Mapping[str, Any], identity: Mapping[str, Any], path: Path, rebuild: str) -> None:
    """Refuse statistics that were made with something else.

    Raises:
        ValueError: says with what, and ``rebuild``, how to make them anew.
    """
    differences = _differences(found, json.loads(json.dumps(identity)))
    if differences:
        raise ValueError(
            f"{path}: the reference statistics do not belong to this evaluation: "
            f"{'; '.join(differences)}. {rebuild}"
        )


def load_foreign_statistics(path: Path, width: int) -> GaussianStatistics:
    """Return the statistics in an ``.npz`` of pytorch-fid, BigGAN-PyTorch, StudioGAN and others.

    Nothing in such a file says what made it, so that only shapes can be checked.

    Args:
        path: the file, with arrays ``mu`` (F,) and ``sigma`` (F, F).
        width: F of the extractor.

    Raises:
        ValueError: arrays are missing, of another size, or no mean and covariance.
    """
    try:
        mean, covariance = map(torch.from_numpy, read_arrays(path, ("mu", "sigma"), FLOATS))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not statistics with arrays 'mu' and 'sigma' ({error})") from error
    if mean.shape != (width,) or covariance.shape != (width, width):
        raise ValueError(
            f"{path}: mu {tuple(mean.shape)} and sigma {tuple(covariance.shape)} do not belong to an "
            f"extractor with {width} features"
        )
    if not (torch.isfinite(mean).all() and torch.isfinite(covariance).all()):
        raise ValueError(f"{path}: mu or sigma contains NaN or infinite values")
    check_statistics(mean, covariance, path)
    mean, covariance = mean.double(), covariance.double()
    print_log(
        f"{path} does not say with which extractor, resizing and images it was made: check that they are "
        "those of this evaluation",
        logger="current",
        level=logging.WARNING,
    )
    return GaussianStatistics(mean, covariance, 0)


def check_statistics(mean: Tensor, covariance: Tensor, path: Path) -> None:
    """Check that these are the mean and the covariance of something.

    Args:
        mean: (F,).
        covariance: (F, F), in the precision of the file, which decides how much rounding may have done.
        path: of the file, for messages.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, or a matrix that is not symmetric or
            has a negative eigenvalue.
    """
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise ValueError(f"{path}: a mean {tuple(mean.shape)} and a covariance {tuple(covariance.shape)}")
    if not (torch.isfinite(mean).all() and torch.isfinite(covariance).all()):
        raise ValueError(f"{path}: the mean or the covariance contains NaN or infinite values")
    rounding = 1e-9 if covariance.dtype is torch.float64 else 1e-5
    wide = covariance.double()
    trace = float(wide.diagonal().sum())
    apart = largest_difference(wide, wide.T)
    if apart > rounding * max(trace, float(wide.abs().max())):
        raise ValueError(f"{path}: the covariance is not symmetric (entries differ by up to {apart:.3g})")
    # it is positive semi-definite up to rounding if, shifted by that much, it has a Cholesky factor
    shift = 10 * rounding * max(trace, 0.0) + torch.finfo(torch.float64).tiny
    failed = torch.linalg.cholesky_ex((wide + wide.T) / 2 + shift * torch.eye(len(mean)).double()).info
    if bool(failed):
        raise ValueError(f"{path}: the covariance has negative eigenvalues, so it is none")


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return one phrase for every value of ``wanted`` that ``found`` does not have."""
    phrases = []
    for key, value in wanted.items():
        other = found.get(key)
        if isinstance(value, dict):
            phrases += _differences(other if isinstance(other, dict) else {}, value, f"{prefix}{key}.")
        elif other != value:
            phrases.append(f"{prefix}{key} is {other!r} in the file, {value!r} here")
    return phrases
