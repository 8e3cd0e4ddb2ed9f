"""Every row of the table of image kinds in docs/datasets.md, checked."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from mmcgan.datasets import BadImageError, ImageReader
from mmcgan.datasets.decode import PIXELS_VARIABLE, image_size, read_rgb
from tests.test_datasets.image_files import picture

DOCS = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"
RGB = picture()
GRAY = RGB[..., 0]
OVER_WHITE = np.random.default_rng(1).integers(0, 256, (8, 8, 1), dtype=np.uint8)
WIDE = np.random.default_rng(2).integers(0, 65536, (8, 8, 4)).astype(np.uint16)
WIDE[0, 0], WIDE[0, 1] = 0, 65535


def three(gray):
    return np.repeat(np.asarray(gray)[..., None], 3, axis=-1)


def laid_over_white(colour, alpha):
    """What float64 says."""
    share = alpha.astype(float) / 255
    return colour * share + 255 * (1 - share)


def saved(image, kind, **options):
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def wide_png(values):
    """A PNG of 16 bits per channel of (H, W, C)."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )


def with_chunk(png, kind, data):
    """A PNG with a further chunk after its header."""
    return png[:33] + chunk(kind, data) + png[33:]


def tiff16(kind):
    """A TIFF of 16-bit samples of a sample format (1 unsigned, 2 signed)."""
    data = WIDE[..., 0].astype("<u2").tobytes()
    tags = [(256, 3, 8), (257, 3, 8), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 3, 8), (279, 4, len(data)), (339, 3, kind)]
    entries = b"".join(struct.pack("<HHII", tag, type_, 1, value) for tag, type_, value in tags)
    offset = 8 + len(data)
    return b"II*\0" + struct.pack("<I", offset) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def exif(orientation, broken=False):
    tags = Image.Exif()
    tags[0x0112] = orientation
    content = tags.tobytes()
    return content[:-8] + b"\xff" * 8 if broken else content


