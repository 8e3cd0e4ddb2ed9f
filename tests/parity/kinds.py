"""What a golden case is about, read from its JSON's fields and its tensors' names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.parity.cases import GoldenCase

Spec = Mapping[str, Any]
Test = Callable[[Spec, set[str]], bool]

# BigGAN-PyTorch calls most cases "function": the fields of the JSON tell them apart.
BIGGAN_FUNCTIONS: tuple[tuple[str, Test], ...] = (
    ("ema", lambda spec, names: "decay" in spec and "itr_of_each_update" in spec),
    ("orthogonal", lambda spec, names: "strength" in spec),
    ("spectral_norm", lambda spec, names: "layers" in spec),
    ("frechet", lambda spec, names: "in/feats_a" in names),
    ("inception_score", lambda spec, names: "in/pred" in names),
    ("losses", lambda spec, names: "in/dis_fake" in names),
)

BIGGAN_KINDS = {"training iteration": "training_step"}

# IC-GAN calls them "function" too, and others "data" or "sampling".
IC_GAN_FUNCTIONS: tuple[tuple[str, Test], ...] = (
    ("knn", lambda spec, names: "k_nn" in spec),
    ("kmeans", lambda spec, names: "out/center_examples" in names),
    ("cond_sampling", lambda spec, names: "out/p_instance_nnclass" in names),
    ("dataset_items", lambda spec, names: any(n.endswith("_neighbour_indices_seen") for n in names)),
    ("longtail", lambda spec, names: "in/samples_per_class" in names),
    ("augmentation/diffaug", lambda spec, names: "DiffAugment(" in str(spec.get("how_called"))),
)

# Kinds of the peers that name theirs, where ours is another word.
SPELLINGS = {
    "train_step": "training_step",
    "optimiser": "optimizer",
    "analysis/standing_statistics": "standing_statistics",
    "regulariser/gradient_penalty": "gradient_penalty",
    "metric/inception_score": "inception_score",
    "metric/fid_prdc": "frechet_prdc",
}

# MMagic's descriptions have no kind: the constructor's settings say what was built.
MMAGIC_KINDS: tuple[tuple[str, Test], ...] = (
    ("training_step", lambda spec, names: "optim_wrapper" in spec),
    ("network", lambda spec, names: str(_type(spec)).endswith(("Generator", "Discriminator"))),
    ("spectral_norm", lambda spec, names: "num_svs" in _constructor(spec)),
    (
        "ema",
        lambda spec, names: any(isinstance(v, dict) and "momentum" in v for v in _constructor(spec).values()),
    ),
    ("losses", lambda spec, names: "real_label_val" in _constructor(spec)),
    ("metrics", lambda spec, names: "is_splits" in _constructor(spec)),
)


def _constructor(spec: Spec) -> Mapping[str, Any]:
    found = spec.get("constructor")
    return found if isinstance(found, Mapping) else {}


def _type(spec: Spec) -> Any:
    return _constructor(spec).get("type")


def kind_of(case: GoldenCase) -> str:
    """Return the canonical kind: network, spectral_norm, losses, ema, training_step, ...

    Raises:
        CorruptCase: the tensors, which are consulted where the JSON has no kind, cannot be read.
    """
    spec = case.spec
    if case.peer == "mmagic":
        return _first(MMAGIC_KINDS, case) or "unknown"
    if case.peer == "hfbiggan":
        return "network" if "BigGANConfig" in _constructor(spec) else "sampling"
    kind = str(spec.get("kind", "unknown"))
    if kind.startswith("network"):
        return "network"
    if case.peer == "biggan_pytorch" and kind == "function":
        return _first(BIGGAN_FUNCTIONS, case) or kind
    if case.peer == "ic_gan" and kind in ("function", "data", "sampling"):
        return _first(IC_GAN_FUNCTIONS, case) or kind
    if case.peer == "biggan_pytorch" and kind == "procedure" and "num_accumulations" in spec:
        return "standing_statistics"
    return (BIGGAN_KINDS | SPELLINGS).get(kind, kind)


def _first(tests: tuple[tuple[str, Test], ...], case: GoldenCase) -> str | None:
    names = set(case.tensors)
    return next((kind for kind, test in tests if test(case.spec, names)), None)
