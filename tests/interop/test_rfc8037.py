"""Do our key names and signatures agree with the examples of RFC 8037 (Ed25519 in JOSE)?"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.encoding import encode_base64url, parse_base64url
from verifier.errors import MalformedInput
from verifier.jws import key_id, parse_detached, sign_jws

# Appendices A.1 to A.4.
D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
HEADER = "eyJhbGciOiJFZERTQSJ9"
PAYLOAD = b"Example of Ed25519 signing"
SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(parse_base64url(D, name="d", length=32))


def test_the_public_key_and_its_thumbprint() -> None:
    public_key = PRIVATE_KEY.public_key().public_bytes_raw()
    assert encode_base64url(public_key) == X
    assert key_id(public_key) == THUMBPRINT


def test_the_signature_of_appendix_a4() -> None:
    signing_input = f"{HEADER}.{encode_base64url(PAYLOAD)}".encode()
    assert encode_base64url(PRIVATE_KEY.sign(signing_input)) == SIGNATURE


def test_our_signature_is_that_of_the_compact_form() -> None:
    """RFC 7515 appendix F: put the payload between the dots, and any JOSE library can verify it."""
    detached = sign_jws(PAYLOAD, private_key=PRIVATE_KEY, typ="ledger-submission+jws")
    header, _, signature = detached.partition("..")
    expected_header = f'{{"alg":"EdDSA","kid":"{THUMBPRINT}","typ":"ledger-submission+jws"}}'
    assert parse_base64url(header, name="header").decode() == expected_header
    signing_input = f"{header}.{encode_base64url(PAYLOAD)}".encode()
    PRIVATE_KEY.public_key().verify(parse_base64url(signature, name="signature"), signing_input)


def test_a_header_that_is_not_ours_is_refused() -> None:
    """The example's own header names neither key nor type."""
    with pytest.raises(MalformedInput, match="header"):
        parse_detached(f"{HEADER}..{SIGNATURE}")
