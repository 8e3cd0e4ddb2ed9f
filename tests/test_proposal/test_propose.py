"""From three very different folders to configs that train, with reasons that are true."""

import shlex
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmcgan.claims.papers import mode_seeking
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.proposal import families, instances
from mmcgan.proposal import propose as module
from mmcgan.proposal.choices import (
    LEAST_SEEN,
    Width,
    choose_method,
    enough,
    iterations_in,
    neighbours_for,
    widths_for,
)
from mmcgan.proposal.config_text import Source, config_text
from mmcgan.proposal.families import NETWORKS, Plan
from mmcgan.proposal.figures import CONDITIONINGS
from mmcgan.proposal.measure import measure_step
from mmcgan.proposal.propose import propose
from mmcgan.proposal.survey import Survey
from mmcgan.timing import Pace
from tests.test_proposal.test_survey import picture


def seen(count=1000, classes=None, **changes):
    made = Survey(
        Path("images"), count, classes, None if classes else "none", count, (64, 80, 200), 0.5, 0.0, {}
    )
    return replace(made, **changes)


def test_classes_are_learnt_where_there_are_enough_images_of_each():
    method = choose_method(seen(classes={"a": 500, "b": 500}))
    assert method.labelled and method.conditioning == "omni" and not method.empirical
    uneven = choose_method(seen(classes={"a": 900, "b": 100}))
    assert uneven.empirical and any("9.0 times" in choice.reason for choice in uneven.choices)


@pytest.mark.parametrize("count", [903, 40])
def test_classes_too_small_to_be_learnt_are_named_and_not_said_to_be_none(count):
    thin = choose_method(seen(count, classes={"apples": count - 3, "pears": 3}))
    assert not thin.labelled and "1 of 2 lack: pears" in thin.choices[0].reason
    assert "no classes" not in thin.choices[0].reason


def test_without_classes_instances_are_learnt_or_nothing_of_the_kind():
    assert choose_method(seen(542)).instances
    few = choose_method(seen(40))
    assert not few.instances and not few.labelled and few.conditioning == "unconditional"


def test_small_sets_are_changed_in_front_of_the_discriminator():
    assert "colour" in choose_method(seen(1000)).policy
    assert "colour" not in choose_method(seen(1000, gray=1.0)).policy
    assert choose_method(seen(60_000)).policy == ()


@pytest.mark.parametrize("kind", CONDITIONINGS)
@pytest.mark.parametrize("family", NETWORKS)
def test_who_is_said_to_seek_modes_does(family, kind):
    parts = NETWORKS[family].parts(Plan(kind, 32, 16, ("translation",), 64_000))
    kinds = [each.get("type") for each in parts.model.get("regularizers", {}).values()]
    assert ("ModeSeeking" in kinds) is NETWORKS[family].seeks_modes


def test_what_is_proposed_is_what_the_configs_have_and_the_claims_try():
    config = load_config("omnigan-mode-seeking_biggan_digits-16")
    assert config.model.regularizers == families.MODE_SEEKING == mode_seeking.SEEKING


def test_images_are_not_enlarged_and_batches_fit():
    assert all(width.image_size == 32 for width in widths_for(seen(shorter_sides=(20, 28, 30)), cuda=False))
    assert widths_for(seen(), cuda=True)[0].image_size == 64  # half of the images are smaller than 128
    assert widths_for(seen(shorter_sides=(64, 300, 400)), cuda=True)[0].image_size == 256
    assert all(width.batch_size <= 10 for width in widths_for(seen(20), cuda=False))


def test_iterations_fit_into_the_time_and_say_when_they_are_too_few():
    assert iterations_in(3600, 0.3) * 0.3 <= 3600 and iterations_in(3600, 0.3) == 10_000
    assert iterations_in(1, 100) == 1
    width = Width(64, 32, 32)
    needed = LEAST_SEEN[64] / 32
    assert enough(width, 1.0, needed / 0.84) and not enough(width, 1.0, needed / 0.86)
    assert [neighbours_for(count) for count in (6, 260, 10_000)] == [5, 13, 50]


