import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from mmcgan.datasets import BadImageError, ImageReader
from mmcgan.datasets.decode import to_rgb
from tests.test_datasets.image_files import picture, save, truncate

PIXELS = picture()
GRAY = PIXELS[..., 0]
READ = ImageReader(8, fit="exact")


def read(path, reader=READ):
    image = reader(path)
    assert image.dtype == torch.uint8
    return image.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm", "tiff", "webp", "gif"])
def test_lossless_formats_keep_the_pixels(tmp_path, suffix):
    pixels = np.repeat(GRAY[..., None], 3, axis=-1) if suffix == "gif" else PIXELS
    options = dict(lossless=True) if suffix == "webp" else {}
    assert np.array_equal(read(save(tmp_path / f"a.{suffix}", pixels, **options)), pixels)


def test_jpeg_is_close(tmp_path):
    smooth = np.linspace(0, 255, 8 * 8 * 3).reshape(8, 8, 3).astype(np.uint8)
    out = read(save(tmp_path / "a.jpg", smooth, quality=100, subsampling=0))
    assert np.abs(out.astype(int) - smooth).max() <= 3


def test_gray_is_replicated(tmp_path):
    out = read(save(tmp_path / "a.png", GRAY))
    assert np.array_equal(out, np.repeat(GRAY[..., None], 3, axis=-1))


def test_black_and_white(tmp_path):
    Image.fromarray(GRAY > 127).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png")[..., 1], np.where(GRAY > 127, 255, 0))


def test_palette_is_looked_up(tmp_path):
    image = Image.fromarray(PIXELS).quantize(16)
    image.save(tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").mode == "P"
    assert np.array_equal(read(tmp_path / "a.png"), np.asarray(image.convert("RGB")))


def test_transparency_is_laid_over_white(tmp_path):
    alpha = np.full((8, 8, 1), 255, np.uint8)
    alpha[0, 0], alpha[0, 1] = 0, 128
    out = read(save(tmp_path / "a.png", np.concatenate([PIXELS, alpha], -1)))
    assert np.array_equal(out[1:], PIXELS[1:])
    assert out[0, 0].tolist() == [255, 255, 255]
    half = (PIXELS[0, 1].astype(int) + 255) / 2
    assert np.abs(out[0, 1] - half).max() <= 1


def test_gray_with_alpha(tmp_path):
    Image.fromarray(np.stack([GRAY, np.zeros_like(GRAY)], -1), "LA").save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 255).all()


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.fromarray(np.tile(np.array([0, 1], np.uint8), (8, 4)), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "a.png", transparency=0)
    out = read(tmp_path / "a.png")
    assert out[0, 0].tolist() == [255, 255, 255]
    assert out[0, 1].tolist() == [40, 50, 60]


def test_sixteen_bits_are_scaled_not_cut(tmp_path):
    wide = (GRAY.astype(np.uint16) * 257).astype(np.uint16)
    wide[0, 0] = 65535
    Image.fromarray(wide).save(tmp_path / "a.png")
    out = read(tmp_path / "a.png")
    assert np.array_equal(out[1:, :, 2], GRAY[1:])
    assert out[0, 0].tolist() == [255, 255, 255]


