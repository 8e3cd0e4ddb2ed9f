"""A command that is told to end leaves nothing running and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmcgan.cli import main
from mmcgan.termination import SIGNALS, Terminated, interrupt_behind, unwinding

#: a command that holds a temporary folder while it waits for a process that it has started
PROGRAM = """
import signal, sys, tempfile
from pathlib import Path
from types import SimpleNamespace

from mmcgan.claims.step import Command
from mmcgan.cli import main
from mmcgan.commands import list_models
from mmcgan.termination import SIGNALS

here, sys.executable = Path(sys.argv[1]), sys.argv[2]

def run(arguments):
    with tempfile.TemporaryDirectory(dir=here, prefix="half-"):
        child = Command(SimpleNamespace(folder=here), "waiting")
        child.status(here / "log")

list_models.run = run
for number in SIGNALS:  # these tests may have been started by nohup
    signal.signal(number, signal.SIG_DFL)
sys.argv = ["mmcgan", "list"]
raise SystemExit(main())
"""


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _soon(happened, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.05)
    return happened()


@pytest.mark.parametrize("number", SIGNALS)
def test_what_a_command_started_and_half_wrote_goes_with_it(tmp_path: Path, number: int):
    child, script = tmp_path / "child", tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho $$ > {child}.new\nmv {child}.new {child}\nexec sleep 600\n")
    script.chmod(0o755)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(script)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert _soon(child.exists)
    assert list(tmp_path.glob("half-*")) and _alive(int(child.read_text()))
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == f"mmcgan: interrupted by {signal.Signals(number).name}\n"
    assert process.returncode == 128 + number
    assert _soon(lambda: not _alive(int(child.read_text())))
    assert not list(tmp_path.glob("half-*"))


def test_a_program_that_calls_a_command_keeps_its_own_answer(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "mmcgan.commands.list_models.run", lambda arguments: seen.append(signal.getsignal(signal.SIGTERM))
    )
    before = signal.getsignal(signal.SIGTERM)
    assert main(["list"]) == 0
    assert seen == [before]


def test_signals_that_are_ignored_or_answered_stay_so():
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with unwinding():
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(Terminated, match="by SIGTERM"):
                os.kill(os.getpid(), signal.SIGTERM)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as a run does that is done
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def blamed(interrupt, error, cause):
    """Raise an error in place of an interrupt, as what catches everything does."""
    try:
        try:
            raise interrupt
        except BaseException:
            raise error from (LookupError() if cause else None)
    except type(error) as found:
        raise ValueError("at last") from found


INTERRUPTS = [(KeyboardInterrupt(), "", 2), *((Terminated(n), f" by {n.name}", n) for n in SIGNALS)]


@pytest.mark.parametrize("cause", [False, True])
@pytest.mark.parametrize(
    "error", [SyntaxError("config"), ValueError("value"), TypeError("type"), OSError(28, "full")]
)
@pytest.mark.parametrize(("interrupt", "by", "number"), INTERRUPTS)
def test_what_was_raised_in_place_of_an_interrupt_is_one(
    interrupt, by, number, error, cause, monkeypatch, capsys
):
    monkeypatch.setattr("mmcgan.commands.list_models.run", lambda arguments: blamed(interrupt, error, cause))
    assert main(["list"]) == 128 + number
    assert capsys.readouterr().err == f"mmcgan: interrupted{by}\n"


def test_an_interrupt_while_mmengine_formats_a_config(monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmengine.config.config.FormatCode", interrupted)
    assert main(["test", "omnigan_biggan_digits-16", "--num", "64"]) == 130
    assert capsys.readouterr().err.endswith("mmcgan: interrupted\n")


def test_other_errors_have_no_interrupt_behind_them_even_in_a_ring():
    first, second = ValueError(), TypeError()
    first.__cause__, second.__context__ = second, first
    assert interrupt_behind(first) is None
