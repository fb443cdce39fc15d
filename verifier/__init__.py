"""What can a stranger check with nothing but the city's published bytes?

Everything here is a pure function over bytes: standard library and `cryptography`, no input or output,
nothing of the city's server. Read in this order: `hashing` and `tree` (the Merkle log), `right_edge` and
`subtrees` (the same tree while it grows), `tiles` and `bundles` (its published form), `notes`,
`checkpoints` and `proofs` (what the log signs), `canonical`, `jws` and `envelope` (what one entry says and
who signed it). `ed25519` checks signatures, `encoding` reads numbers and base64, `errors` is what all of
them raise.
"""
