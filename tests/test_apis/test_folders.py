import json

import pytest
import torch
from PIL import Image

from mmcgan.apis.folders import evaluate_folders
from mmcgan.cli import main
from mmcgan.datasets.decode import BadImageError
from mmcgan.evaluation import evaluator
from mmcgan.evaluation.statistics.frechet import StreamingMoments, frechet_distance
from mmcgan.extractors.names import extractor_config
from tests.test_evaluation import stand_ins

COLOURS = dict(type="MeanColour")


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


def write(root, seed, count=40):
    dataset = stand_ins.ColourDataset(count, seed)
    for row in range(count):
        folder = root / ("red", "green", "blue")[int(dataset.label[row])]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = dataset.image[row].permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / f"{row:04d}.png")
    return dataset


@pytest.fixture()
def folders(tmp_path):
    write(tmp_path / "real", 0)
    write(tmp_path / "fake", 1)
    return str(tmp_path / "real"), str(tmp_path / "fake")


def test_figures_are_those_of_the_images(folders):
    report = evaluate_folders(*folders, COLOURS, ["fid", "is", "accuracy"], labelled=True, batch_size=7)
    extractor, moments = stand_ins.MeanColour(), []
    for seed in (0, 1):
        sums = StreamingMoments()
        sums.update(extractor(stand_ins.ColourDataset(40, seed).image).features)
        moments.append(sums.compute())
    expected = frechet_distance(
        moments[1].mean, moments[1].covariance, moments[0].mean, moments[0].covariance
    )
    assert report["figures"]["fid"] == pytest.approx(expected, rel=1e-6)
    assert report["figures"]["conditional_accuracy"] == 1.0
    assert report["generated_images"] == 40 and report["reference"]["count"] == 40


def test_the_report_says_what_it_was_computed_with(folders):
    report = evaluate_folders(*folders, COLOURS)
    json.dumps(report)
    assert len(report["extractor"]["weights_sha256"]) == 64
    assert len(report["reference"]["dataset_fingerprint"]) == 64
    assert report["packages"]["torch"] == torch.__version__
    assert report["metrics"][0]["cost"]["seconds"] > 0
    assert report["left_out"] == {"real": [], "fake": []}


def test_packed_sets_give_the_same_figures_as_their_folders(folders, tmp_path):
    packed = str(tmp_path / "packed")
    assert main(["pack-dataset", folders[1], packed, "--image-size", "4"]) == 0
    from_folder = evaluate_folders(*folders, COLOURS, labelled=True)["figures"]
    from_pack = evaluate_folders(folders[0], packed, COLOURS, labelled=True)["figures"]
    assert from_pack == pytest.approx(from_folder)


def test_so_do_tar_shards_packed_by_us_or_by_others(folders, tmp_path):
    from_folder = evaluate_folders(*folders, COLOURS, labelled=True)["figures"]
    shards = tmp_path / "shards"
    assert main(["pack-dataset", folders[1], str(shards), "--to", "shards"]) == 0
    assert evaluate_folders(folders[0], shards, COLOURS, labelled=True)["figures"] == pytest.approx(
        from_folder
    )
    for name in ("metadata.json", "labels.npy", "places.npy"):  # others' have none of these
        (shards / name).unlink()
    assert evaluate_folders(folders[0], shards, COLOURS)["figures"] == pytest.approx(from_folder)
    with pytest.raises(ValueError, match="tar shards are read at one size"):
        evaluate_folders(folders[0], shards, COLOURS, any_size=True)


def test_one_corrupt_image_stops_and_is_named_or_is_left_out_and_listed(folders, tmp_path):
    clean = evaluate_folders(*folders, COLOURS)
    bad = tmp_path / "fake" / "red" / "zz.png"
    bad.write_bytes(b"\x89PNG nothing")
    with pytest.raises(BadImageError, match=r"zz\.png: unreadable image"):
        evaluate_folders(*folders, COLOURS)
    report = evaluate_folders(*folders, COLOURS, on_error="skip")
    assert report["figures"] == pytest.approx(clean["figures"])
    assert report["generated_images"] == 40
    assert len(report["left_out"]["fake"]) == 1 and "zz.png" in report["left_out"]["fake"][0]


