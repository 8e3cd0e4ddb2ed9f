"""What was learnt of a class follows its name, through every network, average and optimiser."""

import shutil
from copy import deepcopy

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from PIL import Image
from torch import nn

from mmcgan.checkpoints.files import CheckpointError, load_checkpoint, save_checkpoint
from mmcgan.engine.changes import changes_allowed
from mmcgan.engine.same_classes import class_places
from mmcgan.models.class_rows import class_axes, undescribed
from mmcgan.registry import GENERATORS, HEADS, MODELS, restore, snapshot
from mmcgan.structures import Condition

from ..test_combinations import CLASSES, LABELLED, LATENT, NETWORKS, SIZE, UNLABELLED, build
from .tiny_run import differences, train

PLACES = [2, 0, 1]
TABLES = {
    "one-hot": dict(type="DCGANGenerator", base_channels=4, one_hot=True, condition_spectral_norm=True),
    "codes": dict(type="DCGANGenerator", base_channels=4, code_dim=2),
    "stored-vectors": dict(
        type="ResNetGenerator",
        base_channels=4,
        one_hot=True,
        condition_spectral_norm=dict(iterate_in_eval=False),
    ),
    "per-class": dict(type="BigGANGenerator", base_channels=8, shared_embedding=False, hierarchical=False),
    "per-class-deep": dict(type="BigGANDeepGenerator", base_channels=8, shared_embedding=False, depth=1),
}


def moved_copy(model):
    """Return the model with every class at another number."""
    axes = class_axes(model)
    state = model.state_dict()
    other = deepcopy(model)
    other.load_state_dict(
        {name: reordered(v, axes[name], PLACES) if name in axes else v for name, v in state.items()}
    )
    return other


def reordered(value, axis, source):
    """Return ``value`` with the rows of class ``source[c]`` at class ``c``."""
    dim, copies = axis
    index = torch.tensor([old * copies + copy for old in source for copy in range(copies)])
    rest = torch.arange(len(index), value.shape[dim])
    return value.index_select(dim, torch.cat([index, rest]))


def same(first, second):
    torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_and_head_answers_for_the_class_as_before(network):
    init_default_scope("mmcgan")
    labels = torch.tensor([0, 1, 2, 1])
    before, now = Condition(label=torch.tensor(PLACES)[labels]), Condition(label=labels)
    for name in LABELLED:
        torch.manual_seed(0)
        model = build(network, name, True).eval().double()
        moved = moved_copy(model)
        latent, image = torch.randn(4, LATENT).double(), torch.randn(4, 3, SIZE, SIZE).double()
        same(moved.generator(latent, now), model.generator(latent, before))
        theirs, ours = model.discriminator(image, before), moved.discriminator(image, now)
        for key, head in model.discriminator.heads.items():
            outputs = [{k.removeprefix(f"{key}."): v for k, v in o.items()} for o in (theirs, ours)]
            scores = [
                head.class_scores(o)
                for head, o in zip((head, moved.discriminator.heads[key]), outputs, strict=True)
            ]
            if scores[0] is not None and scores[0].shape[1] == CLASSES:
                same(scores[1], scores[0][:, PLACES])
            for kind in {"logit", "proxy", "fake_proxy"} & outputs[0].keys():
                same(outputs[1][kind], outputs[0][kind])


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_of_table_is_described(name):
    init_default_scope("mmcgan")
    torch.manual_seed(0)
    config = dict(TABLES[name], image_size=SIZE, num_classes=CLASSES, latent_dim=LATENT)
    model = GENERATORS.build(config).eval().double()
    assert undescribed(config, model, GENERATORS) == []
    labels, latent = torch.tensor([0, 1, 2, 1]), torch.randn(4, model.latent_dim).double()
    first = model(latent, Condition(label=torch.tensor(PLACES)[labels]))
    same(moved_copy(model)(latent, Condition(label=labels)), first)
    assert not torch.equal(model(latent, Condition(label=labels)), first)


