"""Does a ballot lie in a sealed ballot box, checked from one small file without network?

`service.ballot-sealed.v1` has the number of ballots, `ballots_cast`, and the RFC 6962 root over them, `box_root`. A
leaf is the 32 bytes of a ballot's salted commitment; leaves are sorted, so that a place in the box does not tell when
somebody voted. The file of one ballot is the canonical JSON of one object:

    format       "ledger-box-path/v1"
    number       the ballot's number in the box, from 1
    commitment   64 lower-case hexadecimal digits
    path         hashes in base64, the leaf's sibling first, to `box_root`

It shows that a ballot of this commitment is in the box. It never shows a choice, and names nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.canonical import encode_canonical
from verifier.errors import MalformedInput
from verifier.hashing import leaf_hash
from verifier.json_proofs import encode_path, parse_integer, parse_path, parse_proof_object, parse_text, require_format
from verifier.tree import verify_inclusion

FORMAT = "ledger-box-path/v1"
MAX_BOX_PATH_BYTES = 8_192

_WHAT = "box path"
_MEMBERS = frozenset({"format", "number", "commitment", "path"})
_COMMITMENT = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BoxPath:
    """A ballot's number in the box (from 1), its commitment (32 bytes), and its path to the box root."""

    number: int
    commitment: bytes
    path: tuple[bytes, ...]


def parse_commitment(text: str) -> bytes:
    """The 32 bytes of a commitment.

    Raises:
        MalformedInput: the text is not 64 lower-case hexadecimal digits.
    """
    if _COMMITMENT.fullmatch(text) is None:
        raise MalformedInput("expected 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)


def verify_box_path(data: bytes, *, box_root: bytes, ballots_cast: int) -> BoxPath:
    """Check the file of one ballot; root and number of ballots are those that the log has (`service.ballot-sealed.v1`).

    Raises:
        MalformedInput: it is no such file, or its number is beyond the box.
        ProofDoesNotHold: the path does not lead from the commitment, at this number, to the root.
    """
    parsed = parse_box_path(data)
    verify_inclusion(
        leaf_hash(parsed.commitment),
        index=parsed.number - 1,
        tree_size=ballots_cast,
        proof=parsed.path,
        root=box_root,
    )
    return parsed


def encode_box_path(path: BoxPath) -> bytes:
    """Write the file of one ballot."""
    return encode_canonical(
        {
            "format": FORMAT,
            "number": path.number,
            "commitment": path.commitment.hex(),
            "path": encode_path(path.path),
        }
    )


def parse_box_path(data: bytes) -> BoxPath:
    """Read the file of one ballot without believing it.

    Raises:
        MalformedInput: it is too long, not canonical, or not of the form.
    """
    value = parse_proof_object(data, what=_WHAT, members=_MEMBERS, max_bytes=MAX_BOX_PATH_BYTES)
    require_format(value["format"], FORMAT, what=_WHAT)
    commitment = parse_text(value["commitment"], "commitment", what=_WHAT).decode()
    number = parse_integer(value["number"], "number", least=1, what=_WHAT)
    return BoxPath(number, parse_commitment(commitment), parse_path(value["path"], what=_WHAT))
