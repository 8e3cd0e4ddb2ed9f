"""Text files of others, and names of files in text: one way to read and to show them.

Files may begin with a byte order mark, end their lines in either way and name files that are not UTF-8. What
they hold does not depend on the locale.
"""

from __future__ import annotations

import codecs
import os
from pathlib import Path


def read_text(path: str | Path) -> str:
    """Return a UTF-8 text without byte order mark, with lines that end in a line feed.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not UTF-8; names the file.
    """
    try:
        text = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{printable(path)}: not UTF-8 text ({error})") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_names(path: str | Path) -> list[str]:
    """Return the names of files in a list, one a line, as the file system spells them, without empty lines.

    The bytes of a line are those of the name, whatever the locale.

    Raises:
        FileNotFoundError: no such file.
        ValueError: UTF-16, or not a text.
    """
    content = Path(path).read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise ValueError(f"{printable(path)}: not a list of names in UTF-8 (is it UTF-16?)")
    lines = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [os.fsdecode(line) for line in lines if line.strip()]


def file_name(text: str) -> str:
    """Return the name that ``text`` from a UTF-8 file has in the file system, whatever the locale."""
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def printable(name: str | bytes | os.PathLike[str]) -> str:
    """Return a name of a file as it can be printed, logged and written: bytes that are no UTF-8 as hex."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
