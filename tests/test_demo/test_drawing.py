"""What is sent in the name of a drawing is held to the bounds of uploads before it is decoded."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmcgan.demo.limits import Limits

gradio = pytest.importorskip("gradio", reason="the extra demo is not installed: pip install 'mmcgan[demo]'")


@pytest.fixture
def board(monkeypatch):
    from mmcgan.demo.drawing import drawing_board
    from mmcgan.demo.serve import PIXELS_VARIABLE

    limits = Limits(upload_bytes=1 << 16, upload_pixels=1 << 12)
    monkeypatch.setenv(PIXELS_VARIABLE, str(limits.upload_pixels))  # as the page does
    return drawing_board(limits, label="Draw", canvas_size=(8, 8))


def png(size, mode="1"):
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()


def claiming(side):
    """Return a small PNG whose header says that it is large."""
    content = bytearray(png((8, 8)))
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def sent(content, number="a", kind="composite", index="null"):
    from gradio.data_classes import DataWithFiles  # what the route makes of a form

    data = {"type": kind, "index": index, "id": number}
    return DataWithFiles(data=data, files=[("file", content)])


def asked(number):
    from gradio.components.image_editor import EditorData

    return EditorData(background=None, layers=[], composite=None, id=number)


REFUSED = {
    "pixels": (
        png((900, 900)),
        "the drawing: 900 x 900 are 810,000 pixels; this page takes",
    ),
    "far more pixels": (claiming(30_000), "the drawing: more than 4,096 pixels; this page takes"),
    "bytes": (bytes((1 << 16) + 1), "the drawing has 65,537 bytes; this page takes"),
    "no picture": (b"<svg/>", "the drawing: unreadable image"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_drawing_that_is_too_much_gets_a_sentence_of_a_visitor(board, kind, tmp_path):
    from gradio.components.image_editor import EditorData
    from gradio.data_classes import FileData

    content, said = REFUSED[kind]
    with pytest.raises(gradio.Error, match=said) as caught:
        board.accept_blobs(sent(content))
    assert "MMCGAN" not in str(caught.value) and not board.blob_storage
    file = tmp_path / "map.png"
    file.write_bytes(content)
    with pytest.raises(gradio.Error, match=said) as caught:
        board.preprocess(EditorData(background=FileData(path=str(file)), layers=[], composite=None))
    assert "MMCGAN" not in str(caught.value) and str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("index", ["1000000000", "-1"])
def test_a_layer_of_any_number_fills_no_memory(board, index):
    with pytest.raises(gradio.Error, match="at most 8 layers"):
        board.accept_blobs(sent(png((8, 8)), kind="layer", index=index))


def test_drawings_that_nobody_asks_about_are_forgotten(board):
    for number in range(40):
        board.accept_blobs(sent(png((8, 8)), number=str(number)))
    assert len(board.blob_storage) == 16 and "39" in board.blob_storage


def test_a_drawing_arrives_as_it_was_sent(board):
    levels = np.random.default_rng(0).integers(0, 256, (8, 8, 4)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    board.accept_blobs(sent(file.getvalue()))
    board.accept_blobs(sent(file.getvalue(), kind="layer", index="0"))
    drawn = board.preprocess(asked("a"))
    assert np.array_equal(drawn["composite"], levels) and np.array_equal(drawn["layers"][0], levels)
    assert not board.blob_storage
