"""The law of latents stands in one place, and is what everything falls back to."""

import ast
from pathlib import Path

import pytest

import mmcgan
from mmcgan.samplers.default_law import latent_law, law_text


@pytest.mark.parametrize(
    "given, law",
    [
        (None, dict(type="NormalLatent")),
        ({}, dict(type="NormalLatent")),
        (dict(std=2.0), dict(type="NormalLatent", std=2.0)),
        (dict(type="UniformLatent"), dict(type="UniformLatent")),
    ],
)
def test_what_is_given_comes_first(given, law):
    assert latent_law(given) == law


def test_no_other_file_names_the_default():
    package = Path(mmcgan.__file__).parent
    naming = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for value in node.values
        if isinstance(value, ast.Constant) and value.value == "NormalLatent"
    }
    assert naming == {"samplers/default_law.py"}


@pytest.mark.parametrize(
    "law, text",
    [
        (latent_law(None), "NormalLatent"),
        (dict(type="mmcgan.UniformLatent", latent_dim=8), "UniformLatent"),
        (dict(type="TruncatedNormalLatent", threshold=0.5), "TruncatedNormalLatent(threshold=0.5)"),
        (
            dict(type="ScaledLatent", noise=dict(type="NormalLatent"), scale=1.5),
            "ScaledLatent(noise=NormalLatent, scale=1.5)",
        ),
    ],
)
def test_a_law_in_words(law, text):
    assert law_text(law) == text
