"""The table of peers in ``docs/peers.md``, made from the registered formats.

python tools/dev/peers_table.py            # write the table
python tools/dev/peers_table.py --check    # status 1 if it is old
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from mmcgan.peers import DISCRIMINATOR, GENERATOR, PEERS, PeerFormat

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "peers.md"
BEGIN, END = "<!-- peers: made by tools/dev/peers_table.py -->", "<!-- end of peers -->"
HEADER = "| peer (`--to`) | format (`--format`) | file | reads | writes | settings |"
LETTERS = {GENERATOR: "G", DISCRIMINATOR: "D"}
PACKAGE = "mmcgan.peers."


def module_of(form: PeerFormat) -> str:
    """Return the file of our package that a format's readers of settings stand in, below ``mmcgan/peers``."""
    functions = [*form.configs.values(), *([form.writing.describe] if form.writing else [])]
    names = [getattr(getattr(each, "func", each), "__module__", "") for each in functions]
    name = next(name for name in names if name.startswith(PACKAGE))
    path = ROOT / "mmcgan" / "peers" / name.removeprefix(PACKAGE).replace(".", "/")
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    return file.relative_to(ROOT / "mmcgan" / "peers").as_posix()


def row(form: PeerFormat) -> str:
    """Return the line of a format."""
    reads = [LETTERS[role] for role in form.roles if form.reading is not None]
    classes = [f"`{kind}`" for kind in form.writing.kinds] if form.writing else []
    lacking = [f"no {LETTERS[role]}: {why}" for role, why in form.lacks.items()]
    settings = ["written and read"] if form.writing is not None and form.configs else []
    own = dataclasses.fields(PeerFormat)
    silent = next(field.default for field in own if field.name == "stated")
    settings += ["also found in its own files"] if form.stated is not silent else []
    cells = (
        f"`{form.peer}`",
        f"`{form.name}`",
        f"`{module_of(form)}`",
        "; ".join([" and ".join(reads), *lacking]),
        ", ".join(classes) or "no",
        "; ".join(settings) or "no",
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """Return the table of all formats that belong to the package."""
    own = [form for form in PEERS.values() if form.reading is not None]
    rows = sorted(row(form) for form in own)
    return "\n".join([BEGIN, HEADER, "|" + "---|" * HEADER.count(" | ") + "---|", *rows, END])


def page(text: str) -> str:
    """Return the page with the table of today."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{table()}{rest.partition(END)[2]}"


def main() -> int:
    """Write or check the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 if the table is old")
    text = PAGE.read_text(encoding="utf-8")
    wanted = page(text)
    if parser.parse_args().check:
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
