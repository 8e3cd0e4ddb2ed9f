"""An audit hook that notes what reading a stranger's file must never do.

For a process of its own: audit hooks cannot be taken away again. Everything that the code under test needs is
imported before; from then on an import of something new is a violation, as are programs, sockets, code from
text and files outside the allowed folders.
"""

import os
import sys
import sysconfig
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEVER = (
    "os.system",
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.startfile",
    "pty.spawn",
    "socket.connect",
    "socket.getaddrinfo",
    "urllib.Request",
    "webbrowser.open",
    "ctypes.dlopen",
    "code.__new__",
)
#: of the machine: libraries, devices, time zones, fonts; nothing of the user's
SYSTEM = ("/proc", "/sys", "/dev", "/usr/share", "/usr/lib", "/etc/localtime", "/etc/mime.types")


class Guard:
    """Notes violations while :attr:`active`.

    Args:
        folders: where files may be opened, beside the code's own.
    """

    def __init__(self, *folders):
        paths = sysconfig.get_paths()
        code = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        names = {sys.prefix, sys.base_prefix, str(ROOT / "mmcgan"), str(ROOT / "configs"), *code}
        # what an installation from a checkout says of itself, asked for the plugins that there are
        metadata = str(ROOT / "mmcgan.egg-info")
        self.allowed = tuple(
            os.path.realpath(name) for name in (*names, metadata, *SYSTEM, *map(str, folders))
        )
        self.code = tuple(os.path.realpath(name) for name in (*names, str(ROOT / "tests")))
        self.known = {name.partition(".")[0] for name in sys.modules}
        self.active = False
        self.violations = []
        self._inside = threading.local()
        sys.addaudithook(self._hook)

    def _hook(self, event, arguments):
        if not self.active or getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        try:
            self._judge(event, arguments)
        finally:
            self._inside.busy = False

    def _judge(self, event, arguments):
        if event == "ctypes.dlopen" and arguments[0] is None:
            return  # a handle of the process itself: nothing is loaded
        if event in NEVER:
            self.violations.append((event, str(arguments)[:200]))
        elif event == "import" and arguments[0].partition(".")[0] not in self.known:
            self.violations.append((event, arguments[0]))
        elif event == "compile" and arguments[1] not in ("<unknown>", b"<unknown>", None):
            self._file("compile", arguments[1], self.code)  # ast.parse says <unknown> and runs nothing
        elif event == "exec":
            self._file("exec", getattr(arguments[0], "co_filename", "?"), self.code)
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            self._file("open", arguments[0], self.allowed)

    def _file(self, event, name, folders):
        name = os.fsdecode(name)
        path = os.path.realpath(name)
        if name.startswith("<frozen") or any(path == f or path.startswith(f + os.sep) for f in folders):
            return
        self.violations.append((event, name))
