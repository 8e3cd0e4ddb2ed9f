"""The records of published models: YAML files of this package and of plugins, read once and checked."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import yaml

from mmcgan.plugin_files import ZOO, folders
from mmcgan.zoo.record import Family, ZooRecord, check_keys

DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def published_records() -> dict[str, ZooRecord]:
    """Return the records of other people's models by name, in the order of the zoo page.

    Raises:
        ValueError: a file with an unknown key, an impossible value or a name that is taken.
    """
    files = [*sorted(DATA.glob("*.yml"))]
    for folder in folders(ZOO).values():
        files += sorted(folder.glob("*.yml"))
    return read_records(files)


def read_records(files: Iterable[Path]) -> dict[str, ZooRecord]:
    """Return the records of YAML files by name; each holds a list of families.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    found: dict[str, ZooRecord] = {}
    for file in files:
        for record in _records_of(file):
            if record.name in found:
                raise ValueError(f"{file.name}: two zoo records are called {record.name!r}")
            found[record.name] = record
    return found


def _records_of(file: Path) -> list[ZooRecord]:
    families = read_families(file)
    try:
        return [record for family in families for record in family.records()]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file.name}: {error}") from error


def read_families(file: Path) -> list[Family]:
    """Return the families of a YAML file.

    Raises:
        ValueError: not a list of families, an unknown key, or one that is missing.
    """
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(content, list) or not all(isinstance(family, dict) for family in content):
        raise ValueError(f"{file.name}: expected a list of families")
    try:
        for family in content:
            check_keys(family, Family, f"family {family.get('family', '?')}")
        return [Family(**family) for family in content]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file.name}: {error}") from error


def find_record(name: str) -> ZooRecord | None:
    """Return the record of a published model, None if there is none of that name."""
    return published_records().get(name)