@pytest.mark.parametrize("network", NETWORKS)
def test_what_grows_with_the_classes_is_described(network, monkeypatch):
    init_default_scope("mmcgan")
    given = []
    monkeypatch.setattr(
        "tests.test_combinations.MODELS.build",
        lambda config: given.append(deepcopy(config)) or _build(config),
    )
    _build = type(MODELS).build.__get__(MODELS)
    for name in LABELLED | UNLABELLED:
        model = build(network, name, True)
        assert undescribed(given[-1], model) == [], name


# --- through a run --------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    train(folder, train_cfg=dict(max_iters=3))
    return load_checkpoint(folder / "iter_3.pth")


def renamed(stopped, names):
    other = deepcopy(stopped)
    other["meta"]["dataset_meta"]["classes"] = tuple(names)
    return other


def go_on(checkpoint, folder, allowed=False, **changes):
    folder.mkdir(parents=True)
    save_checkpoint(checkpoint, folder / "iter_3.pth")
    with changes_allowed(allowed):
        return train(folder, resume=True, **{"train_cfg": dict(max_iters=3), **changes})


def test_a_resumed_run_has_learnt_of_each_class_what_it_had(stopped, tmp_path):
    names = list(stopped["meta"]["dataset_meta"]["classes"])
    runner = go_on(renamed(stopped, names[::-1]), tmp_path / "order")
    assert "number 0 was '9', is '0'" in next((tmp_path / "order").glob("*/*.log")).read_text()
    moved, before = runner.model.state_dict(), stopped["state_dict"]
    table = "discriminator.heads.adv.embed.weight"
    assert torch.equal(moved[table], before[table].flip(0))
    averages = [name for name in class_axes(runner.model) if "ema" in name]
    assert averages
    for name in averages:
        assert torch.equal(moved[name], before[name].flip(0))
    names = stopped["optimizer_names"]["discriminator"]
    moments = stopped["optimizer"]["discriminator"]["state"][names.index(table)]
    held = runner.optim_wrapper["discriminator"].optimizer.state_dict()["state"][names.index(table)]
    assert torch.equal(held["exp_avg"], moments["exp_avg"].flip(0))
    assert torch.equal(held["exp_avg_sq"], moments["exp_avg_sq"].flip(0))


def test_classes_moved_there_and_back_change_nothing(stopped, tmp_path):
    names = list(stopped["meta"]["dataset_meta"]["classes"])
    go_on(renamed(stopped, names[::-1]), tmp_path / "there", default_hooks=dict(checkpoint=dict(interval=1)))
    runner = go_on(stopped, tmp_path / "plain")
    first = runner.model.state_dict()
    axes = class_axes(runner.model)
    there = load_checkpoint(tmp_path / "there" / "iter_3.pth")["state_dict"]
    assert differences(dict(there), dict(first)) == []  # the file itself is left alone
    twice = {
        n: reordered(reordered(v, axes[n], [1, 0]), axes[n], [1, 0]) for n, v in first.items() if n in axes
    }
    assert differences(twice, {n: first[n] for n in twice}) == []


def test_a_class_of_another_name_is_refused_or_takes_the_row_that_is_left(stopped, tmp_path):
    names = list(stopped["meta"]["dataset_meta"]["classes"])
    other = renamed(stopped, ["zblue", *names[:0:-1]])  # '0' was called zblue, the others stood backwards
    with pytest.raises(CheckpointError, match="without 'zblue', now with '0'"):
        go_on(other, tmp_path / "refused")
    runner = go_on(other, tmp_path / "allowed", allowed=True)
    table = "discriminator.heads.adv.embed.weight"
    was = stopped["state_dict"][table]
    assert torch.equal(runner.model.state_dict()[table], torch.cat([was[:1], was[1:].flip(0)]))
    assert "'0' starts from 'zblue'" in next((tmp_path / "allowed").glob("*/*.log")).read_text()


