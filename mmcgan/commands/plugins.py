"""``mmcgan plugins``: what is installed beside mmcgan, whether it works, and what it adds."""

from __future__ import annotations

import argparse
import warnings

from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print every plugin with version, state and what it adds; return 1 if one failed."""
    from mmcgan.plugins import installed_plugins

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures are listed
        plugins = installed_plugins()
    for plugin in plugins:
        state = "loaded" if plugin.error is None else f"failed: {plugin.error}"
        say(f"{plugin.name}: {plugin.distribution} {plugin.version}, {state}")
        for registry, names in plugin.adds.items():
            say(f"  {registry}: {', '.join(names)}")
        if plugin.config_folder is not None:
            from mmcgan.config.locate import all_configs

            configs = sorted(file.stem for file in all_configs(plugin.config_folder))
            say(f"  configs: {', '.join(f'{plugin.name}::{name}' for name in configs) or 'none'}")
    brought = _brought()
    for line in brought:
        say(line)
    if not plugins and not brought:
        say("no plugins are installed")
    return int(any(plugin.error is not None for plugin in plugins))


def _brought() -> list[str]:
    """Return a line for each command, folder of weights and folder of zoo records of a plugin."""
    from mmcgan.cli import COMMANDS as OURS
    from mmcgan.plugin_files import COMMANDS, WEIGHTS, ZOO, brought_by, entries, folder_of

    lines, owners = [], dict.fromkeys(OURS, "mmcgan")
    for entry in entries(COMMANDS):
        owner = owners.setdefault(entry.name, brought_by(entry))
        taken = owner != brought_by(entry)
        note = f" (not reachable: {owner} has a command of that name)" if taken else ""
        lines.append(f"command {entry.name}: {brought_by(entry)}{note}")
    for group, what in ((WEIGHTS, "weights"), (ZOO, "zoo records")):
        for entry in entries(group):
            folder = folder_of(entry.value)
            state = "no such folder" if folder is None else str(folder)
            lines.append(f"{what} {entry.name}: {brought_by(entry)}, {state}")
    return lines
