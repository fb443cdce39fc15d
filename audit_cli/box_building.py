"""How does an agency seal a ballot box, with a path for every ballot? `audit box build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_cli.arguments import read_file
from audit_cli.errors import EXIT_HOLDS, DoesNotHold, WrongUse
from audit_service.closed_trees import build_closed_tree
from verifier.ballot_boxes import BoxPath, encode_box_path, parse_commitment, verify_box_path
from verifier.errors import MalformedInput, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from audit_cli.output import Output

_LINE_BYTES = 65
MAX_BALLOTS = 200_000


def build(file: Path, folder: Path, out: Output) -> int:
    """Build the box, write one path file for each ballot, say root and count; returns the exit code.

    Raises:
        WrongUse: the file is not one commitment on each line, or the folder is not new or empty.
        DoesNotHold: the prover's root or a path is wrong.
    """
    commitments = read_commitments(read_file(file, max_bytes=MAX_BALLOTS * _LINE_BYTES))
    if folder.exists() and any(folder.iterdir()):
        raise WrongUse(f"{folder} is not empty: paths of two boxes must not mix")
    try:
        tree = build_closed_tree(commitments)
        # Every file is checked as a voter will check it before one is written: a folder is a whole box or none.
        files = [encode_box_path(BoxPath(index + 1, each, tree.path(index))) for index, each in enumerate(commitments)]
        for data in files:
            verify_box_path(data, box_root=tree.root, ballots_cast=len(commitments))
    except VerificationError as error:
        raise DoesNotHold(f"the tree of the box was built wrongly, nothing is written: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(files, 1):
        (folder / f"{number:08}.box-path.json").write_bytes(data)
        out.progress(f"{number:,} of {tree.size:,} paths written")
    out.verdict(f"box_root {tree.root.hex()}\nballots_cast {tree.size}")
    out.document({"box_root": tree.root.hex(), "ballots_cast": tree.size})
    return EXIT_HOLDS


def read_commitments(data: bytes) -> list[bytes]:
    """The commitments of a file, 32 bytes each, sorted.

    Raises:
        WrongUse: a line is no commitment, the last one is not ended, or a commitment stands there twice.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise WrongUse("the last line does not end with a newline: the file may be cut off")
    commitments = []
    for number, line in enumerate(lines, 1):
        try:
            commitments.append(parse_commitment(line.decode("ascii")))
        except (MalformedInput, UnicodeDecodeError):
            raise WrongUse(f"line {number}: expected 64 lower-case hexadecimal digits") from None
    if len(set(commitments)) != len(commitments):
        raise WrongUse("a commitment stands there twice: two ballots cannot share one")
    return sorted(commitments)