def test_weights_that_are_taken_over_follow_the_names(stopped, tmp_path):
    names = list(stopped["meta"]["dataset_meta"]["classes"])
    path = tmp_path / "given.pth"
    save_checkpoint(renamed(stopped, names[::-1]), path)
    still = dict(optimizer=dict(lr=0.0))
    runner = train(
        tmp_path / "run",
        load_from=str(path),
        train_cfg=dict(max_iters=1),
        optim_wrapper=dict(generator=still, discriminator=still),
    )
    table = "discriminator.heads.adv.embed.weight"
    assert torch.equal(runner.model.state_dict()[table], stopped["state_dict"][table].flip(0))
    save_checkpoint(renamed(stopped, [f"flower {n}" for n in names]), path)  # transfer to other classes
    assert train(tmp_path / "transfer", load_from=str(path), train_cfg=dict(max_iters=1)).iter == 1


class SilentHead(HEADS.get("ProjectionHead")):
    class_rows = ()


class OwnTable(HEADS.get("AdversarialHead")):
    """A stranger's head with a tensor of its own for the classes."""

    requires = ("label",)
    class_columns = ("table",)

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels)
        self.table = nn.Parameter(torch.randn(in_channels, num_classes))

    def forward(self, features, condition):
        outputs = super().forward(features, condition)
        return {"logit": outputs["logit"] + (features["pooled"] * self.table.T[condition.label]).sum(1)}


@pytest.fixture
def registered():
    """Forget what a test registers."""
    before = snapshot()
    yield
    restore(before)


def test_a_strangers_head_says_what_belongs_to_classes_or_the_run_is_refused(stopped, tmp_path, registered):
    for kind in (SilentHead, OwnTable):
        HEADS.register_module(module=kind, force=True)
    for kind in ("SilentHead", "OwnTable"):
        heads = dict(adv=dict(type=kind, num_classes=10, _delete_=True))
        model = dict(discriminator=dict(heads=heads))
        train(tmp_path / kind, train_cfg=dict(max_iters=3), model=model)
        own = load_checkpoint(tmp_path / kind / "iter_3.pth")
        names = list(own["meta"]["dataset_meta"]["classes"])
        if kind == "SilentHead":
            with pytest.raises(
                CheckpointError, match=r"discriminator\.heads\.adv\.embed\.weight.*class_rows"
            ):
                go_on(renamed(own, names[::-1]), tmp_path / "refused", model=model)
            continue
        runner = go_on(renamed(own, names[::-1]), tmp_path / "moved", model=model)
        table = "discriminator.heads.adv.table"
        assert torch.equal(runner.model.state_dict()[table], own["state_dict"][table].flip(1))


def colours(folder, names):
    """Write a class folder of one colour for each name."""
    for name, colour in names.items():
        (folder / name).mkdir(parents=True)
        for index in range(8):
            Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(folder / name / f"{index}.png")


def test_asked_for_a_renamed_colour_it_paints_that_colour(tmp_path):
    shades = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}
    colours(tmp_path / "images", shades)

    def go(folder, **more):
        changes = dict(
            model=dict(
                generator=dict(num_classes=3),
                discriminator=dict(heads=dict(adv=dict(num_classes=3))),
                condition_sampler=dict(num_classes=3),
            ),
            train_dataloader=dict(
                dataset=dict(type="ImageFolder", root=str(tmp_path / "images"), image_size=8, _delete_=True)
            ),
        )
        return train(folder, **changes, **more)

    first = go(tmp_path / "run", train_cfg=dict(max_iters=3))
    (tmp_path / "images" / "blue").rename(tmp_path / "images" / "zblue")
    with pytest.raises(CheckpointError, match="without 'blue', now with 'zblue'"):
        go(tmp_path / "run", resume=True, train_cfg=dict(max_iters=3))
    with changes_allowed(True):
        second = go(tmp_path / "run", resume=True, train_cfg=dict(max_iters=3))
    latent = torch.randn(4, 8)
    for old, new in {"blue": "zblue", "green": "green", "red": "red"}.items():
        painted = []
        for runner, name in ((first, old), (second, new)):
            number = runner.train_dataloader.dataset.metainfo["classes"].index(name)
            generator = runner.model.eval().generator
            painted.append(generator(latent, Condition(label=torch.full((4,), number))))
        same(*painted)


