"""What to train with which images, each choice with a reason and the figure behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec

from mmcgan.proposal.families import NETWORKS
from mmcgan.proposal.figures import CONDITIONINGS, FAMILIES, FIRST, WITH_CLASSES, Comparison, compared
from mmcgan.proposal.survey import Survey

#: below this, the neighbours of an image are most of the set, and instances tell nothing
LEAST_FOR_INSTANCES = 200
#: below this, discriminators learn images by heart unless these are changed in front of them
FEW_IMAGES = 20_000
#: images that a class needs for its name to be learnt
LEAST_PER_CLASS = 8
#: why two latents of one condition are asked for two images
VARIED = (
    "two latents of one condition make two images from the first minutes on; six minutes of 600 garments "
    "with classes: FID 5.6 and recall 0.11, without it 7.6 and 0.00"
)
#: what instances have made of images whose labels were not looked at
WITHOUT_LABELS = "on Fashion-MNIST without labels FID 1.2"
#: with classes more uneven than this, asking for all of them equally often shows the small ones' copies
UNEVEN = 5.0
#: images that a training has to see for samples that one recognises, by size
LEAST_SEEN = {32: 100_000, 64: 250_000, 128: 600_000, 256: 1_500_000}
#: bytes of images that a config reads once and keeps, so that an iteration decodes nothing
MOST_IN_MEMORY = 1 << 30
#: share of the time that training gets; the rest is for evaluation, saving and the start
TRAINING_SHARE = 0.85


@dataclass(frozen=True)
class Width:
    """Networks of one width for images of one size.

    Attributes:
        image_size: pixels a side.
        channels: of the finest maps of generator and discriminator.
        batch_size: real images in an iteration.
    """

    image_size: int
    channels: int
    batch_size: int


#: from the best to what always fits
WIDTHS = (
    Width(64, 32, 32),
    Width(64, 16, 32),
    Width(32, 32, 64),
    Width(32, 16, 64),
    Width(32, 8, 32),
)
#: in front of them, with a GPU
GPU_WIDTHS = (Width(256, 64, 32), Width(128, 64, 64), Width(64, 64, 64))


@dataclass
class Choice:
    """A choice and why.

    Attributes:
        what: such as ``method``.
        value: what was chosen.
        reason: with the figure behind it.
    """

    what: str
    value: str
    reason: str


@dataclass
class Method:
    """What kind of model, before its size is known.

    Attributes:
        conditioning: a key of :data:`~mmcgan.proposal.figures.CONDITIONINGS`.
        family: of networks, a key of :data:`~mmcgan.proposal.families.NETWORKS`.
        empirical: whether classes are asked for as often as they occur.
        policy: of DiffAugment; () for none.
        flip: whether mirrored images count as images.
        choices: why.
    """

    conditioning: str
    family: str
    empirical: bool
    policy: tuple[str, ...]
    flip: bool
    choices: list[Choice] = field(default_factory=list)

    @property
    def labelled(self) -> bool:
        """Whether it learns the classes."""
        return self.conditioning in WITH_CLASSES

    @property
    def instances(self) -> bool:
        """Whether it is conditioned on instances, for which a store is made."""
        return self.conditioning == "instance"


def choose_method(seen: Survey, flip: bool = True) -> Method:
    """Return the kind of model for a set of images.

    Args:
        seen: the images.
        flip: mirrored images show the same kind of thing.
    """
    conditioning, method = _conditioning(seen)
    family, networks = _networks(seen.count, conditioning)
    policy, augmentation = _augmentation(seen)
    why = "a mirrored photo is a photo; text and digits are not (--no-flip)" if flip else "you said so"
    choices = [method, networks, augmentation, Choice("mirrored images", "yes" if flip else "no", why)]
    if NETWORKS[family].seeks_modes:
        choices.append(Choice("variety", "mode seeking", VARIED))
    empirical = conditioning in WITH_CLASSES and seen.imbalance > UNEVEN
    if empirical:
        why = f"the largest class has {seen.imbalance:.1f} times the images of the smallest"
        choices.append(Choice("classes", "asked for as often as they occur", why))
    return Method(conditioning, family, empirical, policy, flip, choices)


def _conditioning(seen: Survey) -> tuple[str, Choice]:
    fewest = min(seen.classes.values()) if seen.classes else 0
    if seen.classes is not None and fewest >= LEAST_PER_CLASS:
        why = (
            f"{len(seen.classes)} classes with {fewest} images and more; on Fashion-MNIST after the same "
            "1,000 updates, 98.8 % of its samples were of the class asked for, and 86.6 % of BigGAN's"
        )
        return "omni", Choice("method", "omni-loss of the classes", why)
    unasked = "no classes to ask for" if seen.classes is None else _too_small(seen.classes)
    if seen.count >= LEAST_FOR_INSTANCES:
        why = f"{unasked}; {seen.count:,} images: each is learnt with its neighbours; {WITHOUT_LABELS}"
        return "instance", Choice("method", "IC-GAN", why)
    few = f"{seen.count} images are fewer than the {LEAST_FOR_INSTANCES} that instances need"
    return "unconditional", Choice("method", "without conditions", f"{unasked}; {few}")


def _too_small(classes: dict[str, int]) -> str:
    """Return which classes have too few images to be asked for, so that they can be merged or moved away."""
    small = [name for name, count in classes.items() if count < LEAST_PER_CLASS]
    shown = f"{', '.join(small[:5])}{', ...' if len(small) > 5 else ''}"
    return f"a class needs {LEAST_PER_CLASS} images, which {len(small)} of {len(classes)} lack: {shown}"


def _networks(count: int, conditioning: str) -> tuple[str, Choice]:
    """Return the family that did best on a set of about this size, of those that can be trained here."""
    known = compared(count, conditioning)
    if known is None:
        why = (
            f"families of networks have not been compared on sets of about {count:,} images conditioned on: "
            f"{CONDITIONINGS[conditioning]}; benchmarks/small_sets.py does so"
        )
        return FIRST, Choice("networks", FAMILIES[FIRST], f"{why}; see docs/choosing.md")
    family, more = _best_of(known)
    return family, Choice("networks", FAMILIES[family], f"{known.sentence()}{more}; see docs/choosing.md")


def _best_of(known: Comparison) -> tuple[str, str]:
    """Return the first family that can be trained here and shows shapes, and why not one before it."""
    missing: list[str] = []
    for family in known.ranked():
        needs = NETWORKS[family].package
        if needs is None or find_spec(needs[0]) is not None:
            return family, "".join(missing)
        missing.append(f"; {FAMILIES[family]} needs `pip install 'mmcgan[{needs[1]}]'`")
    return FIRST, "".join(missing)


def _augmentation(seen: Survey) -> tuple[tuple[str, ...], Choice]:
    if seen.count >= FEW_IMAGES:
        return (), Choice("augmentation", "none", f"{seen.count:,} images are enough")
    policy = ("translation", "cutout") if seen.gray > 0.5 else ("colour", "translation", "cutout")
    why = f"{seen.count:,} images are fewer than {FEW_IMAGES:,}: the discriminator would know them by heart"
    return policy, Choice("augmentation", f"yes ({', '.join(policy)}, or the family's own)", why)


def widths_for(seen: Survey, cuda: bool) -> list[Width]:
    """Return the sizes and widths to measure, the best first: no larger than the images are."""
    every = [*(GPU_WIDTHS if cuda else ()), *WIDTHS]
    middle = seen.shorter_sides[1]
    fitting = [width for width in every if width.image_size <= max(middle, min(LEAST_SEEN))]
    # a batch is at most half of the images
    return [Width(w.image_size, w.channels, max(2, min(w.batch_size, seen.count // 2))) for w in fitting]


def iterations_in(seconds: float, step: float) -> int:
    """Return how many iterations of ``step`` seconds a training of ``seconds`` makes, as a round number."""
    raw = max(1, int(seconds * TRAINING_SHARE / step))
    unit = 10 ** max(0, len(str(raw)) - 2)
    return raw // unit * unit


def enough(width: Width, step: float, seconds: float) -> bool:
    """Return whether as many images are seen in the time as samples need that one recognises."""
    return seconds * TRAINING_SHARE / step * width.batch_size >= LEAST_SEEN[width.image_size]


def held_in_memory(count: int, image_size: int) -> bool:
    """Return whether images are few enough to be decoded once and kept."""
    return count * 3 * image_size**2 <= MOST_IN_MEMORY


def neighbours_for(count: int) -> int:
    """Return how many neighbours of an image count as such: a twentieth of the set, 5 to 50."""
    return min(50, max(5, count // 20), count - 1)
