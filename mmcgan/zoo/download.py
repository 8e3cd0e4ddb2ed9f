"""Downloads that resume, are checked, and appear under their name only when they are whole."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from mmcgan.checkpoints.atomic import put_in_place, write_file
from mmcgan.checkpoints.hashing import file_hash, stated_hash
from mmcgan.locks import flock
from mmcgan.progress import bytes_bar
from mmcgan.text_files import read_json
from mmcgan.waiting import wait_while_alive
from mmcgan.zoo.cache import OFFLINE_VARIABLE, offline

ATTEMPTS = 4
TIMEOUT = 30.0  # seconds without a byte
BLOCK = 1 << 16
#: Without a byte for so long, whoever is waited for is taken to hang: longer than its own attempts take.
POLL_SECONDS, STALL_SECONDS = 0.2, 300.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class _Interrupted(Exception):
    """The connection ended before the file did."""


@dataclass(frozen=True)
class _Partial:
    """What of a file is here: bytes, and the version of the file that they belong to."""

    file: Path
    tag: Path

    @classmethod
    def of(cls, path: Path) -> _Partial:
        return cls(path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json"))

    @property
    def size(self) -> int:
        return self.file.stat().st_size if self.file.is_file() and self.version else 0

    @property
    def version(self) -> str:
        try:
            return str(read_json(self.tag, "the tag of a download").get("version", ""))
        except (OSError, ValueError):
            return ""

    def start(self, version: str) -> None:
        write_file(self.tag, json.dumps({"version": version}))

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def check_address(url: str) -> None:
    """Refuse addresses whose answer anybody on the way could change.

    Raises:
        ValueError: not ``https://`` (``http://`` is for this machine alone), or no file named.
    """
    _check_scheme(url)
    if not urlsplit(url).path.rstrip("/").rpartition("/")[2]:
        raise ValueError(f"{url} names no file")


def _check_scheme(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(f"{url}: only https:// addresses are downloaded")


def download(url: str, path: Path, sha256: str | None = None) -> Path:
    """Return ``path`` with the file of ``url``, downloaded unless it is there already.

    What an earlier attempt left in ``path.part`` is used, if the server still has the same version of the
    file; a broken connection is taken up again. A file with the wrong hash never gets its name.

    Args:
        url: ``https://`` address of a file.
        path: where to keep it.
        sha256: of the file, or its first digits, 8 at least; None checks nothing.

    Raises:
        FileNotFoundError: offline and not there, or the server has no such file or cannot be reached.
        ValueError: a hash that differs (the file is kept beside under another name), or none that can be
            one, or a bad address.
    """
    check_address(url)
    sha256 = None if sha256 is None else stated_hash(sha256, f"{url}: sha256")
    if path.is_file():
        check_hash(path, sha256, url)
        return path
    if offline():
        raise FileNotFoundError(f"{url} is not at {path}, and {OFFLINE_VARIABLE} forbids to download it")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        if path.is_file():  # another process was faster
            check_hash(path, sha256, url)
            return path
        partial = _Partial.of(path)
        with bytes_bar(f"Downloading {path.name}") as show:
            _fetch(url, partial, show)
        check_hash(partial.file, sha256, url, keep_as=path)
        put_in_place(partial.file, path)
        partial.remove()
    return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process downloads ``path``.

    Raises:
        TimeoutError: the other one gets nothing any more.
    """
    name = path.with_name(path.name + ".lock")
    part = _Partial.of(path).file
    complaint = (
        f"another process holds {name} to download {path.name}, of which nothing has come for "
        f"{STALL_SECONDS:g} s: end that process, and run the command again"
    )
    with name.open("w") as lock:
        wait_while_alive(
            lambda: _locked(lock),
            lambda: part.stat().st_size if part.exists() else 0,
            complaint,
            POLL_SECONDS,
            STALL_SECONDS,
        )
        yield


def _locked(lock: TextIO) -> bool:
    try:
        flock(lock)  # where there are no locks, its hash says whether two processes have spoilt a file
    except BlockingIOError:
        return False
    return True


def check_hash(path: Path, expected: str | None, origin: str, keep_as: Path | None = None) -> None:
    """Refuse a file whose SHA-256 does not begin with ``expected``, and put it aside.

    Raises:
        ValueError: names both hashes and where the file is now.
    """
    if expected is None:
        return
    found = file_hash(path)
    if found.startswith(expected):
        return
    name = keep_as or path
    aside = name.with_name(f"{name.name}.wrong-{found[:8]}")
    put_in_place(path, aside)
    if keep_as is not None:
        _Partial.of(keep_as).remove()
    raise ValueError(
        f"{origin}: the file's SHA-256 is {found}, expected {expected}{'...' * (len(expected) < 64)}: it is "
        f"damaged or another file, and is not used; it is kept as {aside}"
    )


def _fetch(url: str, partial: _Partial, show: Callable[[int, int | None], None]) -> None:
    """Fill ``partial``, taking up broken connections where they broke."""
    reason: Exception | None = None
    stalled = 0
    while stalled < ATTEMPTS:
        before = partial.size
        try:
            _attempt(url, partial, show)
            return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise FileNotFoundError(f"{url}: the server answers {error.code} {error.reason}") from error
            reason = error
        except (_Interrupted, *_BROKEN) as error:
            reason = error
        stalled = 0 if partial.size > before else stalled + 1
    kept = f"; {partial.size} bytes are kept in {partial.file} for the next attempt" if partial.size else ""
    raise FileNotFoundError(f"{url}: the download failed ({reason}){kept}") from reason


def _attempt(url: str, partial: _Partial, show: Callable[[int, int | None], None]) -> None:
    """Make one request for what is missing and store what comes."""
    have = partial.size
    headers = {"User-Agent": "mmcgan", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": partial.version}
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what is here is longer than the file, or the file itself
            partial.remove()
            raise _Interrupted("the part that was here does not belong to the file") from error
        raise
    with response:
        _check_scheme(response.geturl())
        start, total = _position(response, have)
        if not start:
            partial.file.unlink(missing_ok=True)
            partial.start(response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        show(start, total)
        done = start
        with partial.file.open("ab") as file:
            while block := response.read(BLOCK):
                file.write(block)
                done += len(block)
                show(done, total)
    if total is not None and done < total:
        raise _Interrupted(f"the connection ended after {done} of {total} bytes")


def _position(response: Any, have: int) -> tuple[int, int | None]:
    """Return where the answer starts in the file, and the file's length if it is known."""
    if response.status == 206:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            raise _Interrupted(f"the server sent another part: {response.headers.get('Content-Range')}")
        return have, None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length")
    return 0, None if length is None else int(length)
