#!/usr/bin/env python
"""Make a small colour set of emoji: two vendors, nine categories, 64 x 64 RGBA PNGs.

    python tools/fetch_emoji.py data/emoji

needs ``npm``, whose client fetches the packages ``emoji-datasource-google`` and ``emoji-datasource-twitter``
(some 75 MB each) from the registry that it is set up for. Or fetch them elsewhere, and name the two files:

    npm pack emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0
    python tools/fetch_emoji.py data/emoji --packages emoji-datasource-*.tgz

The pictures are Google's (Noto, Apache 2.0) and Twitter's (Twemoji, CC-BY 4.0: name them where you show
samples); the table of names is the package's (MIT). Made are

    data/emoji/google/Animals-and-Nature/1f400.png ...     a folder a vendor, a folder a category
    data/emoji/twitter/...
    data/emoji/attributes.csv                               file,category,vendor,split

so that ``ImageFolder`` reads a vendor by its categories, or both (``root=["data/emoji/google",
"data/emoji/twitter"]``), and ``AttributeFolder(root="data/emoji", table="data/emoji/attributes.csv")`` both
as category x vendor. About a twelfth of the emoji are of the split ``test``, with both vendors' pictures.
Nothing of the packages is run, and of their archives only pictures that the table names are read.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

VERSION = "16.0.0"
VENDORS = ("google", "twitter")
#: skin tones alone: no pictures of anything
LEFT_OUT = ("Component",)
TABLE = "attributes.csv"
TEST_EVERY = 10
LARGEST_PICTURE, LARGEST_TABLE = 1 << 18, 1 << 25  # bytes
PICTURE = re.compile(r"[0-9a-f]{4,6}(-[0-9a-f]{4,6})*\.png")


def fetch(folder: Path) -> list[Path]:
    """Let npm fetch both packages, without running anything of them; return the files.

    Raises:
        FileNotFoundError: npm is not installed.
        subprocess.CalledProcessError: it failed, and has said why.
    """
    names = [f"emoji-datasource-{vendor}@{VERSION}" for vendor in VENDORS]
    subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", *names], cwd=folder, check=True)
    return sorted(folder.glob("*.tgz"))


def vendor_of(package: Path) -> str:
    """Return whose pictures a package has, by its name.

    Raises:
        ValueError: it is none of the two.
    """
    for vendor in VENDORS:
        if f"emoji-datasource-{vendor}" in package.name:
            return vendor
    raise ValueError(f"{package}: expected a file like emoji-datasource-google-{VERSION}.tgz")


def member(archive: tarfile.TarFile, name: str, most: int) -> bytes:
    """Return the content of a file in a package.

    Raises:
        ValueError: it is not there, no file, or larger than ``most`` bytes.
    """
    try:
        entry = archive.getmember(name)
    except KeyError as error:
        raise ValueError(f"{archive.name}: has no {name}") from error
    content = archive.extractfile(entry) if entry.isreg() and entry.size <= most else None
    if content is None:
        raise ValueError(f"{archive.name}: {name} is no file of at most {most:,} bytes")
    return content.read()


def listed(archive: tarfile.TarFile, vendor: str) -> list[tuple[str, str]]:
    """Return name and category of each emoji of which a vendor has a picture.

    Raises:
        ValueError: the table is not as expected.
    """
    table = json.loads(member(archive, "package/emoji.json", LARGEST_TABLE))
    found = []
    for entry in table if isinstance(table, list) else []:
        name, category = str(entry.get("image")), str(entry.get("category"))
        if not entry.get(f"has_img_{vendor}") or category in LEFT_OUT:
            continue
        folder = category.replace("&", "and").replace(" ", "-")
        if not PICTURE.fullmatch(name) or not re.fullmatch(r"[A-Za-z-]{3,40}", folder):
            raise ValueError(f"{archive.name}: unexpected name in its table: {name!r} in {category!r}")
        found.append((name, folder))
    if not found:
        raise ValueError(f"{archive.name}: its table has no emoji of {vendor}")
    return sorted(found)


def unpack(package: Path, out: Path) -> list[dict[str, Any]]:
    """Write the pictures of a package; return a row of the table for each."""
    vendor, rows = vendor_of(package), []
    with tarfile.open(package) as archive:
        for name, category in listed(archive, vendor):
            place = Path(vendor, category, name)
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            content = member(archive, f"package/img/{vendor}/64/{name}", LARGEST_PICTURE)
            (out / place).write_bytes(content)
            # by the emoji and not by its place, so that both vendors' pictures of one are in one split
            split = "test" if int(name[:-4].replace("-", ""), 16) % TEST_EVERY == 0 else "train"
            rows.append(dict(file=place.as_posix(), category=category, vendor=vendor, split=split))
    return rows


def make(packages: Sequence[Path], out: Path) -> list[dict[str, Any]]:
    """Write the set; return the rows of its table.

    Raises:
        FileExistsError: there is something in ``out``.
        ValueError: not the two packages.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists; choose another folder or remove it")
    if sorted(map(vendor_of, packages)) != sorted(VENDORS):
        raise ValueError(f"expected a package of each of {', '.join(VENDORS)}")
    rows = [row for package in packages for row in unpack(package, out)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (out / TABLE).write_text(stream.getvalue(), encoding="utf-8")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch and write, and say what was made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="DIR", help="folder to make")
    parser.add_argument("--packages", nargs=2, type=Path, metavar="FILE", help="the two packages, fetched")
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = make(given.packages or fetch(Path(folder)), given.out)
    except (OSError, ValueError, tarfile.TarError, subprocess.CalledProcessError) as error:
        print(f"fetch_emoji: error: {error}", file=sys.stderr)
        return 2
    for vendor in VENDORS:
        print(f"{given.out / vendor}: {sum(row['vendor'] == vendor for row in rows)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
