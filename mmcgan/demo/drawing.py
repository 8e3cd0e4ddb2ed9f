"""A board to draw on that takes no more than the page allows, whatever is sent in its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmcgan.demo.limits import Limits
from mmcgan.demo.toolkit import gradio
from mmcgan.image_files import EncodedImage

#: What every drawing board is: an array of colours, without uploads and layers.
DRAWN: dict[str, Any] = dict(
    type="numpy", image_mode="RGBA", format="png", sources=(), transforms=(), layers=False
)
#: drawings that were sent and not asked about yet, of all browsers; the oldest are forgotten
WAITING = 16
#: a drawing has one layer; the board sends a few more
MOST_LAYERS = 8


def drawing_board(limits: Limits, **options: Any) -> Any:
    """Return Gradio's ImageEditor, with the bounds of uploads for what is drawn.

    Gradio takes a drawing as bytes or files and decodes it before any of our functions is asked; a picture of
    few bytes can have very many pixels, and a layer's number can be a very large one.

    Args:
        limits: of an upload.
        options: of the ImageEditor, besides :data:`DRAWN`.
    """
    board = gradio().ImageEditor(**DRAWN, **options)
    decode, keep = board.convert_and_format_image, board.accept_blobs

    def decoded(file: Any, *further: Any, **named: Any) -> Any:
        if file is not None:
            _check(file, limits)
        return decode(file, *further, **named)

    def kept(data: Any) -> None:
        (_, content), *_ = data.files
        _check(content, limits)
        index = data.data["index"]
        if index and index != "null" and not 0 <= int(index) < MOST_LAYERS:
            raise _refused(f"a drawing has at most {MOST_LAYERS} layers")
        keep(data)
        for oldest in list(board.blob_storage)[:-WAITING]:
            board.blob_storage.pop(oldest, None)

    kept._is_server_fn = True  # type: ignore[attr-defined]
    board.convert_and_format_image, board.accept_blobs = decoded, kept
    return board


def _check(file: Any, limits: Limits) -> None:
    """Refuse a part of a drawing, a file or bytes, that is larger than an upload may be."""
    name = "the drawing"
    picture = (
        EncodedImage(name, bytes(file))
        if isinstance(file, bytes | bytearray | memoryview)
        else Path(file.path)
    )
    try:
        limits.check_upload(picture)
    except (ValueError, OSError) as error:
        sentence = str(error).replace(str(picture), name).replace(picture.name, name)
        raise _refused(sentence) from error


def _refused(sentence: str) -> Exception:
    error: Exception = gradio().Error(sentence, duration=30, print_exception=False)
    return error
