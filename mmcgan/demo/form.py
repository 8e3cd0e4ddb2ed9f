"""What every tab has: a model to choose, buttons, a command to copy, and errors that are sentences."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmcgan.apis.attribute_sampling import attribute_groups
from mmcgan.demo.drawing import drawing_board
from mmcgan.demo.limits import StoppedError
from mmcgan.demo.studio import Model, Studio
from mmcgan.demo.toolkit import gradio
from mmcgan.weights import own_index

#: what whoever asked can put right, or has to know
SENTENCES = (ValueError, OSError, ImportError, StoppedError, MemoryError)
#: requests under this name wait for each other
QUEUE = "models"
LARGEST_SEED = 2**31 - 1

#: an absolute path; the group is its last part. Not what stands behind a scheme, nor a class like T-shirt/top
PLACE = re.compile(r"(?<![\w.:/~])~?/(?:[^\s/:;,'\"()]+/)+([^\s/:;,'\"()]*)")

Work = Callable[..., Sequence[Any]]


def whole(value: Any, what: str, least: int = 0, most: int = LARGEST_SEED) -> int:
    """Return a whole number that a form gave.

    Raises:
        ValueError: it is none, or out of range.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value != int(value) or not least <= value <= most:
        raise ValueError(f"{what} must be a whole number from {least} to {most}, got {value!r}")
    return int(value)


def real(value: Any, what: str, least: float, most: float) -> float:
    """Return a number that a form gave.

    Raises:
        ValueError: it is none, or out of range.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= most:
        raise ValueError(f"{what} must be a number from {least:g} to {most:g}, got {value!r}")
    return float(value)


def uploaded(studio: Studio, value: Any, what: str) -> Path:
    """Return the file of an uploaded picture.

    Raises:
        ValueError: nothing was uploaded, or it is too large or no picture.
    """
    if not isinstance(value, str):
        raise ValueError(f"{what}: choose a picture first")
    file = Path(value)
    studio.limits.check_upload(file)
    return file


def shown_as(model: Model) -> list[str]:
    """Return what a model can be asked to show: its classes, or ``group=name`` of its attributes."""
    if "attributes" in model.loaded.requires:
        groups = attribute_groups(model.loaded).groups
        return [f"{group.name}={name}" for group in groups for name in group.names]
    return model.classes


def asked_for(
    model: Model, chosen: Sequence[str] | None, attributes_as: str = "attributes"
) -> dict[str, Any]:
    """Return what was chosen of :func:`shown_as` as the argument of :func:`mmcgan.apis.sample`.

    Args:
        model: that is asked.
        chosen: classes, or ``group=name`` of attributes; what it does not have is refused when it works.
        attributes_as: name of the argument that attributes become.
    """
    if not chosen:
        return {}
    if "attributes" not in model.loaded.requires:
        return {"labels": list(chosen)}
    wanted: dict[str, list[str]] = {}
    for text in chosen:
        group, _, name = text.partition("=")
        wanted.setdefault(group, []).append(name)
    return {attributes_as: wanted}


def in_command(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what :func:`asked_for` gave as options of a command."""
    return {name: _words(value) if isinstance(value, dict) else value for name, value in asked.items()}


def _words(attributes: dict[str, list[str]]) -> list[str]:
    return [f"{group}={','.join(names)}" for group, names in attributes.items()]


def preferred(studio: Studio, names: Sequence[str]) -> str:
    """Return the model that a tab begins with.

    Something can be chosen, images are large, of shipped models the recorded FID is low; it is the last.
    """

    def worth(name: str) -> tuple[bool, int, float]:
        model = studio.models[name]
        figures = own_index("generator").get(model.source, {}).get("metrics", {})
        return bool(shown_as(model)), model.size[0], -float(figures.get("fid", math.inf))

    return max(reversed(names), key=worth)


