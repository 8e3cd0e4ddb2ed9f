"""The bounds of the page as whoever sends requests meets them: queue, time, bytes, pixels, memory, files."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.test_demo.test_tabs import hostile_uploads

pytestmark = pytest.mark.slow  # a server and its clients: a minute or two
pytest.importorskip("gradio", reason="the extra demo is not installed: pip install 'mmcgan[demo]'")

ROOT = Path(__file__).resolve().parents[2]
DIGITS, ICGAN = "omnigan_biggan_digits-16", "icgan_biggan_fashion-mnist-32"
WAITING = 3


@pytest.fixture(scope="module")
def site():
    """A page with a short queue."""
    from mmcgan.demo.limits import Limits
    from mmcgan.demo.serve import serving

    with serving([DIGITS, ICGAN], limits=Limits(queue=WAITING, upload_bytes=1 << 20)) as (address, studio):
        yield address, studio


def client_at(address):
    from gradio_client import Client

    return Client(address, verbose=False)


def sampled(client):
    """Ask for two digits; return what became of it."""
    try:
        client.predict(DIGITS, ["3"], 2, 0, 0, 0, api_name="/sample")
    except Exception as error:
        return str(error)
    return "answered"


def until(condition, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.05)


def test_a_full_queue_turns_requests_away_and_answers_all_that_it_took(site):
    address, studio = site
    became = []
    clients = [client_at(address) for _ in range(8)]
    assert sampled(clients[0]) == "answered"  # libraries are loaded
    with studio._worker:  # as if a long request were worked on
        senders = [
            threading.Thread(target=lambda client=client: became.append(sampled(client)))
            for client in clients
        ]
        for sender in senders:
            sender.start()
            time.sleep(0.2)
        # one has been given to the worker, three wait: four are turned away while nothing moves
        until(lambda: len(became) >= len(clients) - WAITING - 1)
        turned_away = list(became)
    for sender in senders:
        sender.join(120)
    assert all("queue is full" in text.lower() for text in turned_away), turned_away
    assert became.count("answered") == len(clients) - len(turned_away) >= WAITING
    assert len(became) == len(clients)
    assert sampled(clients[0]) == "answered"


def test_a_request_ends_when_its_time_is_up(site, monkeypatch):
    address, studio = site
    from dataclasses import replace

    monkeypatch.setattr(studio, "limits", replace(studio.limits, seconds=0.0))
    assert "takes longer than the 0 s that this page gives a request" in sampled(client_at(address))
    monkeypatch.undo()
    assert sampled(client_at(address)) == "answered"


def test_a_large_upload_is_refused_before_it_is_kept(site):
    import httpx

    address, studio = site
    before = set(studio.folder.rglob("*"))
    files = {"files": ("heavy.png", bytes((1 << 20) + 1), "image/png")}
    answer = httpx.post(f"{address}gradio_api/upload", files=files)
    assert answer.status_code == 413
    kept = [path for path in set(studio.folder.rglob("*")) - before if path.is_file()]
    assert kept == []


def test_hostile_uploads_get_a_sentence_and_nothing_of_our_folders(site, tmp_path):
    from gradio_client import handle_file

    address, studio = site
    client, asked = client_at(address), 0
    for file, said in hostile_uploads(tmp_path):
        if file.stat().st_size > studio.limits.upload_bytes:
            continue  # the upload itself is refused
        with pytest.raises(Exception) as caught:
            client.predict(ICGAN, handle_file(str(file)), None, 1, 0, 0, api_name="/more")
        assert said.partition(";")[0] in str(caught.value)
        assert str(studio.folder) not in str(caught.value)
        asked += 1
    assert asked >= 5 and sampled(client) == "answered"


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", str(ROOT / "setup.py")]
)
def test_files_outside_the_page_cannot_be_read(site, place):
    import httpx

    address, _ = site
    for kind in (
        f"gradio_api/file={place}",
        f"file={place}",
        f"gradio_api/stream/{place}",
        place.lstrip("/"),
    ):
        answer = httpx.get(f"{address}{kind}", follow_redirects=False)
        assert answer.status_code != 200 or ("root:" not in answer.text and "setup(" not in answer.text), kind


def test_a_file_that_is_no_upload_is_not_taken_for_one(site):
    """A request can name a path of the machine in place of an upload."""
    address, _ = site
    client = client_at(address)
    named = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(Exception) as caught:
        client.predict(ICGAN, named, None, 1, 0, 0, api_name="/more")
    assert Path("/etc/hostname").read_text().strip() not in str(caught.value)


def test_two_hundred_requests_of_eight_clients_leave_no_memory_behind():
    command = [sys.executable, "-m", "tests.campaigns.demo_load", "--requests", "200", "--clients", "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["counts"] == {"answered": 160, "refused": 40} and report["foreign_files"] == []
