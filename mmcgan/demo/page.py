"""The page: the tabs that the models can fill, and nothing from elsewhere."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from mmcgan.demo.form import Form
from mmcgan.demo.studio import Studio
from mmcgan.demo.tabs import any_size, compare, explore, mix, more_like_this, paint, restore, sample
from mmcgan.demo.toolkit import gradio

#: in the order of the page
TABS: tuple[ModuleType, ...] = (
    sample,
    mix,
    more_like_this,
    any_size,
    paint,
    restore,
    explore,
    compare,
)
TITLE = "mmcgan demo"
#: of the system: fonts from elsewhere would tell somebody who looks at what
FONTS = ("system-ui", "sans-serif")
MONOSPACE = ("ui-monospace", "monospace")
#: pixels stay pixels, and the label of a picture does not lie over its first row
CSS = """
.pixels img { image-rendering: pixelated; object-fit: contain; }
.pixels img { padding-top: 28px !important; box-sizing: border-box; }
footer { display: none !important; }
"""
#: files that nobody asks for any more are deleted: looked at every so many seconds, at this age
CACHE_LIFE = (60, 900)


def possible_tabs(studio: Studio) -> list[tuple[ModuleType, list[str]]]:
    """Return the tabs that there are models for, and the names of these."""
    found = [(tab, studio.able(tab.can)) for tab in TABS]
    return [(tab, names) for tab, names in found if len(names) >= tab.LEAST_MODELS]


def build_page(studio: Studio) -> Any:
    """Return the page, not served yet.

    Raises:
        ImportError: Gradio is not installed.
    """
    gr = gradio()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=CACHE_LIFE) as page:
        gr.Markdown(
            "# mmcgan\nWhat models can do. Training is done with `mmcgan train`; every tab shows the command "
            "that does the same in a terminal."
        )
        for tab, names in possible_tabs(studio):
            with gr.Tab(tab.TITLE, id=tab.KEY, elem_id=f"tab-{tab.KEY}"):
                tab.build(Form(studio, names, tab.KEY))

        def left(request: Any) -> None:
            studio.stop(str(request.session_hash))

        left.__annotations__ = {"request": gr.Request}
        page.unload(left)
    return page.queue(max_size=studio.limits.queue, default_concurrency_limit=4, api_open=False)


def theme() -> Any:
    """Return a look without fonts from elsewhere."""
    gr = gradio()
    return gr.themes.Default(font=list(FONTS), font_mono=list(MONOSPACE))
