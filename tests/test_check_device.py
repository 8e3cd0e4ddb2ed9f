"""``tools/dev/check_device.py`` on a CPU: every part gives rows, and none of them can end the rest."""

import json
import os
import signal
import time

import pytest

from tools.dev import check_device
from tools.dev.device.isolate import Row, Settings, run_part

QUICK = Settings("cpu", True, (), 1.0)


@pytest.mark.broad
def test_every_part_has_a_row_and_none_failed(tmp_path, capsys):
    status = check_device.main(["--quick", "--device", "cpu", "--out", str(tmp_path)])
    rows = json.loads((tmp_path / "device.json").read_text())
    assert [row for row in rows if row["status"] == "fail"] == []
    assert status == 0
    assert {row["part"] for row in rows} == {*check_device.PARTS, "environment"}
    speed = next(row for row in rows if row["part"] == "speed")["figures"]
    assert speed["images/s"] > 0 and speed["time over bare"] > 1
    assert (tmp_path / "device.md").read_text() in capsys.readouterr().out


def crash(settings):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(settings):
    time.sleep(60)


def stumble(settings):
    raise RuntimeError("CUDA error: device-side assert triggered")


@pytest.mark.parametrize(
    ("part", "reason"), [(crash, "status -9"), (hang, "not done after 1 s"), (stumble, "device-side assert")]
)
def test_a_crash_a_hang_and_an_error_are_rows(part, reason):
    rows = run_part("speed", part, QUICK)
    assert rows[0].status == "fail" and reason in rows[0].reason


def test_what_is_known_is_written_although_a_part_fails(tmp_path, monkeypatch):
    good = [Row("memory", "1 images", "figure", {"MiB": 3.0})]
    monkeypatch.setattr(check_device, "PARTS", {"compile": crash, "memory": lambda settings: good})
    assert check_device.main(["--quick", "--device", "cpu", "--out", str(tmp_path)]) == 1
    text = (tmp_path / "device.md").read_text()
    assert "| compile | all | fail |" in text and "| memory | 1 images | figure | MiB 3 |" in text
