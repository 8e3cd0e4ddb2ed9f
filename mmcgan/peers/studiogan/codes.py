"""StudioGAN's InfoGAN generators: codes mixed into the latent, or seen by the batch norms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from mmcgan.peers.translation import Config, Settings, Spec, Table, UnsupportedSetting

ABSENT = ("N/A", None, False)
Head = dict[str, Any]


class BelowCodes:
    """Where codes are mixed into the latent, all else of our generator lies below ``generator.``."""

    def ours(self, keys: Sequence[str]) -> list[str | None]:
        """Return the keys with the generator below."""
        if not any(key.startswith("mix.") for key in keys):
            return list(keys)
        return [key if key.startswith("mix.") else f"generator.{key}" for key in keys]

    def theirs(self, keys: Sequence[str], facts: Mapping[str, Any]) -> list[str | None]:
        """Return the keys side by side."""
        return [key.removeprefix("generator.") for key in keys]


#: Ends a generator's table.
CODE_TABLE: Table = (
    ("^info_mix_linear", "^mix"),
    ("^info_proj_linear", "^codes.linear"),
    BelowCodes(),
)
CODE_HEADS: Table = (
    ("^info_discrete_linear", "^heads.discrete_code.linear"),
    ("^info_conti_mu_linear", "^heads.continuous_code.mean"),
    ("^info_conti_var_linear", "^heads.continuous_code.log_variance"),
)
CODE_KEYS: tuple[str, ...] = ("info_type", "g_info_injection")
CODE_KEYS += ("info_num_discrete_c", "info_num_conti_c", "info_dim_discrete_c")


def code_dim(settings: Spec) -> int:
    """Return the number of columns of the codes of ``info_type``; 0 for none.

    Raises:
        UnsupportedSetting: an unknown type.
    """
    kind = settings.get("info_type")
    if kind in ABSENT:
        return 0
    if kind not in ("discrete", "continuous", "both"):
        raise UnsupportedSetting(f"info_type={kind!r} is not supported")
    discrete = continuous = 0
    if kind != "continuous":
        discrete = settings["info_num_discrete_c"] * settings["info_dim_discrete_c"]
    if kind != "discrete":
        continuous = settings["info_num_conti_c"]
    return discrete + continuous


def with_codes(reader: Callable[[Spec], Config]) -> Callable[[Spec], Config]:
    """Let a reader of generators without codes read those with codes, too."""

    @wraps(reader)
    def read(spec: Spec) -> Config:
        settings = {**spec.get("model_config", {}), **spec["constructor_kwargs"]}
        columns = code_dim(settings)
        plain = {
            name: {key: value for key, value in spec.get(name, {}).items() if key not in CODE_KEYS}
            for name in ("model_config", "constructor_kwargs")
        }
        config = reader({**spec, **plain})
        if not columns:
            return config
        injection = settings.get("g_info_injection")
        if injection == "cBN":
            return {**config, "code_dim": columns}
        if injection != "concat":
            allowed = "only 'concat' and 'cBN'"
            raise UnsupportedSetting(f"g_info_injection={injection!r} is not supported, {allowed}")
        norm, init = config.get("spectral_norm"), config.get("init", "orthogonal")
        return {
            "type": "CodedGenerator",
            "generator": config,
            "code_dim": columns,
            "spectral_norm": norm,
            "init": init,
        }

    return read


def with_written_codes(described: Config, columns: int, injection: str) -> Config:
    """Return the description of a generator with its codes.

    A generator has columns, whatever they stand for: they are written as continuous codes, of which one is
    one column.
    """
    if not columns:
        return described
    codes = {"info_type": "continuous", "info_num_conti_c": columns, "g_info_injection": injection}
    return {**described, "constructor_kwargs": {**described["constructor_kwargs"], **codes}}


def read_code_heads(settings: Settings, norm: Config | None) -> dict[str, Head]:
    """Read InfoGAN's heads."""
    kind = settings.require("info_type", *ABSENT, "discrete", "continuous", "both")
    settings.ignore("g_info_injection")
    discrete, values = settings.take("info_num_discrete_c"), settings.take("info_dim_discrete_c")
    continuous = settings.take("info_num_conti_c")
    heads: dict[str, Head] = {}
    if kind in ("discrete", "both"):
        sizes = {"codes": discrete, "values": values}
        heads["discrete_code"] = {"type": "DiscreteCodeHead", **sizes, "spectral_norm": norm}
    if kind in ("continuous", "both"):
        heads["continuous_code"] = {"type": "ContinuousCodeHead", "codes": continuous, "spectral_norm": norm}
    return heads


def write_code_heads(heads: Mapping[str, Head]) -> Config:
    """Return the settings of InfoGAN's heads."""
    discrete, continuous = heads.get("discrete_code"), heads.get("continuous_code")
    if not (discrete or continuous):
        return {}
    kind = "both" if discrete and continuous else "discrete" if discrete else "continuous"
    return {
        "info_type": kind,
        "info_num_discrete_c": (discrete or {}).get("codes", 1),
        "info_dim_discrete_c": (discrete or {}).get("values", 10),
        "info_num_conti_c": (continuous or {}).get("codes", 2),
    }
