"""Our names in the words of BigGAN-PyTorch, StudioGAN and MMagic."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from mmcgan.peers.formats.format import Table, rename
from mmcgan.peers.reading.shapes import Shapes

State = dict[str, Tensor]

_AJBROCK: Table = ((r"\.spectral\.u(\d)$", r".u\1"), (r"\.spectral\.sigma(\d)$", r".sv\1"))

# --- BigGAN-PyTorch --------------------------------------------------------------------------------
#: ``I.``: position of block or attention in the peer's list, already with its nesting.
_BIGGAN_BLOCKS: Table = (
    (r"^(backbone\.)?(?:blocks|attention)\.", "blocks."),
    (r"\.shortcut\.", ".conv_sc."),
    (r"\.query\.", ".theta."),
    (r"\.key\.", ".phi."),
    (r"\.value\.", ".g."),
    (r"\.output\.", ".o."),
    *_AJBROCK,
)
BIGGAN_GENERATOR: Table = (
    (r"^condition\.label\.", "shared."),
    (r"^output_norm\.norm\.weight$", "output_layer.0.gain"),
    (r"^output_norm\.norm\.bias$", "output_layer.0.bias"),
    (r"^output_norm\.norm\.(?=running|num)", "output_layer.0.bn."),
    (r"^output_conv\.", "output_layer.2."),
    (r"\.norm(\d)\.norm\.", r".bn\1.bn."),
    (r"\.norm(\d)\.", r".bn\1."),
    *_BIGGAN_BLOCKS,
)
BIGGAN_DISCRIMINATOR: Table = (
    (r"^backbone\.input_conv\.", "input_conv."),
    (r"^heads\.adv\.", ""),
    *_BIGGAN_BLOCKS,
)
#: Statistics of plain batch norms lie in the layer itself; of ``mybn`` below it.
STORED: Table = (
    (r"num_batches_tracked$", None),
    (r"\.bn\.running_(mean|var)$", r".stored_\1"),
)
STORED_BELOW: Table = ((r"num_batches_tracked$", None), (r"\.bn\.running_(mean|var)$", r".bn.stored_\1"))

# --- StudioGAN -------------------------------------------------------------------------------------
_STUDIOGAN_BLOCKS: Table = (
    (r"^(backbone\.)?(?:blocks|attention)\.", "blocks."),
    (r"\.conv([1-4])\.", r".conv2d\1."),
    (r"\.shortcut\.", ".conv2d0."),
    (r"\.query\.", ".conv1x1_theta."),
    (r"\.key\.", ".conv1x1_phi."),
    (r"\.value\.", ".conv1x1_g."),
    (r"\.output\.", ".conv1x1_attn."),
    (r"\.gamma$", ".sigma"),
)
STUDIOGAN_GENERATOR: Table = (
    (r"^linear\.", "linear0."),
    (r"^condition\.label\.", "shared."),
    (r"^output_norm\.norm\.", "bn4."),
    (r"^output_conv\.", "conv2d5."),
    *_STUDIOGAN_BLOCKS,
)
#: Conditional batch norms have a plain one below them; plain ones stand for themselves.
STUDIOGAN_CONDITIONAL: Table = ((r"\.norm(\d)\.norm\.", r".bn\1.bn."), (r"\.norm(\d)\.", r".bn\1."))
STUDIOGAN_PLAIN: Table = ((r"\.norm(\d)\.norm\.", r".bn\1."),)
STUDIOGAN_DISCRIMINATOR: Table = (
    (r"^heads\.adv\.linear\.", "linear1."),
    (r"^heads\.(?:adv|cls)\.embed\.", "embedding."),
    (r"^heads\.cls\.linear\.", "linear2."),
    (r"^heads\.twin\.linear\.", "linear_mi."),
    (r"^heads\.twin\.embed\.", "embedding_mi."),
    (r"^heads\.discrete_code\.linear\.", "info_discrete_linear."),
    (r"^heads\.continuous_code\.mean\.", "info_conti_mu_linear."),
    (r"^heads\.continuous_code\.log_variance\.", "info_conti_var_linear."),
    (r"^backbone\.blocks\.0\.0\.norm2\.norm\.", "backbone.blocks.0.0.bn1."),
    (r"\.norm(\d)\.norm\.", r".bn\1."),
    *_STUDIOGAN_BLOCKS,
)

# --- MMagic ----------------------------------------------------------------------------------------
_MMAGIC_BLOCKS: Table = (
    (r"^(backbone\.)?(?:blocks|attention)\.", "conv_blocks."),
    (r"\.query\.", ".theta."),
    (r"\.key\.", ".phi."),
    (r"\.value\.", ".g."),
    (r"\.output\.", ".o."),
    (r"^(conv_blocks\.\d+\.(?:conv\d|shortcut|theta|phi|g|o))\.", r"\1.conv."),
    *_AJBROCK,
)
_MMAGIC_HEADS: Table = ((r"^heads\.adv\.linear\.", "decision."), (r"^heads\.adv\.embed\.", "proj_y."))
MMAGIC_BIGGAN_GENERATOR: Table = (
    (r"^linear\.", "noise2feat."),
    (r"^condition\.label\.", "shared_embedding."),
    (r"^output_norm\.norm\.", "output_layer.bn."),
    (r"^output_conv\.", "output_layer.conv."),
    (r"\.norm(\d)\.norm\.", r".bn\1.bn."),
    (r"\.norm(\d)\.", r".bn\1."),
    *_MMAGIC_BLOCKS,
)
MMAGIC_BIGGAN_DISCRIMINATOR: Table = (*_MMAGIC_HEADS, *_MMAGIC_BLOCKS)
_UNDERSCORE: Table = ((r"\.conv(\d)\.conv\.", r".conv_\1.conv."),)
MMAGIC_RESNET_GENERATOR: Table = (
    (r"^linear\.", "noise2feat."),
    (r"^output_norm\.norm\.", "to_rgb.bn."),
    (r"^output_conv\.", "to_rgb.conv."),
    (r"\.norm(\d)\.gain\.", r".norm_\1.weight_embedding."),
    (r"\.norm(\d)\.bias\.", r".norm_\1.bias_embedding."),
    (r"\.norm(\d)\.", r".norm_\1."),
    *_MMAGIC_BLOCKS,
    *_UNDERSCORE,
)
#: The first block stands outside the list, whose positions are counted from the second.
MMAGIC_RESNET_DISCRIMINATOR: Table = (
    *_MMAGIC_HEADS,
    *_MMAGIC_BLOCKS,
    *_UNDERSCORE,
    (r"^conv_blocks\.first\.(\w+)\.(?:conv\.)?", r"from_rgb.\1.conv."),
    (r"^from_rgb\.conv(\d)\.", r"from_rgb.conv_\1."),
)

Place = Callable[[str, int, Shapes], str]


def with_slots(kind: str, index: int, shapes: Shapes) -> str:
    """Return the position where self-attention counts as a block of its own."""
    prefix = "backbone." if shapes.indices("backbone.blocks") else ""
    places = shapes.indices(f"{prefix}attention")
    return str(index + sum(place < index for place in places) + (kind == "attention"))


def nested_slots(kind: str, index: int, shapes: Shapes) -> str:
    """Return the same inside StudioGAN's lists of one."""
    return f"{with_slots(kind, index, shapes)}.0"


