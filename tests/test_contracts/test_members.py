"""Each declared member of each base in turn: left out, or of a wrong kind; said with its page."""

import inspect
import types

import pytest

from mmcgan import registry as r
from mmcgan.contracts import ContractError, contract_of, optional_members
from tests.test_contracts.strangers import STRANGERS

PAIRS = [(getattr(r, name), kind) for name, kinds in STRANGERS.items() for kind in kinds]
ARGUMENTS = {"StrangeHead": dict(in_channels=4), "StrangeLatents": dict(latent_dim=3)}
#: what none of the declared values may be
NEVER = [object(), b"bytes", {"a": object()}, -3, 1.5]


def base_of(registry, kind):
    return next(base for base in kind.__mro__ if base in registry.bases.classes())


def cases(*parts):
    """Return (registry, class, member) for members of some parts of the contracts."""
    found = []
    for registry, kind in PAIRS:
        base = base_of(registry, kind)
        contract = contract_of(base)
        members = {
            "methods": contract.methods,
            "values": contract.values,
            "optional": optional_members(base),
        }
        found += [(registry, kind, name) for part in parts for name in members[part]]
    return found


def named(case):
    return case.__name__ if isinstance(case, type) else str(getattr(case, "name", case))


def is_ours(method):
    return isinstance(method, types.FunctionType) and method.__module__.startswith("mmcgan.")


def is_method(base, member):
    model = inspect.getattr_static(base, member, None)
    return member in contract_of(base).methods or isinstance(model, types.FunctionType | classmethod)


METHODS = [case for case in cases("methods", "optional") if is_method(base_of(*case[:2]), case[2])]


def without(kind, member):
    """Return a class like ``kind``, derived from its base, that does not write a member itself."""
    members = {name: value for name, value in vars(kind).items() if name not in (member, "__dict__")}
    return type(kind.__name__, kind.__bases__, members)


@pytest.fixture
def registered():
    """Return a function that registers a class, and builds it; what is registered is forgotten."""
    before = r.snapshot()

    def build(registry, kind):
        kind.__module__ = "strangers_package"
        registry.register_module(name=kind.__name__, module=kind)
        return registry.build(dict(type=kind.__name__, **ARGUMENTS.get(kind.__name__, {})))

    yield build
    r.restore(before)


def test_every_base_has_a_stranger():
    bases = {base for registry in r.every_registry() if isinstance(registry, r.ClosedRegistry)
             for base in registry.bases.classes()}  # fmt: skip
    assert {base_of(registry, kind) for registry, kind in PAIRS} == bases


@pytest.mark.parametrize(("registry", "kind"), PAIRS, ids=named)
def test_a_strangers_class_is_taken(registered, registry, kind):
    assert isinstance(registered(registry, type(kind.__name__, (kind,), {})), kind)


@pytest.mark.parametrize(("registry", "kind", "member"), cases("methods"), ids=named)
def test_a_method_that_is_left_out_is_named_when_the_class_is_registered(registered, registry, kind, member):
    contract = contract_of(base_of(registry, kind))
    with pytest.raises(ContractError) as raised:
        registered(registry, without(kind, member))
    expected = f"{kind.__name__} is no {contract.role}: it lacks `{member}` ({contract.methods[member]})"
    assert str(raised.value) == f"{expected}; see {contract.page}"


@pytest.mark.parametrize(("registry", "kind", "member"), METHODS, ids=named)
def test_a_method_that_is_none_or_takes_something_else_is_named(registered, registry, kind, member):
    base = base_of(registry, kind)
    contract = contract_of(base)
    model = inspect.getattr_static(base, member, None)
    odd = lambda self, *, odd: None  # noqa: E731
    wrong = [(3, "is no classmethod" if isinstance(model, classmethod) else "is 3, which is no method")]
    if isinstance(model, classmethod):
        wrong.append((odd, "is no classmethod"))
    elif (
        isinstance(model, types.FunctionType) and arity(model) > 1 and model.__module__.startswith("mmcgan.")
    ):
        wrong.append((odd, r"takes \(self, odd\) and is called as \("))
    for value, said in wrong:
        with pytest.raises(
            ContractError, match=rf"{kind.__name__} is no .*`{member}` {said}.*see {contract.page}"
        ):
            registered(registry, type(kind.__name__, (kind,), {member: value}))


def arity(method):
    """Return how many arguments a method must be given, with self."""
    return method.__code__.co_argcount - len(method.__defaults__ or ())


@pytest.mark.parametrize(("registry", "kind", "member"), cases("values"), ids=named)
def test_a_value_that_is_left_out_or_wrong_is_named_when_it_is_built(registered, registry, kind, member):
    contract = contract_of(base_of(registry, kind))
    for wrong in (value for value in NEVER if not contract.values[member].fits(value)):
        before = r.snapshot()
        with pytest.raises(ContractError) as raised:
            registered(registry, type(kind.__name__, (kind,), {member: Fixed(wrong)}))
        assert str(raised.value).startswith(f"{kind.__name__}: `{member}` is {wrong!r}, which is not ")
        assert str(raised.value).endswith(f"see {contract.page}")
        r.restore(before)


class Fixed:
    """An attribute that stays what it is, whatever a constructor sets."""

    def __init__(self, value):
        self.value = value

    def __get__(self, owner, kind=None):
        return self.value

    def __set__(self, owner, value):
        pass


@pytest.mark.parametrize(("registry", "kind"), PAIRS, ids=named)
def test_a_class_of_no_base_is_told_all_that_it_lacks(registered, registry, kind):
    with pytest.raises(
        ContractError, match=r"Alone is no .*: it .*derive from mmcgan\..*see docs/extending/"
    ):
        registered(registry, type("Alone", (), {}))


@pytest.mark.parametrize("name", ["LOSSES", "REGULARIZERS", "AUGMENTS"])
def test_a_class_that_does_nothing_is_refused(registered, name):
    for kind in STRANGERS[name]:
        base = base_of(getattr(r, name), kind)
        with pytest.raises(ContractError, match=rf"Idle is no {contract_of(base).role}: writes none of `"):
            registered(getattr(r, name), type("Idle", (base,), {}))
