"""Names of single transforms and of groups of them, as configs list them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmcgan.suggestions import nearest


def expand_names(argument: str, names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the single transforms that ``names`` stand for, without repetition, in their order.

    Args:
        argument: what the names were given as, for the message.
        names: names of groups or of their members.
        groups: the members of every group.

    Raises:
        ValueError: no name is given, or one is neither a group nor a member.
    """
    if isinstance(names, str):
        names = (names,)
    members = {member for group in groups.values() for member in group}
    known = [*groups, *sorted(members - groups.keys())]
    if not names:
        raise ValueError(f"{argument} must name at least one of {', '.join(known)}")
    for name in names:
        if name not in known:
            raise ValueError(
                f"{argument}: unknown name {name!r}.{nearest(name, known)} Known: {', '.join(known)}."
            )
    expanded = [member for name in names for member in groups.get(name, (name,))]
    return tuple(dict.fromkeys(expanded))
