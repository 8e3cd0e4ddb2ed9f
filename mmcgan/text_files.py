"""Text files of others, and names of files in text: one way to read and to show them.

Files may begin with a byte order mark, end their lines in either way and name files that are not UTF-8. What
they hold does not depend on the locale.
"""

from __future__ import annotations

import codecs
import csv
import errno
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO
from weakref import WeakSet

#: what Unicode calls characters that turn the direction of others
TURNS = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
#: streams to which something was written when nobody read them: one without a buffer does not fail again
UNHEARD: WeakSet[TextIO] = WeakSet()


def read_text(path: str | Path) -> str:
    """Return a UTF-8 text without byte order mark, with lines that end in a line feed.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not UTF-8; names the file.
    """
    return decoded(Path(path).read_bytes(), path)


def decoded(content: bytes, source: str | Path) -> str:
    """Return bytes that were read as :func:`read_text` does.

    Raises:
        ValueError: not UTF-8; names the source.
    """
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{printable(source)}: not UTF-8 text ({error})") from error
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


def parse_json(text: str | bytes, source: str | Path, what: str) -> Any:
    """Return the content of a JSON text.

    Args:
        text: as it was read.
        source: the file, for messages.
        what: it should be, such as ``a report of `mmcgan test --json```.

    Raises:
        ValueError: no JSON, nested too deeply, or an object says two things under one name; names the file.
    """
    try:
        return json.loads(text, object_pairs_hook=_without_contradictions)
    except ContradictionError as error:
        raise ValueError(f"{printable(source)}: not {what}: {error}") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ValueError(f"{printable(source)}: not {what}: no JSON ({reason[:200]})") from error


class ContradictionError(ValueError):
    """An object of a JSON text says two things under one name, of which the library keeps the last."""


def _without_contradictions(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] != value:
                said = f"{str(value)[:80]} and {str(found[name])[:80]}"
                raise ContradictionError(f"{name[:200]!r} stands in it twice, with {said}")
    return found


def read_json(path: str | Path, what: str, kind: type = dict) -> Any:
    """Return the content of a JSON file.

    Args:
        path: the file.
        what: it should be, for messages.
        kind: of its outermost value, dict or list.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not UTF-8, no JSON, nested too deeply, or of another kind; names the file.
    """
    content = parse_json(read_text(path), path, what)
    if not isinstance(content, kind):
        raise ValueError(f"{printable(path)}: not {what}: a {type(content).__name__}, not a {kind.__name__}")
    return content


def csv_rows(text: str, source: str | Path, separator: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table in CSV, each with the number of the line that it ends on; empty ones too.

    A row ends where its line does, and nowhere else but within quotes.

    Args:
        text: as :func:`read_text` returns it.
        source: the file, for messages.
        separator: of the values in a row.

    Raises:
        ValueError: quotes that are not closed or stand within a value, or a value of excessive length; names
            the file and the last line that is whole: a quote that is left open reaches to the end.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        whole = max(rows.line_num, 1)
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise ValueError(f"{printable(source)}: line {whole}: no CSV ({error}) behind it") from error
        if row is None:
            return
        yield rows.line_num, row


@contextmanager
def content_of(source: str | Path, what: str) -> Iterator[None]:
    """Say which file it is whose content is not of the shape that the code within expects.

    Raises:
        ValueError: names the file; in place of what missing keys and values of wrong types surface as.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{printable(source)}: not {what} ({reason})") from error
    except ValueError as error:
        if printable(source) in str(error):
            raise
        raise ValueError(f"{printable(source)}: not {what} ({error})") from error


def file_name(text: str) -> str:
    """Return the name that ``text`` from a UTF-8 file has in the file system, whatever the locale."""
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def printable(name: str | bytes | os.PathLike[str]) -> str:
    """Return a name of a file as it can be printed, logged and written: bytes that are no UTF-8 as hex."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def on_screen(text: object) -> str:
    """Return a text as a terminal may be sent it: control characters and changes of direction as escapes.

    Names and messages may hold what a stranger's file says; a terminal obeys escape sequences.
    """
    return "".join(letter if _is_harmless(letter) else ascii(letter)[1:-1] for letter in str(text))


def in_one_line(text: object) -> str:
    """Return the same without line breaks and tabs, for a line in which nothing is to look like another."""
    return on_screen(text).replace("\n", "\\n").replace("\t", "\\t")


def encodable(text: str, encoding: str | None) -> str:
    """Return a text with escapes for letters that a stream's encoding lacks; None, of no bytes, has all."""
    return text if encoding is None else text.encode(encoding, "backslashreplace").decode(encoding)


def nobody_reads(error: OSError) -> bool:
    """Return whether a stream failed because its reader has gone: a pipe's, or the terminal."""
    return isinstance(error, BrokenPipeError) or error.errno == errno.EIO


def say(text: object, to: TextIO | None = None, flush: bool = False) -> None:
    """Print for people, see :func:`on_screen`: what is said may hold names from a disk or a stranger's file.

    Where nobody reads any more, it is passed over: what is being worked on counts for more.

    Args:
        text: one line or several.
        to: stream; standard output by default.
        flush: do not wait for more.
    """
    to = sys.stdout if to is None else to
    try:
        print(encodable(on_screen(text), to.encoding), file=to, flush=flush)
    except OSError as error:
        if not nobody_reads(error):
            raise
        UNHEARD.add(to)


def reader_gone(stream: TextIO) -> bool:
    """Write what a stream holds back and return whether nobody reads it, now or when something was said.

    What is left then goes nowhere, without another error when the interpreter ends.
    """
    try:
        stream.flush()
    except OSError as error:
        if not nobody_reads(error):
            raise
        UNHEARD.add(stream)
    if stream not in UNHEARD:
        return False
    UNHEARD.discard(stream)
    with suppress(OSError, ValueError):  # no real file, as under a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return True


def _is_harmless(letter: str) -> bool:
    return letter in "\n\t" or not (
        unicodedata.category(letter) in ("Cc", "Cs") or unicodedata.bidirectional(letter) in TURNS
    )
