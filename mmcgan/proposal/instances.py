"""The store of instances of a folder of images, and the extractor before it where none is installed."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmcgan.datasets.sets.folder import ImageFolder
from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor
from mmcgan.extractors.efficientnet import PACKAGE
from mmcgan.extractors.names import extractor_config
from mmcgan.instance_preparation.features import PROBE_IMAGES, extract, read_images
from mmcgan.instance_preparation.options import Options
from mmcgan.instance_preparation.prepare import prepare_instances
from mmcgan.progress import training_bar
from mmcgan.proposal.choices import Choice, Method, held_in_memory, neighbours_for
from mmcgan.proposal.families import NETWORKS
from mmcgan.registry import EXTRACTORS
from mmcgan.timing import Pace, Rounds

#: of an extractor of one's own: size, batch and updates
SSL_SIZE, SSL_BATCH, MOST_UPDATES, LEAST_UPDATES = 32, 128, 3000, 20
#: updates that are made to know how long one takes, and share of the time that all of them may take
TRIAL_UPDATES, SSL_SHARE = 8, 0.1
EXTRACTOR = "extractor.safetensors"

Say = Callable[[str], None]


def installed_extractor() -> dict[str, Any] | None:
    """Return the config of the extractor whose weights come as a package, None where that is not there."""
    return extractor_config("efficientnet-lite0") if importlib.util.find_spec(PACKAGE) is not None else None


def spoken(pace: Pace, rounds: float) -> str:
    """Return how long ``rounds`` rounds take, as it is said beforehand."""
    found = _duration(pace.own * rounds)
    if not pace.held_up:
        return f"about {found}"
    return f"about {found} of this thread's own time, {_duration(pace.wall * rounds)} on a machine so busy"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def make_store(
    root: str | list[str],
    store: Path,
    method: Method,
    judge: dict[str, Any] | None,
    seconds: float,
    command: str,
    say: Say,
) -> dict[str, Any]:
    """Make the store of instances, and the extractor before it where none is given; return the extractor.

    Args:
        root: of the images, see :class:`~mmcgan.datasets.sets.folder.ImageFolder`.
        store: folder to make; an extractor of its own is written beside it.
        method: gets the choice of the extractor.
        judge: config of an extractor; None trains one.
        seconds: that everything may take; the extractor gets a share.
        command: what the user typed, for the record.
        say: told each step before it begins, and how long it takes.
    """
    if judge is None:
        judge = _train_extractor(root, store.parent, method.flip, seconds * SSL_SHARE, command, say)
        method.choices.append(Choice("extractor", "trained on these images", "none is installed"))
    else:
        method.choices.append(Choice("extractor", "EfficientNet-Lite0", "it is installed (extra weights)"))
    network = EXTRACTORS.build(dict(judge))
    images = ImageFolder(root, network.preprocessing.image_size, labelled=False)
    options = Options(neighbours_for(len(images)), min(1000, len(images) // 2), method.flip, command=command)
    passes = len(images) * (2 if method.flip else 1)
    say(
        f"features and {options.k} neighbours of {len(images):,} images, into {store}: "
        f"{spoken(_pace_of_features(network, images), passes / min(PROBE_IMAGES, len(images)))}"
    )
    prepare_instances(images, judge, store, options, network)
    return judge


def make_judge(
    root: str | list[str], out: Path, method: Method, seconds: float, command: str, say: Say
) -> dict[str, Any]:
    """Train what judges samples where the discriminator looks through what is installed; return its config.

    Args:
        root, seconds, command, say: see :func:`make_store`.
        out: folder that gets it.
        method: gets the choice.
    """
    looked = NETWORKS[method.family].looks_through
    why = f"the discriminator looks through {looked}, which would flatter its samples"
    method.choices.append(Choice("judge", "trained on these images", why))
    return _train_extractor(root, out, method.flip, seconds * SSL_SHARE, command, say)


def _pace_of_features(network: Any, images: Any) -> Pace:
    """Return how long the features of :data:`PROBE_IMAGES` images take, reading them included."""
    rounds = Rounds()
    for _ in range(2):
        extract(network, read_images(images, 0, min(PROBE_IMAGES, len(images))))
        rounds.end()
    return rounds.pace()


def _train_extractor(
    root: str | list[str], out: Path, flip: bool, seconds: float, command: str, say: Say
) -> dict[str, Any]:
    """Train an extractor for a share of the time: as many updates as fit into it, measured first."""
    count = len(ImageFolder(root, SSL_SIZE, labelled=False))
    images = ImageFolder(root, SSL_SIZE, labelled=False, in_memory=held_in_memory(count, SSL_SIZE))
    options = SSLOptions(
        batch_size=min(SSL_BATCH, max(2, count // 2)), image_size=SSL_SIZE, updates=TRIAL_UPDATES
    )
    options = replace(options, augmentation=replace(options.augmentation, flip=flip))
    rounds = Rounds()

    def note(step: int, total: int, loss: float) -> None:
        rounds.end()

    with tempfile.TemporaryDirectory() as trial:
        train_ssl_extractor(images, options, Path(trial) / "trial.safetensors", command, note, compare=False)
    pace = rounds.pace()
    updates = max(LEAST_UPDATES, min(MOST_UPDATES, int(seconds / pace.own)))
    say(f"an extractor of features is trained on these images: {updates:,} updates, {spoken(pace, updates)}")
    made = out / EXTRACTOR
    with training_bar() as progress:
        record = train_ssl_extractor(images, replace(options, updates=updates), made, command, progress)
    for name, share in record["quality"].items():
        say(f"  {name}: {share:.0%}")
    return extractor_config(str(made.resolve()))
