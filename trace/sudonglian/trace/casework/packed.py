"""Values of the engine as plain lists and numbers, and back: the fields of a class in their order, words as numbers.

docs/decisions/0352; a field that the engine gains is packed without a word here, or refused at once if it cannot be.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from sudonglian.chain.canonical import Json


class Words:
    """Words by number, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, word: str) -> int:
        """Return the number of a word."""
        return self._numbers.setdefault(word, len(self._numbers))

    def all(self) -> list[str]:
        """Return the words in the order of their numbers."""
        return list(self._numbers)


class Packing(NamedTuple):
    """How values of one type are packed with words, and unpacked."""

    pack: Callable[[Any, Words], Any]
    unpack: Callable[[Any, list[str]], Any]


PLAIN: Final = Packing(lambda value, _: value, lambda value, _: value)
WORD: Final = Packing(lambda value, words: words.number(value), lambda value, words: words[value])


def packing(kind: Any) -> Packing:
    """Return how values of a type are packed: text, whole numbers, truth, tuples of one type, and classes of them.

    >>> class Pair(NamedTuple):
    ...     name: str
    ...     more: tuple[int, ...] = ()
    >>> pack, unpack = packing(Pair)
    >>> words = Words()
    >>> packed = pack(Pair("a", (1, 2)), words)
    >>> packed, unpack(packed, words.all())
    ([0, [1, 2]], Pair(name='a', more=(1, 2)))
    >>> packing(float)
    Traceback (most recent call last):
    ...
    TypeError: <class 'float'> cannot be packed
    """
    if kind in (int, bool, NoneType):
        return PLAIN
    arguments = get_args(kind)
    if kind is str or (get_origin(kind) is Literal and all(isinstance(one, str) for one in arguments)):
        return WORD
    if get_origin(kind) in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return _optional(packing(next(one for one in arguments if one is not NoneType)))
    if get_origin(kind) in (Union, UnionType) and all(hasattr(one, "_fields") for one in arguments):
        return _either(arguments)
    if get_origin(kind) is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _several(packing(arguments[0]))
    names = [one.name for one in fields(kind)] if is_dataclass(kind) else getattr(kind, "_fields", None)
    if not names:
        raise TypeError(f"{kind!r} cannot be packed")
    hints = get_type_hints(kind)
    return _record(kind, names, [packing(hints[name]) for name in names])


def _optional(inner: Packing) -> Packing:
    pack, unpack = inner
    if inner is PLAIN:
        return PLAIN
    return Packing(
        lambda value, words: None if value is None else pack(value, words),
        lambda value, words: None if value is None else unpack(value, words),
    )


def _either(kinds: tuple[Any, ...]) -> Packing:
    packs = {kind: (number, packing(kind).pack) for number, kind in enumerate(kinds)}
    unpacks = [packing(kind).unpack for kind in kinds]

    def pack(value: Any, words: Words) -> list[Json]:
        number, one = packs[type(value)]
        return [number, one(value, words)]

    return Packing(pack, lambda value, words: unpacks[value[0]](value[1], words))


def _several(inner: Packing) -> Packing:
    pack, unpack = inner
    return Packing(
        lambda value, words: [pack(one, words) for one in value],
        lambda value, words: tuple([unpack(one, words) for one in value]) if value else (),
    )


def _record(kind: Any, names: list[str], inner: list[Packing]) -> Packing:
    packs = [(name, one.pack) for name, one in zip(names, inner, strict=True)]
    unpacks = [one.unpack for one in inner]

    def pack(value: Any, words: Words) -> list[Json]:
        return [one(getattr(value, name), words) for name, one in packs]

    def unpack(value: Any, words: list[str]) -> Any:
        return kind(*[one(part, words) for one, part in zip(unpacks, value, strict=True)])

    return Packing(pack, unpack)
