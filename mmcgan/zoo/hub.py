"""Models on the HuggingFace Hub: ``hf://user/repo[/file][@revision]``. Needs the extra ``hub``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from mmcgan.cache import cache_folder
from mmcgan.zoo.cache import HUB_OFFLINE_VARIABLE, OFFLINE_VARIABLE, offline

SCHEME = "hf://"
WEIGHTS_NAME, CONFIG_NAME, CARD_NAME = "model.safetensors", "config.json", "README.md"
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ADDRESS = re.compile(rf"(?P<repo>{_PART}/{_PART})(?:/(?P<file>[^@]+))?(?:@(?P<revision>[^@]+))?")


@dataclass(frozen=True)
class HubAddress:
    """A file in a repository of the hub.

    Attributes:
        repo: ``user/name``.
        file: path in the repository.
        revision: branch, tag or commit; None for the newest.
    """

    repo: str
    file: str = WEIGHTS_NAME
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> HubAddress:
        """Return the address that ``hf://user/repo[/file][@revision]`` means.

        Raises:
            ValueError: of another form.
        """
        match = _ADDRESS.fullmatch(text.removeprefix(SCHEME))
        if match is None or not text.startswith(SCHEME) or ".." in text:
            raise ValueError(f"{text!r} is not of the form hf://user/repo[/file][@revision]")
        return cls(match["repo"], match["file"] or WEIGHTS_NAME, match["revision"])


def hub_library() -> ModuleType:
    """Return ``huggingface_hub``.

    Raises:
        ImportError: not installed; names the extra.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            'models of the HuggingFace Hub need huggingface_hub: python3 -m pip install "mmcgan[hub]"'
        ) from error
    return huggingface_hub


def fetch_from_hub(text: str) -> Path:
    """Return the local copy of a file of the hub, downloaded into the cache unless it is there.

    ``MMCGAN_OFFLINE`` and ``HF_HUB_OFFLINE`` restrict it to the cache.

    Raises:
        ImportError: ``huggingface_hub`` is not installed.
        FileNotFoundError: no such repository, revision or file, or it cannot be reached.
        ValueError: not an address of the hub.
    """
    address = HubAddress.parse(text)
    library = hub_library()
    local = offline(hub=True)
    try:
        found = library.hf_hub_download(
            address.repo,
            address.file,
            revision=address.revision,
            cache_dir=str(cache_folder() / "hub"),
            local_files_only=local,
        )
    except Exception as error:  # the library's, its network's and the system's errors share no base
        where = f" (only the cache is searched: {_why()})" if local else ""
        raise FileNotFoundError(f"{text}: {type(error).__name__}{where}: {_first_line(error)}") from error
    return Path(found)


def _why() -> str:
    return f"{OFFLINE_VARIABLE} or {HUB_OFFLINE_VARIABLE} is set"


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "no reason given")


def push_folder(folder: Path, repo: str, private: bool = False, message: str | None = None) -> str:
    """Upload the files of ``folder`` to ``user/name`` of the hub and return the address of its page.

    The library's own login is used; the repository is made if there is none.

    Raises:
        ImportError: ``huggingface_hub`` is not installed.
        ValueError: offline, a bad name, or the hub refuses (not logged in, not yours).
    """
    check_repo(repo)
    if offline(hub=True):
        raise ValueError(f"nothing can be uploaded: {_why()}")
    api = hub_library().HfApi()
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repo, folder_path=str(folder), commit_message=message or "Add a generator of mmcgan"
        )
    except Exception as error:  # see fetch_from_hub
        raise ValueError(f"{repo}: the hub refuses the upload: {_first_line(error)}") from error
    return f"https://huggingface.co/{repo}"


def check_repo(repo: str) -> str:
    """Return ``repo`` if it has the form ``user/name``.

    Raises:
        ValueError: it has not.
    """
    if not re.fullmatch(rf"{_PART}/{_PART}", repo):
        raise ValueError(f"repository {repo!r} is not of the form user/name")
    return repo
