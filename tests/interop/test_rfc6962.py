"""Do we agree with the figures that Certificate Transparency's implementations share?

The eight entries and roots are those of the reference tree in the tests of Google's certificate-transparency and
of transparency-dev/merkle; the paths are written with the node names of the figures in RFC 6962
section 2.1.3, whose tree has seven leaves d0 to d6.
"""

from __future__ import annotations

import pytest

from verifier.encoding import encode_base64
from verifier.hashing import EMPTY_ROOT, leaf_hash, node_hash
from verifier.subtrees import SubtreeHashes
from verifier.tree import consistency_proof, inclusion_proof, root_of_leaf_hashes

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

# The figures of RFC 6962 section 2.1.3: leaves a to f and j, nodes above them.
A, B, C, D, E, F, J = LEAVES[:7]
G, H, I = node_hash(A, B), node_hash(C, D), node_hash(E, F)  # noqa: E741 -- the RFC's own name
K, L = node_hash(G, H), node_hash(I, J)
READ = SubtreeHashes(LEAVES[:7]).read


@pytest.mark.parametrize("size", range(9))
def test_the_root_of_the_first_entries(size: int) -> None:
    assert root_of_leaf_hashes(LEAVES[:size]).hex() == ROOTS[size]


def test_the_empty_root() -> None:
    assert encode_base64(EMPTY_ROOT) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.parametrize(("index", "path"), [(0, [B, H, L]), (3, [C, G, L]), (4, [F, J, K]), (6, [I, K])])
def test_the_audit_paths_of_the_figure(index: int, path: list[bytes]) -> None:
    assert inclusion_proof(index, tree_size=7, read=READ) == path


@pytest.mark.parametrize(("old", "proof"), [(3, [C, D, G, L]), (4, [L]), (6, [I, J, K])])
def test_the_consistency_proofs_of_the_figure(old: int, proof: list[bytes]) -> None:
    assert consistency_proof(old_size=old, new_size=7, read=READ) == proof
