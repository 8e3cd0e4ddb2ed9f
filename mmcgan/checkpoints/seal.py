"""Marks the files that this user made, so that they are known among those of other people.

A checkpoint of one's own may name the folders of its data anywhere on the disk; one from elsewhere may not.
The mark is a keyed hash (HMAC-SHA-256, RFC 2104) of the config in the file and of all that decides what it
leads to (the folder that its relative paths are of), with a word for the kind of file: whoever was given one
of the files of a user can put its mark under nothing but the same. The key is made once, lies in the
user's settings and is in no file that is shared, so that nobody else can mark a config.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

KEY_BYTES = 32
#: kinds of files that are marked
RUN, STORE = "a checkpoint's config", "a store's extractor"


def key_file() -> Path:
    """Return where the user's key lies: in ``mmcgan`` in ``$XDG_CONFIG_HOME`` or ``~/.config``."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".config") / "mmcgan" / "own-files.key"


def seal(kind: str, *texts: str) -> str | None:
    """Return the mark of ``texts``; None if no key can be kept, as in a home that is read-only.

    Args:
        kind: of file, :data:`RUN` or :data:`STORE`: the mark of one is none of another.
        texts: all of them are vouched for, in this order.
    """
    key = _key() or _new_key()
    return None if key is None else _mark(key, kind, *texts)


def is_own(mark: Any, kind: str, *texts: Any) -> bool:
    """Return whether ``mark`` is what :func:`seal` made of the same for this user."""
    key = _key()
    if key is None or not isinstance(mark, str) or not all(isinstance(text, str) for text in texts):
        return False
    return hmac.compare_digest(_mark(key, kind, *texts).encode(), mark.encode("utf-8", "surrogatepass"))


def is_own_of_before(mark: Any, text: Any) -> bool:
    """Return whether ``mark`` is of a file of before, whose config alone was marked."""
    key = _key()
    if key is None or not isinstance(mark, str) or not isinstance(text, str):
        return False
    made = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return hmac.compare_digest(made.encode(), mark.encode("utf-8", "surrogatepass"))


def _mark(key: bytes, *texts: str) -> str:
    # as JSON, so that no two lists of texts are one
    return hmac.new(key, json.dumps(texts).encode(), hashlib.sha256).hexdigest()


def _key() -> bytes | None:
    try:
        key = key_file().read_bytes()
    except OSError:
        return None
    return key if len(key) == KEY_BYTES else None


def _new_key() -> bytes | None:
    """Make the key, unless another process has been faster."""
    path = key_file()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    except OSError:
        return _key()
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return _key()
