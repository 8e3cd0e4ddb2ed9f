"""A file server on this machine that breaks connections when told to."""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served, how badly, and what was asked for.

    Attributes:
        content: the file.
        breaks: bytes after which the next answers end, one number each.
        ranges: whether parts can be asked for.
        status: of every answer, if not what it should be.
        asked: the Range header of each request.
    """

    content: bytes
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int | None = None
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    @property
    def tag(self):
        return f'"{hashlib.sha256(self.content).hexdigest()[:12]}"'

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()


def handler(server: FileServer):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            server.asked.append(asked)
            if server.status is not None:
                self.send_error(server.status)
                return
            same = self.headers.get("If-Range") in (None, server.tag)
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and server.ranges and same else 0
            if start and start >= len(server.content):
                self.send_error(416)
                return
            body, total = server.content[start:], len(server.content)
            self.send_response(206 if start else 200)
            self.send_header("ETag", server.tag)
            self.send_header("Content-Length", str(len(body)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            self.end_headers()
            self.wfile.write(body[: server.breaks.pop(0)] if server.breaks else body)
            self.close_connection = True

        def log_message(self, *arguments):
            pass

    return Handler


@contextmanager
def serving(content: bytes, name: str = "model.safetensors", **settings):
    """Serve ``content`` under ``/name``."""
    state = FileServer(content, **settings)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(state)) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}/{name}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()
