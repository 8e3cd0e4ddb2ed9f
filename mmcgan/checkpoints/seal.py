"""Marks the files that this user made, so that they are known among those of other people.

A checkpoint of one's own may name the folders of its data anywhere on the disk; one from elsewhere may not.
The mark is a keyed hash (HMAC-SHA-256, RFC 2104) of the config in the file. The key is made once, lies in the
user's settings and is in no file that is shared, so that nobody else can mark a config.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any

KEY_BYTES = 32


def key_file() -> Path:
    """Return where the user's key lies: in ``mmcgan`` in ``$XDG_CONFIG_HOME`` or ``~/.config``."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".config") / "mmcgan" / "own-files.key"


def seal(text: str) -> str | None:
    """Return the mark of ``text``; None if no key can be kept, as in a home that is read-only."""
    key = _key() or _new_key()
    return None if key is None else _mark(key, text)


def is_own(text: Any, mark: Any) -> bool:
    """Return whether ``mark`` is what :func:`seal` made of ``text`` for this user."""
    key = _key()
    if key is None or not isinstance(text, str) or not isinstance(mark, str):
        return False
    return hmac.compare_digest(_mark(key, text).encode(), mark.encode())


def _mark(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


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
