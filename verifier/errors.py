"""What can be wrong with what somebody shows us?

    VerificationError
    ├── MalformedInput         the bytes do not have the form that the specification gives them
    ├── ProofDoesNotHold       well-formed, but the hashes do not lead where they should
    └── SignatureDoesNotHold   well-formed, but no pinned key stands behind it

Checks raise one of these; they never return a boolean that one may forget. Messages name what was
expected and what was found where both are short, and never repeat the input at length.
"""

from __future__ import annotations


class VerificationError(Exception):
    """Something shown to us does not hold; catch this to catch all three."""


class MalformedInput(VerificationError):
    """The bytes do not have the form that the specification gives them."""


class ProofDoesNotHold(VerificationError):
    """The hashes are well-formed, but do not lead from what is claimed to the root."""


class SignatureDoesNotHold(VerificationError):
    """A signature is missing, by an unknown key, or does not fit the bytes."""
