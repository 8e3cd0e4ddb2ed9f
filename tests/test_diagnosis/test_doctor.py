"""``mmcgan doctor`` names what is broken, missing or slow, on stand-ins for each."""

import json
import subprocess
import sys
from importlib import metadata

import pytest
import torch

from mmcgan import cli, precision, process
from mmcgan.datasets import ImageDataset
from mmcgan.diagnosis import devices as devices_module
from mmcgan.diagnosis import installation, processor, storage
from mmcgan.diagnosis.data import data_sets
from mmcgan.diagnosis.finding import BROKEN, NOTE, OK, Finding
from mmcgan.diagnosis.report import SECTIONS, as_json, as_text, diagnose, is_broken
from mmcgan.precision import Choice
from mmcgan.registry import DATASETS


def by_name(findings):
    return {finding.name: finding for finding in findings}


# --- the whole ---------------------------------------------------------------------------------


def test_this_machine_is_looked_at_from_all_sides():
    found = diagnose()
    assert list(found) == list(SECTIONS)
    assert all(findings for findings in found.values())
    assert not is_broken({name: f for name, f in found.items() if name not in ("packages", "cache")})
    json.dumps(as_json(found))


def test_the_command_prints_json_and_ends_well(capsys):
    status = cli.main(["doctor", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert status == int(printed["broken"])
    ratio = next(f for f in printed["sections"]["processor"] if f["name"] == "precision auto")["value"][
        "ratio"
    ]
    assert ratio > 0


@pytest.mark.parametrize(("status", "code"), [(OK, 0), (NOTE, 0), (BROKEN, 1)])
def test_only_what_is_broken_decides_the_status(status, code, monkeypatch, capsys):
    for name in list(SECTIONS):
        monkeypatch.delitem(SECTIONS, name)
    monkeypatch.setitem(SECTIONS, "part", lambda: [Finding("thing", "state", status, "do this")])
    assert cli.main(["doctor"]) == code
    printed = capsys.readouterr().out
    assert "thing" in printed
    assert "-> do this" in printed
    assert ("broken: part: thing" in printed) == bool(code)


def test_a_section_that_fails_is_shown_and_hides_nothing_else():
    def fail():
        raise ImportError("libcudart.so: cannot open shared object file")

    found = diagnose({"bad": fail, "good": lambda: [Finding("a", "b")]})
    assert is_broken(found)
    assert "libcudart.so" in as_text(found)
    assert found["good"] == [Finding("a", "b")]


# --- installation ------------------------------------------------------------------------------


@pytest.fixture
def packages(monkeypatch):
    """Return a function that sets what mmcgan requires and what is installed."""

    def become(requires, installed):
        def version(name):
            if name not in installed:
                raise metadata.PackageNotFoundError(name)
            return "1.0"

        monkeypatch.setattr(metadata, "requires", lambda name: requires)
        monkeypatch.setattr(metadata, "version", version)

    return become


REQUIRES = ["torch>=2.6", "mmcv-lite<2.3,>=2.2", 'lpips>=0.1.4; extra == "metrics"', "ruff; extra == 'dev'"]


def test_extras_are_named_with_the_line_that_installs_them(packages):
    packages(REQUIRES, {"torch", "mmcv"})
    found = by_name(installation.requirements())
    assert found["needed"] == Finding("needed", "all there")  # mmcv stands for mmcv-lite
    assert found["extra metrics"].status == NOTE
    assert found["extra metrics"].value == "missing: lpips"
    assert found["extra metrics"].advice == 'python3 -m pip install "mmcgan[metrics]"'
    assert found["extra dev"].status == OK  # nobody needs it to use mmcgan


def test_a_missing_requirement_is_broken(packages):
    packages(REQUIRES, {"mmcv-lite", "lpips"})
    found = by_name(installation.requirements())
    assert found["needed"] == Finding("needed", "missing: torch", BROKEN, "python3 -m pip install torch")
    assert found["extra metrics"] == Finding("extra metrics", "installed")


def test_a_checkout_that_is_only_on_the_path(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    (found,) = installation.requirements()
    assert found.status == NOTE
    assert "not installed" in found.value


# --- processor, threads, allocator -------------------------------------------------------------


def test_limits_of_the_environment_and_the_choice_are_shown(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setattr(precision, "measure", lambda kind: Choice("float32", 0.1, "emulated"))
    found = by_name(processor.processor())
    assert "ONEDNN_MAX_CPU_ISA=AVX2" in found["limited by"].value
    assert found["limited by"].status == NOTE
    assert found["precision auto"].value == {"precision": "float32", "ratio": 0.1, "reason": "emulated"}


def test_the_units_of_both_families_of_processors(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    for text, expected in (
        (
            "processor : 0\nmodel name : Some CPU\nflags : sse avx2 avx512f amx_tile\n",
            "avx2, avx512f, amx_tile",
        ),
        ("processor : 0\nFeatures : fp asimd bf16\n", "asimd, bf16"),
        ("", "unknown"),
    ):
        (tmp_path / "cpuinfo").write_text(text)
        assert by_name(processor.processor())["units"].value == expected


def test_more_threads_than_cores_and_other_work_are_noted(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr(processor, "_cores", lambda: 2)
    monkeypatch.setattr(processor.os, "getloadavg", lambda: (7.5, 0, 0))
    found = by_name(processor.threads())
    assert found["threads"].status == found["load"].status == NOTE
    assert "OMP_NUM_THREADS" in found["threads"].advice


def test_the_allocator_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "MAPS", tmp_path / "maps")
    (tmp_path / "maps").write_text("7f00-7f01 r-xp 0 08:01 1  /usr/lib/libjemalloc.so.2\n")
    assert processor.allocator() == [Finding("allocator", "libjemalloc.so.2")]
    (tmp_path / "maps").write_text("")
    monkeypatch.setattr(processor.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setenv(process.MEMORY_VARIABLE, "0")
    (found,) = processor.allocator()
    assert found.status == NOTE
    assert f"{process.MEMORY_VARIABLE}=0" in found.value


# --- CUDA --------------------------------------------------------------------------------------


def test_without_a_device_nothing_is_broken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for built in (None, "12.8"):
        monkeypatch.setattr(torch.version, "cuda", built)
        (found,) = devices_module.devices()
        assert found.status == OK


def test_what_fails_on_a_device_is_told(monkeypatch):
    def fail():
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(devices_module, "_device", lambda number: Finding(f"cuda:{number}", "a card"))
    monkeypatch.setattr(
        devices_module, "ATTEMPTS", {"float32": fail, "bf16": lambda: False, "nccl": lambda: True}
    )
    found = by_name(devices_module.devices())
    assert found["float32"].status == BROKEN
    assert "no kernel image" in found["float32"].value
    assert (found["bf16"].status, found["nccl"].status) == (NOTE, OK)


# --- storage -----------------------------------------------------------------------------------


def test_a_damaged_and_a_missing_shipped_file_are_broken(monkeypatch):
    def weight_path(name):
        if name == "damaged":
            raise ValueError("damaged.safetensors: SHA-256 is 0, the index says 1")
        if name == "missing":
            raise FileNotFoundError("missing.safetensors: missing")

    monkeypatch.setattr(storage, "weight_path", weight_path)
    monkeypatch.setattr(storage, "read_index", lambda: dict.fromkeys(("fine", "damaged", "missing")))
    found = by_name(storage.shipped_weights())
    assert sorted(found) == ["damaged", "missing"]
    assert all(finding.status == BROKEN for finding in found.values())
    assert "SHA-256" in found["damaged"].value


def test_one_flipped_bit_of_a_real_file_is_found(tmp_path, monkeypatch):
    from mmcgan import weights

    record = {"file": "a.bin", "sha256": "0" * 64, "kind": "generator", "command": "make it"}
    (tmp_path / "a.bin").write_bytes(b"weights")
    (tmp_path / "index.json").write_text(json.dumps({"a": record}))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "INDEX", tmp_path / "index.json")
    assert [finding.status for finding in storage.shipped_weights()] == [BROKEN]


def test_a_cache_that_cannot_be_written_is_broken_and_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    assert [finding.status for finding in storage.cache()] == [OK]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "file" / "cache"))
    (found,) = storage.cache()
    assert found.status == BROKEN
    assert "MMCGAN_CACHE" in found.advice

    def refuse(**settings):
        raise PermissionError("read-only file system")

    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    (found,) = storage.cache()
    assert found.status == BROKEN
    assert "read-only" in found.value


def test_little_memory_and_disk_are_noted(monkeypatch):
    monkeypatch.setattr(storage, "available_memory", lambda: 1_000_000_000)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**9}))
    found = by_name(storage.memory_and_disk())
    assert found["memory"].status == found["disk, current folder"].status == NOTE


