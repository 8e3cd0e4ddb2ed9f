"""StudioGAN's InfoGAN generators: codes mixed into the latent, or seen by the batch norms."""

from __future__ import annotations

from collections.abc import Callable

from mmcgan.peers.formats.format import Config, Spec, Table, UnsupportedSetting

ABSENT = ("N/A", None, False)
CODE_TABLE: Table = ((r"^info_mix_linear\.", "mix."), (r"^info_proj_linear\.", "codes.linear."))
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


def below_codes(named: dict[str, str]) -> dict[str, str]:
    """Return the key map of a generator whose codes are mixed in: all else lies in ``generator.``."""
    if not any(ours.startswith("mix.") for ours in named.values()):
        return named
    return {
        theirs: ours if ours.startswith("mix.") else f"generator.{ours}" for theirs, ours in named.items()
    }
