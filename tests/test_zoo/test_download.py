"""Downloads from a server on this machine: resumed, checked, never half a file under its name."""

import fcntl
import random
import urllib.request

import pytest

from mmcgan.cache import cache_folder
from mmcgan.zoo.cache import download_path, offline
from mmcgan.zoo.download import ATTEMPTS, check_address, download
from tests.test_zoo.file_server import serving

CONTENT = random.Random(0).randbytes(300_000)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "model.safetensors"


def names(path):
    return sorted(file.name for file in path.parent.iterdir() if not file.name.endswith(".lock"))


def test_a_file_arrives_whole_and_is_asked_for_once(path):
    with serving(CONTENT) as server:
        assert download(server.url, path, server.sha256) == path
        assert path.read_bytes() == CONTENT
        assert names(path) == ["model.safetensors"]
        download(server.url, path, server.sha256)
        assert server.asked == [None]


def test_a_broken_connection_is_taken_up_where_it_broke(path):
    with serving(CONTENT, breaks=[100_000, 50_000]) as server:
        download(server.url, path, server.sha256)
        assert server.asked == [None, "bytes=100000-", "bytes=150000-"]
    assert path.read_bytes() == CONTENT


def test_a_later_run_goes_on_with_what_an_earlier_one_left(path):
    with serving(CONTENT, breaks=[70_000] + [0] * ATTEMPTS) as server:
        with pytest.raises(FileNotFoundError, match=r"70000 of 300000.*70000 bytes are kept in .*\.part"):
            download(server.url, path)
        assert not path.exists()
        server.breaks, server.asked = [], []
        download(server.url, path)
        assert server.asked == ["bytes=70000-"]
    assert path.read_bytes() == CONTENT


def test_a_part_of_an_older_version_is_not_continued(path):
    with serving(CONTENT, breaks=[70_000] + [0] * ATTEMPTS) as server:
        with pytest.raises(FileNotFoundError):
            download(server.url, path)
        server.breaks, server.content = [], CONTENT[::-1]
        download(server.url, path)
    assert path.read_bytes() == CONTENT[::-1]


def test_a_part_longer_than_the_file_is_thrown_away(path):
    with serving(CONTENT, breaks=[70_000] + [0] * ATTEMPTS) as server:
        with pytest.raises(FileNotFoundError):
            download(server.url, path)
        path.with_name("model.safetensors.part").write_bytes(b"x" * 400_000)
        server.breaks = []
        download(server.url, path, server.sha256)
    assert path.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(path):
    with serving(CONTENT, breaks=[100_000], ranges=False) as server:
        download(server.url, path, server.sha256)
    assert path.read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_the_file_put_aside(path):
    with serving(CONTENT) as server:
        with pytest.raises(ValueError, match=rf"{server.sha256}, expected {'0' * 64}.*kept as") as caught:
            download(server.url, path, "0" * 64)
        aside = path.with_name(f"model.safetensors.wrong-{server.sha256[:8]}")
        assert str(aside) in str(caught.value)
        assert names(path) == [aside.name]
        assert aside.read_bytes() == CONTENT
        download(server.url, path, server.sha256[:8])  # its first digits are enough
        path.write_bytes(b"somebody wrote here")
        with pytest.raises(ValueError, match="damaged or another file"):
            download(server.url, path, server.sha256)
    assert not path.exists()


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, ATTEMPTS)])
def test_an_answer_that_is_no_file_is_named(path, status, requests):
    with serving(CONTENT, status=status) as server:
        with pytest.raises(FileNotFoundError, match=str(status)):
            download(server.url, path)
        assert len(server.asked) == requests
    assert not path.exists()


def test_offline_uses_what_is_there_and_asks_for_nothing(path, monkeypatch):
    monkeypatch.setenv("MMCGAN_OFFLINE", "1")
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("the network was used"))
    with pytest.raises(FileNotFoundError, match="MMCGAN_OFFLINE forbids"):
        download("https://example.org/model.safetensors", path)
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert download("https://example.org/model.safetensors", path) == path


@pytest.mark.parametrize(
    "url", ["http://example.org/a.safetensors", "file:///etc/passwd", "ftp://example.org/a"]
)
def test_addresses_that_others_can_change_are_refused(url, path):
    with pytest.raises(ValueError, match="only https:// addresses"):
        download(url, path)


def test_an_address_without_a_file_is_refused():
    with pytest.raises(ValueError, match="names no file"):
        check_address("https://example.org/")


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("MMCGAN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "mmcgan"
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "own"))
    first, other = download_path("https://a.org/m.pth?x=1"), download_path("https://b.org/m.pth")
    assert first.name == other.name == "m.pth"
    assert first.parent != other.parent
    assert first.is_relative_to(tmp_path / "own")


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False), ("No", False)]
)
def test_offline_is_read_as_a_switch(monkeypatch, value, expected):
    monkeypatch.delenv("MMCGAN_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert offline(hub=True) is expected
    assert offline() is False


def test_a_process_that_hangs_with_the_lock_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("mmcgan.zoo.download.STALL_SECONDS", 0.3)
    monkeypatch.setattr("mmcgan.zoo.download.POLL_SECONDS", 0.05)
    with (tmp_path / "model.bin.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match=r"holds .*model\.bin\.lock .* nothing has come for 0\.3 s"):
            download("https://example.org/model.bin", tmp_path / "model.bin")
