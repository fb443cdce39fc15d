"""How is a proof in JSON read strictly, and its hashes written?

Such a file is the canonical JSON of one object with exactly the members of its format. Hashes are in base64, the leaf's
sibling first; texts are the bytes that are hashed. Reading believes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.canonical import MAX_SAFE_INTEGER, require_canonical
from verifier.encoding import encode_base64, parse_base64
from verifier.errors import MalformedInput
from verifier.hashing import HASH_BYTES
from verifier.proofs import MAX_HASHES

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse_proof_object(data: bytes, *, what: str, members: frozenset[str], max_bytes: int) -> dict[str, Any]:
    """Read a whole file; `what` is the file's name in messages, `members` are those that it must have.

    Raises:
        MalformedInput: it is too long, not canonical, or a member is missing or unknown.
    """
    if len(data) > max_bytes:
        raise MalformedInput(f"{what}: expected at most {max_bytes} bytes, found {len(data)}")
    return require_members(require_canonical(data), members, what=what)


def require_members(value: object, members: frozenset[str], *, what: str) -> dict[str, Any]:
    """The object, if it has exactly these members.

    Raises:
        MalformedInput: it has not.
    """
    if not isinstance(value, dict) or value.keys() != members:
        raise MalformedInput(f"{what}: expected the members {', '.join(sorted(members))}")
    return value


def require_format(value: object, expected: str, *, what: str) -> None:
    """Refuse a file of another format.

    Raises:
        MalformedInput: it is of another format.
    """
    if value != expected:
        raise MalformedInput(f"{what}: expected format {expected}")


def parse_integer(value: object, name: str, *, least: int, what: str) -> int:
    """An integer from `least` on.

    Raises:
        MalformedInput: it is none.
    """
    if type(value) is not int or not least <= value <= MAX_SAFE_INTEGER:
        raise MalformedInput(f"{what}: expected {name} to be an integer of {least} or more")
    return value


def encode_text(data: bytes, *, what: str) -> str:
    """The text of a part.

    Raises:
        MalformedInput: its bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedInput(f"{what}: a part is not UTF-8") from None


def parse_text(value: object, name: str, *, what: str) -> bytes:
    """The bytes of a part.

    Raises:
        MalformedInput: it is no text.
    """
    if not isinstance(value, str):
        raise MalformedInput(f"{what}: expected its {name} to be text")
    return value.encode("utf-8")


def encode_path(hashes: Sequence[bytes]) -> list[str]:
    """A path as the files have it."""
    return [encode_base64(value) for value in hashes]


def parse_path(value: object, *, what: str) -> tuple[bytes, ...]:
    """Read a path.

    Raises:
        MalformedInput: it is no list of hashes, or longer than any path.
    """
    if not isinstance(value, list) or len(value) > MAX_HASHES:
        raise MalformedInput(f"{what}: expected at most {MAX_HASHES} hashes")
    if not all(isinstance(item, str) for item in value):
        raise MalformedInput(f"{what}: expected hashes in base64")
    return tuple(parse_base64(item, name=f"hash of the {what}", length=HASH_BYTES) for item in value)
