"""Who can reach the page is said, and pictures are read by no other decoders while it is served."""

import builtins
import io

import pytest
from PIL import Image, UnidentifiedImageError

from mmcgan.cli import main
from mmcgan.demo.limits import Limits
from mmcgan.demo.serve import Address, is_loopback, prepared
from tests.test_trust.hostile import EPS


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.5"])
def test_a_page_that_others_cannot_reach_needs_no_warning(host):
    assert is_loopback(host) and Address(host).warnings() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.org", ""])
def test_a_page_that_others_can_reach_is_warned_of(host):
    (warning,) = Address(host).warnings()
    assert "without a password" in warning


def test_a_shared_page_is_warned_of():
    (warning,) = Address(share=True).warnings()
    assert "public address" in warning and "downloaded" in warning


def test_other_decoders_are_closed_while_a_page_is_served(tmp_path):
    before, most = list(Image.ID), Image.MAX_IMAGE_PIXELS
    Image.init()
    with prepared(Limits()) as folder:
        assert folder.is_dir()
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(EPS))
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, "PNG")
        assert Image.open(buffer).size == (4, 4)
        assert "EPS" not in Image.ID
    assert not folder.exists()
    assert set(before) <= set(Image.ID) and most == Image.MAX_IMAGE_PIXELS


def test_without_gradio_the_extra_is_named(monkeypatch, capsys):
    real = builtins.__import__

    def refuse(name, *arguments, **named):
        if name.partition(".")[0] == "gradio":
            raise ImportError("No module named 'gradio'", name="gradio")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert main(["demo", "biggan_digits-16"]) == 2
    assert 'pip install "mmcgan[demo]"' in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port, capsys):
    assert main(["demo", "--port", port]) == 2
    said = capsys.readouterr().err
    assert "1..65535" in said or "--port must be at least 1" in said