def test_sizes_must_agree_unless_one_is_asked_for(folders, tmp_path):
    Image.new("RGB", (9, 6)).save(tmp_path / "fake" / "blue" / "odd.png")
    with pytest.raises(BadImageError, match=r"odd\.png: the image is 9x6 .* expected 4x4"):
        evaluate_folders(*folders, COLOURS)
    report = evaluate_folders(*folders, COLOURS, image_size=4)
    assert report["generated_images"] == 41
    for path in (tmp_path / "fake").rglob("*.png"):
        Image.new("RGB", (9, 6)).save(path)
    with pytest.raises(ValueError, match=r"9x6 .*, not square; give an image size"):
        evaluate_folders(*folders, COLOURS)


def test_classes_must_mean_the_same_on_both_sides(folders, tmp_path):
    (tmp_path / "fake" / "blue").rename(tmp_path / "fake" / "zebra")
    with pytest.raises(
        ValueError, match=r"not the same classes.*only the first has zebra; only the second has blue"
    ):
        evaluate_folders(*folders, COLOURS, labelled=True)
    assert evaluate_folders(*folders, COLOURS)["figures"]["fid"] > 0  # unlabelled: no classes


def test_too_few_images_warn_before_anything_is_extracted(tmp_path, folders, monkeypatch):
    messages = []
    monkeypatch.setattr(evaluator, "print_log", lambda message, **_: messages.append(message))
    monkeypatch.setattr(stand_ins.MeanColour, "encode", lambda *_: pytest.fail(" ".join(messages)))
    write(tmp_path / "few", 2, count=3)
    with pytest.raises(pytest.fail.Exception, match=r"3 generated images and 3 features .*biased upwards"):
        evaluate_folders(folders[0], str(tmp_path / "few"), COLOURS)


def test_kept_statistics_of_other_images_are_refused_before_any_work(folders, tmp_path, monkeypatch):
    kept = str(tmp_path / "real.safetensors")
    first = evaluate_folders(*folders, COLOURS, reference=kept)["figures"]
    assert evaluate_folders(*folders, COLOURS, reference=kept)["figures"] == first
    monkeypatch.setattr(stand_ins.MeanColour, "encode", lambda *_: pytest.fail("images were extracted"))
    with pytest.raises(ValueError, match=r"real\.safetensors.*do not belong to this evaluation"):
        evaluate_folders(folders[1], folders[0], COLOURS, reference=kept)


def test_nan_features_name_the_extractor_and_write_nothing(folders, tmp_path):
    faulty = dict(type="MeanColour", scale=float("nan"), logits=False)
    kept = tmp_path / "real.safetensors"
    with pytest.raises(ValueError, match=r"features of \d+ of \d+ images .*NaN.*'mean-colour'"):
        evaluate_folders(*folders, faulty, reference=str(kept))
    assert not kept.exists()


def test_the_command_shows_a_table_and_writes_the_report(folders, tmp_path, capsys):
    out = tmp_path / "report.json"
    arguments = ["evaluate-folders", *folders, "--extractor", "digits-16", "--metrics", "fid", "is"]
    assert main([*arguments, "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "fid ↓" in printed and "extraction" in printed
    assert set(json.loads(out.read_text())["figures"]) == {"fid", "inception_score"}
    assert main(["evaluate-folders", *folders, "--extractor", "digits"]) == 2
    assert "no extractor 'digits'. Did you mean 'digits-16'" in capsys.readouterr().err
    assert main(["evaluate-folders", *folders, "--extractor", "inception"]) == 2
    assert "Nothing is downloaded" in capsys.readouterr().err


def test_extractors_by_short_name():
    assert extractor_config("inception", resize="clean") == dict(type="InceptionV3", resize="clean")
    timm = dict(type="TimmExtractor", model="resnet50", weights="w.pth")
    assert extractor_config("timm:resnet50", "w.pth") == timm
    with pytest.raises(ValueError, match="'digits-16' has no choice of resize"):
        extractor_config("digits-16", resize="clean")


def test_a_folder_against_itself_is_said(folders):
    report = evaluate_folders(folders[0], f"{folders[0]}/.", COLOURS)
    assert "compared with themselves" in report["warnings"][0]
    assert evaluate_folders(*folders, COLOURS)["warnings"] == []