def test_cmyk_is_converted(tmp_path):
    red = Image.new("RGB", (8, 8), (250, 10, 10)).convert("CMYK")
    red.save(tmp_path / "a.jpg", quality=100)
    assert Image.open(tmp_path / "a.jpg").mode == "CMYK"
    assert np.abs(read(tmp_path / "a.jpg").astype(int) - [250, 10, 10]).max() <= 4


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (6, lambda a: np.rot90(a, -1)),
        (8, lambda a: np.rot90(a)),
    ],
)
def test_exif_orientation_is_applied(tmp_path, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", PIXELS, exif=exif.tobytes())
    assert np.array_equal(read(path), upright(PIXELS))


# --- fitting ------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(50, 40), (37, 64), (33, 33)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
def test_fits_equal_the_papers_preparation(tmp_path, size, interpolation):
    pixels = picture(*size)
    path = save(tmp_path / "a.png", pixels)
    image = Image.fromarray(pixels)
    mode = v2.InterpolationMode(interpolation)
    square_first = v2.Compose([v2.CenterCrop(min(size)), v2.Resize(16, mode)])
    resize_first = v2.Compose([v2.Resize(16, mode), v2.CenterCrop(16)])
    for fit, peer in (("crop_long_side", square_first), ("resize_short_side", resize_first)):
        out = read(path, ImageReader(16, fit, interpolation))
        assert np.array_equal(out, np.asarray(peer(image))), fit


def test_small_images_are_enlarged(tmp_path):
    assert read(save(tmp_path / "a.png"), ImageReader(20)).shape == (20, 20, 3)


def test_large_jpegs_are_decoded_smaller_with_the_same_content(tmp_path):
    y, x = np.mgrid[0:512, 0:512] / 2
    path = save(tmp_path / "a.jpg", np.stack([x, y, (x + y) / 2], -1).astype(np.uint8), quality=95)
    plain = np.asarray(Image.open(path).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(read(path, ImageReader(32)).astype(int) - plain).mean() < 2


# --- bad files ----------------------------------------------------------------------------------
def png_with_bad_checksum(path):
    content = bytearray(path.read_bytes())
    content[-20] ^= 0xFF
    path.write_bytes(content)
    return path


def bomb(path):
    """A PNG that claims 100,000 x 100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    return path


def empty(path):
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("damage", [truncate, png_with_bad_checksum, bomb, empty])
@pytest.mark.parametrize("reader", [READ, ImageReader(4)], ids=["exact", "resized"])
def test_damaged_files_are_named(tmp_path, damage, reader):
    path = damage(save(tmp_path / "broken.png", picture(64, 64)))
    with pytest.raises(BadImageError, match=r"broken\.png: unreadable image: ."):
        reader(path)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp"])
def test_truncated_files_are_named(tmp_path, suffix):
    path = truncate(save(tmp_path / f"cut.{suffix}", picture(64, 64)))
    with pytest.raises(BadImageError, match=rf"cut\.{suffix}: unreadable image"):
        ImageReader(32)(path)


def test_pixels_without_a_range_are_refused(tmp_path):
    Image.fromarray(np.ones((8, 8), np.float32)).save(tmp_path / "float.tiff")
    with pytest.raises(BadImageError, match=r"float\.tiff.*mode 'F' have no known range"):
        READ(tmp_path / "float.tiff")


@pytest.mark.parametrize("mark", [b"Pf", b"PF"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", ["ppm", "pgm", "pfm", "png"])
def test_floats_are_refused_whatever_their_file_is_called(suffix, order, mark, tmp_path):
    values = np.linspace(0, 1, 64 if mark == b"Pf" else 192).astype(f"{order}f4")
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(mark + b"\n8 8\n%d\n" % (-1 if order == "<" else 1) + values.tobytes())
    with pytest.raises(BadImageError, match=rf"a\.{suffix}: unreadable image"):
        READ(path)


@pytest.mark.parametrize("form", [None, "PPM", "PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["F", "I", "I;16", "I;16B", "I;16L"])
def test_what_is_a_range_is_decided_by_the_mode(mode, form):
    image = Image.new(mode, (2, 2))
    image.format = form
    if mode.startswith("I;16") or (mode, form) == ("I", "PPM"):
        assert to_rgb(image).mode == "RGB"
        return
    with pytest.raises(ValueError, match=f"mode '{mode}' have no known range"):
        to_rgb(image)


def test_wrong_size_is_named(tmp_path):
    path = save(tmp_path / "wide.png", picture(12, 8))
    with pytest.raises(
        BadImageError, match=r"wide\.png: the image is 12x8 .* expected 8x8; fit='crop_long_side'"
    ):
        READ(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(image_size=-1), "image_size must be a positive whole number, got -1"),
        (dict(image_size=8, fit="crop"), "fit must be one of crop_long_side, .*; got 'crop'"),
        (dict(image_size=8, interpolation="cubic"), "interpolation must be one of bilinear, .*got 'cubic'"),
    ],
)
def test_bad_options_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageReader(**arguments)
