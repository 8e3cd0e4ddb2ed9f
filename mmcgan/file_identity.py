"""Which files a set is of: one digest of their names and contents, wherever their folder lies.

Whatever is computed from image files and kept (reference statistics, packs, instance stores) records this
digest and is refused when it no longer is that of the files. Every file is read, in blocks and by all
cores. The result is remembered under what the file system says of the files, so that a set that nobody
touched is not read twice.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from mmcgan.archives import content_hash, state_of
from mmcgan.cache import cache_folder
from mmcgan.checkpoints.atomic import write_file
from mmcgan.parallel import ordered_map
from mmcgan.progress import progress_bar

# A file that changed within this time of being looked at may change again without a new time stamp: file
# systems count in steps, at worst of two seconds (FAT).
SETTLED_SECONDS = 2.0
BAR_BYTES = 256 << 20  # from here on reading takes seconds, and a bar is shown
_KNOWN: dict[str, str] = {}


def files_digest(paths: Sequence[str | bytes]) -> str:
    """Return a SHA-256 over the names and the contents of files, in their order.

    Names are relative to the deepest folder that holds all files, so that a copy of the folder has the same
    digest. Files whose names, sizes, change times and numbers are those of an earlier call are not read.

    Args:
        paths: of regular files.

    Raises:
        OSError: a file cannot be read.
    """
    files = [os.path.normpath(os.fsencode(path)) for path in paths]
    names = _relative(files)
    quick, settled = _quick_digest(files, names)
    known = _recall(quick) if settled else None
    if known is not None:
        return known
    found = digest_of(names, _contents(files))
    if settled and _quick_digest(files, names)[0] == quick:
        _remember(quick, found)
    return found


def digest_of(names: Sequence[bytes], contents: Sequence[bytes]) -> str:
    """Return what :func:`files_digest` returns for files of these relative names and SHA-256s of contents."""
    digest = hashlib.sha256(b"mmcgan-files-1")
    for name, content in zip(names, contents, strict=True):
        digest.update(b"%d %s " % (len(name), name) + content)
    return digest.hexdigest()


def contents_digest(paths: Sequence[str | bytes]) -> str:
    """Return a SHA-256 over the contents of files, in their order, whatever their names.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for content in _contents([os.fsencode(path) for path in paths]):
        digest.update(content)
    return digest.hexdigest()


def _relative(files: Sequence[bytes]) -> list[bytes]:
    """Return the names of ``files`` below the deepest folder that holds all of them."""
    if not files:
        return []
    folder = os.path.commonpath({os.path.dirname(file) for file in files})
    start = len(folder.rstrip(b"/" + os.sep.encode())) + 1 if folder else 0
    return [file[start:].replace(os.sep.encode(), b"/") for file in files]


def _quick_digest(files: Sequence[bytes], names: Sequence[bytes]) -> tuple[str, bool]:
    """Return a digest of what the file system says, and whether all files were left alone long enough."""
    digest = hashlib.sha256(b"mmcgan-files-1")
    newest, now = 0, time.time_ns()
    for file, name in zip(files, names, strict=True):
        state = state_of(file)
        # the change time too: it moves when a size and a modification time were put back
        newest = max(newest, state.st_mtime_ns, state.st_ctime_ns)
        values = (len(name), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        digest.update(name + repr(values).encode())
    return digest.hexdigest(), newest < now - int(SETTLED_SECONDS * 1e9)


def _contents(files: Sequence[bytes]) -> list[bytes]:
    """Return the SHA-256 of every file; each is read in blocks, several at once."""
    large = sum(state_of(file).st_size for file in files) > BAR_BYTES
    results = map(bytes.fromhex, ordered_map(content_hash, files, ahead=16))
    if not large:
        return list(results)
    found: list[bytes] = []
    with progress_bar("Comparing images by content", len(files)) as advance:
        for content in results:
            found.append(content)
            advance()
    return found


def remembered(quick: str, compute: Callable[[], str]) -> str:
    """Return a SHA-256 that was computed for the same ``quick``, maybe by another process, or compute it.

    Args:
        quick: digest of what says, without reading everything, that nothing has changed.
        compute: returns it.
    """
    known = _recall(quick)
    if known is None:
        known = compute()
        _remember(quick, known)
    return known


def _recall(quick: str) -> str | None:
    if quick not in _KNOWN:
        with suppress(OSError):
            text = (cache_folder() / "identities" / quick).read_text(encoding="ascii").strip()
            if len(text) == 64:
                _KNOWN[quick] = text
    return _KNOWN.get(quick)


def _remember(quick: str, found: str) -> None:
    """Keep the digest; where the cache cannot be written the files are read again next time."""
    _KNOWN[quick] = found
    folder = cache_folder() / "identities"
    with suppress(OSError):
        write_file(folder / quick, found + "\n", durable=False)
