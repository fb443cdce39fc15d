"""Are the frozen row proofs still written, read and judged alike: right ones believed, wrong ones refused?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import report_proofs
from verifier.encoding import parse_base64url
from verifier.errors import VerificationError
from verifier.notes import VerifierKey
from verifier.row_proofs import MAX_ROW_PROOF_BYTES, encode_row_proof, parse_row_proof, verify_row_proof

FOLDER = Path(__file__).parents[1] / "golden" / "row-proof"
GOLDEN = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}
FACTS = json.loads(GOLDEN["facts.json"])
VKEY = VerifierKey.parse(FACTS["vkey"])
PUBLISHER = parse_base64url(FACTS["publisher_public_key"], name="key", length=32)
BUILT = report_proofs.build()


def test_every_golden_file_is_written_as_it_was_and_none_is_left_over() -> None:
    assert BUILT == GOLDEN


@pytest.mark.parametrize("name", sorted(FACTS["right"]))
def test_a_right_proof_is_believed(name: str) -> None:
    data, facts = GOLDEN[f"right-{name}.json"], FACTS["right"][name]
    proven = verify_row_proof(data, vkey=VKEY, publisher_key=PUBLISHER)
    assert proven.row == (None if facts["row"] is None else json.loads(facts["row"]))
    assert (proven.row_key, proven.index) == (facts["row_key"], facts["index"])
    assert f"report/{proven.report.kind}/{proven.report.key}" == facts["subject"]
    assert proven.publisher_checked
    assert encode_row_proof(parse_row_proof(data)) == data
    assert len(data) < MAX_ROW_PROOF_BYTES


@pytest.mark.parametrize("name", sorted(FACTS["wrong"]))
def test_a_wrong_proof_is_refused(name: str) -> None:
    with pytest.raises(VerificationError):
        verify_row_proof(GOLDEN[f"wrong-{name}.json"], vkey=VKEY)


def test_the_wrong_proofs_are_wrong_in_what_they_claim_not_in_their_hashes() -> None:
    """A control: what `wrong_proofs` starts from is believed, so each of them fails for its own reason."""
    good = report_proofs.settlement_log().right_proof("settlements/2019/blockchain")
    assert verify_row_proof(encode_row_proof(good), vkey=VKEY).row is not None
