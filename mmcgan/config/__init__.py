"""Configs: found by name, options checked, dataset facts filled, everything validated."""

from mmcgan.config.load import load_config, read_config
from mmcgan.config.locate import all_configs, config_folders, find_config
from mmcgan.config.options import parse_options, parse_value
from mmcgan.config.problems import ConfigError, Problem

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
