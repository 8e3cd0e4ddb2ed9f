"""Features, neighbours and selected instances of an image set: what instance-conditioned GANs train on."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.instances.store import InstanceStore, SyntheticStore, open_store, store_facts
    from mmcgan.instances.store_metadata import StoreError
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["InstanceStore", "StoreError", "SyntheticStore", "open_store", "store_facts"]
