"""What is known of a trained model: one record each, of ours and of other people's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import unquote

from mmcgan.checkpoints.hashing import stated_hash
from mmcgan.suggestions import nearest

US, PUBLISHED = "us", "published"
MEASURED_BY = (US, PUBLISHED)
#: hosts that show a page before the file, so that it is fetched by hand
BROWSER_HOSTS = ("drive.google.com", "sharepoint.com", "pan.baidu.com")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Figures:
    """Figures of one evaluation.

    Attributes:
        values: figure by name, such as ``FID``.
        protocol: how they were computed: extractor, numbers of images, reference.
        measured_by: ``us`` or ``published``.
        origin: where the figures were published (address, or table of a paper); None for ours.

    Raises:
        ValueError: no figures, no protocol, an unknown ``measured_by``, or published without an origin.
    """

    values: Mapping[str, float]
    protocol: str
    measured_by: str
    origin: str | None = None

    def __post_init__(self) -> None:
        if not self.values or not self.protocol:
            raise ValueError("figures need values and the protocol by which they were computed")
        if self.measured_by not in MEASURED_BY:
            raise ValueError(f"measured_by={self.measured_by!r}: choose one of {', '.join(MEASURED_BY)}")
        if (self.measured_by == PUBLISHED) != bool(self.origin):
            raise ValueError("published figures name their origin, and ours have none")
        for name, value in self.values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"figure {name!r} is {value!r}, expected a number")


@dataclass(frozen=True)
class ZooRecord:
    """A trained generator.

    Attributes:
        name: by which ``load_model`` and ``mmcgan sample`` find it.
        family: heading under which the zoo page lists it.
        dataset: images of training.
        source: address of the page that publishes it; for ours, the command that made it.
        paper: address.
        config: our config of this method and data, relative to the repository; None without one.
        weights: file in the package, or address; None if we know of no direct link.
        file: which file of an archive or shared folder, relative to it.
        size: bytes; None if unknown.
        sha256: of the file, or its first digits (8 or more) where no more is published; None if unknown.
        licence: SPDX name, or what its authors say; None if they say nothing.
        convert: further arguments of ``mmcgan convert`` that the file cannot say.
        convertible: whether ``mmcgan convert`` knows the form of the file.
        figures: evaluations; each says who measured.
        note: one line.

    Raises:
        ValueError: an impossible value; names the record and the field.
    """

    name: str
    family: str
    dataset: str
    source: str
    paper: str
    config: str | None = None
    weights: str | None = None
    file: str | None = None
    size: int | None = None
    sha256: str | None = None
    licence: str | None = None
    convert: tuple[str, ...] = ()
    convertible: bool = True
    figures: tuple[Figures, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"zoo record {self.name!r}: a name has lower-case letters, digits and ._-")
        if self.sha256 is not None:
            object.__setattr__(self, "sha256", stated_hash(self.sha256, f"zoo record {self.name}: sha256"))
        if self.size is not None and self.size < 1:
            raise ValueError(f"zoo record {self.name}: size={self.size} bytes")
        measured = {figures.measured_by for figures in self.figures}
        if measured - {self.measured_by}:
            raise ValueError(f"zoo record {self.name}: figures of ours and published ones are mixed")

    @property
    def shipped(self) -> bool:
        """Whether the weights come with the package."""
        return self.weights is not None and "://" not in self.weights

    @property
    def measured_by(self) -> str:
        """Whose figures the record may have."""
        return US if self.shipped else PUBLISHED

    @property
    def direct(self) -> bool:
        """Whether ``weights`` is an address that answers with the file itself."""
        if self.weights is None or self.shipped:
            return False
        return not any(host in self.weights for host in BROWSER_HOSTS)

    @property
    def local_source(self) -> str:
        """What is to be converted, once it is here and unpacked."""
        if self.file is not None:
            return self.file
        return unquote((self.weights or "FILE").rpartition("/")[2]) if self.direct else "FILE"

    @property
    def conversion(self) -> str | None:
        """The command that makes our file of it; None for one that ships, or of a form we do not know."""
        if self.shipped or not self.convertible:
            return None
        return " ".join(["mmcgan convert", self.local_source, f"{self.name}.safetensors", *self.convert])


@dataclass(frozen=True)
class Family:
    """Records of one page, and what they have in common.

    Attributes:
        family: heading.
        source, paper, licence, convert: of the records that are silent about them.
        protocols: by short name.
        origin: where the figures of each protocol were published.
        note: a line under the heading.
        models: what is left to say of each.
    """

    family: str
    source: str
    models: Sequence[Mapping[str, Any]]
    paper: str | None = None
    licence: str | None = None
    convert: Sequence[str] = ()
    protocols: Mapping[str, str] | None = None
    origin: str | None = None
    note: str = ""

    def records(self) -> list[ZooRecord]:
        """Return the records.

        Raises:
            ValueError: an unknown key, a missing one, or an impossible value.
        """
        return [self._record(model) for model in self.models]

    def _record(self, model: Mapping[str, Any]) -> ZooRecord:
        name = str(model.get("name", "?"))
        check_keys(model, ZooRecord, f"zoo record {name}")
        given = {"source": self.source, "paper": self.paper, "licence": self.licence, **model}
        figures = given.pop("figures", None) or {}
        given["convert"] = tuple(given.get("convert", self.convert))
        missing = [key for key in ("name", "dataset", "paper") if not given.get(key)]
        if missing:
            raise ValueError(f"zoo record {name}: {', '.join(missing)} missing")
        try:
            published = tuple(self._figures(key, values) for key, values in figures.items())
            return ZooRecord(family=self.family, figures=published, **given)
        except ValueError as error:
            raise ValueError(f"zoo record {name}: {error}") from error

    def _figures(self, protocol: str, values: Mapping[str, Any]) -> Figures:
        protocols = self.protocols or {}
        if protocol not in protocols:
            raise ValueError(f"protocol {protocol!r} is not described.{nearest(protocol, list(protocols))}")
        numbers = {key: value for key, value in values.items() if key != "origin"}
        origin = values.get("origin", self.origin)
        return Figures(numbers, protocols[protocol], PUBLISHED, origin or self.source)


def check_keys(given: Mapping[str, Any], kind: type, where: str) -> None:
    """Refuse keys that ``kind`` has no field for.

    Raises:
        ValueError: names the first of them and a similar field.
    """
    known = [field.name for field in fields(kind)]
    for key in given:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key!r}.{nearest(str(key), known)}")
