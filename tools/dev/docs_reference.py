"""Reference pages made from the registries, the commands and the public modules."""

from __future__ import annotations

import argparse
import ast
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TYPE = re.compile(r"\btype=\"(\w+)\"")
ROLE = re.compile(r":\w+:(?=`)")
#: modules whose public names are for use from Python
MODULES = (
    "mmcgan.apis",
    "mmcgan.config",
    "mmcgan.testing",
    "mmcgan.structures",
    "mmcgan.random",
)


@dataclass(frozen=True)
class Role:
    """A registry that has components.

    Attributes:
        variable: its name in :mod:`mmcgan.registry`.
        line: what the registry is for.
        components: registered name -> module.
        bases: of classes of one's own, dotted.
    """

    variable: str
    line: str
    components: dict[str, str]
    bases: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.variable.replace("_", " ").capitalize()

    @property
    def slug(self) -> str:
        """The page's name."""
        return self.variable.lower()

    def page(self) -> str:
        """Return the page: a table, then every component with its arguments, defaults and code."""
        used = uses()
        rows = []
        parts = []
        for name, module in sorted(self.components.items()):
            defined, first = definition(module, name)
            rows.append(f"| [`{name}`](#{module}.{defined}) | {first} | {used[name] or '-'} |")
            parts.append(f"::: {module}.{defined}\n")
        return "\n".join(
            [
                f"# {self.title}",
                "",
                f"`mmcgan.registry.{self.variable}`: {self.line}.",
                "",
                "| `type` | what it is | configs that name it |",
                "|---|---|---|",
                *rows,
                "",
                *parts,
                *self._own(),
            ]
        )

    def _own(self) -> list[str]:
        """Return what a class of one's own has: the bases with all members."""
        if not self.bases:
            return []
        shown = "    options:\n      members: true\n      show_source: false\n"
        link = "[Classes of your own](../extending/README.md) has an example of each role."
        return ["## To write one", "", link, "", *(f"::: {base}\n{shown}" for base in self.bases)]


@cache
def roles() -> tuple[Role, ...]:
    """Return the registries that have components, in the order of their module."""
    from mmcgan import registry
    from mmcgan.component_index import components_of

    text = (ROOT / "mmcgan" / "registry.py").read_text(encoding="utf-8")
    lines = dict(re.findall(r"^([A-Z_]+) = _\w+\([^\n]*?#\s*([^\n]*)$", text, flags=re.M))
    found = []
    for variable, value in vars(registry).items():
        locations = getattr(value, "_locations", None)
        components = components_of(variable, locations) if locations else {}
        if components:
            line = lines.get(variable, value.name).replace("|", "\\|")
            places = value.bases.places if isinstance(value, registry.ClosedRegistry) else ()
            bases = tuple(place.replace(":", ".") for place in places)
            found.append(Role(variable, line, components, bases))
    return tuple(found)


def definition(module: str, name: str) -> tuple[str, str]:
    """Return how a component's class or function is called, and the first line of its docstring."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and name in (node.name, _given(node)):
            text = (ast.get_docstring(node) or "").strip().split("\n\n")[0]
            return node.name, ROLE.sub("", " ".join(text.split())).replace("|", "\\|")
    raise ValueError(f"{module} does not define {name}")


def _given(node: ast.ClassDef | ast.FunctionDef) -> str | None:
    """Return the name that a decorator registers a component under, if it names one."""
    for call in (x for x in node.decorator_list if isinstance(x, ast.Call)):
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
    return None


@cache
def _tree(module: str) -> ast.Module:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def uses() -> Counter[str]:
    """Return how many shipped configs, those that are inherited included, name a component."""
    found: Counter[str] = Counter()
    for config in (ROOT / "configs").rglob("*.py"):
        found.update(set(TYPE.findall(config.read_text(encoding="utf-8"))))
    return found


def index_page() -> str:
    """Return the page that lists the registries."""
    rows = [f"| [{role.title}]({role.slug}.md) | {role.line} | {len(role.components)} |" for role in roles()]
    return "\n".join(
        [
            "# Components",
            "",
            "Everything that a config can name as `type`, from the registries. Each has its arguments with",
            "their defaults, what it raises, the paper or code it follows, and its own code.",
            "",
            "| registry | what for | components |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def commands_page() -> str:
    """Return the page of all commands, as ``--help`` shows them."""
    from mmcgan.cli import COMMANDS, command_parser

    os.environ["COLUMNS"] = "110"  # argparse asks the terminal
    parts = ["# Commands", "", "What `mmcgan COMMAND --help` says.", ""]
    for group in dict.fromkeys(command.group for command in COMMANDS.values()):
        parts += [f"## {group.capitalize()}", ""]
        for name in (name for name, command in COMMANDS.items() if command.group == group):
            parts += [f"### {name}", "", "```text", _help(command_parser(name)), "```", ""]
    return "\n".join(parts)


def _help(parser: argparse.ArgumentParser) -> str:
    return parser.format_help().rstrip()


def python_page() -> str:
    """Return the page of what is for use from Python."""
    parts = ["# Python", "", "What is promised to stay: see [versions](../contributing.md#versions).", ""]
    for module in MODULES:
        parts += [f"## `{module}`", ""]
        for name, place in public(module):
            parts += [
                f"::: {place}.{name}",
                "    options:",
                "      heading_level: 3",
                "      show_source: false",
                "",
            ]
    return "\n".join(parts)


def public(module: str) -> Iterator[tuple[str, str]]:
    """Yield the public classes and functions of a module with the module that defines each."""
    import importlib
    import inspect

    found: Any = importlib.import_module(module)
    for name in getattr(found, "__all__", [key for key in vars(found) if not key.startswith("_")]):
        value = getattr(found, name)
        defined = getattr(value, "__module__", "")
        documented = inspect.isclass(value) or inspect.isfunction(value)
        if documented and defined.startswith("mmcgan") and (hasattr(found, "__all__") or defined == module):
            yield value.__name__, defined
