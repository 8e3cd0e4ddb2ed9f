"""An address that cannot be served is one sentence that names the option, before a model is loaded."""

import errno
import socket
import time

import pytest

from mmcgan.cli import main
from mmcgan.demo import serve
from mmcgan.demo.serve import Address


@pytest.fixture
def nothing_loads(monkeypatch):
    def load(*_):
        raise AssertionError("models are loaded although the address cannot be served")

    monkeypatch.setattr(serve, "load_models", load)


@pytest.fixture
def taken():
    """A port of this machine on which something listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


# addresses kept for documentation (RFC 5737, RFC 3849), a name that cannot resolve (RFC 2606), none at all
@pytest.mark.parametrize("host", ["192.0.2.7", "203.0.113.9", "nowhere.invalid", "2001:db8::7", "x" * 300])
@pytest.mark.parametrize("port", [[], ["--port", "7899"]])
def test_a_host_that_is_not_of_this_machine(host, port, nothing_loads, capsys):
    begun = time.monotonic()
    assert main(["demo", "--host", host, *port, "omnigan_biggan_digits-16"]) == 2
    said = capsys.readouterr()
    assert f"--host {host}: this machine has no such address" in said.err
    assert "--port" not in said.err and "warning" not in said.out
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", ""])
def test_a_port_in_use(host, taken, nothing_loads, capsys):
    assert main(["demo", "--host", host, "--port", str(taken), "omnigan_biggan_digits-16"]) == 2
    assert f"--port {taken} is in use on" in capsys.readouterr().err


def test_a_port_that_is_not_for_this_user(monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(OSError, match="--port 80: this user may not serve there"):
        Address(port=80).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", ""])
def test_an_address_that_is_free_stays_free(host, taken):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    Address(host, port).check()
    Address(host).check()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
