"""Many clients at a page for long: every request is answered, memory does not grow, nobody reads files.

    python -m tests.campaigns.demo_load --requests 200 --clients 8

Needs the extra ``demo``. Starts a page of small models, lets clients (processes of their own) ask for
samples, strips, photos and bad uploads at once, and prints one JSON line: how many requests were answered or
refused, the memory of the page's process after every tenth of them, and the size of its folder. Status 1 if
memory grew by more than ``--growth`` MB in the second half, a request was lost, or a file outside the page
could be read.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from PIL import Image

from mmcgan.process import tune_process

MODELS = ["omnigan_biggan_digits-16", "icgan_biggan_fashion-mnist-32"]
DIGITS, ICGAN = MODELS
TURNED_AWAY = "queue"


def resident_megabytes():
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask(client, photo, bad, kind):
    """Send one request and return what became of it."""
    from gradio_client import handle_file

    requests = {
        "sample": ("/sample", DIGITS, ["3"], 16, random.randrange(1000), 0, 0),
        "mix": ("/mix", DIGITS, "class alone", "1", "2", 4, 0, None, None),
        "photo": ("/more", ICGAN, handle_file(photo), None, 4, 0, 0),
        "bad": ("/more", ICGAN, handle_file(bad), None, 4, 0, 0),
    }
    name, *values = requests[kind]
    try:
        client.predict(*values, api_name=name)
    except Exception as error:
        text = str(error)
        if kind == "bad" and "unreadable image" in text:
            return "refused"
        return "turned away" if TURNED_AWAY in text.lower() else f"lost: {text[:200]}"
    return "a bad upload was taken" if kind == "bad" else "answered"


def send(address, numbers, photo, bad):
    """Send every request of a list, one after the other, and print what became of each."""
    from gradio_client import Client

    client = Client(address, verbose=False)
    for number in numbers:
        kind = ("sample", "mix", "photo", "sample", "bad")[number % 5]
        became = ask(client, photo, bad, kind)
        while became == "turned away":
            became = ask(client, photo, bad, kind)
        print(f"BECAME {became}", flush=True)


def foreign_files(address):
    """Return the addresses under which a file outside the page could be read."""
    import httpx

    places = ["file=/etc/passwd", "file=../../../../etc/passwd", "file%3D/etc/passwd", f"file={__file__}"]
    found = []
    for place in places:
        answer = httpx.get(f"{address}gradio_api/{place}", follow_redirects=False)
        if answer.status_code == 200:
            found.append(place)
    return found


def clients_at(address, options, photo, bad):
    """Let clients, a process each, send all requests; return what became of them and our memory."""
    became, memory = [], []
    parts = [range(first, options.requests, options.clients) for first in range(options.clients)]
    program = "from tests.campaigns.demo_load import send; send({!r}, {!r}, {!r}, {!r})"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program.format(address, part, str(photo), str(bad))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in parts
    ]

    def listen(process):
        for line in process.stdout:
            if line.startswith("BECAME "):
                became.append(line.removeprefix("BECAME ").strip())
                memory.append(resident_megabytes())

    listeners = [threading.Thread(target=listen, args=(process,)) for process in started]
    for listener in listeners:
        listener.start()
    for listener in listeners:
        listener.join()
    return became, memory


def main():
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--growth", type=float, default=30.0, help="MB in the second half of the requests")
    options = parser.parse_args()
    tune_process()  # as the command does
    from mmcgan.demo.serve import serving

    with tempfile.TemporaryDirectory() as folder, serving(MODELS) as (address, studio):
        photo, bad = Path(folder) / "photo.png", Path(folder) / "bad.png"
        Image.effect_noise((64, 64), 80).convert("RGB").save(photo)
        bad.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
        became, memory = clients_at(address, options, photo, bad)
        kept = sum(file.stat().st_size for file in studio.folder.rglob("*") if file.is_file()) / 1e6
        readable = foreign_files(address)
    tenths = [round(memory[len(memory) * tenth // 10], 1) for tenth in range(10)] + [round(memory[-1], 1)]
    counts = {what: became.count(what) for what in sorted(set(became))}
    lost = options.requests - counts.get("answered", 0) - counts.get("refused", 0)
    growth = tenths[-1] - tenths[5]
    report = dict(counts=counts, megabytes=tenths, folder_megabytes=round(kept, 1), foreign_files=readable)
    print(json.dumps(report))
    return int(growth > options.growth or lost > 0 or bool(readable))


if __name__ == "__main__":
    sys.exit(main())
