"""What a component of each role must have, said once by the role's base and checked for everybody's classes.

Three words declare what a component is connected with, in every role alike:

* ``requires``: fields of the condition that must be there;
* ``emits``: named tensors that it gives;
* ``reads``: named tensors that it looks at.

What depends on settings has a classmethod beside it, ``emits_with(settings)`` and ``reads_with(settings)``,
so that a config can be checked first.

A class is checked when it is registered (its methods) and when it is built (its values). It may derive from
the base, which has a default for everything optional, or have every member itself.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class ContractError(ValueError):
    """A component lacks what its role needs."""


@dataclass(frozen=True)
class Value:
    """An attribute that a built component has.

    Attributes:
        meaning: what it says, for messages.
        fits: whether a value can be right.
    """

    meaning: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True)
class Contract:
    """What a role asks of a class.

    Attributes:
        role: as messages call it.
        page: of the documentation.
        methods: that a class writes itself: name -> what it does.
        values: that an object has, in its class or set by its constructor.
        either: methods of which a class writes one at least, where it can do without any single one.
    """

    role: str
    page: str
    methods: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    either: tuple[str, ...] = ()


def names(value: Any) -> bool:
    """Return whether a value is a tuple or list of names."""
    return isinstance(value, tuple | list) and all(isinstance(name, str) for name in value)


def some_names(value: Any) -> bool:
    """Return whether a value is a tuple or list of at least one name."""
    return names(value) and len(value) > 0


def whole_number(value: Any) -> bool:
    """Return whether a value is a whole number that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def image_size(value: Any) -> bool:
    """Return whether a value is a side in pixels, or height and width."""
    sides = [value] if isinstance(value, int) else value
    return isinstance(sides, tuple | list) and len(sides) in (1, 2) and all(map(whole_number, sides))


@dataclass(frozen=True)
class Bases:
    """The bases of which a registry's components have one each.

    Attributes:
        places: ``module:Class`` of each, imported when a class of somebody else is checked.
    """

    places: Sequence[str]

    def classes(self) -> list[type]:
        """Return the bases."""
        found = []
        for place in self.places:
            module, _, name = place.partition(":")
            found.append(getattr(importlib.import_module(module), name))
        return found

    def check_class(self, component: Any) -> None:
        """Refuse a class that lacks methods of its role; a function is checked by what it makes.

        Raises:
            ContractError: names the class, what it lacks, and the page.
        """
        if not inspect.isclass(component):
            return
        base = self._derived(component)
        if base is not None:
            _refuse(component.__name__, base, unwritten(component, base), derived=True)
        else:
            lacking = {x: [*unwritten(component, x), *missing(component, x)] for x in self.classes()}
            base = min(lacking, key=lambda each: (len(lacking[each]), not _writes_one(component, each)))
            _refuse(component.__name__, base, lacking[base], derived=False)
        refuse_unusable(component, base)

    def check_built(self, component: Any) -> None:
        """Refuse an object whose values are not those of its role.

        Raises:
            ContractError: names the class, what it lacks, and the page.
        """
        kind = type(component)
        base = self._derived(kind)
        if base is None:
            fitting = [base for base in self.classes() if not missing(kind, base)]
            base = fitting[0] if fitting else min(self.classes(), key=lambda each: len(missing(kind, each)))
        check_object(component, base)

    def _derived(self, component: type) -> type | None:
        """Return the base that a class derives from, found without importing the others."""
        return next((x for x in component.__mro__ if f"{x.__module__}:{x.__name__}" in self.places), None)


def check_object(component: Any, base: type) -> None:
    """Refuse an object that is no component of the role of ``base``.

    Raises:
        ContractError: names the class, what it lacks, and the page.
    """
    kind, contract = type(component), contract_of(base)
    if not isinstance(component, base):
        _refuse(kind.__name__, base, [*unwritten(kind, base), *missing(kind, base)], derived=False)
    lacking, wrong = [], []
    for name, value in contract.values.items():
        if not hasattr(component, name):
            lacking.append(name)
        elif not value.fits(getattr(component, name)):
            wrong.append(f"`{name}` is {getattr(component, name)!r}, which is not {value.meaning}")
    _refuse(kind.__name__, base, lacking, derived=isinstance(component, base))
    if wrong:
        raise ContractError(f"{kind.__name__}: {'; '.join(wrong)}; see {contract.page}")


def contract_of(base: type) -> Contract:
    """Return the contract that a base declares."""
    contract = vars(base)["contract"]
    assert isinstance(contract, Contract)
    return contract


def unwritten(component: type, base: type) -> list[str]:
    """Return the methods of the contract that a class has not written itself."""
    writers = {
        name: next((each for each in component.__mro__ if name in vars(each)), None)
        for name in contract_of(base).methods
    }
    return [name for name, writer in writers.items() if writer is None or writer in base.__mro__]


def missing(component: type, base: type) -> list[str]:
    """Return the members of ``base`` with a default that a class has not got."""
    methods = contract_of(base).methods
    return [name for name in optional_members(base) if name not in methods and not hasattr(component, name)]


def optional_members(base: type) -> list[str]:
    """Return the public members that deriving from ``base`` gives, the contract's own methods left out."""
    contract = contract_of(base)
    known = {*contract.methods, *contract.values, "contract"}
    ours = [each for each in base.__mro__ if each.__module__.partition(".")[0] == __package__]
    found = dict.fromkeys(name for each in ours for name in vars(each) if not name.startswith("_"))
    return [name for name in found if name not in known]


