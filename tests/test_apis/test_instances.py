"""From images to instance-conditioned samples: prepare, train, condition on photos, export."""

import json
import shutil

import pytest
import torch
from PIL import Image

from mmcgan.apis.drawing import Draw
from mmcgan.apis.instance_grids import Instances, interpolated, over_classes, over_latents
from mmcgan.apis.instance_sampling import InstanceOptions, given_plan
from mmcgan.apis.instances import closest
from mmcgan.apis.sampling import sample
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.config.tiny import EVALUATION_KEYS
from mmcgan.instance_preparation.prepare import Options, prepare_instances
from mmcgan.instances import StoreError
from mmcgan.instances.store_metadata import read_store_metadata
from mmcgan.registry import DATASETS, RUNNERS
from mmcgan.zoo.models import export_weights, load_model
from tests.test_instances.stores import make_store

DIGITS = dict(type="DigitsDataset", split="train", image_size=16)
CLASSIFIER = dict(type="SmallClassifier", weights="digits-16")


def train(name, store, folder):
    """Train a config for two iterations and return its checkpoint."""
    options = {
        "train_dataloader.dataset.store": str(store),
        "train_dataloader.dataset.k": 5,
        "train_dataloader.batch_size": 4,
        "train_cfg.max_iters": 2,
        "default_hooks.generator_ema.start": 0,
    }
    config = load_config(name, options)
    for key in EVALUATION_KEYS:
        config.pop(key, None)
    config.work_dir = str(folder)
    config.experiment_name = f"{name}-{folder.name}"
    RUNNERS.require("GANRunner").from_cfg(config).train()
    return folder / "iter_2.pth"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Store, photos (five training digits) and a checkpoint of either kind of model."""
    folder = tmp_path_factory.mktemp("icgan")
    digits = DATASETS.build(dict(DIGITS))
    options = Options(k=5, kmeans=12, command="mmcgan prepare-instances ...")
    prepare_instances(digits, dict(CLASSIFIER), folder / "store", options)
    (folder / "photos").mkdir()
    for number in range(5):
        pixels = digits[number]["image"].permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / "photos" / f"digit{number}.png")
    for name in ("icgan_biggan_digits-16", "icgan-class_biggan_digits-16"):
        train(name, folder / "store", folder / name)
    return folder


@pytest.fixture
def plain(made):
    return made / "icgan_biggan_digits-16" / "iter_2.pth"


@pytest.fixture
def labelled(made):
    return made / "icgan-class_biggan_digits-16" / "iter_2.pth"


def on(*photos, **options):
    return InstanceOptions(tuple(map(str, photos)), **options)


def test_photos_in_a_folder_are_taken_in_turn(made, plain, tmp_path):
    result = sample(plain, num=7, out=tmp_path, instances=on(made / "photos"))
    names = [file.name for file in result.images]
    assert names[:2] == ["00000_digit0.png", "00001_digit1.png"]
    assert names[5] == "00005_digit0.png"


def test_a_photo_of_the_training_set_has_the_instance_of_the_store(made, plain):
    from mmcgan.apis.instances import build_extractor, find_photos, read_photos

    loaded = load_model(plain)
    photos = read_photos(loaded, find_photos([made / "photos"]), build_extractor(loaded))
    stored = loaded.store.features(torch.arange(5))
    assert (photos.feature * stored).sum(1).min() > 0.999
    assert torch.equal(closest(loaded.store, photos.feature, 1)[:, 0], torch.arange(5))


def test_photos_need_the_extractor_only(made, plain, tmp_path):
    """Where the store is gone, or not to be found from here, photos do without it."""
    given = on(made / "photos", extractor="digits-16")
    expected = sample(plain, num=5, out=tmp_path / "with", instances=given).images
    (made / "store").rename(made / "gone")
    try:
        found = sample(plain, num=5, out=tmp_path / "without", instances=given).images
        with pytest.raises(FileNotFoundError, match="no instance store"):
            sample(plain, num=5, out=tmp_path / "c", instances=on(made / "photos"))
    finally:
        (made / "gone").rename(made / "store")
    assert [path.read_bytes() for path in found] == [path.read_bytes() for path in expected]


def test_relative_paths_of_a_checkpoint_lead_there_from_anywhere(made, tmp_path, monkeypatch):
    """They are of the folder the run was started in, which the file names relative to itself."""
    project = tmp_path / "project"
    shutil.copytree(made / "store", project / "stores" / "digits")
    monkeypatch.chdir(project)
    checkpoint = train("icgan_biggan_digits-16", "stores/digits", project / "run")
    shutil.move(project, tmp_path / "moved")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    found = tmp_path / "moved" / "run" / checkpoint.name
    result = sample(found, num=3, out=tmp_path / "samples", instances=on(made / "photos", nearest=1))
    assert len(result.images) == 3
    shutil.rmtree(tmp_path / "moved" / "stores")
    with pytest.raises(FileNotFoundError, match="no instance store") as refusal:
        sample(found, num=3, out=tmp_path / "other", instances=on(made / "photos"))
    assert str(elsewhere) in str(refusal.value)
    assert str(tmp_path / "moved") in str(refusal.value)


def test_where_a_store_was_looked_for_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"looked for at {tmp_path}/stores/digits"):
        read_store_metadata("stores/digits")


@pytest.mark.parametrize("here", ["bfloat16", "float32"])
def test_an_extractor_recorded_in_bfloat16_is_not_emulated(here, plain, monkeypatch):
    from mmcgan import precision
    from mmcgan.apis.instances import build_extractor

    loaded = load_model(plain)
    for part in ("config", "describe"):
        monkeypatch.setitem(loaded.extractor[part], "precision", "bfloat16")
    monkeypatch.setattr(precision, "measure", lambda kind: precision.Choice(here, 1.0, "measured"))
    assert build_extractor(loaded).precision == here


def test_the_photo_changes_the_sample(made, plain, tmp_path):
    photos = [made / "photos" / f"digit{number}.png" for number in (0, 1)]
    first, second = (
        sample(plain, num=1, out=tmp_path / photo.stem, instances=on(photo)).images[0] for photo in photos
    )
    assert first.read_bytes() != second.read_bytes()
    again = sample(plain, num=1, out=tmp_path / "again", instances=on(photos[0])).images[0]
    assert again.read_bytes() == first.read_bytes()


def test_without_photos_instances_are_drawn_as_in_training(plain, tmp_path):
    few = sample(plain, num=2, out=tmp_path / "few").images
    many = sample(plain, num=3, out=tmp_path / "many").images
    assert [f.read_bytes() for f in few] == [f.read_bytes() for f in many[:2]]


def test_closest_images_stand_beside_the_samples(made, plain, tmp_path):
    photo, none = made / "photos" / "digit3.png", tmp_path / "none"
    result = sample(plain, num=2, out=tmp_path, instances=on(photo, nearest=3))
    sheet = Image.open(result.nearest)
    assert sheet.size == ((1 + 3 + 3 + 2) * 50, 50)  # photo, stored, training, samples
    own, nearest = (sheet.crop((50 * i + 1, 1, 50 * i + 49, 49)).tobytes() for i in (0, 4))
    assert own == nearest  # a training image is closest to itself
    with pytest.raises(ValueError, match=r"--nearest 13: must be in 1\.\.12$"):  # that k-means selected
        sample(plain, num=1, out=none, instances=on(photo, nearest=13))
    assert not none.exists()


def test_grids(made, labelled, tmp_path):
    photos = [made / "photos" / f"digit{number}.png" for number in (0, 1)]
    classes = sample(
        labelled, labels=["2", "5", "7"], out=tmp_path / "classes", instances=on(*photos, grid="classes")
    )
    assert classes.labels == [2, 5, 7, 2, 5, 7]
    between = on(*photos, grid="interpolate", columns=3)
    steps = sample(labelled, labels=["4"], out=tmp_path / "steps", instances=between)
    assert len(steps.images) == 9 and steps.labels == [4] * 9
    five = on(made / "photos", grid="interpolate")
    with pytest.raises(ValueError, match="between two instances, got 5"):
        sample(labelled, labels=["4"], out=tmp_path / "five", instances=five)


def test_exported_weights_are_evaluated_as_the_checkpoint_is(made, plain, tmp_path):
    export_weights(plain, tmp_path / "model.safetensors")
    figures = []
    for weights in (plain, tmp_path / "model.safetensors"):
        out, store = tmp_path / "figures.json", f"train_dataloader.dataset.store={made / 'store'}"
        asked = ["--num", "20", "--metrics", "fid", "--json", str(out), "--work-dir", str(tmp_path / "work")]
        assert main(["test", "icgan_biggan_digits-16", str(weights), *asked, "--cfg-options", store]) == 0
        figures.append(json.loads(out.read_text())["metrics"])
    assert figures[0] == figures[1]


def test_exported_weights_sample_without_the_training_images(made, labelled, tmp_path):
    out = tmp_path / "model.safetensors"
    export_weights(labelled, out, half=True)
    loaded = load_model(out)
    assert loaded.instances.feature.shape[0] == 12
    assert str(made) not in (out.parent / "index.json").read_text()
    assert loaded.record.condition_sampler["instance_store"] == "store"
    hidden = made / "store-hidden"
    shutil.move(made / "store", hidden)
    try:
        result = sample(out, num=3, out=tmp_path / "drawn")
        photo = made / "photos" / "digit0.png"
        sample(out, num=1, labels=["1"], out=tmp_path / "photo", instances=on(photo))
        with pytest.raises(FileNotFoundError, match=r"metadata\.json is missing[^$]*prepare-instances"):
            sample(labelled, num=1, out=tmp_path / "store")
    finally:
        shutil.move(hidden, made / "store")
    store = load_model(labelled).store
    near = store.labels[store.neighbours(store.selected())]
    assert set(result.labels) <= set(near.flatten().tolist())


# --- bad input --------------------------------------------------------------------------------


def test_a_class_conditional_model_needs_labels_with_photos(made, labelled, tmp_path):
    with pytest.raises(ValueError, match=r"class-conditional: say with --labels.*0, 1, 2"):
        sample(labelled, num=1, out=tmp_path / "out", instances=on(made / "photos"))
    assert not (tmp_path / "out").exists()


def test_an_unreadable_photo_is_named(plain, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"broken\.png: unreadable"):
        sample(plain, num=1, out=tmp_path / "out", instances=on(broken))
    with pytest.raises(FileNotFoundError, match=r"--instances .*nowhere\.png"):
        sample(plain, num=1, out=tmp_path / "out", instances=on(tmp_path / "nowhere.png"))
    assert not (tmp_path / "out").exists()


def test_another_extractor_is_refused(made, plain, tmp_path):
    with pytest.raises(StoreError, match=r"trained with instances of extractor .*digits-16"):
        given = on(made / "photos", extractor="fashion-mnist-32")
        sample(plain, num=1, out=tmp_path / "out", instances=given)


def test_a_store_of_another_extractor_is_refused(made, plain, tmp_path):
    metadata = made / "store" / "metadata.json"
    kept = metadata.read_text()
    changed = json.loads(kept)
    changed["extractor"]["describe"]["weights_sha256"] = "0" * 64
    metadata.write_text(json.dumps(changed))
    try:
        with pytest.raises(StoreError, match=r"weights_sha256"):
            load_model(plain).store  # noqa: B018
    finally:
        metadata.write_text(kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda names: names[::-1], "in another order: number 0 is '0' of the first and '9' of the second"),
        (lambda names: [*names[:-1], "ten"], "they are not the same classes"),
    ],
)
def test_a_store_that_numbers_classes_otherwise_is_refused(made, plain, labelled, tmp_path, change, message):
    metadata = made / "store" / "metadata.json"
    kept = metadata.read_text()
    changed = json.loads(kept)
    changed["classes"] = change(changed["classes"])
    metadata.write_text(json.dumps(changed))
    try:
        with pytest.raises(StoreError, match=message):
            load_model(labelled).store  # noqa: B018
        with pytest.raises(StoreError, match=message):
            sample(labelled, num=2, out=tmp_path / "refused")
        assert load_model(plain).store is not None  # it asks for no labels
    finally:
        metadata.write_text(kept)


def test_photos_are_for_instance_conditioned_models(made, tmp_path):
    with pytest.raises(ValueError, match="is not conditioned on instances"):
        sample("biggan_digits-16", num=1, out=tmp_path / "out", instances=on(made / "photos"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(grid="rows"), "choose one of latents, classes, interpolate"),
        (dict(columns=0), "columns"),
        (dict(nearest=-1), "nearest"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        InstanceOptions(**options)


# --- what is generated ------------------------------------------------------------------------

PAIR = Instances(torch.eye(4)[:2], ["a", "b"])


def latents(number):
    return torch.full((1, 3), float(number))


def test_a_grid_of_latents_has_an_instance_a_row_and_a_latent_a_column():
    request = over_latents(PAIR, [], 3, latents)
    assert request.columns == 3
    assert request.latent[:, 0].tolist() == [0, 1, 2, 0, 1, 2]
    assert torch.equal(request.condition.instance, PAIR.feature.repeat_interleave(3, 0))
    assert request.condition.label is None


def test_a_grid_of_classes_keeps_the_latent():
    request = over_classes(PAIR, [5, 7], latents)
    assert request.condition.label.tolist() == [5, 7, 5, 7]
    assert request.latent.unique().tolist() == [0]


def test_interpolation_stays_on_the_sphere_and_ends_at_both_instances():
    request = interpolated(PAIR, [], 3, latents)
    feature = request.condition.instance
    torch.testing.assert_close(feature.norm(dim=1), torch.ones(9))
    assert torch.equal(feature[0], PAIR.feature[0])
    assert torch.equal(feature[2], PAIR.feature[1])
    assert request.latent[:, 0].tolist() == [0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1]


def test_labels_go_in_turn_beside_the_instances(labelled):
    asked = given_plan(Draw(load_model(labelled)), PAIR, 5, [1, 2, 3])
    condition, latent = asked.plan.batch(range(1, 5))
    assert condition.label.tolist() == [2, 3, 1, 2] and len(latent) == 4
    assert torch.equal(condition.instance, PAIR.feature[[1, 0, 1, 0]])
    assert [asked.owner(row) for row in range(5)] == [0, 1, 0, 1, 0]
    assert asked.rows_of(2) == [[0, 2, 4], [1, 3]]


def test_closest_agrees_with_all_products_block_by_block(tmp_path, monkeypatch):
    store, _ = make_store(tmp_path / "store")
    monkeypatch.setattr("mmcgan.apis.instances.ROWS", 7)
    feature = store.features(torch.arange(3))
    expected = (feature @ store.features(torch.arange(40)).T).topk(4).indices
    assert torch.equal(closest(store, feature, 4), expected)
    among = torch.tensor([5, 9, 30])
    assert set(closest(store, feature, 2, among).flatten().tolist()) <= set(among.tolist())
    with pytest.raises(ValueError, match=r"--nearest 4: must be in 1\.\.3"):
        closest(store, feature, 4, among)