class Form:
    """The parts of one tab.

    Args:
        studio: does the work.
        names: the models that this tab can work with.
        key: short name of the tab, unique on the page; ids of its parts begin with it.
    """

    def __init__(self, studio: Studio, names: Sequence[str], key: str) -> None:
        self.gr, self.studio, self.names, self.key = gradio(), studio, list(names), key
        self.first = studio.model(preferred(studio, self.names))

    def name(self, part: str) -> str:
        """Return the id of a part."""
        return f"{self.key}-{part}"

    def model(self, label: str = "Model", part: str = "model", value: str | None = None) -> Any:
        """Add the choice of a model."""
        return self.gr.Dropdown(
            self.names,
            value=value or preferred(self.studio, self.names),
            label=label,
            elem_id=self.name(part),
            filterable=True,
        )

    def shows(
        self, model: Any, label: str = "Show", many: bool = True, part: str = "show", at: int = 0
    ) -> Any:
        """Add the choice of classes or attributes, which follows the model; of one, number ``at`` is set."""
        gr = self.gr

        def options(name: str) -> dict[str, Any]:
            found = shown_as(self.studio.model(name))
            value: Any = [] if many else (found[min(at, len(found) - 1)] if found else None)
            return dict(choices=found, value=value, visible=bool(found))

        box = gr.Dropdown(
            **options(preferred(self.studio, self.names)),
            label=label,
            multiselect=many,
            allow_custom_value=True,  # what is typed is looked up, and refused with a list
            info="empty: every class in turn" if many else None,
            elem_id=self.name(part),
        )
        model.change(lambda name: gr.update(**options(name)), model, box, queue=False, api_name=False)
        return box

    def model_shows_seed(self) -> tuple[Any, Any, Any]:
        """Add the choice of a model, of the one thing that images show, and of a seed, and return them."""
        model = self.model()
        return model, self.shows(model, many=False), self.seed()

    def seed(self) -> Any:
        """Add the seed."""
        return self.gr.Number(
            0, label="Seed", precision=0, minimum=0, maximum=LARGEST_SEED, elem_id=self.name("seed")
        )

    def photo(self, label: str, part: str = "photo") -> Any:
        """Add an upload; the file is read by this package's own reader alone."""
        from mmcgan.datasets.decode import SUFFIXES

        return self.gr.File(
            label=label,
            file_count="single",
            file_types=[suffix for suffix in SUFFIXES if suffix.count(".") == 1],
            type="filepath",
            elem_id=self.name(part),
            height=120,
        )

    def picture(self, label: str, part: str = "picture", height: int = 480) -> Any:
        """Add a place for a picture, which is shown and can be saved as it was made."""
        return self.gr.Image(
            label=label,
            type="filepath",
            format="png",
            interactive=False,
            height=height,
            buttons=["download", "fullscreen"],
            elem_id=self.name(part),
            elem_classes="pixels",
        )

    def board(self, label: str, **options: Any) -> Any:
        """Add a board to draw on."""
        return drawing_board(
            self.studio.limits, label=label, elem_id=self.name("drawing"), height=640, **options
        )

    def finish(self, inputs: Sequence[Any], outputs: Sequence[Any], work: Work, text: str = "Make") -> Any:
        """Add the buttons and the command, and let ``work`` be done when the first is pressed.

        Args:
            inputs: what is asked for; the choice of a model stands first.
            outputs: what ``work`` returns, and behind them the command, which it returns last.
            work: model, values of the other inputs -> values of the outputs, command.
            text: on the button.

        Returns:
            The button.
        """
        gr = self.gr
        with gr.Row():
            button = gr.Button(text, variant="primary", elem_id=self.name("run"))
            stop = gr.Button("Stop", elem_id=self.name("stop"))
        # a box of the page's right side would be far from what it repeats
        shown = gr.Textbox(
            label="Copy as command",
            lines=2,
            max_lines=4,
            interactive=False,
            buttons=["copy"],
            elem_id=self.name("command"),
        )
        button.click(
            self._handler(work, len(inputs)),
            list(inputs),
            [*outputs, shown],
            concurrency_id=QUEUE,
            concurrency_limit=1,
            api_name=self.key,
            api_visibility="undocumented",
            trigger_mode="once",
        )
        stop.click(self._stopper(), None, None, queue=False, api_name=False)
        return button

    def _handler(self, work: Work, count: int) -> Callable[..., Any]:
        """Return what Gradio calls: its arguments are the values, the request and a progress bar."""
        gr, studio = self.gr, self.studio

        def handler(*given: Any) -> Any:
            *values, request, progress = given
            session = str(getattr(request, "session_hash", None) or id(request))

            def report(what: str, done: int, total: int) -> None:
                progress((done, total), desc=what)

            try:
                with studio.working(session, report):
                    return tuple(work(studio.model(values[0]), *values[1:]))
            except SENTENCES as error:
                raise gr.Error(
                    without_places(str(error), values), duration=30, print_exception=False
                ) from error

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [inspect.Parameter(f"value{number}", kind) for number in range(count)]
        parameters.append(inspect.Parameter("request", kind, annotation=gr.Request))
        parameters.append(inspect.Parameter("progress", kind, default=gr.Progress()))
        handler.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        handler.__annotations__ = {"request": gr.Request}
        return handler

    def _stopper(self) -> Callable[..., None]:
        gr, studio = self.gr, self.studio

        def stopper(request: Any) -> None:
            if not studio.stop(str(request.session_hash)):
                gr.Info("nothing of yours is running", duration=3)

        stopper.__annotations__ = {"request": gr.Request}
        return stopper


def without_places(text: str, values: Sequence[Any] = ()) -> str:
    """Return a sentence without folders of this machine, which are nobody's business who sees the page.

    Args:
        text: such as an error, which names files by their whole path.
        values: that the form gave; uploads among them are called by their name, whatever it is.
    """
    for value in values:
        if isinstance(value, str) and "/" in value:
            text = text.replace(value, Path(value).name)
    return PLACE.sub(r"\1", text)
