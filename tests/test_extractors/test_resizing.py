import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.extractors import RESIZE_RULES, Preprocessing

SIZES = (19, 41, 111)
PILLOW = {
    "pil-bilinear": Image.Resampling.BILINEAR,
    "pil-bicubic": Image.Resampling.BICUBIC,
    "pil-lanczos": Image.Resampling.LANCZOS,
}


def picture(height=41, width=67):
    return torch.randint(0, 256, (2, 3, height, width), generator=torch.Generator().manual_seed(0)).byte()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", PILLOW)
def test_pillow_rules_are_those_of_pillow_in_float(rule, size):
    image = picture()
    ours = RESIZE_RULES[rule](image.float(), size)
    channel = Image.fromarray(image[1, 2].numpy().astype(np.float32))
    theirs = np.asarray(channel.resize((size, size), PILLOW[rule]))
    assert np.abs(ours[1, 2].numpy() - theirs).max() < 1e-3


@pytest.mark.parametrize("size", SIZES)
def test_the_8_bit_rule_is_that_of_a_resized_file(size):
    image = picture()
    file = Image.fromarray(image[0].permute(1, 2, 0).numpy()).resize((size, size), Image.Resampling.BICUBIC)
    ours = RESIZE_RULES["pil-bicubic-8bit"](image.float(), size)[0].permute(1, 2, 0)
    assert np.abs(ours.numpy() - np.asarray(file)).max() == 0


@pytest.mark.parametrize("size", SIZES)
def test_the_tensorflow_rule_is_that_of_torch_fidelity(size):
    module = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    image = picture().float()
    theirs = module.interpolate_bilinear_2d_like_tensorflow1x(image, (size, size), align_corners=False)
    torch.testing.assert_close(RESIZE_RULES["tf-bilinear"](image, size), theirs, rtol=0, atol=5e-3)


def test_clean_clips_what_bicubic_overshoots_and_pil_bicubic_does_not():
    edge = torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 255
    free, clipped = RESIZE_RULES["pil-bicubic"](edge, 32), RESIZE_RULES["clean"](edge, 32)
    assert free.min() < -1 and free.max() > 256
    assert (clipped.min(), clipped.max()) == (0, 255)
    torch.testing.assert_close(clipped, free.clamp(0, 255))


def test_rules_differ_enough_to_matter_when_images_shrink():
    image = picture(64, 64).float()
    legacy = RESIZE_RULES["legacy"](image, 16)
    for other in ("clean", "tf-bilinear", "pil-lanczos"):
        assert (RESIZE_RULES[other](image, 16) - legacy).abs().mean() > 10


def test_an_unknown_rule_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"resize='nearest'.*clean.*pil-lanczos"):
        Preprocessing(8, "nearest")


@pytest.mark.parametrize("size", SIZES)
def test_clean_is_the_resizer_of_clean_fid(size):
    theirs = pytest.importorskip("cleanfid.resize").make_resizer("PIL", False, "bicubic", (size, size))
    image = picture(53, 53)
    ours = RESIZE_RULES["clean"](image.float(), size)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs(image[0].permute(1, 2, 0).numpy())).max() < 1e-3
