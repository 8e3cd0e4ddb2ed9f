"""A stranger's checkpoint becomes our weights and a config."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.files import require_finite, require_half, save_checkpoint
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.output_paths import check_output
from mmcgan.peers.reading.channel_order import to_rgb
from mmcgan.peers.reading.config_file import condition_sampler_of, config_text, latent_sampler_of
from mmcgan.peers.reading.described import described_beside
from mmcgan.peers.reading.fitting import Fit, knows, likely_role
from mmcgan.peers.reading.resolving import Wishes, read_networks
from mmcgan.peers.reading.shapes import flatten
from mmcgan.peers.reading.sources import Found, read_source
from mmcgan.peers.translation import DISCRIMINATOR, GENERATOR
from mmcgan.peers.translation.registry import readable_formats
from mmcgan.random import RandomStreams
from mmcgan.zoo.models import FORMAT, GeneratorRecord

CHANNEL_ORDER = "channel_order"


@dataclass(frozen=True)
class Options:
    """How to convert.

    Attributes:
        format: name of the peer's format; None recognises it.
        settings: values of our settings that weights do not show, by dotted path; ``channel_order`` says
            in which order (``rgb``, ``bgr``) the images were that they were trained on.
        average: True takes the averaged generator, False the other; None takes the average if there is one.
        generator_only: leave a discriminator out.
        strict: refuse assumptions: every setting that weights do not show must be given.
        half: store float16.
    """

    format: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    average: bool | None = None
    generator_only: bool = False
    strict: bool = False
    half: bool = False


@dataclass
class Conversion:
    """What a checkpoint turned out to be.

    Attributes:
        source: the file or folder.
        generator, discriminator: how they were read; None if there is none.
        names: where in the source they were, by role.
        wrappers: prefixes that were cut off, by role.
        passed_over: networks of the source that were not converted.
        channel_order: of the images that the weights were trained on.
        half: store float16.
    """

    source: Path
    generator: Fit | None
    discriminator: Fit | None
    names: dict[str, str]
    wrappers: dict[str, tuple[str, ...]]
    passed_over: list[str]
    channel_order: str = "rgb"
    half: bool = False

    @property
    def networks(self) -> list[Fit]:
        """Those that there are, the generator first."""
        return [fit for fit in (self.generator, self.discriminator) if fit is not None]

    def record(self) -> GeneratorRecord:
        """Return what is written with the generator."""
        assert self.generator is not None
        heads = {} if self.discriminator is None else self.discriminator.config["heads"]
        config = self.generator.config
        return GeneratorRecord(
            generator=config,
            latent_sampler=latent_sampler_of(config, heads),
            condition_sampler=condition_sampler_of(config),
        )


def inspect_checkpoint(source: str | Path, options: Options | None = None) -> Conversion:
    """Find out what a checkpoint is, without writing anything.

    Args:
        source: file or folder, see :func:`mmcgan.peers.reading.sources.read_source`.
        options: what the user knows about it.

    Raises:
        FileNotFoundError: nothing there.
        CheckpointError: damaged, or asking for more than data.
        ConversionError: keys without a place, or missing; the message lists them.
        AmbiguousError: it can be read in several ways; the message says what decides.
        ValueError: an unknown format, a setting that no network has, or no such network.
    """
    options = options or Options()
    found = read_source(source)
    settings = dict(options.settings)
    order = str(settings.pop(CHANNEL_ORDER, "rgb")).lower()
    stated: dict[str, Any] = {}
    beside = described_beside(Path(source))
    name = options.format
    for network in found:
        network.described = beside
        for form in readable_formats().values():
            stated |= form.stated(network.settings)
            # settings of one name (a size, a number of classes) are in files of several codebases
            itself = form.names_itself(network.settings) and knows(form, network.state)
            name = name or (form.name if itself else None)
    chosen, passed_over = choose(found, options, Wishes(name, settings))
    readings = read_networks(chosen, Wishes(name, settings), stated)
    for fit in readings:
        fit.weights = to_rgb(fit.weights, order)
        if options.strict:
            _refuse_assumptions(fit)
    by_role = {fit.role: fit for fit in readings}
    roles = [fit.role for fit in readings]
    return Conversion(
        Path(source),
        by_role.get(GENERATOR),
        by_role.get(DISCRIMINATOR),
        {role: network.name for role, network in zip(roles, chosen, strict=True)},
        {role: network.wrappers for role, network in zip(roles, chosen, strict=True)},
        passed_over,
        order,
        options.half,
    )


def _refuse_assumptions(fit: Fit) -> None:
    assumed = [path for path, origin in fit.origin.items() if origin == "assumed"]
    if assumed:
        values = flatten(fit.config)
        listed = ", ".join(f"{fit.role}.{path} (usually {values.get(path)})" for path in assumed)
        raise ValueError(f"--strict: weights do not show these, give them with --set: {listed}")


def choose(found: Sequence[Found], options: Options, wishes: Wishes) -> tuple[list[Found], list[str]]:
    """Return the generator and discriminator to convert, and what is passed over.

    Raises:
        ValueError: no averaged generator although one is asked for, or several of a kind.
    """
    roles = [role_of(network, wishes) for network in found]
    generators = [n for n, role in zip(found, roles, strict=True) if role == GENERATOR]
    others = [n for n, role in zip(found, roles, strict=True) if role != GENERATOR]
    averaged = [network for network in generators if network.averaged]
    raw = [network for network in generators if not network.averaged]
    if options.average and not averaged:
        raise ValueError(f"--ema: no averaged generator among {[network.name for network in found]}")
    if options.average is False and not raw:
        raise ValueError(f"--raw: only averaged generators among {[network.name for network in found]}")
    wanted = averaged if averaged and options.average is not False else raw
    kept = [*wanted, *([] if options.generator_only and wanted else others)]
    for group, what in ((wanted, "generators"), (others, "discriminators")):
        if len(group) > 1:
            raise ValueError(
                f"several {what}: {', '.join(n.name for n in group)}; give a file with one of them"
            )
    return kept, [network.name for network in found if not any(network is other for other in kept)]


def role_of(network: Found, wishes: Wishes) -> str:
    """Return a network's role by its keys, or by its name where no format knows them."""
    found = likely_role(network.state, wishes.format)
    if found is not None:
        return found
    last = network.name.rpartition(": ")[2].lower()
    return DISCRIMINATOR if last.startswith(("d", "net_d", "model=d")) else GENERATOR


