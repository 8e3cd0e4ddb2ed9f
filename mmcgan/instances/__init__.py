"""Features, neighbours and selected instances of an image set: what instance-conditioned GANs train on."""

from mmcgan.instances.store import InstanceStore, StoreError, SyntheticStore, open_store, store_facts

__all__ = ["InstanceStore", "StoreError", "SyntheticStore", "open_store", "store_facts"]