@pytest.mark.parametrize("now", [["blue", "brown", "green", "pink", "red"], ["green", "red"], ["ash", "red"]])
def test_a_run_goes_on_with_another_number_of_classes(tmp_path, now):
    before = ["blue", "green", "red"]
    folder = tmp_path / "images"
    colours(folder, dict.fromkeys(before, (0, 0, 255)))

    def go(**more):
        count = len(list(folder.iterdir()))
        changes = dict(
            model=dict(
                generator=dict(num_classes=count),
                discriminator=dict(heads=dict(adv=dict(num_classes=count))),
                condition_sampler=dict(num_classes=count),
            ),
            train_dataloader=dict(
                dataset=dict(type="ImageFolder", root=str(folder), image_size=8, _delete_=True)
            ),
        )
        return train(tmp_path / "run", **changes, **more)

    go(train_cfg=dict(max_iters=3))
    old = load_checkpoint(tmp_path / "run" / "iter_3.pth")
    for name in set(before) - set(now):
        shutil.rmtree(folder / name)
    colours(folder, dict.fromkeys(sorted(set(now) - set(before)), (255, 0, 0)))
    with pytest.raises(Exception, match="--allow-changes"):
        go(resume=True, train_cfg=dict(max_iters=3))
    with changes_allowed(True):
        runner = go(resume=True, train_cfg=dict(max_iters=3))
    axes, state = class_axes(runner.model), runner.model.state_dict()
    assert any("ema" in name for name in axes)
    places = [before.index(name) if name in before else None for name in now]

    def expected(value, axis):  # in plain numpy, one row at a time
        rows = np.moveaxis(value.double().numpy(), axis[0], 0)
        mean = rows.reshape(3, axis[1], *rows.shape[1:]).mean(0)
        parts = [rows[p * axis[1] : (p + 1) * axis[1]] if p is not None else mean for p in places]
        return np.moveaxis(np.concatenate(parts), 0, axis[0])

    for name, axis in axes.items():
        if ".spectral." not in name:
            np.testing.assert_allclose(
                state[name].numpy(), expected(old["state_dict"][name], axis), rtol=1e-6
            )
    table = "discriminator.heads.adv.embed.weight"
    number = old["optimizer_names"]["discriminator"].index(table)
    held = runner.optim_wrapper["discriminator"].optimizer.state_dict()["state"][number]
    for key in ("exp_avg", "exp_avg_sq"):
        was = old["optimizer"]["discriminator"]["state"][number][key]
        np.testing.assert_allclose(held[key].numpy(), expected(was, axes[table]), rtol=1e-6)
    with changes_allowed(True):
        assert go(resume=True, train_cfg=dict(max_iters=5)).iter == 5  # and it trains on


def test_names_are_compared_only_where_both_sides_have_them():
    assert class_places(None, {"classes": ("a",)}, "x", True, False) == (None, [])
    assert class_places({"classes": None}, {"classes": ("a",)}, "x", True, False) == (None, [])
    with pytest.raises(CheckpointError, match=r"--allow-changes, with which new ones start from the mean"):
        class_places({"classes": ("a", "b")}, {"classes": ("a",)}, "x", True, False)
    with pytest.raises(CheckpointError, match=r"mmcgan train --from"):
        class_places({"classes": ("a", "b")}, {"classes": ("a",)}, "x", False, False)
    with pytest.raises(CheckpointError, match="a name of its own"):
        class_places({"classes": ("a", "b")}, {"classes": ("a", "a", "c")}, "x", True, True)
    assert class_places({"classes": ("a", "b")}, {"classes": ("c", "b", "a")}, "x", True, True)[0] == [
        None,
        1,
        0,
    ]
    assert class_places({"classes": ("a", "b")}, {"classes": ("b", "a")}, "x", True, False)[0] == [1, 0]