def transparent_palette():
    image = Image.fromarray(np.tile(np.array([0, 1], np.uint8), (8, 4)), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    return saved(image, "PNG", transparency=0)


def palette():
    return Image.fromarray(RGB).quantize(16)


def frames(kind, **options):
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    return saved(first, kind, save_all=True, append_images=[second], **options)


def gif():
    first = palette()
    return saved(first, "GIF", save_all=True, append_images=[Image.fromarray(255 - RGB).quantize(16)])


CMYK = Image.new("RGB", (8, 8), (250, 10, 10)).convert("CMYK")
RED = np.tile(np.array([250, 10, 10]), (8, 8, 1))
ROUNDED = np.round(WIDE[..., 0].astype(np.float64) / 257)
UPPER = (WIDE >> 8).astype(float)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
SMOOTH = np.linspace(0, 255, 8 * 8 * 3).reshape(8, 8, 3).astype(np.uint8)
BIG = saved(np.zeros((9000, 9000), np.uint8), "PNG")

# row of the table -> file, what comes out (None: refused), how far apart it may be
ROWS = {
    "8-bit RGB (PNG, BMP, PPM, TIFF, lossless WebP)": (saved(RGB, "PNG"), RGB, 0),
    "8-bit gray": (saved(GRAY, "PNG"), three(GRAY), 0),
    "1-bit black and white": (saved(GRAY > 127, "PNG"), three(np.where(GRAY > 127, 255, 0)), 0),
    "palette (P)": (saved(palette(), "PNG"), np.asarray(palette().convert("RGB")), 0),
    "RGBA": (saved(np.concatenate([RGB, OVER_WHITE], -1), "PNG"), laid_over_white(RGB, OVER_WHITE), 1),
    "gray with alpha (LA)": (
        saved(Image.fromarray(np.concatenate([GRAY[..., None], OVER_WHITE], -1), "LA"), "PNG"),
        laid_over_white(three(GRAY), OVER_WHITE),
        1,
    ),
    "palette with a transparent colour": (
        transparent_palette(),
        np.tile(np.array([[255, 255, 255], [40, 50, 60]]), (8, 4, 1)),
        0,
    ),
    "16-bit gray PNG (I;16)": (wide_png(WIDE[..., :1]), three(ROUNDED), 0),
    "16-bit gray TIFF, big endian (I;16B)": (
        saved(Image.frombytes("I;16B", (8, 8), WIDE[..., 0].astype(">u2").tobytes()), "TIFF"),
        three(ROUNDED),
        0,
    ),
    "PGM of up to 16 bits": (
        b"P5 8 8 1000\n" + (WIDE[..., 0] % 1001).astype(">u2").tobytes(),
        three((WIDE[..., 0] % 1001) / 1000 * 255),
        1,
    ),
    "16-bit RGB PNG": (wide_png(WIDE[..., :3]), UPPER[..., :3], 0),
    "16-bit RGBA PNG": (wide_png(WIDE), laid_over_white(UPPER[..., :3], UPPER[..., 3:]), 1),
    "16-bit gray PNG with alpha": (
        wide_png(WIDE[..., 2:]),
        laid_over_white(three(UPPER[..., 2]), UPPER[..., 3:]),
        1,
    ),
    "32-bit integer TIFF": (saved(GRAY.astype(np.int32), "TIFF"), None, 0),
    "signed 16-bit TIFF": (tiff16(2), None, 0),
    "floating-point TIFF": (saved(GRAY.astype(np.float32), "TIFF"), None, 0),
    "CMYK JPEG": (saved(CMYK, "JPEG", quality=100), RED, 4),
    "CMYK TIFF": (saved(CMYK, "TIFF"), RED, 1),
    # L* = 50.2 is a gray of 119.3 in sRGB
    "CIE L*a*b* TIFF": (
        saved(Image.new("LAB", (8, 8), (128, 128, 128)), "TIFF"),
        np.full((8, 8, 3), 119.3),
        2,
    ),
    "animated GIF": (gif(), np.asarray(palette().convert("RGB")), 0),
    "animated WebP": (frames("WEBP", lossless=True), RGB, 0),
    "animated PNG (APNG)": (frames("PNG"), RGB, 0),
    "TIFF of several pages": (frames("TIFF"), RGB, 0),
    "MPO, two pictures in a JPEG": (
        saved(
            Image.fromarray(SMOOTH),
            "MPO",
            save_all=True,
            append_images=[Image.fromarray(255 - SMOOTH)],
            quality=100,
            subsampling=0,
        ),
        SMOOTH,
        3,
    ),
    "EXIF orientation": (saved(RGB, "PNG", exif=exif(6)), np.rot90(RGB, -1), 0),
    "broken EXIF tags": (saved(RGB, "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\1\2\3"), RGB, 0),
    "gamma (PNG gAMA)": (with_chunk(saved(RGB, "PNG"), b"gAMA", struct.pack(">I", 100_000)), RGB, 0),
    "colour profile (ICC)": (saved(RGB, "PNG", icc_profile=PROFILE), RGB, 0),
    "AVIF": (saved(Image.fromarray(SMOOTH), "AVIF", quality=100, subsampling="4:4:4"), SMOOTH, 6)
    if features.check("avif")
    else None,
    "JPEG 2000": (saved(RGB, "JPEG2000"), RGB, 0) if features.check("jpg_2000") else None,
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(64), None, 0),
    "JPEG XL": (b"\xff\x0a" + bytes(64), None, 0),
    "damaged or truncated": (saved(RGB, "PNG")[:80], None, 0),
    "more than 67 million pixels": (BIG, None, 0),
}


def table():
    text = DOCS.read_text(encoding="utf-8")
    part = text[text.index("| kind | what happens |") :].split("\n\n")[0]
    return {row[0]: row[1] for line in part.splitlines()[2:] if (row := line.strip("| ").split(" | "))}


