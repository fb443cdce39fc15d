/**
 * What can be wrong with what somebody shows us? The same three as `verifier/errors.py`:
 *
 *     VerificationError
 *     ├── MalformedInput         the bytes do not have the form that the specification gives them
 *     ├── ProofDoesNotHold       well-formed, but the hashes do not lead where they should
 *     └── SignatureDoesNotHold   well-formed, but no pinned key stands behind it
 *
 * Checks throw one of these; they never return a boolean that one may forget. Any other error is a mistake of ours.
 */

export class VerificationError extends Error {
  name = "VerificationError";
}

export class MalformedInput extends VerificationError {
  name = "MalformedInput";
}

export class ProofDoesNotHold extends VerificationError {
  name = "ProofDoesNotHold";
}

export class SignatureDoesNotHold extends VerificationError {
  name = "SignatureDoesNotHold";
}
