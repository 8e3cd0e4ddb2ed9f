"""Imports run downwards: which room may use which, and the picture of it in the docs."""

from pathlib import Path

from tests.tools_of_developers import tool_fixture

architecture = tool_fixture("architecture")


def test_no_import_runs_upwards_and_no_rooms_make_a_ring(architecture):
    assert architecture.problems(architecture.read_imports()) == []


def test_the_picture_in_the_docs_shows_the_imports_of_today(architecture):
    page = architecture.DESIGN.read_text(encoding="utf-8")
    assert page == architecture.with_picture(page, architecture.draw(architecture.read_imports()))


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / "mmcgan" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_an_import_upwards_is_found_wherever_it_stands(architecture, tmp_path):
    inside = "def late():\n    from mmcgan.models.gan import ConditionalGAN\n    return ConditionalGAN\n"
    root = write(tmp_path, checkpoints__files=inside, models__gan="import mmcgan.checkpoints.files\n")
    found = architecture.problems(architecture.read_imports(root))
    assert "upwards: mmcgan/checkpoints/files.py imports mmcgan.models.gan" in found
    assert any(line.startswith("a ring: ") for line in found)


def test_a_ring_on_one_floor_is_found(architecture, tmp_path):
    root = write(
        tmp_path, losses__a="from mmcgan import augments\n", augments__b="from mmcgan.losses import a\n"
    )
    assert [line[:8] for line in architecture.problems(architecture.read_imports(root))] == ["a ring: "]


def test_a_new_room_needs_a_floor(architecture, tmp_path):
    root = write(tmp_path, attic__boxes="import torch\n")
    assert architecture.problems(architecture.read_imports(root)) == [
        "attic stands on no floor: add it to FLOORS"
    ]