# --- writing --------------------------------------------------------------------------------------
def write(conversion: Conversion, destination: str | Path, force: bool = False) -> list[Path]:
    """Write weights, config and, with a discriminator, a checkpoint to train from; return the files.

    Args:
        conversion: what to write.
        destination: ``NAME.safetensors``; ``NAME.py`` and ``NAME.pth`` stand beside it.
        force: replace files that are there.

    Raises:
        ValueError: another suffix.
        FileExistsError: a file is there; nothing is written.
        CheckpointError: weights that are NaN or infinite, or too large for float16; names the tensors.
    """
    destination = Path(destination)
    if destination.suffix != ".safetensors":
        raise ValueError(f"{destination}: converted weights are NAME.safetensors")
    files = planned_files(conversion, destination)
    present = [path.name for path in files if path.exists()]
    if present and not force:
        raise FileExistsError(
            f"{destination.parent or '.'} holds {', '.join(present)}; --force replaces them"
        )
    check_output(destination, "DESTINATION")
    for part in (conversion.generator, conversion.discriminator):
        if part is not None:
            require_finite(part.weights, str(conversion.source))
    if conversion.generator is not None:
        if conversion.half:
            require_half(conversion.generator.weights, str(conversion.source))
        _write_generator(conversion, destination)
        _write_config(conversion, destination)
    if conversion.discriminator is not None:
        save_checkpoint({"state_dict": training_state(conversion)}, destination.with_suffix(".pth"))
    return files


def planned_files(conversion: Conversion, destination: Path) -> list[Path]:
    """Return the files that :func:`write` makes."""
    files = [destination, destination.with_suffix(".py")] if conversion.generator is not None else []
    return [*files, destination.with_suffix(".pth")] if conversion.discriminator is not None else files


def training_state(conversion: Conversion) -> dict[str, Tensor]:
    """Return the state dict of a model of both networks; its averaged generator starts as the other."""
    # seed and iteration of the random streams, as the model itself keeps them
    state: dict[str, Tensor] = {"random._extra_state": RandomStreams(0).get_extra_state()}
    for fit, prefixes in (
        (conversion.generator, ("generator.", "generator_ema.")),
        (conversion.discriminator, ("discriminator.",)),
    ):
        weights = {} if fit is None else fit.weights
        for prefix in prefixes:
            state |= {f"{prefix}{key}": value for key, value in weights.items()}
    return state


def _write_generator(conversion: Conversion, destination: Path) -> None:
    assert conversion.generator is not None
    record = json.dumps(asdict(conversion.record()), sort_keys=True)
    weights = {key: _stored(value, conversion.half) for key, value in conversion.generator.weights.items()}
    content = tensor_bytes(weights, {"format": FORMAT, "record": record})
    atomic_write(destination, lambda file: _write_all(file, content))


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().clone().contiguous()
    return value.half() if half and value.is_floating_point() else value


def _write_all(file: Any, content: bytes) -> None:
    file.write(content)


def _write_config(conversion: Conversion, destination: Path) -> None:
    assert conversion.generator is not None
    record = asdict(conversion.record())
    title = f"Converted from {conversion.generator.format.name} ({conversion.source.name})."
    discriminator = conversion.discriminator
    config = None if discriminator is None else discriminator.config
    text = config_text(destination.stem, title, record, config, destination.parent).encode()
    atomic_write(destination.with_suffix(".py"), lambda file: _write_all(file, text))
