"""The kinds of conditions: what a field of :class:`mmcgan.structures.Condition` is, and which there are."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.condition_fields.base import ConditionField
    from mmcgan.condition_fields.known import (
        condition_field,
        condition_of,
        fact_names,
        field_names,
        made_up_condition,
        mirrored,
        told_fields,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "ConditionField",
    "condition_field",
    "condition_of",
    "fact_names",
    "field_names",
    "made_up_condition",
    "mirrored",
    "told_fields",
]