def refuse_unusable(component: type, base: type) -> None:
    """Refuse methods that cannot be called as those of ``base`` are, and a class that writes none of several.

    Raises:
        ContractError: names the class and the methods, and the page.
    """
    contract, written = contract_of(base), _written(component, base)
    wrong = []
    if not _writes_one(component, base):
        wrong.append(f"writes none of {', '.join(f'`{name}`' for name in contract.either)}")
    called = {*contract.methods, *contract.either}
    for name in sorted(written & {*called, *optional_members(base)}):
        wrong += _unusable(
            name, _of_base(base, name), inspect.getattr_static(component, name), name in called
        )
    if wrong:
        raise ContractError(
            f"{component.__name__} is no {contract.role}: {'; '.join(wrong)}; see {contract.page}"
        )


def _written(component: type, base: type) -> set[str]:
    """Return the members that a class has of its own; None says that it has not got one."""
    own = {name for each in component.__mro__ if each not in base.__mro__ for name in vars(each)}
    return {name for name in own if inspect.getattr_static(component, name) is not None}


def _writes_one(component: type, base: type) -> bool:
    """Return whether a class writes one of the methods of which ``base`` wants one at least, if it does."""
    either = set(contract_of(base).either)
    return not either or bool(_written(component, base) & either)


def _of_base(base: type, name: str) -> Any:
    """Return what a base has under a name, None if only torch's or MMEngine's class below has it."""
    ours = (vars(each) for each in base.__mro__ if each.__module__.partition(".")[0] == __package__)
    return next((members[name] for members in ours if name in members), None)


def _unusable(name: str, model: Any, value: Any, called: bool) -> list[str]:
    """Return what is wrong with a member that cannot be called as the base's ``model`` is."""
    if isinstance(model, classmethod):
        if isinstance(value, classmethod):
            return _unlike(name, model.__func__, value.__func__)
        return [] if isinstance(value, staticmethod) else [f"`{name}` is no classmethod"]
    if not (called or inspect.isfunction(model)):
        return []
    if not callable(value) and not isinstance(value, staticmethod | classmethod | property):
        return [f"`{name}` is {value!r}, which is no method"]
    value = value.__func__ if isinstance(value, classmethod) else value
    return _unlike(name, model, value) if inspect.isfunction(model) and inspect.isfunction(value) else []


def _unlike(name: str, model: Callable[..., Any], value: Callable[..., Any]) -> list[str]:
    """Return what is wrong with a method that cannot be called with the arguments of the base's."""
    parameters = inspect.signature(model).parameters
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters.values()):
        return []  # a base that leaves the arguments to its subclasses
    asked = [key for key, each in parameters.items() if each.default is each.empty]
    try:
        inspect.signature(value).bind(*asked)
    except TypeError:
        given = ", ".join(inspect.signature(value).parameters)
        return [f"`{name}` takes ({given}) and is called as ({', '.join(asked)})"]
    return []


def _refuse(name: str, base: type, lacking: Sequence[str], derived: bool) -> None:
    if not lacking:
        return
    contract = contract_of(base)
    meanings = {**contract.methods, **{key: value.meaning for key, value in contract.values.items()}}
    said = ", ".join(f"`{each}`" + (f" ({meanings[each]})" if each in meanings else "") for each in lacking)
    place = f"{base.__module__.rpartition('.')[0]}.{base.__name__}"
    advice = "" if derived else f"; derive from {place}, which has a default for all that is optional"
    raise ContractError(f"{name} is no {contract.role}: it lacks {said}{advice}; see {contract.page}")


#: what a class of any role, a hook or an optimiser may say of itself: name -> what it is if it says nothing
DECLARATIONS: Mapping[str, Any] = {
    "ranges": {},
    "parts": {},
    "figures": (),
    "disk_arguments": None,
    "user_arguments": (),
    "changes_training": None,
    "follows_the_end": None,
    "writes_setting": None,
    "only_once": False,
    "needs_reference": False,
    "needs_distinct": False,
    "image_shapes": None,
    "facts": None,
    "map_sides": {},
    "least_sides": {},
    "requires": (),
    "input_names": (),
}


def declared(component: Any, name: str) -> Any:
    """Return what a class or function says of itself, one of ``DECLARATIONS``.

    Components of MMEngine and torch stand in configs beside ours and have no base of ours; they say nothing.
    """
    return getattr(component, name, DECLARATIONS[name])


def contract_stated(kind: type) -> Contract | None:
    """Return the contract of whatever base a class has; None of a class with none of ours."""
    stated = getattr(kind, "contract", None)
    return stated if isinstance(stated, Contract) else None


def answers(component: type, base: type) -> bool:
    """Return whether a class has what ``base`` declares, derived from it or not."""
    return issubclass(component, base) or all(
        hasattr(component, name) for name in vars(base) if not name.startswith("_")
    )


class Emitting:
    """Base of components that give named tensors."""

    emits: tuple[str, ...]

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return what a component of these settings emits; None if only the built one can tell."""
        found = next((vars(each)["emits"] for each in cls.__mro__ if "emits" in vars(each)), None)
        return tuple(found) if found is not None and names(found) else None


class Reading:
    """Base of components that look at named tensors of the discriminator."""

    reads: tuple[str, ...] = ()

    @classmethod
    def reads_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a component of these settings reads."""
        return cls.reads
