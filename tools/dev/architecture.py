"""Which rooms of ``mmcgan`` stand on which floor, and the picture of it in ``docs/design.md``.

    python tools/dev/architecture.py            # draw the picture from the imports
    python tools/dev/architecture.py --check    # status 1 if it is old or imports run upwards

A room is a package or a module directly below ``mmcgan``. Imports run downwards, or to a room of the same
floor as long as no ring closes. A new room needs a place in ``FLOORS``.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "mmcgan"
DESIGN = ROOT / "docs" / "design.md"
BEGIN, END = "<!-- floors: drawn by tools/dev/architecture.py -->", "<!-- end of floors -->"

#: name of a floor, and the rooms on it; from the ground up
FLOORS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "ground",
        (
            *(
                "version",
                "registry",
                "plugins",
                "random",
                "distributed",
                "process",
                "termination",
                "timing",
                "precision",
                "structures",
                "attributes",
            ),
            *(
                "lazy",
                "component_index",
                "component_registry",
                "condition_fields",
                "contracts",
                "plugin_files",
                "provenance",
                "returned",
                "faults",
            ),
            *("figure_directions", "image_shapes", "option_groups"),
            *("label_maps", "checkpoints", "weights", "progress", "pictures", "mean_iou", "neighbours"),
            *(
                "memory",
                "out_of_memory",
                "allocations",
                "locks",
                "differences",
                "cache",
                "closed_world",
                "origin",
                "dtypes",
                "class_names",
                "file_identity",
                "scalars",
                "films",
                "image_files",
                "archives",
                "text_files",
                "screen",
                "waiting",
                "parallel",
                "output_paths",
                "array_files",
                "suggestions",
                "realness",
                "plain_values",
                "allocations",
            ),
        ),
    ),
    ("frozen networks, stored instances", ("extractors", "instances")),
    ("parts of a GAN", ("losses", "augments", "regularizers", "samplers", "optim")),
    ("networks, data", ("models", "datasets")),
    ("training", ("engine", "hooks", "extractor_training", "instance_preparation")),
    ("figures, configs", ("evaluation", "config")),
    ("finished models", ("zoo", "analysis")),
    ("use", ("apis", "peers", "restoration", "diagnosis", "claims", "comparison")),
    ("for people", ("demo", "proposal", "testing")),
    ("commands", ("commands", "cli")),
)

Imports = dict[str, dict[str, list[str]]]


def room_of(module: str) -> str:
    """Return the room of a dotted module name; the package's own ``__init__`` is the room ``mmcgan``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else PACKAGE


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of the package that a file imports, at any depth and under any condition."""
    for node in ast.walk(tree):
        yield from (name for name in _named_modules(node) if name.startswith(f"{PACKAGE}."))


def _named_modules(node: ast.AST) -> list[str]:
    """Return the modules, of any package, that a node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    return (
        [f"{PACKAGE}.{alias.name}" for alias in node.names] if node.module == PACKAGE else [node.module or ""]
    )


def read_imports(root: Path = ROOT) -> Imports:
    """Return, room by room, the rooms it imports from and the files that do."""
    found: Imports = defaultdict(lambda: defaultdict(list))
    for path in sorted((root / PACKAGE).rglob("*.py")):
        relative = path.relative_to(root)
        if ".mim" in relative.parts:
            continue
        own = room_of(".".join(relative.with_suffix("").parts).removesuffix(".__init__"))
        found[own]  # a room without imports is a room
        for module in imported_modules(ast.parse(path.read_text(encoding="utf-8"))):
            if room_of(module) not in (own, PACKAGE):
                found[own][room_of(module)].append(f"{relative} imports {module}")
    return found


def problems(imports: Mapping[str, Mapping[str, Sequence[str]]]) -> list[str]:
    """Return what breaks the rule: rooms without a floor, imports that run upwards, rings on a floor."""
    floor = {room: level for level, (_, rooms) in enumerate(FLOORS) for room in rooms}
    homeless = sorted(room for room in imports if room not in floor and room not in (PACKAGE, "__main__"))
    found = [f"{room} stands on no floor: add it to FLOORS" for room in homeless]
    placed = {room: below for room, below in imports.items() if room in floor}
    for room, below in placed.items():
        for other, files in below.items():
            if floor.get(other, -1) > floor[room]:
                found += [f"upwards: {line}" for line in files]
    try:
        TopologicalSorter({room: set(below) for room, below in placed.items()}).prepare()
    except CycleError as error:
        found.append(f"a ring: {' -> '.join(error.args[1])}")
    return found


def draw(imports: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Return the floors as a Mermaid diagram, highest first, an arrow where a floor uses another."""
    floor = {room: level for level, (_, rooms) in enumerate(FLOORS) for room in rooms}
    boxes = [
        f'    F{level}["<b>{name}</b><br/>{", ".join(rooms)}"]'
        for level, (name, rooms) in reversed(list(enumerate(FLOORS)))
    ]
    used = {
        (floor[room], floor[other])
        for room, below in imports.items()
        for other in below
        if room in floor and other in floor and floor[other] < floor[room]
    }
    # only the nearest floors: everything may use what lies further below
    arrows = [
        f"    F{level} --> F{lower}" for level, lower in sorted(used, reverse=True) if level - lower <= 2
    ]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *arrows, "```"])


def with_picture(text: str, picture: str) -> str:
    """Return a page with the picture between its two marks.

    Raises:
        ValueError: the page has no marks.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"{DESIGN}: no place for the picture; write the lines {BEGIN!r} and {END!r}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{picture}\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw or check; the status is 1 if an import runs upwards or, with --check, the picture is old."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, status 1 if the picture is old")
    options = parser.parse_args(arguments)
    imports = read_imports()
    found = problems(imports)
    old = DESIGN.read_text(encoding="utf-8")
    new = with_picture(old, draw(imports))
    if old != new and options.check:
        found.append(f"{DESIGN.relative_to(ROOT)} is out of date: run python tools/dev/architecture.py")
    elif old != new:
        DESIGN.write_text(new, encoding="utf-8")
    print("\n".join(found) or "every import runs downwards")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
