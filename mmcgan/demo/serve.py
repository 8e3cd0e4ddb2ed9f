"""Serving the page on this machine, bounded and without anything from elsewhere."""

from __future__ import annotations

import errno
import ipaddress
import os
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from mmcgan.datasets.decode import PIXELS_VARIABLE
from mmcgan.demo.limits import Limits
from mmcgan.demo.page import CSS, build_page, theme
from mmcgan.demo.studio import Studio, load_models
from mmcgan.demo.toolkit import gradio
from mmcgan.image_files import readable_formats
from mmcgan.weights import read_index

LOCALHOST = "127.0.0.1"
#: ports that are tried without a wish
PORTS = 100
#: browsers whose state is kept; of the others only the last choice is lost
SESSIONS = 64
#: What a browser may fetch for this page: what this server has. Gradio's page starts with scripts of its own
#: in the text, which is why those are allowed; nothing is loaded from another host.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob: ws: wss:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Address:
    """Where the page is served.

    Attributes:
        host: of this machine; others than loopback ones can be reached from elsewhere.
        port: None takes the first free one from 7860 on.
        share: also under a public address, through Gradio's servers.
    """

    host: str = LOCALHOST
    port: int | None = None
    share: bool = False

    def check(self) -> None:
        """Bind the address once, and let go of it: Gradio would try port after port, and name no option.

        Raises:
            OSError: this machine has no such address, or the port is in use or not for this user.
        """
        _bind(self.host.strip("[]") or LOCALHOST, self.port)
        if self.port is not None:  # Gradio wants it to be free there too
            _bind(LOCALHOST, self.port)

    def warnings(self) -> list[str]:
        """Return what has to be known about an address that others can reach."""
        found = []
        if not is_loopback(self.host):
            found.append(
                f"--host {self.host}: everybody who reaches this machine there can use the page, without a "
                "password and without encryption"
            )
        if self.share:
            found.append(
                "--share: the page gets a public address for up to a week, and everybody who knows it can "
                "use this machine's models. Gradio's servers pass on what is sent and shown; a program of "
                "theirs (frpc) is downloaded and run for it"
            )
        return found


def _bind(host: str, port: int | None) -> None:
    """Bind a host's address once; without a port, one that the system chooses.

    Raises:
        OSError: it cannot be bound; says which option is to be another.
    """
    try:
        family, place = _place_of(host, port or 0)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that none can be, such as one too long
        number = error.errno if isinstance(error, OSError) else None
        if port is not None and number == errno.EADDRINUSE:
            raise OSError(
                f"--port {port} is in use on {host}; choose another --port, or leave it out"
            ) from error
        if port is not None and number == errno.EACCES:
            raise OSError(f"--port {port}: this user may not serve there; choose one above 1023") from error
        raise OSError(
            f"--host {host}: this machine has no such address to serve on; {LOCALHOST} is for itself alone, "
            "0.0.0.0 for all addresses that it has"
        ) from error


def _place_of(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    """Return the kind of a host's address and what to bind; only for names is anybody asked."""
    try:
        numbers = ipaddress.ip_address(LOCALHOST if host == "localhost" else host)
    except ValueError:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return found[0][0], found[0][4]
    return (socket.AF_INET if numbers.version == 4 else socket.AF_INET6), (str(numbers), port)


def is_loopback(host: str) -> bool:
    """Return whether a host can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OwnOnly:
    """Middleware that tells browsers to fetch nothing from elsewhere and not to guess what files are.

    Args:
        app: the ASGI application behind it.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and the answer back with the headers."""

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"content-security-policy"]
                message["headers"] = [
                    *kept,
                    (b"content-security-policy", POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        await self.app(scope, receive, answer if scope["type"] == "http" else send)


def read_common_pictures_only() -> None:
    """Let Pillow, in this process, open the formats that this package reads and no others.

    Gradio opens drawings with ``PIL.Image.open``, by their content. EPS, which starts Ghostscript, and the
    rare formats would otherwise be reached by whoever sends one.
    """
    allowed = set(readable_formats())
    Image.init()
    for name in [name for name in Image.ID if name not in allowed]:
        Image.ID.remove(name)
        Image.OPEN.pop(name, None)


@contextmanager
def prepared(limits: Limits) -> Iterator[Path]:
    """Give the folder that everything goes to, and set the bounds of reading pictures; undone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mmcgan-demo-"))
    before = {name: os.environ.get(name) for name in ("GRADIO_TEMP_DIR", PIXELS_VARIABLE)}
    formats, most = (list(Image.ID), dict(Image.OPEN)), Image.MAX_IMAGE_PIXELS
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")
    os.environ[PIXELS_VARIABLE] = str(limits.upload_pixels)
    try:
        with warnings.catch_warnings():
            read_common_pictures_only()
            Image.MAX_IMAGE_PIXELS = limits.upload_pixels // 2  # Pillow refuses twice as many
            yield folder
    finally:
        Image.ID[:], Image.MAX_IMAGE_PIXELS = formats[0], most
        Image.OPEN.clear()
        Image.OPEN.update(formats[1])
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


def default_models() -> list[str]:
    """Return the models that ship."""
    return list(read_index("generator"))


@contextmanager
def serving(
    sources: Sequence[str], address: Address | None = None, limits: Limits | None = None
) -> Iterator[tuple[str, Studio]]:
    """Serve models and give the address of the page and what does the work.

    Args:
        sources: as :func:`mmcgan.apis.load_model` takes them; empty takes all that ship.
        address: where; by default this machine alone can reach it.
        limits: of a request.

    Raises:
        ImportError: Gradio is not installed.
        OSError: see :meth:`Address.check`; before a model is loaded.
        ValueError, FileNotFoundError: a model that cannot be loaded.
    """
    address, limits = address or Address(), limits or Limits()
    address.check()
    models = load_models(list(sources) or default_models())
    gradio()
    with prepared(limits) as folder:
        studio = Studio(models, folder, limits)
        page = build_page(studio)
        ports: dict[str, Any] = {"server_port": address.port} if address.port is not None else {}
        # Gradio looks at this when it looks for a port of its own accord
        os.environ.setdefault("GRADIO_NUM_PORTS", str(PORTS))
        _, local, public = page.launch(
            server_name=address.host,
            share=address.share,
            prevent_thread_lock=True,
            quiet=True,
            show_error=True,
            footer_links=[],
            max_file_size=limits.upload_bytes,
            max_threads=8,
            state_session_capacity=SESSIONS,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            theme=theme(),
            css=CSS,
            app_kwargs={"middleware": [_middleware()], "docs_url": None, "redoc_url": None},
            **ports,
        )
        try:
            yield public or local, studio
        finally:
            page.close(verbose=False)


def _middleware() -> Any:
    from starlette.middleware import Middleware

    return Middleware(OwnOnly)


def serve(sources: Sequence[str], address: Address, say: Callable[[str], None] = print) -> None:
    """Serve models until it is interrupted.

    Args:
        sources, address: see :func:`serving`.
        say: told what the user has to know.

    Raises:
        ImportError, OSError, ValueError: as :func:`serving`.
    """
    address.check()  # first: nobody needs to be warned of an address that there is not
    for warning in address.warnings():
        say(f"warning: {warning}")
    with serving(sources, address) as (url, studio):
        say(f"{len(studio.models)} models: {', '.join(studio.models)}")
        say(f"the page is at {url} (Ctrl+C ends it)")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
