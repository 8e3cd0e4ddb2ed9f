"""One list of names of extractors, for every command."""

import pytest

from mmcgan.extractors.names import extractor_config, shipped_kinds, short_names
from mmcgan.registry import EXTRACTORS
from mmcgan.weights import read_index, weight_path

OURS = [(kind, name) for kind in shipped_kinds() for name in read_index(kind)]


@pytest.mark.parametrize(("kind", "name"), OURS)
def test_what_ships_is_found_by_name_and_by_file(kind, name):
    config = extractor_config(name)
    assert config == dict(type=shipped_kinds()[kind], weights=name)
    path = str(weight_path(name, kind))
    assert extractor_config(path) == dict(type=shipped_kinds()[kind], weights=path)
    assert EXTRACTORS.build(dict(config)).feature_dim > 0
    with pytest.raises(ValueError, match="has no choice of resize"):
        extractor_config(name, resize="clean")


@pytest.mark.parametrize("name", short_names())
def test_names_of_published_networks(name):
    assert EXTRACTORS.get(extractor_config(name)["type"]) is not None
    assert extractor_config(name, weights="w.pth", resize="clean")["weights"] == "w.pth"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("inceptoin", ValueError, "no extractor 'inceptoin'. Did you mean 'inception'"),
        ("fashion-mnist", ValueError, "Did you mean 'fashion-mnist-"),
        ("gone.safetensors", FileNotFoundError, "extractor gone.safetensors: no such file"),
        ("folder/gone", FileNotFoundError, "no such file"),
        ("timm:resnet18:gone.pth", FileNotFoundError, "no weight file gone.pth; nothing is downloaded"),
        ("swav-resnet50", FileNotFoundError, "no weight file .none given.; nothing is downloaded"),
    ],
)
def test_other_names_are_refused(name, error, message):
    with pytest.raises(error, match=message):
        extractor_config(name)


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"no header")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        extractor_config(str(tmp_path / "a.safetensors"))
    generator = str(weight_path(next(iter(read_index("generator"))), "generator"))
    with pytest.raises(ValueError, match="its metadata names no extractor"):
        extractor_config(generator)
