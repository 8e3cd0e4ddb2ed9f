"""A generator as an ONNX file, for programs without PyTorch. Needs the extra ``onnx``."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.apis.views import checked_view, find_view
from mmcgan.checkpoints.atomic import put_in_place, writing
from mmcgan.checkpoints.files import require_finite
from mmcgan.condition_fields import condition_field, field_names, made_up_condition
from mmcgan.differences import largest, largest_difference
from mmcgan.models.generators.base import Generator, how_to_draw_nothing
from mmcgan.models.layers import SpectralNorm
from mmcgan.output_paths import check_output
from mmcgan.random import make_generator
from mmcgan.samplers.default_law import law_text
from mmcgan.samplers.latent import check_amount
from mmcgan.structures import Condition, height_and_width
from mmcgan.zoo.models import LoadedModel, load_model

TOLERANCE = 1e-3
OPSET = 18
#: batch sizes at which both are compared: neither is the one it was traced with
CHECKED = (1, 3)
TRACED = 2
#: operators of ONNX that give other results every time
RANDOM_OPERATORS = {
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}


@dataclass(frozen=True)
class OnnxFile:
    """What was written.

    Attributes:
        path: the file.
        inputs: shape of each input by name, with ``batch`` for the number of images.
        difference: largest absolute difference from PyTorch, of values in [-1, 1].
        latents: the law that whoever runs the file draws latents from.
    """

    path: Path
    inputs: Mapping[str, tuple[str | int, ...]]
    difference: float
    latents: str


class _Network(nn.Module):
    """What is traced: tensors in, an image in [-1, 1] out.

    Attributes:
        inputs: names of the tensors: the latent, unless the generator has none, and fields of a condition.
    """

    generator: Generator
    known_label: Tensor
    known_label_map: Tensor

    def __init__(self, generator: Generator, fields: tuple[str, ...], extra: Mapping[str, Any]) -> None:
        super().__init__()
        self.generator, self.extra = generator, extra
        self.inputs = ("latent", *fields) if generator.latent_dim else fields
        for name, count in (("label", generator.num_classes), ("label_map", generator.num_map_classes)):
            self.register_buffer(f"known_{name}", torch.arange(count), persistent=False)

    def forward(self, *values: Tensor) -> Tensor:
        given = dict(zip(self.inputs, values, strict=True))
        # len() would fix the batch size in the trace
        latent = given.pop("latent") if "latent" in given else torch.zeros(values[0].shape[0], 0)
        for name in ("label", "label_map"):
            if name in given:
                given[name] = _checked(given[name], getattr(self, f"known_{name}"))
        condition = Condition.of(given)
        if "truncation" in self.extra:
            image = self.generator.forward_truncated(latent, condition, self.extra["truncation"])
        else:
            image = self.generator(latent, condition, **self.extra)
        return image.float().clamp(-1, 1)


def _checked(label: Tensor, known: Tensor) -> Tensor:
    """Return class numbers, looked up in a table: beyond it whoever runs the file fails, as we do.

    A negative index would count from the end, a one-hot code of a number that is too large be all zero.
    """
    beyond = label.new_full((), len(known))
    return known[torch.where(label < 0, beyond, label)]


def export_onnx(
    source: str | Path,
    out: str | Path,
    checkpoint: str | Path | None = None,
    *,
    truncation: float | None = None,
    size: tuple[int, int] | None = None,
    tolerance: float = TOLERANCE,
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
) -> OnnxFile:
    """Write the generator of a model as ONNX and compare it with PyTorch on the CPU.

    Inputs are ``latent`` (batch, latent_dim), float32, and what the generator is conditioned on: ``label``
    (batch,), int64; ``instance`` (batch, F), of length 1; ``attributes`` (batch, A); ``label_map``
    (batch, H, W), int64, and ``edge_map``, bool; plugins' fields. A generator without a latent has no such
    input. Output is ``image`` (batch, 3, H, W) in [-1, 1]. The batch size is free.

    Args:
        source, checkpoint, options: see :func:`mmcgan.apis.load_model`.
        out: ``.onnx`` file.
        truncation: fixed in the file, of a generator that is told it (StyleGAN2, BigGAN-deep's table).
        size: height and width of the images of a generator that makes any size; the trained one by default.
        tolerance: largest difference from PyTorch at which the file is kept.
        overwrite: replace the file.

    Raises:
        FileExistsError: the file exists and ``overwrite`` is off.
        ImportError: the extra is not installed.
        ValueError: another suffix, a condition that cannot be an input, truncation or a size that the
            generator does not have, weights that are NaN or infinite, or a difference above the tolerance;
            nothing is written then.
    """
    path = Path(out)
    if path.suffix != ".onnx":
        raise ValueError(f"{path}: an exported generator is named *.onnx")
    check_output(path, "the ONNX file")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another name or give --overwrite")
    runtime = onnx_runtime()
    loaded = load_model(source, checkpoint, options)
    require_finite(loaded.model.generator.state_dict(), loaded.name)
    network = _network(loaded, _extra(loaded, truncation, size))
    temporary = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with writing(path):
            _trace(network, _examples(loaded, network, TRACED), temporary, loaded.name)
        difference = _compare(runtime, network, loaded, temporary)
        if not difference <= tolerance:
            raise ValueError(
                f"{loaded.name}: the ONNX file differs from PyTorch by up to {difference:.3g}, more than "
                f"{tolerance:g}; it is not kept"
            )
        put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return OnnxFile(path, _shapes(loaded, network), difference, law_text(loaded.record.latent_sampler))


def _shapes(loaded: LoadedModel, network: Any) -> dict[str, tuple[Any, ...]]:
    """Return the shapes of the inputs by name."""
    values = _examples(loaded, network, TRACED)
    return {name: ("batch", *value.shape[1:]) for name, value in zip(network.inputs, values, strict=True)}


def exported_difference(generator: Generator, latent: Tensor, condition: Condition, path: Path) -> float:
    """Write a generator that stands by itself as ONNX; return how far its images are from PyTorch's.

    Args:
        generator: in evaluation.
        latent: (N, D), at least two; traced with all, compared with one less.
        condition: of each.
        path: file to write.

    Raises:
        ImportError: the extra is not installed.
    """
    runtime, given = onnx_runtime(), condition.present()
    fields = tuple(name for name in field_names() if name in given)
    network = _Network(_baked(generator), fields, {}).eval()
    entering = {"latent": latent.detach(), **given}
    values = tuple(entering[name] for name in network.inputs)
    _trace(network, values, path, type(generator).__name__)
    session = _session(runtime, path, type(generator).__name__)
    fewer = tuple(value[1:] for value in values)
    feeds = {name: value.numpy() for name, value in zip(network.inputs, fewer, strict=True)}
    with torch.no_grad():
        expected = network(*fewer)
    return largest_difference(torch.from_numpy(session.run(["image"], feeds)[0]), expected)


def onnx_runtime() -> ModuleType:
    """Return ``onnxruntime``, once what writes ONNX is there too.

    Raises:
        ImportError: one of them is not installed; names the extra.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'export to ONNX needs {error.name}: python3 -m pip install "mmcgan[onnx]"'
        ) from error
    return onnxruntime


