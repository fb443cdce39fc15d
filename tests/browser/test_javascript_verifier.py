"""Does the verifier in JavaScript give the verdict of the one in Python, on every proof and for the same reason?"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop import test_rfc6962, test_rfc8037, test_signed_note
from tests.support import golden_entry
from tests.support.browser_verifier import BrowserVerifier, browser_verifier
from tests.support.json_corpus import ACCEPTED, REFUSED
from tests.support.proof_cases import judge, make_cases, reason
from verifier.canonical import encode_canonical, parse_strict
from verifier.ed25519 import SMALL_ORDER_KEYS, verify_ed25519
from verifier.encoding import encode_base64, parse_base64, parse_base64url
from verifier.envelope import APPROVAL_TYP, approval_payload, approve_submission, sign_submission, verify_genesis
from verifier.errors import VerificationError
from verifier.jws import sign_jws
from verifier.notes import VerifierKey, verify_note
from verifier.proofs import MAX_PROOF_BYTES
from verifier.row_proofs import MAX_ROW_PROOF_BYTES
from verifier.subtrees import SubtreeHashes
from verifier.tree import inclusion_proof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SEED = 20_210_228
CASES = 10_000
FEW = 1_000  # enough that each broken verifier is found out
ERRORS = ("MalformedInput", "ProofDoesNotHold", "SignatureDoesNotHold")
GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def verifier(browser: Browser) -> Iterator[BrowserVerifier]:
    with browser_verifier(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    return make_cases(Random(SEED), CASES)


@pytest.fixture(scope="module")
def expected(cases: list[dict[str, Any]]) -> list[str]:
    """What Python says to the cases."""
    return [judge(case) for case in cases]


def disagreements(expected: list[str], verdicts: list[str]) -> list[tuple[str, str]]:
    """Where the two verifiers differ: what Python says, what JavaScript says."""
    both = zip(expected, verdicts, strict=True)
    return [(python, javascript) for python, javascript in both if python != javascript]


# --- ten thousand proofs --------------------------------------------------------------------------------


def test_both_verifiers_agree_on_ten_thousand_proofs(
    verifier: BrowserVerifier, cases: list[dict[str, Any]], expected: list[str]
) -> None:
    assert disagreements(expected, verifier.judge(cases)) == []


def test_the_cases_reach_every_check(cases: list[dict[str, Any]], expected: list[str]) -> None:
    """Agreement says little if all were refused at the door: every kind of verdict occurs often."""
    found: Counter[tuple[str, str]] = Counter()
    for case, verdict in zip(cases, expected, strict=True):
        name = verdict.partition(":")[0]
        found[case["kind"], name if name in ERRORS else "holds"] += 1
    for kind in ("row", "log"):
        for name in ("holds", *ERRORS):
            assert found[kind, name] > 200, (kind, name, found)


_TOO_SHORT = "if (sn !== 0n) throw new ProofDoesNotHold(`${what}: the proof is too short`);\n  return c"
_AS_UTF_16 = "return Uint8Array.from([...key].flatMap((_, i) => [key.charCodeAt(i) >> 8, key.charCodeAt(i) & 255]));"
# One check taken out of the JavaScript, each of another kind. Were one of them not missed, the agreement above would
# show nothing about it.
BROKEN = {
    "the bound of the index": ("tree.js", "if (!(index >= 0n && index < tree_size))", "if (false)"),
    "a proof that is too short": ("tree.js", _TOO_SHORT, "return c"),
    "leaves and nodes apart": ("hashing.js", "Uint8Array.of(0x00)", "Uint8Array.of(0x01)"),
    "the signature": ("ed25519.js", "if (!holds(message, signature, public_key))", "if (false)"),
    "one spelling": ("canonical.js", "if (!equal_bytes(encode_canonical(value), data))", "if (false)"),
    "the origin": ("checkpoints.js", "if (checkpoint.origin !== expected)", "if (false)"),
    "neighbours": ("row_proofs.js", "places[0] + 1n === places[1] && ", ""),
    "the order of rows by bytes": ("reports.js", "return encode_utf8(key);", _AS_UTF_16),
    "the last row": ("row_proofs.js", "places[0] === row_count - 1n && ", ""),
    "the key that was asked for": ("row_proofs.js", " || parsed[0].key !== row_key", ""),
    "entries before the report": ("reports.js", "if (report.tree_size > index)", "if (false)"),
    "the stream of the report": ("reports.js", "if (attributes.subject !== ", "if (false && attributes.subject !== "),
    "the day of the calendar": ("envelope.js", "day <= days", "day <= 31"),
    "the order of the checks": ("row_proofs.js", '  require_asked("kind", kind, report.kind);\n', ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_verifier_disagrees(
    verifier: BrowserVerifier, cases: list[dict[str, Any]], expected: list[str], name: str
) -> None:
    """The negative control of the agreement."""
    assert disagreements(expected[:FEW], verifier.judge(cases[:FEW], broken=BROKEN[name]))


# --- the files and vectors that the Python tests read ---------------------------------------------------


def test_golden_row_proofs_are_believed_and_refused_alike(verifier: BrowserVerifier) -> None:
    folder = GOLDEN / "row-proof"
    facts = json.loads(folder.joinpath("facts.json").read_bytes())
    paths = sorted(folder.glob("*-*.json"))
    cases = [
        {"kind": "row", "proof": encode_base64(path.read_bytes()), "vkey": facts["vkey"]}
        | ({"publisher_key": _standard(facts["publisher_public_key"])} if path.name.startswith("right") else {})
        for path in paths
    ]
    verdicts = verifier.judge(cases)
    assert disagreements([judge(case) for case in cases], verdicts) == []
    refused = {path.name for path, verdict in zip(paths, verdicts, strict=True) if verdict.startswith(ERRORS)}
    assert refused == {path.name for path in paths if path.name.startswith("wrong")}


def test_the_golden_entry_is_read_alike(verifier: BrowserVerifier) -> None:
    files = {path.name: path.read_bytes() for path in (GOLDEN / "entry").iterdir()}
    facts = json.loads(files["facts.json"])
    proof, entry, genesis = (encode_base64(files[name]) for name in ("entry.tlog-proof", "entry.json", "genesis.json"))
    agency_key = _standard(facts["agency_public_key"])
    changed = encode_base64(files["genesis.json"].replace(b'"root_threshold":2', b'"root_threshold":1'))
    verdicts = verifier.judge(
        [
            {"kind": "log", "proof": proof, "entry": entry, "vkey": facts["vkey"]},
            {"kind": "signature", "entry": entry, "public_key": agency_key},
            {"kind": "signature", "entry": genesis, "public_key": agency_key},
            {"kind": "genesis", "entry": genesis, "vkey": facts["vkey"]},
            {"kind": "genesis", "entry": changed, "vkey": facts["vkey"]},
            {"kind": "genesis", "entry": entry, "vkey": facts["vkey"]},
        ]
    )
    root = encode_base64(bytes.fromhex(facts["root_hash"]))
    data = encode_base64(encode_canonical(json.loads(files["genesis.json"])["data"]))
    assert verdicts == [
        f"1 2 {root}",
        "signed",
        "SignatureDoesNotHold: signature",
        data,
        "MalformedInput: genesis entry",
        "MalformedInput: genesis entry",
    ]


def _geneses() -> Iterator[bytes]:
    """Genesis entries whose signatures hold, each wrong in one thing; the first is right."""
    right = golden_entry.genesis_submission()
    keys = right["data"]["root_keys"]
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"type": "registry.log-created.v2"}, {}),
        ({"subject": "registry/logs"}, {}),
        ({}, {"origin": "another.example"}),
        ({}, {"log_key": 1}),
        ({}, {"root_threshold": 1}),
        ({}, {"root_threshold": True}),
        ({}, {"root_keys": keys[:2]}),
        ({}, {"root_keys": [keys[0], keys[1], keys[1]]}),
        ({}, {"root_keys": [keys[0], keys[1], {**keys[2], "kid": keys[0]["kid"]}]}),
        ({}, {"root_keys": [keys[0], keys[1], {**keys[2], "public_key": None}]}),
        ({}, {"root_keys": [keys[0], keys[1], []]}),
        ({}, {"root_keys": "three"}),
    ]
    pairs = [(0, 1)] * len(changes)
    strangers = [*golden_entry.ROOT_KEYS, golden_entry.AGENCY_KEY]
    for pair in ((3, 0), (0, 3), (2, 1)):
        changes.append(({}, {}))
        pairs.append(pair)
    for (attributes, data), (signer, approver) in zip(changes, pairs, strict=True):
        submission = sign_submission({**right, **attributes, "data": {**right["data"], **data}}, strangers[signer])
        approved = approve_submission(submission, strangers[approver])
        yield golden_entry.recorded(approved, position=1, recordedtime="2020-12-31T14:00:00.001Z")
    signed = sign_submission(right, strangers[0])
    yield golden_entry.recorded(signed, position=1, recordedtime="2020-12-31T14:00:00.001Z")
    yield golden_entry.recorded(approve_submission(signed, strangers[1]), position=2, recordedtime=right["time"])
    by_the_same = sign_jws(approval_payload(signed), private_key=strangers[0], typ=APPROVAL_TYP)
    yield golden_entry.recorded({**signed, "approval": by_the_same}, position=1, recordedtime=right["time"])


def test_genesis_entries_are_judged_alike(verifier: BrowserVerifier) -> None:
    entries, vkey = list(_geneses()), golden_entry.LOG.vkey
    expected = [_verdict(lambda entry=entry: _genesis(entry, vkey)) for entry in entries]
    assert (
        verifier.judge([{"kind": "genesis", "entry": encode_base64(one), "vkey": str(vkey)} for one in entries])
        == expected
    )
    assert [verdict for verdict in expected if not verdict.startswith(ERRORS)] == [expected[0], expected[15]]


def _genesis(entry: bytes, vkey: VerifierKey) -> str:
    return encode_base64(encode_canonical(verify_genesis(entry, vkey=vkey)))


def test_what_is_too_long_is_refused_before_it_is_read(verifier: BrowserVerifier) -> None:
    entry = GOLDEN.joinpath("entry/entry.json").read_bytes()
    vkey = str(golden_entry.LOG.vkey)
    cases = [
        {"kind": kind, "proof": encode_base64(b"[" * length), "entry": encode_base64(entry), "vkey": vkey}
        for kind, limit in (("row", MAX_ROW_PROOF_BYTES), ("log", MAX_PROOF_BYTES))
        for length in (limit, limit + 1)
    ]
    verdicts = verifier.judge(cases)
    assert verdicts == [judge(case) for case in cases]
    assert verdicts[:2] == ["MalformedInput: JSON", "MalformedInput: row proof"]


def test_what_json_parsers_disagree_about_is_read_alike(verifier: BrowserVerifier) -> None:
    accepted = [data for data, _ in ACCEPTED.values()]
    documents = [*REFUSED.values(), *accepted]
    verdicts = verifier.judge([{"kind": "json", "data": encode_base64(data)} for data in documents])
    assert verdicts[: len(REFUSED)] == ["MalformedInput: JSON"] * len(REFUSED)
    assert verdicts[len(REFUSED) :] == [encode_base64(encode_canonical(parse_strict(data))) for data in accepted]


def test_a_verifier_key_has_one_spelling(verifier: BrowserVerifier) -> None:
    good = json.loads((GOLDEN / "entry" / "facts.json").read_bytes())["vkey"]
    name, key_id, key = good.split("+", 2)
    spaced = [
        VerifierKey.of(name, parse_base64(key, name="key")[1:]).name + space
        for space in "\t\x1c\x85\u00a0\u2003\u3000\ufeff"
    ]
    vkeys = [
        good, "", "+", "++", f"{name}+{key_id}", f" {good}", f"{good} ", f"{good}\n", f"{name}+{key_id.upper()}+{key}",
        f"{name}x+{key_id}+{key}", f"{name}+{key_id}+{key[:-1]}", f"{name}+00000000+{key}",
        f"{name}+{key_id}+A{key[1:]}",
        *(f"{other}+{key_id}+{key}" for other in spaced),
    ]  # fmt: skip

    expected = [_verdict(lambda vkey=vkey: str(VerifierKey.parse(vkey))) for vkey in vkeys]
    assert verifier.judge([{"kind": "vkey", "vkey": vkey} for vkey in vkeys]) == expected


def test_every_flipped_bit_of_gos_note_is_judged_alike(verifier: BrowserVerifier) -> None:
    notes = [test_signed_note.NOTE]
    for place in range(len(notes[0]) * 8):
        changed = bytearray(notes[0])
        changed[place // 8] ^= 1 << (place % 8)
        notes.append(bytes(changed))
    key = test_signed_note.KEY
    expected = [_verdict(lambda note=note: verify_note(note, [key])) for note in notes]
    assert expected[0] == test_signed_note.TEXT
    assert (
        verifier.judge([{"kind": "note", "note": encode_base64(note), "vkey": str(key)} for note in notes]) == expected
    )


def test_the_figures_of_rfc_6962_and_rfc_8037_hold(verifier: BrowserVerifier) -> None:
    leaves, roots = test_rfc6962.LEAVES, [bytes.fromhex(root) for root in test_rfc6962.ROOTS]
    cases: list[dict[str, Any]] = []
    for size in range(1, 8):
        for index in range(size):
            path = inclusion_proof(index, tree_size=size, read=SubtreeHashes(leaves[:size]).read)
            cases.append(
                {
                    "kind": "inclusion",
                    "leaf": encode_base64(leaves[index]),
                    "index": index,
                    "tree_size": size,
                    "proof": [encode_base64(value) for value in path],
                    "root": encode_base64(roots[size]),
                }
            )
    assert verifier.judge(cases) == ["included"] * len(cases)
    assert verifier.judge([{"kind": "key_id", "public_key": _standard(test_rfc8037.X)}]) == [test_rfc8037.THUMBPRINT]


def test_every_character_is_written_alike_or_refused_by_both(verifier: BrowserVerifier) -> None:
    codes = [*range(0xD800), *range(0xE000, 0x10000), *range(0x1F000, 0x20000), 0x10FFFF]
    texts = [json.dumps(chr(code), ensure_ascii=code % 2 == 0).encode() for code in codes]
    expected = [_verdict(lambda text=text: encode_base64(encode_canonical(parse_strict(text)))) for text in texts]
    assert verifier.judge([{"kind": "json", "data": encode_base64(text)} for text in texts]) == expected
    assert expected.count("MalformedInput: JSON") > 500  # those that are not in normalisation form C


# --- signatures that their maker crafted ----------------------------------------------------------------

# A key with a part of order 8, and signatures under it that hold with the cofactor (as the library's own `verify`
# checks); and an S beyond the group's order. A city could make them to be believed by one verifier and not by another.
_CRAFT = """async () => {
    const { Point, etc, verify, hashes } = await import("/vendor/noble-ed25519-3.2.0/index.js");
    const { sha512 } = await import("/vendor/noble-hashes-2.4.0/sha2.js");
    const { encode_base64 } = await import("/verify/encoding.js");
    hashes.sha512 = sha512;
    const order = Point.CURVE().n;
    const number = (data) => BigInt("0x" + etc.bytesToHex(Uint8Array.from(data).reverse()));
    const scalar = (value) => etc.hexToBytes(value.toString(16).padStart(64, "0")).reverse();
    const torsion = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    const a = 123456789123456789n;
    const crafted = [];
    for (const [key, secret] of [[Point.BASE.multiply(a).add(torsion), a], [Point.BASE.multiply(a), a]]) {
        for (let i = 1; i <= 32; i += 1) {
            const public_key = key.toBytes();
            const message = Uint8Array.of(i);
            const r = BigInt(i) + 987654321n;
            const encoded_r = Point.BASE.multiply(r).toBytes();
            const k = number(sha512(etc.concatBytes(encoded_r, public_key, message))) % order;
            const s = (r + k * secret) % order;
            const beyond = i % 4 === 0 ? s + order : s;
            const signature = etc.concatBytes(encoded_r, scalar(beyond));
            crafted.push({
                kind: "ed25519",
                message: encode_base64(message),
                signature: encode_base64(signature),
                public_key: encode_base64(public_key),
                library: verify(signature, message, public_key),
            });
        }
    }
    return crafted;
}"""


def test_crafted_signatures_are_believed_by_both_or_by_none(verifier: BrowserVerifier) -> None:
    with verifier.page() as page:
        cases = page.evaluate(_CRAFT)
    expected = [_verdict(lambda case=case: _signed(case)) for case in cases]
    assert verifier.judge(cases) == expected
    counted = Counter(zip(expected, [case["library"] for case in cases], strict=True))
    assert counted["signed", True] > 20
    # The library's own check would have believed these, and OpenSSL does not.
    assert counted["SignatureDoesNotHold: signature does not fit these bytes", True] > 10


def test_keys_that_belong_to_nobody_are_refused_by_both(verifier: BrowserVerifier) -> None:
    cases = [
        {"kind": "ed25519", "message": "", "signature": encode_base64(bytes(64)), "public_key": encode_base64(key)}
        for key in sorted(SMALL_ORDER_KEYS)
    ]
    assert verifier.judge(cases) == ["MalformedInput: public key"] * 14


def _signed(case: dict[str, Any]) -> str:
    message, signature, key = (parse_base64(case[name], name="case") for name in ("message", "signature", "public_key"))
    verify_ed25519(message, signature=signature, public_key=key, what="signature")
    return "signed"


def _verdict(check: Callable[[], str]) -> str:
    try:
        return check()
    except VerificationError as error:
        return reason(error)


def _standard(base64url: str) -> str:
    return encode_base64(parse_base64url(base64url, name="key"))
