"""A disk that takes no more is a sentence that names the file, whatever writes, and no part is left."""

import os

import pytest

from mmcgan.checkpoints.atomic import copy_file, write_file, writing
from mmcgan.cli import COMMANDS, command_parser
from tests.test_trust.reports import report_of
from tests.test_trust.run_on_full_disk import ELSEWHERE, WRITES

#: what a run writes as it goes along, beside its checkpoints
ALONGSIDE = (".lock", ".py", ".log", ".json")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return report_of("run_on_full_disk", tmp_path_factory.mktemp("full"))


def test_every_command_that_writes_is_tried():
    writing_ones = {name for name in COMMANDS if command_parser(name).get_default("outputs")}
    assert writing_ones <= set(WRITES) | set(ELSEWHERE), "a new command that writes: try it on a full disk"


@pytest.mark.broad
def test_a_full_disk_is_a_sentence_that_names_the_file(report):
    said = {f"{call['command']} {call['arguments']}": call for call in report}
    wrong = {
        name: (call["status"], call["errors"])
        for name, call in said.items()
        if call["status"] != 2
        or "Traceback" in call["errors"]
        or "File too large" not in call["errors"]
        or f"cannot write {os.sep}" not in call["errors"]
        or f"out-{call['command']}-" not in call["errors"]
    }
    assert wrong == {}


@pytest.mark.broad
def test_nothing_half_written_is_left(report):
    left = {
        call["command"]: [name for name in call["left"] if not name.endswith(ALONGSIDE)]
        for call in report
        if ".partial" not in str(call["left"])  # of what goes on when it is called again
    }
    assert {command: names for command, names in left.items() if names} == {}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_no_space_left_on_the_device_is_said_in_these_words(tmp_path):
    with (
        pytest.raises(OSError, match=r"cannot write .*photo\.png: No space left on device"),
        writing(tmp_path / "photo.png"),
        open("/dev/full", "wb") as full,
    ):
        full.write(b"x")
    (tmp_path / "a").write_bytes(b"mine")
    (tmp_path / "b.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"cannot write .*b: No space left on device"):
        copy_file(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_folder_that_is_not_ours_is_named(tmp_path):
    (tmp_path / "theirs").mkdir(mode=0o500)
    if os.access(tmp_path / "theirs", os.W_OK):
        pytest.skip("to the administrator nothing is read-only; setpriv --bounding-set=-dac_override runs it")
    with pytest.raises(OSError, match=r"cannot write .*theirs/a: Permission denied"):
        write_file(tmp_path / "theirs" / "a", "x")
