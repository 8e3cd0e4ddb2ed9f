"""What a zip archive must look like before torch may open it."""

from __future__ import annotations

import struct
import zipfile
from typing import BinaryIO

#: how a zip archive begins
ARCHIVE = b"PK"


class CheckpointError(ValueError):
    """A checkpoint file that cannot be read or does not fit."""


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
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise CheckpointError(f"the archive is damaged: {error}") from error
    names = [member.filename for member in members]
    for name in names:
        if "/code/" in name or name.endswith("constants.pkl"):
            raise CheckpointError(f"the archive holds a program (TorchScript, {name!r}), not only weights")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
            raise CheckpointError(
                f"the archive's member {member.filename!r} is compressed; torch stores them"
            )
    if len(set(names)) != len(names):
        raise CheckpointError("the archive holds two members of one name")
    if sum(member.file_size for member in members) > size:
        raise CheckpointError("the archive's members overlap")
    file.seek(0)
    data = (member for member in members if "/data/" in member.filename)
    return {member.filename.rpartition("/data/")[2]: member.file_size for member in data}