def _extra(loaded: LoadedModel, truncation: float | None, size: tuple[int, int] | None) -> dict[str, Any]:
    """Return what is fixed in the file."""
    generator = loaded.model.generator
    check_amount(truncation)
    if truncation is not None and not generator.has_truncation:
        raise ValueError(
            f"{loaded.name}: its truncation acts on the latents, which are an input: truncate them before"
        )
    view = checked_view(generator, find_view(size), loaded.name, TRACED)
    chosen = {"truncation": truncation, "size": None if view is None else view.size}
    return {name: value for name, value in chosen.items() if value is not None}


def _network(loaded: LoadedModel, extra: Mapping[str, Any]) -> _Network:
    unknown = [name for name in loaded.requires if not condition_field(name).exported]
    if unknown:
        raise ValueError(f"{loaded.name} is conditioned on {', '.join(unknown)}, which is not exported yet")
    whole = loaded.model.generator
    inner = [part for part in whole.modules() if isinstance(part, Generator) and part is not whole]
    drawing = [part for part in (whole, *inner) if part.draws_inside]
    if drawing:
        raise ValueError(f"{loaded.name} draws noise inside{how_to_draw_nothing(drawing, whole)}")
    fields = tuple(name for name in field_names() if name in loaded.requires)
    return _Network(_baked(loaded.model.generator), fields, extra).eval()


