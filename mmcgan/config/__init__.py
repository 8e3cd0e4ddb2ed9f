"""Configs: found by name, options checked, dataset facts filled, everything validated."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.config.load import load_config, read_config
    from mmcgan.config.locate import all_configs, config_folders, find_config
    from mmcgan.config.options import parse_options, parse_value
    from mmcgan.config.problems import ConfigError, Problem
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "ConfigError",
    "Problem",
    "all_configs",
    "config_folders",
    "find_config",
    "load_config",
    "parse_options",
    "parse_value",
    "read_config",
]