def test_the_table_and_the_tests_have_the_same_rows():
    assert list(table()) == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row(tmp_path, row):
    if ROWS[row] is None:
        pytest.skip("this Pillow does not read it")
    content, expected, apart = ROWS[row]
    assert (expected is None) == table()[row].startswith("refused")
    path = tmp_path / "image.png"  # the content decides
    path.write_bytes(content)
    if expected is None:
        with pytest.raises(BadImageError, match=r"image\.png: unreadable image"):
            read_rgb(path)
        return
    found = np.asarray(read_rgb(path)).astype(float)
    assert np.abs(found - expected).max() <= apart
    assert image_size(path) == (8, 8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF"])
def test_formats_without_loss_keep_pixels(tmp_path, kind):
    (tmp_path / "image").write_bytes(saved(RGB, kind))
    assert np.array_equal(np.asarray(read_rgb(tmp_path / "image")), RGB)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_orientations_as_pillow_turns_them(tmp_path, orientation, kind):
    from PIL import ImageOps

    pixels = np.repeat(np.repeat(picture(4, 2), 8, 0), 8, 1)
    path = tmp_path / "image"
    tags = Image.Exif()
    tags[0x0112] = orientation
    path.write_bytes(saved(pixels, kind, exif=tags.tobytes()))
    with Image.open(path) as image:
        expected = ImageOps.exif_transpose(image).convert("RGB")
    assert read_rgb(path).tobytes() == expected.tobytes()
    assert image_size(path) == expected.size


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_exif_that_breaks_every_tag_never_breaks_the_image(tmp_path):
    whole = exif(6)
    path, random = tmp_path / "image.jpg", np.random.default_rng(0)
    base = saved(RGB, "JPEG")
    for _ in range(200):
        broken = bytearray(whole)
        for place in random.integers(6, len(broken), 4):
            broken[place] = random.integers(256)
        segment = b"\xff\xe1" + struct.pack(">H", len(broken) + 2) + bytes(broken)
        path.write_bytes(base[:2] + segment + base[2:])
        assert sorted(read_rgb(path).size) == [8, 8]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_any_damage_is_one_kind_of_error(tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "image"
    for content in [value[0] for value in ROWS.values() if value is not None and len(value[0]) < 10_000]:
        for _ in range(20):
            broken = bytearray(content)
            for place in random.integers(0, len(broken), 3):
                broken[place] = random.integers(256)
            path.write_bytes(bytes(broken[: random.integers(1, len(broken) + 1)]))
            try:
                read_rgb(path)
            except BadImageError as error:
                assert str(path) in str(error)


def test_a_format_that_is_not_read_says_what_to_do(tmp_path):
    path = tmp_path / "photo.HEIC"
    path.write_bytes(ROWS["HEIC"][0])
    with pytest.raises(BadImageError, match="it seems to be HEIC: convert it to PNG or JPEG"):
        read_rgb(path)


def test_a_pipe_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "image.png")
    with pytest.raises(BadImageError, match="not a regular file"):
        read_rgb(tmp_path / "image.png")


def test_the_bound_on_pixels_can_be_set(tmp_path, monkeypatch):
    path = tmp_path / "image.png"
    path.write_bytes(saved(RGB, "PNG"))
    monkeypatch.setenv(PIXELS_VARIABLE, "63")
    with pytest.raises(BadImageError, match=r"64 pixels, 63 are allowed; set MMCGAN_MAX_PIXELS"):
        read_rgb(path)
    monkeypatch.setenv(PIXELS_VARIABLE, "64")
    assert read_rgb(path).size == (8, 8)
    monkeypatch.setenv(PIXELS_VARIABLE, "many")
    with pytest.raises(ValueError, match="must be a positive whole number"):
        read_rgb(path)


MEMORY = """
import resource, sys
from mmcgan.datasets.decode import BadImageError, ImageReader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    ImageReader(64, fit=sys.argv[2])(sys.argv[1])
except BadImageError:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize(
    ("pixels", "fit"),
    [((60_000, 1), "resize_short_side"), ((1, 60_000), "stretch"), (None, "crop_long_side")],
)
def test_shapes_and_bombs_take_little_memory(tmp_path, pixels, fit):
    path = tmp_path / "image.png"
    path.write_bytes(BIG if pixels is None else saved(np.zeros(pixels, np.uint8), "PNG"))
    command = [sys.executable, "-c", MEMORY, str(path), fit]
    megabytes = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert megabytes < 200


@pytest.mark.parametrize("shape", [(40, 3000), (3000, 40), (333, 2000)])
def test_of_a_long_image_the_centre_is_resized_as_if_all_were(tmp_path, monkeypatch, shape):
    path = tmp_path / "image.png"
    path.write_bytes(saved(picture(shape[1], shape[0]), "PNG"))
    whole = ImageReader(96, "resize_short_side")(path)
    monkeypatch.setenv(PIXELS_VARIABLE, str(shape[0] * shape[1]))
    centre = ImageReader(96, "resize_short_side")(path)
    assert (whole.int() - centre.int()).abs().max() <= 1