# --- data sets ---------------------------------------------------------------------------------


def test_data_sets_of_anybody_are_looked_for(tmp_path, monkeypatch):
    class Mine(ImageDataset):
        disk_arguments = ("root",)

        def __init__(self, root: str = "my-images"):
            self.root = root

    class Asked(ImageDataset):
        disk_arguments = ("root",)

        def __init__(self, root: str):
            self.root = root

    monkeypatch.setattr(DATASETS, "_module_dict", {**DATASETS._module_dict, "Mine": Mine, "Asked": Asked})
    monkeypatch.chdir(tmp_path)
    found = by_name(data_sets())
    assert found["Mine"].value == "not here; looked in my-images"
    assert "Asked" not in found
    assert "DigitsDataset" not in found  # comes with scikit-learn
    assert "/usr/share/datasets/fashion-mnist" in found["FashionMNIST"].value
    assert found["CIFAR10"].value.endswith("data/cifar-10-batches-py")
    assert found["Cityscapes"].value.endswith("data/cityscapes")
    (tmp_path / "my-images").mkdir()
    assert by_name(data_sets())["Mine"].value == "in my-images"


HELP = """
import sys
from mmcgan import cli
cli.command_parser("doctor")
sys.exit("torch" in sys.modules)
"""


def test_help_needs_no_torch():
    assert subprocess.run([sys.executable, "-c", HELP], check=False).returncode == 0
