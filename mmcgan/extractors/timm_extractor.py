"""Any timm model with a local weight file as an extractor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from safetensors.torch import load_file
from torch import Tensor, nn

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS
from mmcgan.suggestions import nearest
from mmcgan.weights import read_index

WRAPPER_KEYS = (
    "state_dict",
    "model",
    "model_state_dict",
    "state_dict_best",
    "feat_model",
)  # where training scripts put the weights
WRAPPER_PREFIXES = ("module.", "model.", "backbone.")


@EXTRACTORS.register_module()
class TimmExtractor(Extractor):
    """Pooled features, and logits if asked for, of a timm model.

    Args:
        model: timm model name, for example ``resnet50``.
        weights: local ``.safetensors`` or ``.pth`` file; wrappers (``state_dict``) and prefixes
            (``module.``) are removed.
        logits: also return the classifier's logits; the file must then hold the classifier.
        image_size: side of the input; None takes the model's own.
        resize: a key of ``mmcgan.extractors.RESIZE_RULES``.
        ignore: prefixes of keys in the file that are no part of the model (projection heads).
        precision: ``float32``, ``bfloat16`` or ``auto`` (what is fast where the network is).

    Raises:
        ValueError: unknown model, or keys of the file and the model that do not match.
        FileNotFoundError: no weight file; the message says where the weights come from and what can be
            used instead.
    """

    #: the keys left out are no part of the backbone in the published files
    file_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "swav-resnet50": {"model": "resnet50", "ignore": ("projection_head.", "prototypes.")},
        "supervised-resnet50": {"model": "resnet50", "ignore": ()},
        "balanced-resnet50": {"model": "resnet50", "ignore": ()},
    }
    disk_arguments = ("weights",)

    def __init__(
        self,
        model: str,
        weights: str | None = None,
        *,
        logits: bool = False,
        image_size: int | None = None,
        resize: str = "bicubic-antialias",
        ignore: Sequence[str] = (),
        precision: Precision = "float32",
    ) -> None:
        defaults = model_defaults(model)
        path = check_weights(model, weights, defaults)
        size = image_size or int(defaults.input_size[-1])
        preprocessing = Preprocessing(size, resize, tuple(defaults.mean), tuple(defaults.std))
        super().__init__(f"timm:{model}:{path.stem}", preprocessing, precision)
        self.network = build_timm(model, read_state(path), path, logits=logits, ignore=ignore)
        self.feature_dim = int(cast(int, self.network.num_features))
        self.num_classes = int(cast(int, self.network.num_classes)) if logits else None
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return pooled features (N, F) and logits (N, C) or None."""
        network: Any = self.network
        maps = network.forward_features(pixels)
        features = network.forward_head(maps, pre_logits=True)
        logits = None if self.num_classes is None else network.get_classifier()(features)
        return ExtractorOutput(features, logits)

    def feature_maps(self, pixels: Tensor) -> list[Tensor]:
        """Return the last map of every stage, see :func:`timm_maps`."""
        return timm_maps(self.network, pixels)


def timm_maps(network: Any, pixels: Tensor) -> list[Tensor]:
    """Return the last map of every stage of a timm model, (N, C_i, h_i, w_i), the finest first.

    Raises:
        NotImplementedError: timm cannot tell the stages of this model.
    """
    if not hasattr(network, "forward_intermediates"):
        raise NotImplementedError
    options = {"norm": False, "stop_early": True, "output_fmt": "NCHW", "intermediates_only": True}
    return list(network.forward_intermediates(pixels, **options))


def model_defaults(model: str) -> Any:
    """Return timm's record of a model: input size, mean, standard deviation, origin.

    Raises:
        ValueError: timm knows no such model; the message suggests names.
    """
    import timm  # a second to import: only when used

    architecture = model.split(".")[0]
    if not timm.is_model(architecture):
        raise ValueError(
            f"TimmExtractor: no timm model {model!r}.{nearest(architecture, timm.list_models())}"
        )
    return timm.get_pretrained_cfg(model, allow_unregistered=True) or timm.models.PretrainedCfg()


def check_weights(model: str, weights: str | None, defaults: Any) -> Path:
    """Return the path of the weight file.

    Raises:
        FileNotFoundError: not given or not there.
    """
    path = None if weights is None else Path(weights).expanduser()
    if path is not None and path.is_file():
        return path
    origin = defaults.hf_hub_id or defaults.url or "its authors"
    shipped = ", ".join(sorted(read_index("classifier")))
    raise FileNotFoundError(
        f"TimmExtractor: no weight file for {model!r} (weights={weights!r}). Nothing is downloaded: fetch "
        f"the file yourself (timm's own come from {origin}) and give its path as weights=. Without it, "
        f"use dict(type='SmallClassifier', weights=...) with one of {shipped}"
    )


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a weight file, without wrappers and common prefixes.

    Raises:
        ValueError: the file is damaged, holds no tensors by name, or would have to execute code.
    """
    state: Any = load_file(path) if path.suffix == ".safetensors" else load_checkpoint(path)
    for key in WRAPPER_KEYS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not any(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path}: holds no tensors by name")
    state = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    for prefix in WRAPPER_PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def build_timm(
    model: str, state: dict[str, Tensor], path: Path, *, logits: bool, ignore: Sequence[str] = ()
) -> nn.Module:
    """Return the timm model with ``state`` loaded strictly, the classifier kept only for ``logits``.

    Raises:
        ValueError: a key is missing, unexpected or of another shape.
    """
    import timm

    probe: Any = timm.create_model(model, pretrained=False)
    heads = probe.pretrained_cfg.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else tuple(heads)
    if logits and heads and f"{heads[0]}.weight" in state:
        probe = timm.create_model(model, pretrained=False, num_classes=len(state[f"{heads[0]}.weight"]))
    elif not logits:
        probe.reset_classifier(0)
    dropped = (*ignore, *(() if logits else (f"{head}." for head in heads)))
    kept = {key: value for key, value in state.items() if not key.startswith(dropped)} if dropped else state
    _check_keys(kept, probe.state_dict(), path, model)
    probe.load_state_dict(kept)
    return probe


def _check_keys(found: dict[str, Tensor], wanted: dict[str, Tensor], path: Path, model: str) -> None:
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    shapes = [key for key in wanted.keys() & found.keys() if wanted[key].shape != found[key].shape]
    if missing or extra or shapes:
        raise ValueError(
            f"{path}: does not fit timm's {model!r}: {len(missing)} keys missing {missing[:5]}, "
            f"{len(extra)} unexpected {extra[:5]} (name their prefixes in ignore= if they are projection "
            f"heads), {len(shapes)} of another shape {sorted(shapes)[:5]}"
        )
