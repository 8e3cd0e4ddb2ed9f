"""Write ``model-zoo.md`` from the index of shipped weights and the records of published ones.

    python tools/dev/model_zoo.py            # write
    python tools/dev/model_zoo.py --check    # say whether it is out of date, status 1 if it is

``tools/dev/methods_table.py`` writes the same records to the metafiles.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.weights import read_index
from mmcgan.zoo.record import Family, Figures, ZooRecord
from mmcgan.zoo.shipped import shipped_records
from mmcgan.zoo.store import DATA, published_records, read_families

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "model-zoo.md"

LABELS = {"fid": "FID", "inception_score": "IS", "conditional_accuracy": "accuracy"}
INTRODUCTION = """# Model zoo

Written by `tools/dev/model_zoo.py` from `mmcgan/weights/index.json` (our models) and `mmcgan/zoo/data/*.yml`
(other people's). Two kinds of figures, which are never in one table: **measured by us**, and *published* by
the authors of the weights. They have different protocols: a figure compares with those of its own table at
most. [Using models](docs/model_zoo_use.md) has all ways to load one.

    mmcgan sample omnigan-long_biggan_fashion-mnist-32 --labels 3 5 --num 16 --truncation 0.8 --out samples
"""
OURS = """## Our models, measured by us

Small models that ship with the package (`mmcgan list`), trained on two CPU cores. Each file is the moving
average of a generator, and is checked against its SHA-256 when it is loaded. [Real runs](docs/results.md) has
curves, times and what did not work. Precision, recall, density and coverage depend on how many images stand
for a distribution: they are over 5,000 a side (`icgan-long`: 10,000; `omnigan-diffaug` of digits: as many
samples as there are training images, 1,438), and compare only where that is the same.
[All over 10,000 samples](docs/results/shipped_models.md).
"""
OTHERS = """## Other networks that ship

Made by us too: what judges images, and discriminators that restoration uses.
"""
THEIRS = """## Published models, figures *published* by their authors

Download a file from its authors, run the one command that ends in its name, and use the result like any other
weights. With the result in the cache folder (`models/NAME.safetensors`, see
[Using models](docs/model_zoo_use.md)) the name alone is enough: `mmcgan sample NAME`. The files are not ours:
their licences are in each section.

We have measured none of these models and downloaded none of these files. That our networks compute what
theirs do is tested with [recorded numbers](docs/parity.md) of each code. A hash is given where the authors
publish one; eight digits are the beginning of a SHA-256, and `-` means that none is published.
"""


# --- cells --------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def number(value: float) -> str:
    """Return a figure of ours: two decimals, four of one below 1, none of a count."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if abs(value) > 1 else f"{value:.4f}"


def as_published(value: float) -> str:
    """Return a figure with all digits that its authors give."""
    return f"{value:.10g}"


def file_size(size: int | None) -> str:
    """Return a size in kB or MB."""
    if size is None:
        return "-"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def short_hash(sha256: str | None) -> str:
    """Return the beginning of a hash."""
    return "-" if sha256 is None else f"`{sha256[:12]}`"


def columns_of(records: Sequence[ZooRecord]) -> list[str]:
    """Return the names of all figures of ``records``, in order of appearance."""
    names = dict.fromkeys(name for record in records for figures in record.figures for name in figures.values)
    return sorted(
        names, key=lambda name: (name not in LABELS, list(LABELS).index(name) if name in LABELS else 0)
    )


def values_of(figures: Figures | None, columns: Sequence[str], show: Callable[[float], str]) -> list[str]:
    """Return a cell for each column."""
    values: Mapping[str, float] = {} if figures is None else figures.values
    return [show(values[name]) if name in values else "-" for name in columns]


# --- ours ---------------------------------------------------------------------------------------


def our_models(records: Sequence[ZooRecord]) -> str:
    """Return a table for each data set, with its protocol below."""
    parts = [OURS]
    for dataset in dict.fromkeys(record.dataset for record in records):
        chosen = [record for record in records if record.dataset == dataset]
        columns = columns_of(chosen)
        header = ["name", "trained for", *(LABELS.get(name, name) for name in columns), "size", "SHA-256"]
        rows = [_our_row(record, columns) for record in chosen]
        protocols = dict.fromkeys(figures.protocol for record in chosen for figures in record.figures)
        text = [f"### {dataset}", table([*header, "licence"], rows)]
        text += [f"Measured by us: {protocol}." for protocol in protocols]
        parts.append("\n\n".join(text))
    return "\n\n".join(part.strip() for part in parts)


def _our_row(record: ZooRecord, columns: Sequence[str]) -> list[str]:
    figures = record.figures[0] if record.figures else None
    return [
        f"[`{record.name}`]({record.config})",
        record.note,
        *values_of(figures, columns, number),
        file_size(record.size),
        short_hash(record.sha256),
        record.licence or "-",
    ]


def other_networks(index: Mapping[str, Mapping[str, Any]], folder: Path) -> str:
    """Return the table of what ships and is no generator."""
    rows = []
    for name, entry in index.items():
        if entry["kind"] == "generator":
            continue
        figures = {key: value for key, value in entry.items() if key.startswith("test_")}
        shown = ", ".join(f"{key.removeprefix('test_')} {number(v)}" for key, v in figures.items() if _is(v))
        data = (entry.get("dataset") or {}).get("type", "-")
        size = file_size((folder / entry["file"]).stat().st_size)
        command = f"`{entry['command']}`" if entry.get("command") else "-"
        rows.append(
            [f"`{name}`", entry["kind"], data, shown or "-", size, short_hash(entry["sha256"]), command]
        )
    header = ["name", "kind", "data", "on real test images", "size", "SHA-256", "made by"]
    return f"{OTHERS.strip()}\n\n{table(header, rows)}" if rows else ""


def _is(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- theirs -------------------------------------------------------------------------------------


def published_family(family: Family, records: Sequence[ZooRecord]) -> str:
    """Return the section of a family: a table for each protocol, then the commands."""
    facts = [f"Source: <{family.source}>", f"paper: <{family.paper}>" if family.paper else ""]
    facts.append(f"licence: {family.licence or 'not stated'}")
    parts = [f"### {family.family}", "; ".join(fact for fact in facts if fact) + "."]
    if family.note:
        parts.append(" ".join(family.note.split()))
    for protocol in dict.fromkeys(f.protocol for record in records for f in record.figures):
        chosen = [record for record in records if any(f.protocol == protocol for f in record.figures)]
        parts.append(_published_table(protocol, chosen, family.licence))
    without = [record for record in records if not record.figures]
    if without:
        parts.append("\n\n".join(["No figures are published with:", _plain_table(without, family.licence)]))
    commands = [record.conversion for record in records if record.conversion]
    if commands:
        parts.append("\n".join(["```bash", *commands, "```"]))
    return "\n\n".join(parts)


def _published_table(protocol: str, records: Sequence[ZooRecord], licence: str | None) -> str:
    figures = [next(f for f in record.figures if f.protocol == protocol) for record in records]
    columns = list(dict.fromkeys(name for one in figures for name in one.values))
    rows = [
        [*_who(record), *values_of(one, columns, as_published), *_where(record, licence)]
        for record, one in zip(records, figures, strict=True)
    ]
    origins = dict.fromkeys(one.origin for one in figures)
    named = ", ".join(f"<{origin}>" if str(origin).startswith("http") else str(origin) for origin in origins)
    header = ["name", "data", *columns, "weights", "SHA-256", "remarks"]
    return f"{table(header, rows)}\n\n*Published* ({named}): {protocol}."


def _plain_table(records: Sequence[ZooRecord], licence: str | None) -> str:
    rows = [[*_who(record), *_where(record, licence)] for record in records]
    return table(["name", "data", "weights", "SHA-256", "remarks"], rows)


def _who(record: ZooRecord) -> list[str]:
    name = f"`{record.name}`"
    return [f"[{name}]({record.config})" if record.config else name, record.dataset]


def _where(record: ZooRecord, licence: str | None) -> list[str]:
    link = f"[link]({record.weights})" if record.weights else f"[page]({record.source})"
    own = f"licence: {record.licence}" if record.licence != licence else ""
    return [link, short_hash(record.sha256), "; ".join(part for part in (record.note, own) if part) or "-"]


def page() -> str:
    """Return the text of ``model-zoo.md``."""
    published = published_records()
    parts = [
        INTRODUCTION.strip(),
        our_models(shipped_records()),
        other_networks(read_index(), ROOT / "mmcgan" / "weights"),
        THEIRS.strip(),
    ]
    for file in sorted(DATA.glob("*.yml")):
        for family in read_families(file):
            records = [published[record.name] for record in family.records()]
            parts.append(published_family(family, records))
    return "\n\n".join(part for part in parts if part) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check; return 1 if ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args(argv)
    text = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{'out of date' if given.check else 'wrote'}: {PAGE.name}")
    if not given.check:
        write_file(PAGE, text)
    return int(given.check)


if __name__ == "__main__":
    sys.exit(main())
