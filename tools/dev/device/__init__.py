"""The parts of ``tools/dev/check_device.py``."""

import os

# Asking whether there is a device must not start CUDA in the process that forks.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