def beside(kind: str, index: int, shapes: Shapes) -> str:
    """Return the position where self-attention is the second member of its block (BigGAN-PyTorch)."""
    return f"{index}.{int(kind == 'attention')}"


def behind_first(kind: str, index: int, shapes: Shapes) -> str:
    """Return the position in a list that begins behind the first block (MMagic's ``from_rgb``)."""
    if kind == "blocks" and index == 0:
        return "first"
    return str(int(with_slots(kind, index, shapes)) - 1)


def in_stages(depth: int) -> Place:
    """Return positions in BigGAN-deep's discriminator, whose blocks are nested in stages."""

    def place(kind: str, index: int, shapes: Shapes) -> str:
        stage, step = divmod(index, depth)
        return f"{stage}.{depth if kind == 'attention' else step}"

    return place


def back_names(state: Mapping[str, Tensor], tables: tuple[Table, ...], place: Place) -> dict[str, str]:
    """Return the peer's name of every key of ours that it keeps."""
    shapes = Shapes(state)
    hooked = {key.removesuffix(".spectral.v0") for key in state if key.endswith(".spectral.v0")}
    found = {}
    for key in state:
        layer, suffix = _hook_parts(key)
        name = _rename_all(_placed(f"{layer}.weight" if layer in hooked else key, place, shapes), tables)
        if name is not None:
            found[key] = f"{name}_{suffix}" if layer in hooked else name
    return found


def _hook_parts(key: str) -> tuple[str, str]:
    """Return the layer and what torch's hook appends to ``weight`` for this key of it."""
    for ending, suffix in ((".weight", "orig"), (".spectral.u0", "u"), (".spectral.v0", "v")):
        if key.endswith(ending):
            return key.removesuffix(ending), suffix
    return "", ""


def _rename_all(key: str, tables: tuple[Table, ...]) -> str | None:
    name: str | None = key
    for table in tables:
        name = None if name is None else rename(name, table)
    return name


def _placed(key: str, place: Place, shapes: Shapes) -> str:
    found = re.match(r"(backbone\.)?(blocks|attention)\.(\d+)\.(.*)", key)
    if not found:
        return key
    return f"{found[1] or ''}{found[2]}.{place(found[2], int(found[3]), shapes)}.{found[4]}"