@pytest.fixture
def quick(monkeypatch):
    """Narrow networks only, so that a test takes seconds; what is measured is real."""
    monkeypatch.setattr(module, "widths_for", lambda seen, cuda: [Width(32, 8, min(8, seen.count // 2))])
    monkeypatch.setattr(module, "installed_extractor", lambda: None)
    monkeypatch.setattr(instances, "LEAST_UPDATES", 4)
    monkeypatch.setattr(instances, "MOST_UPDATES", 4)
    monkeypatch.setattr(instances, "SSL_BATCH", 16)


def photographs(root):
    for number, name in enumerate(("lakes", "woods")):
        (root / name).mkdir(parents=True)
        for copy in range(12):
            picture(50 * number + copy, (50 + copy, 40)).save(root / name / f"{copy}.jpg")


def icons(root):
    root.mkdir()
    for number in range(210):
        image = picture(number, (24, 24)).convert("RGBA")
        image.putalpha(Image.new("L", (24, 24), 200))
        image.save(root / f"{number}.png")


def forty(root):
    root.mkdir()
    for number in range(40):
        picture(number, (40, 32)).save(root / f"{number}.webp")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (photographs, "omni-loss of the classes"),
        pytest.param(icons, "IC-GAN", marks=pytest.mark.broad),
        (forty, "without conditions"),
    ],
    ids=["labelled photographs", "icons with alpha", "40 images"],
)
def test_a_folder_becomes_a_config_that_trains(folder, expected, quick, tmp_path):
    folder(tmp_path / "images")
    said = []
    place = tmp_path / "my gan"
    made = propose(tmp_path / "images", place, hours=0.01, say=said.append)
    assert shlex.split(made.command)[:4] == ["mmcgan", "train", str(made.config), "--work-dir"]
    text = made.config.read_text()
    # which networks depends on what is installed here
    assert f"method: {expected} (" in text and len(text.splitlines()) < 80
    assert made.step.own > 0 and made.iterations * made.step.own <= 0.01 * 3600
    assert all(choice.reason in text for choice in made.choices)
    assert any("s an iteration on this machine" in line for line in said)
    assert load_config(made.config).train_cfg.max_iters == made.iterations
    assert measure_step(made.config, steps=2).own > 0  # it does train
    if expected == "IC-GAN":
        assert (place / "instances").is_dir()
        assert any("by pixels" in line for line in said)
    with pytest.raises(FileExistsError, match="choose another --out"):
        propose(tmp_path / "images", place, hours=0.01)


@pytest.mark.broad  # ten seconds and more on an old processor
def test_what_the_discriminator_looks_through_does_not_judge(quick, tmp_path, monkeypatch):
    forty(tmp_path / "images")
    looked = replace(NETWORKS["biggan-diffaug"], looks_through="SmallClassifier")
    monkeypatch.setitem(module.NETWORKS, "biggan-diffaug", looked)
    for weights, judge in (("digits-16", "SelfSupervisedExtractor"), (None, None)):
        installed = weights and {"type": "SmallClassifier", "weights": weights}
        monkeypatch.setattr(module, "installed_extractor", lambda installed=installed: installed)
        made = propose(tmp_path / "images", tmp_path / f"gan-{judge}", hours=0.01, say=lambda line: None)
        evaluator = load_config(made.config).get("val_evaluator")
        assert (evaluator and evaluator["extractor"]["type"]) == judge
        assert any("would flatter" in choice.reason for choice in made.choices) is (judge is not None)


def test_every_config_that_can_be_written_is_valid(tmp_path, monkeypatch):
    photographs(tmp_path / "images")
    untrained = {**families.frozen_network(32), "pretrained": False}  # the extra weights need not be there
    monkeypatch.setattr(families, "frozen_network", lambda size: untrained)
    judge = dict(type="SmallClassifier", weights="digits-16")
    for classes in ({"a": 900, "b": 100}, None):
        for count, gray, size in ((40, 0.0, 32), (60_000, 1.0, 256)):
            method = choose_method(seen(count, classes, gray=gray))
            if method.instances:
                continue
            for family in NETWORKS:
                file = tmp_path / f"{count}-{classes is None}-{family}.py"
                source = Source(str(tmp_path / "images"), count)
                file.write_text(
                    config_text(source, replace(method, family=family), Width(size, 16, 4), 1234, judge)
                )
                load_config(file)


@pytest.mark.parametrize("hours", [0, -1, float("nan")])
def test_no_time_is_refused(hours, tmp_path):
    with pytest.raises(ValueError, match="--hours"):
        propose(tmp_path, tmp_path / "out", hours=hours)


def test_images_that_cannot_be_read_are_named_before_anything_is_made(tmp_path):
    forty(tmp_path / "images")
    (tmp_path / "images" / "holiday.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"holiday\.jpg"):
        propose(tmp_path / "images", tmp_path / "out", say=lambda line: None)
    assert not (tmp_path / "out").exists()


def test_measuring_leaves_nothing_and_stops_at_what_is_too_slow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert measure_step("biggan_digits-16", longest=0.0).own > 0
    assert measure_step("biggan_digits-16", steps=2).own > 0
    assert list(tmp_path.iterdir()) == []


def zipped(folder, archive):
    with zipfile.ZipFile(archive, "w") as made:
        for file in sorted(folder.rglob("*.*")):
            made.write(file, file.relative_to(folder).as_posix())
    return archive


def test_a_busy_machine_is_said_and_does_not_shrink_the_proposal(quick, tmp_path, monkeypatch):
    forty(tmp_path / "images")
    made, said = {}, {}
    for name, pace in (("alone", Pace(0.5, 0.5)), ("busy", Pace(0.5, 2.0))):
        monkeypatch.setattr(module, "measure_step", lambda config, longest, pace=pace: pace)
        said[name] = []
        made[name] = propose(tmp_path / "images", tmp_path / name, hours=1, say=said[name].append)
    assert made["alone"].iterations == made["busy"].iterations >= 5000
    texts = {name: one.config.read_text() for name, one in made.items()}
    assert (
        "the machine was busy: one took 2 s" in texts["busy"] and "the machine was busy" not in texts["alone"]
    )
    assert any("beside its other work 2 s" in line for line in said["busy"])
    assert "on a machine so busy" in made["busy"].duration and "busy" not in made["alone"].duration


def test_what_waits_for_others_is_not_counted_as_an_iteration(tmp_path, monkeypatch):
    import time

    from mmcgan.hooks.throughput import ThroughputHook

    plain = measure_step("biggan_digits-16", steps=3)
    real = ThroughputHook.after_train_iter

    def held_up(hook, *arguments, **named):
        time.sleep(3 * plain.own + 0.2)  # as if others had the processor
        real(hook, *arguments, **named)

    monkeypatch.setattr(ThroughputHook, "after_train_iter", held_up)
    waited = measure_step("biggan_digits-16", steps=3)
    assert waited.held_up and waited.wall > 0.2 and waited.own < 0.5 * waited.wall


def test_few_images_are_read_once_and_many_are_not(tmp_path):
    photographs(tmp_path / "images")
    for count, expected in ((542, True), (300_000, False)):
        method = choose_method(seen(count, {"a": count, "b": count}))
        text = config_text(Source(str(tmp_path / "images"), count), method, Width(64, 16, 4), 10)
        assert ("in_memory=True" in text) is expected


@pytest.mark.parametrize(
    "kind", ["archive", "folder of an archive", "two folders", "archive and folder"], ids=str
)
@pytest.mark.broad  # a walk of ten seconds and more
def test_archives_and_several_folders_become_a_config_that_trains(kind, quick, tmp_path):
    photographs(tmp_path / "images")
    photographs(tmp_path / "set" / "train")
    archive = zipped(tmp_path / "set", tmp_path / "set.zip")
    plain = zipped(tmp_path / "images", tmp_path / "plain.zip")
    given = {
        "archive": [plain],
        "folder of an archive": [archive / "train"],
        "two folders": [tmp_path / "images", tmp_path / "set" / "train"],
        "archive and folder": [plain, tmp_path / "set" / "train"],
    }[kind]
    made = propose(given, tmp_path / "gan", hours=0.01, say=lambda line: None)
    assert made.seen.count == 24 * len(given) and list(made.seen.classes) == ["lakes", "woods"]
    dataset = load_config(made.config).train_dataloader.dataset
    assert dataset.root == ([str(one) for one in given] if len(given) > 1 else str(given[0]))
    assert measure_step(made.config, steps=2).own > 0


def test_one_folder_twice_is_refused_before_anything_is_made(tmp_path, monkeypatch, capsys):
    forty(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    assert main(["new", "images", "images/../images", "--out", "gan"]) == 2
    assert "give one of them" in capsys.readouterr().err
    assert not (tmp_path / "gan").exists()


@pytest.mark.slow
def test_the_commands_take_archives_and_several_folders(tmp_path, monkeypatch, capsys):
    icons(tmp_path / "icons")
    zipped(tmp_path / "icons", tmp_path / "set.zip")
    forty(tmp_path / "more")
    monkeypatch.chdir(tmp_path)
    assert main(["preview", "set.zip", "more", "--out", "seen.png"]) == 0
    assert "250 images" in capsys.readouterr().out and (tmp_path / "seen.png").is_file()
    assert main(["new", "set.zip", "more", "--hours", "0.01"]) == 0
    assert "next, about" in capsys.readouterr().out
    config = tmp_path / "set-gan" / "config.py"
    assert main(["train", str(config), "--work-dir", "run", "--cfg-options", "train_cfg.max_iters=2"]) == 0
    assert list((tmp_path / "run").glob("iter_2.pth"))