def _baked(generator: Generator) -> Generator:
    """Return a copy on the CPU whose spectrally normalised weights are constants: they do not change."""
    copy = deepcopy(generator).cpu().eval().requires_grad_(False)
    for module in copy.modules():
        norm = module._modules.get("spectral")
        if isinstance(norm, SpectralNorm):
            weight: Any = module.weight
            module.weight = nn.Parameter(norm(weight), requires_grad=False)
            module.spectral = nn.Identity()
    return copy


def _examples(loaded: LoadedModel, network: _Network, count: int) -> tuple[Tensor, ...]:
    """Return latents and conditions to trace or compare with."""
    source = make_generator(0, "onnx", count)
    latent = loaded.model.latent_sampler.sample(count, source)
    image_size = height_and_width(loaded.model.generator.image_size)
    fields = [name for name in network.inputs if name != "latent"]
    condition = made_up_condition(fields, count, loaded.size_of, image_size, source).present()
    given = (condition[name] for name in fields)
    return (latent, *given) if loaded.model.generator.latent_dim else tuple(given)


def _trace(network: _Network, values: tuple[Tensor, ...], path: Path, owner: str) -> None:
    """Write the network of ``owner``, traced with ``values``, to ``path``.

    Raises:
        ValueError: it draws random numbers inside.
    """
    batch = torch.export.Dim("batch")
    with torch.no_grad(), _quiet():
        torch.onnx.export(
            network,
            values,
            path,
            input_names=list(network.inputs),
            output_names=["image"],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=(tuple({0: batch} for _ in values),),
            external_data=False,
            optimize=False,  # whoever runs the file does that, and it is most of the time here
            verbose=False,
        )
    _refuse_randomness(path, owner)


def _refuse_randomness(path: Path, owner: str) -> None:
    """Refuse a network that draws random numbers inside: every run of the file would draw others.

    Raises:
        ValueError: it does.
    """
    import onnx

    graph = onnx.load(str(path), load_external_data=False)
    nodes = [node for part in (graph.graph, *graph.functions) for node in part.node]
    found = sorted({node.op_type for node in nodes if node.op_type in RANDOM_OPERATORS})
    if found:
        raise ValueError(
            f"{owner} draws random numbers inside ({', '.join(found)}), which an ONNX file cannot repeat; "
            "let the generator take them from the latent, or draw none in evaluation"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's advice to itself: what matters is checked afterwards."""
    names = ("torch.onnx", "onnxscript", "torch.export")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _session(runtime: ModuleType, path: Path, owner: str) -> Any:
    """Return what runs a file; refuse one that takes no other number of images than it was traced with."""
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    if any(isinstance(each.shape[0], int) for each in session.get_inputs()):  # named if it is free
        raise ValueError(
            f"{owner} turns the number of images into a constant, so that an ONNX file would take no other: "
            "write x.shape[0] for len(x), and take no number out of a tensor by int(), item() or tolist()"
        )
    return session


def _compare(runtime: ModuleType, network: _Network, loaded: LoadedModel, path: Path) -> float:
    """Return the largest absolute difference between the file and the network."""
    session = _session(runtime, path, loaded.name)
    names, differences = network.inputs, []
    for count in CHECKED:
        values = _examples(loaded, network, count)
        with torch.no_grad():
            expected = network(*values)
        feeds = {name: value.numpy() for name, value in zip(names, values, strict=True)}
        (image,) = session.run(["image"], feeds)
        found = torch.from_numpy(image)
        if found.shape != expected.shape:
            raise ValueError(f"{path}: images are {tuple(found.shape)}, expected {tuple(expected.shape)}")
        differences.append(largest_difference(found, expected))
    return largest(differences)
