"""The commands that README, pages and configs show, one by one."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: every fenced block, so that the end of one is not taken for the beginning of another
BLOCK = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```$", flags=re.S | re.M)
SHELLS = ("", "bash", "sh", "shell", "console")
#: the lines of a block that is indented in place of fenced
INDENTED = re.compile(r"^ {4}(\S(?:\\\n|.)*)", flags=re.M)
COMMENTED = re.compile(r"^#   (mmcgan (?:\\\n#\s+|.)*)", flags=re.M)
START = re.compile(
    r"^(?:[A-Z_]+=(?:\"[^\"]*\"|\S)+ +)*(?:python3? )?(?:-m )?(?:mmcgan|tools/(\w+)\.(py|sh))(?= |$)"
)
STEP = re.compile(r"\s(?:&&|\|\|?|;)\s")
#: scripts that are not a command of ``mmcgan``
OTHER_TOOLS = ("check_parity", "fetch_emoji")
#: scripts that start a command -> its name, which of their first arguments are its, and how many these are
LAUNCHERS = {
    "dist_train": ("train", (0,), 2),
    "dist_test": ("test", (0, 1), 3),
    "slurm_train": ("train", (2,), 3),
}
RENAMED_TOOLS = {"convert_weights": "convert"}
#: the page explains the form of a command rather than showing one
FORM = "[arguments"


@dataclass(frozen=True)
class Shown:
    """A command on a page.

    Attributes:
        page: file, relative to the repository.
        text: as it is written there.
        words: the command of mmcgan and its arguments; empty for what is none.
        script: the file of ``tools`` that is called, or None.
    """

    page: str
    text: str
    words: tuple[str, ...]
    script: str | None

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def shown_commands() -> list[Shown]:
    """Return every command of mmcgan, or of its tools, in blocks of pages and in configs' comments."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("projects/**/*.md")]
    found = []
    for page in sorted(pages):
        text = page.read_text(encoding="utf-8")
        blocks = [block for language, block in BLOCK.findall(text) if language in SHELLS]
        blocks += INDENTED.findall(BLOCK.sub("", text))
        for block in blocks:
            found += [one for line in block.replace("\\\n", " ").splitlines() for one in _read(page, line)]
    for config in sorted(ROOT.glob("configs/**/*.py")):
        for lines in COMMENTED.findall(config.read_text(encoding="utf-8")):
            found += _read(config, re.sub(r"\\\n#\s+", "", lines))
    return found


def _read(page: Path, line: str) -> list[Shown]:
    name = page.relative_to(ROOT).as_posix()
    return [_split(name, step.strip()) for step in STEP.split(line) if START.match(step.strip())]


def _split(page: str, text: str) -> Shown:
    start = START.match(text)
    assert start is not None
    words = shlex.split(text[start.end() :].replace("[CHECKPOINT]", "CHECKPOINT"), comments=True)
    tool, suffix = start.groups()
    if tool is None:
        return Shown(page, text, tuple(words), None)
    script = f"tools/{tool}.{suffix}"
    if tool in OTHER_TOOLS or FORM in text:
        return Shown(page, text, (), script)
    if tool in LAUNCHERS:
        name, passed, own = LAUNCHERS[tool]
        return Shown(page, text, (name, *(words[place] for place in passed), *words[own:]), script)
    return Shown(page, text, (RENAMED_TOOLS.get(tool, tool.replace("_", "-")), *words), script)
