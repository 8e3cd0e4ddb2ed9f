"""What a zip archive must look like before torch may open it."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from mmcgan.checkpoints.files import CheckpointError


def check_archive(file: BinaryIO, size: int) -> dict[str, int]:
    """Return the bytes of every tensor of an archive such as torch writes, by its name there.

    Torch stores members uncompressed and once; anything else is an archive made to deceive (a
    few bytes that unpack to gigabytes, two members of one name) or a program (TorchScript).

    Args:
        file: an open zip file.
        size: of the file in bytes; the file is left at its start.

    Raises:
        CheckpointError: the archive is damaged or not of torch's kind; the message names the member.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise CheckpointError(f"the archive is damaged: {error}") from error
    names = [member.filename for member in members]
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
            raise CheckpointError(
                f"the archive's member {member.filename!r} is compressed; torch stores them"
            )
        if "/code/" in member.filename or member.filename.endswith("constants.pkl"):
            raise CheckpointError(f"the archive holds a program ({member.filename!r}), not only weights")
    if len(set(names)) != len(names):
        raise CheckpointError("the archive holds two members of one name")
    if sum(member.file_size for member in members) > size:
        raise CheckpointError("the archive's members overlap")
    file.seek(0)
    data = (member for member in members if "/data/" in member.filename)
    return {member.filename.rpartition("/data/")[2]: member.file_size for member in data}
