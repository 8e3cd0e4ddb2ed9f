"""Where weights of well-known networks come from, and whether a file is the one it claims to be.

Nothing is downloaded: the files belong to others, are large, and some have licences of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmcgan.cache import cache_folder
from mmcgan.checkpoints.hashing import file_hash

BLOCK = 1 << 22


@dataclass(frozen=True)
class WeightFile:
    """What is known of a file of weights.

    Attributes:
        names: file names under which it is found; the first is the one to use.
        origin: address of its authors' copy.
        sha256: of the file; a prefix where authors publish no more; empty if none is known.
        instead: what can be used without it.
    """

    names: tuple[str, ...]
    origin: str
    sha256: str = ""
    instead: str = "dict(type='SmallClassifier', weights='fashion-mnist-32' or a file of your own)"


# Facts about other people's files; sizes and hashes as published with them.
KNOWN_WEIGHTS: dict[str, WeightFile] = {
    "fid-inception": WeightFile(
        ("weights-inception-2015-12-05-6726825d.pth", "pt_inception-2015-12-05-6726825d.pth"),
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
        "weights-inception-2015-12-05-6726825d.pth",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        "dict(type='TeroInception') with the TorchScript file of the same network",
    ),
    "tero-inception": WeightFile(
        ("inception-2015-12-05.pt",),
        "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
        "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        "dict(type='InceptionV3') with the weights of torch-fidelity, the same network",
    ),
    "torchvision-inception": WeightFile(
        ("inception_v3_google-0cc3c7bd.pth",),
        "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
        "0cc3c7bd",
    ),
    "swav-resnet50": WeightFile(
        ("swav_800ep_pretrain.pth.tar",),
        "https://dl.fbaipublicfiles.com/deepcluster/swav_800ep_pretrain.pth.tar",
    ),
    "dino-vits8": WeightFile(
        ("dino_deitsmall8_pretrain.pth",),
        "https://dl.fbaipublicfiles.com/dino/dino_deitsmall8_pretrain/dino_deitsmall8_pretrain.pth",
        "230cd5",
    ),
    "dino-resnet50": WeightFile(
        ("dino_resnet50_pretrain.pth",),
        "https://dl.fbaipublicfiles.com/dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth",
    ),
    "vgg19": WeightFile(
        ("vgg19-dcbb9e9d.pth",),
        "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        "dcbb9e9d",
        "leave the perceptual loss out of the config's losses",
    ),
    **{
        f"lpips-{network}": WeightFile(
            (name,),
            f"https://download.pytorch.org/models/{name}",
            name.rsplit("-", 1)[1].removesuffix(".pth"),
            "dict(type='MSSSIM'), a diversity of pairs that needs no network",
        )
        for network, name in (
            ("alex", "alexnet-owt-7be5be79.pth"),
            ("vgg", "vgg16-397923af.pth"),
            ("squeeze", "squeezenet1_1-b8a52dc0.pth"),
        )
    },
}


def weights_folder() -> Path:
    """Return where weights are looked for: ``extractors`` in the user's cache folder of mmcgan."""
    return cache_folder() / "extractors"


def find_known(key: str, given: str | None, extractor: str, argument: str = "weights") -> Path:
    """Return the file of a well-known network, its checksum verified where one is known.

    Args:
        key: of :data:`KNOWN_WEIGHTS`.
        given: a path, or None to look in :func:`weights_folder`.
        extractor: who asks, for messages.
        argument: what it calls the path.

    Raises:
        FileNotFoundError: no such file; says which, from where, with which hash, and what else there is.
        ValueError: the file is another one or damaged.
    """
    known = KNOWN_WEIGHTS[key]
    path = _locate(known, given)
    if path is None:
        asked = f"{argument}={given!r} is no file" if given else f"no {known.names[0]} in {weights_folder()}"
        raise FileNotFoundError(
            f"{extractor}: {asked}. Nothing is downloaded: fetch {known.names[0]} from {known.origin} "
            f"(SHA-256 {_described(known)}) and put it into {weights_folder()}, or give its path as "
            f"{argument}=. Without it: {known.instead}"
        )
    check_sha256(path, known.sha256, extractor)
    return path


def _locate(known: WeightFile, given: str | None) -> Path | None:
    if given is not None:
        candidates = [Path(given).expanduser()]
    else:
        candidates = [weights_folder() / name for name in known.names]
    return next((path for path in candidates if path.is_file()), None)


def _described(known: WeightFile) -> str:
    if not known.sha256:
        return "not published; the file's own is recorded in reports"
    return known.sha256 if len(known.sha256) == 64 else f"begins with {known.sha256}"


def check_sha256(path: Path, expected: str, extractor: str) -> str:
    """Return the file's SHA-256 if it begins with ``expected``.

    Raises:
        ValueError: it does not; names both.
    """
    found = file_hash(path)
    if not found.startswith(expected):
        raise ValueError(
            f"{extractor}: {path} has SHA-256 {found}, expected {expected}{'...' * (len(expected) < 64)}: "
            "the file is damaged or another one; fetch it again"
        )
    return found
