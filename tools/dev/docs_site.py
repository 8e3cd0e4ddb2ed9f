"""What mkdocs adds to the pages of ``docs/`` (``hooks`` in ``mkdocs.yml``).

- Reference pages: every registry with its components, every command, the Python interface.
- Pages that live elsewhere: the model zoo, contributing, security, the changelog.
- Links that lead out of ``docs/``: configs and sources become pages of the site, so that it is whole without
  a network.
- What GitHub's Markdown has and Python-Markdown has not: lists without an empty line before them, diagrams.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_reference import commands_page, index_page, python_page, roles  # beside this file
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: pages of the repository that become pages of the site
ELSEWHERE = {
    "model-zoo.md": "model-zoo.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
}
#: section of the navigation for pages that ``mkdocs.yml`` does not place
OTHERS = "How to"
LINK = re.compile(r"\]\(([^)\s]+)\)")
OUTER = re.compile(r"^[a-z]+:")
FENCED = re.compile(r"(^(?:    )?```.*?^(?:    )?```[ ]*$)", flags=re.S | re.M)
MERMAID = re.compile(r"^```mermaid\n(.*?)^```", flags=re.S | re.M)
FLOOR = re.compile(r'\["<b>(.*?)</b><br/>(.*?)"\]')
BULLET = re.compile(r"^\s*(?:[-*]|\d+\.) ")
LANGUAGES = {".py": "python", ".yml": "yaml", ".sh": "bash", ".toml": "toml", ".md": "markdown"}

Links = dict[str, str]


def on_config(config: Any) -> Any:
    """Put the generated pages, and those that nobody has placed, into the navigation."""
    left = unplaced(config.nav)
    for section in config.nav:
        if OTHERS in section:
            section[OTHERS] = [*section[OTHERS], *left]
        if "Reference" in section:
            generated = [{role.title: f"reference/{role.slug}.md"} for role in roles()]
            section["Reference"] = [
                {"Commands": "reference/commands.md"},
                {"Python": "reference/python.md"},
                {"Components": ["reference/index.md", *generated]},
                *section["Reference"],
            ]
    return config


def unplaced(nav: Any) -> list[str]:
    """Return the pages of ``docs/`` that a navigation does not name."""
    placed = set(_leaves(nav))
    pages = (page.relative_to(DOCS).as_posix() for page in sorted(DOCS.rglob("*.md")))
    return [page for page in pages if page not in placed]


def _leaves(nav: Any) -> Iterator[str]:
    for entry in nav if isinstance(nav, list) else nav.values():
        if isinstance(entry, str):
            yield entry
        else:
            yield from _leaves(entry)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are generated or that live elsewhere."""
    pages = {
        name: (ROOT / source).read_text(encoding="utf-8")
        for source, name in ELSEWHERE.items()
        if name != "index.md"
    }
    pages |= {"reference/commands.md": commands_page(), "reference/python.md": python_page()}
    pages["reference/index.md"] = index_page()
    pages |= {f"reference/{role.slug}.md": role.page() for role in roles()}
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    for name, content in linked_pages():
        files.append(File.generated(config, name, content=content, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let the page's links lead to pages of the site, and its lists be lists."""
    name = page.file.src_uri
    if name.startswith(("files/", "configs/", "reference/")):
        return markdown
    parts = FENCED.split(MERMAID.sub(_floors, markdown))
    whole = [part if FENCED.fullmatch(part) else with_lists(relinked(part, name)) for part in parts]
    return "".join(whole)


# --- links ------------------------------------------------------------------------------------
def source_of(name: str) -> Path:
    """Return the file of the repository that a page of the site is made of."""
    origin = {page: source for source, page in ELSEWHERE.items() if page != "index.md"}
    return ROOT / origin[name] if name in origin else DOCS / name


def relinked(text: str, name: str) -> str:
    """Return the text of a page with links to pages of the site."""

    def moved(found: re.Match[str]) -> str:
        link, _, anchor = found[1].partition("#")
        if OUTER.match(found[1]) or not link:
            return found[0]
        target = Path(os.path.normpath(source_of(name).parent / link))
        place, own_anchor = page_of(target)
        anchor = own_anchor or anchor
        relative = posixpath.relpath(place, posixpath.dirname(name) or ".")
        return f"]({relative}{'#' + anchor if anchor else ''})"

    return LINK.sub(moved, text)


def page_of(target: Path) -> tuple[str, str]:
    """Return the page of the site, and the place on it, that shows a file or folder of the repository."""
    inside = target.relative_to(ROOT)
    if inside.is_relative_to("docs") and target.suffix != ".ipynb":
        within = inside.relative_to("docs")
        return (within / "README.md" if target.is_dir() else within).as_posix(), ""
    if inside.as_posix() in ELSEWHERE:
        return ELSEWHERE[inside.as_posix()], ""
    if inside.parts[0] == "configs" and target.suffix == ".py":
        return f"configs/{inside.parent.relative_to('configs').as_posix()}.md", inside.stem
    if inside.parts[0] == "configs" and target.is_dir():
        return f"configs/{inside.relative_to('configs').as_posix()}.md", ""
    return f"files/{inside.as_posix()}.md", ""


def linked_pages() -> Iterator[tuple[str, str]]:
    """Yield name and content of a page per config folder, and per other file that pages link to."""
    for folder in sorted(path for path in (ROOT / "configs").rglob("*") if path.is_dir()):
        configs = sorted(folder.glob("*.py"))
        if configs:
            within = folder.relative_to(ROOT / "configs").as_posix()
            parts = [f"## {file.stem}\n\n{_shown(file)}" for file in configs]
            yield f"configs/{within}.md", f"# Configs: {within}\n\n" + "\n".join(parts)
    found = {page_of(target)[0]: target for target in _linked()}
    for name, target in sorted(found.items()):
        if name.startswith("files/"):
            yield name, f"# {target.relative_to(ROOT).as_posix()}\n\n{_shown(target)}"


def _linked() -> Iterator[Path]:
    for page in [*DOCS.rglob("*.md"), *(ROOT / source for source in ELSEWHERE)]:
        for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
            target = link.partition("#")[0]
            if target and not OUTER.match(link):
                yield Path(os.path.normpath(page.parent / target))


def _shown(path: Path) -> str:
    """Return a file as a block of code, a folder as the list of its files."""
    if path.is_dir():
        return (
            "\n".join(f"- `{file.name}`" for file in sorted(path.iterdir()) if file.name[0] not in "._")
            + "\n"
        )
    language = LANGUAGES.get(path.suffix, "text")
    return f"````{language}\n{path.read_text(encoding='utf-8')}````\n"


# --- Markdown ---------------------------------------------------------------------------------
def with_lists(text: str) -> str:
    """Return text in which lists begin after an empty line and nest by four spaces; GitHub needs neither."""
    lines: list[str] = []
    for line in text.split("\n"):
        bullet = BULLET.match(line)
        before = lines[-1] if lines else ""
        if bullet and before.strip() and not BULLET.match(before) and not before.startswith((" ", "|", "#")):
            lines.append("")
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent in (2, 3) and any(BULLET.match(x) for x in lines[-12:]):
            line = " " * 4 + line.lstrip()
        lines.append(line)
    return "\n".join(lines)


def _floors(found: re.Match[str]) -> str:
    """Return a table of the floors in place of their diagram, which would need a script from elsewhere."""
    rows = [
        f"| {floor} | {', '.join(f'`{room}`' for room in rooms.split(', '))} |"
        for floor, rooms in FLOOR.findall(found[1])
    ]
    return "\n".join(["| floor, from the top | rooms |", "|---|---|", *rows, ""])
