"""What is uploaded: weights, config and a page; a dry run writes the same to a folder."""

import json
import sys
import types

import pytest
import yaml

from mmcgan.apis import load_model
from mmcgan.cli import main
from mmcgan.weights import read_index, weight_path
from mmcgan.zoo.card import model_card

NAME = "omnigan_biggan_digits-16"


@pytest.fixture(autouse=True)
def online(monkeypatch):
    for variable in ("MMCGAN_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)


def test_a_dry_run_writes_what_would_be_uploaded(tmp_path, capsys):
    folder = tmp_path / "card"
    assert main(["push-to-hub", NAME, "someone/digits", "--dry-run", str(folder)]) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert all(str(file) in capsys.readouterr().out for file in [folder / "README.md"])
    entry = read_index()[NAME]
    assert (folder / "model.safetensors").read_bytes() == weight_path(NAME).read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert config["generator"] == entry["generator"]
    assert config["classes"] == entry["classes"]
    loaded = load_model(folder / "model.safetensors")
    assert loaded.record.metrics == entry["metrics"]


def test_the_page_has_header_figures_and_commands(tmp_path):
    record = load_model(NAME).record
    page = model_card(record, "someone/digits", "Apache-2.0", "ab" * 32)
    _, header, text = page.split("---\n", 2)
    meta = yaml.safe_load(header)
    assert meta["license"] == "apache-2.0"
    figures = {m["type"]: m["value"] for m in meta["model-index"][0]["results"][0]["metrics"]}
    assert figures == pytest.approx(record.metrics)
    assert "mmcgan sample hf://someone/digits --num 16" in text
    assert f"| fid | {record.metrics['fid']:.4g} |" in text
    assert "38,400 images seen" in text
    assert "ab" * 32 in text
    assert "0 0, 1 1" in text


@pytest.mark.parametrize(
    ("said", "header", "text"),
    [
        ("Apache-2.0", "apache-2.0", "## Licence\n\nApache-2.0"),
        ("CC-BY-4.0, of A. Painter", "other", "## Licence\n\nCC-BY-4.0, of A. Painter"),
        (None, None, None),
    ],
)
def test_the_page_says_the_licence_that_was_given_and_no_other(said, header, text):
    page = model_card(load_model(NAME).record, "someone/digits", said, "ab" * 32)
    assert yaml.safe_load(page.split("---\n", 2)[1]).get("license") == header
    assert text in page if text else "licen" not in page.lower()


def test_weights_of_ones_own_get_no_licence_that_nobody_gave(tmp_path, capsys):
    own = tmp_path / "own.safetensors"
    own.write_bytes(weight_path(NAME).read_bytes())
    assert main(["push-to-hub", str(own), "a/b", "--dry-run", str(tmp_path / "own")]) == 0
    assert "--licence NAME" in capsys.readouterr().out
    assert main(["push-to-hub", NAME, "a/b", "--dry-run", str(tmp_path / "shipped")]) == 0
    assert "--licence NAME" not in capsys.readouterr().out
    pages = [(tmp_path / name / "README.md").read_text() for name in ("own", "shipped")]
    assert [read_index()[NAME]["license"] in page for page in pages] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([NAME, "nobody", "--dry-run", "x"], "not of the form user/name"),
        (["not_there", "a/b", "--dry-run", "x"], "no shipped model"),
        (["run.pth", "a/b", "--dry-run", "x"], "export the checkpoint first"),
    ],
)
def test_what_cannot_be_shared_is_refused(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.pth").write_bytes(b"")
    assert main(["push-to-hub", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_folder_with_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["push-to-hub", NAME, "a/b", "--dry-run", str(tmp_path)]) == 2
    assert "is not an empty folder" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


class FakeHub(types.ModuleType):
    """Stands for huggingface_hub and notes what is uploaded."""

    def __init__(self, refuses=False):
        super().__init__("huggingface_hub")
        self.calls, self.refuses = [], refuses

    def HfApi(self):
        return self

    def create_repo(self, repo, *, private, exist_ok):
        self.calls.append(("create", repo, private, exist_ok))

    def upload_folder(self, *, repo_id, folder_path, commit_message):
        if self.refuses:
            raise OSError("401 Unauthorized\nplease log in")
        files = sorted(file.name for file in __import__("pathlib").Path(folder_path).iterdir())
        self.calls.append(("upload", repo_id, files, commit_message))


def test_an_upload_makes_the_repository_and_sends_three_files(monkeypatch, capsys):
    hub = FakeHub()
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert main(["push-to-hub", NAME, "someone/digits", "--private", "--message", "Digits"]) == 0
    assert capsys.readouterr().out == "https://huggingface.co/someone/digits\n"
    files = ["README.md", "config.json", "model.safetensors"]
    assert hub.calls == [
        ("create", "someone/digits", True, True),
        ("upload", "someone/digits", files, "Digits"),
    ]


def test_a_refused_upload_is_an_error(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "huggingface_hub", FakeHub(refuses=True))
    assert main(["push-to-hub", NAME, "someone/digits"]) == 2
    assert "the hub refuses the upload: 401 Unauthorized" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["MMCGAN_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_nothing_is_uploaded(monkeypatch, capsys, variable):
    hub = FakeHub()
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setenv(variable, "1")
    assert main(["push-to-hub", NAME, "someone/digits"]) == 2
    assert "nothing can be uploaded" in capsys.readouterr().err
    assert hub.calls == []
