"""test_vectors.py: the vectors in the eyes of other people's libraries:
securesystemslib reads and verifies the envelopes, PyNaCl the records' headers,
python3-jsonschema the payloads. No stack is needed.

tests/unit/test_vectors.c reads the same files; so what C takes is what they take.
"""
import hashlib
import json
import subprocess
import sys

import nacl.exceptions
import nacl.public
import nacl.signing
import pytest

import client
import test_schemas

VECTORS = test_schemas.TOP / "tests" / "vectors"


def cases(folder):
    return [(path.stem, case) for path in sorted((VECTORS / folder).glob("*.json"))
            for case in json.loads(path.read_text())["cases"]]


def named(rows):
    return [pytest.param(case, id=f"{stem}: {case['name']}") for stem, case in rows]


GOOD = cases("good")
RECORDS = [(stem, case) for stem, case in GOOD if "headers" in case]
BAD = cases("bad")


def value(case):
    if "value" in case:
        return case["value"].encode("utf-8")
    return client.unb64(case["value_base64"])


def header(case, name):
    return [row["value"] for row in case["headers"] if row["name"] == name]


@pytest.fixture(scope="session")
def sslib():
    """(Envelope, SSlibKey); `make deps-test` installs them into build/venv."""
    try:
        from securesystemslib.dsse import Envelope
        from securesystemslib.signer import SSlibKey
    except ImportError:
        pytest.fail("no securesystemslib with DSSE here: run `make deps-test`, then "
                    "the tests by `make`")
    return Envelope, SSlibKey


def their_keys(case, SSlibKey):
    raw = [client.unb64(key) for key in case["keys"]]
    return [SSlibKey(hashlib.sha256(key).hexdigest(), "ed25519", "ed25519",
                     {"public": key.hex()}) for key in raw]


def nacl_verifies(case, kind, payload, signatures):
    """Each key has signed the type and the payload, in this order."""
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    if len(signatures) != len(case["keys"]):
        return False
    for key, (key_id, signature) in zip(case["keys"], signatures):
        raw = client.unb64(key)
        try:
            nacl.signing.VerifyKey(raw).verify(signed, client.unb64(signature))
        except nacl.exceptions.BadSignatureError:
            return False
        if key_id != hashlib.sha256(raw).hexdigest():
            return False
    return True


def from_headers(case):
    return nacl_verifies(case, case["type"], value(case), list(zip(
        header(case, "errand-key"), header(case, "errand-sig"))))


@pytest.mark.parametrize("case", named(RECORDS))
def test_securesystemslib_verifies_the_envelope(case, sslib):
    Envelope, SSlibKey = sslib
    keys = their_keys(case, SSlibKey)
    envelope = Envelope.from_dict(json.loads(case["envelope"]))
    assert len(envelope.verify(keys, len(keys))) == len(keys)
    assert envelope.payload == value(case)
    assert envelope.pae() == client.unb64(case["pae"])
    assert hashlib.sha256(envelope.pae()).hexdigest() == case["hash"]


@pytest.mark.parametrize("case", named(RECORDS))
def test_pynacl_verifies_the_records_headers(case):
    assert from_headers(case)
    fields = json.loads(value(case))
    assert header(case, "ce_id") == [fields["id"]]
    assert header(case, "ce_time") == [fields["issued"]]
    assert header(case, "ce_type") == [case["type"]]
    assert header(case, "ce_specversion") == ["1.0"]
    assert header(case, "content-type") == ["application/json"]


@pytest.mark.parametrize("case", named(RECORDS))
def test_jsonschema_takes_the_payload(case):
    test_schemas.validator(test_schemas.TYPES[case["type"]]).validate(
        json.loads(value(case)))


def test_every_type_has_a_good_vector():
    shown = {case["type"] for _, case in RECORDS}
    assert shown | {"envelope", "sealed_reply"} == set(test_schemas.TYPES)


@pytest.mark.parametrize("case", named(
    row for row in BAD if row[1]["verdict"] == "forged" and "headers" in row[1]))
def test_pynacl_takes_no_forged_record(case):
    assert not from_headers(case)


@pytest.mark.parametrize("case", named(
    row for row in BAD if row[1]["verdict"] == "refused" and row[0] in
    ("json", "numbers", "members")))
def test_what_is_refused_for_its_content_is_signed_well(case):
    """Else its refusal would show nothing."""
    assert from_headers(case)


@pytest.mark.parametrize("case", named(
    row for row in BAD if row[0] in ("numbers", "members")))
def test_jsonschema_refuses_the_same_payloads(case):
    """But for what test_schemas.py says that no schema can see."""
    unseen = case["name"] in ("a number that is 1.0", "a number that is 1e0",
                              "a number that is 1E+2",
                              "a text of 2,001 letters of two bytes",
                              "a text of 27,309 letters of two bytes")
    schema = test_schemas.validator(test_schemas.TYPES[case["type"]])
    try:
        document = json.loads(value(case))
    except ValueError:
        return
    assert schema.is_valid(document) == unseen


@pytest.mark.parametrize("case", named(
    row for row in GOOD + BAD if row[0] == "sealed_reply"))
def test_pynacl_opens_the_good_box_alone(case, sslib):
    Envelope, SSlibKey = sslib
    opener = nacl.public.PrivateKey(client.unb64(case["opener"])[32:])
    try:
        box = client.unb64(json.loads(value(case))["box"])
        dsse = nacl.public.SealedBox(opener).decrypt(box)
        envelope = Envelope.from_dict(json.loads(dsse))
        keys = their_keys(case, SSlibKey)
        verified = len(envelope.verify(keys, 1)) == 1
    except Exception as error:  # whatever they say, they don't take it
        assert case["verdict"] != "good", error
        return
    if case["name"] == "an unknown member":
        assert verified  # outside of the box: ours to refuse
        return
    assert verified and dsse.decode() == case["envelope"]


def test_the_files_are_what_make_py_makes(tmp_path):
    subprocess.run([sys.executable, VECTORS / "make.py", tmp_path], check=True)
    for folder in ("good", "bad"):
        made = {p.name: p.read_text() for p in (tmp_path / folder).iterdir()}
        kept = {p.name: p.read_text() for p in (VECTORS / folder).iterdir()}
        assert made == kept


def derived(word):
    rows = (VECTORS / "derived.txt").read_text().splitlines()
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [row[1:] for row in cells if row[0] == word]


def test_what_is_derived_is_so_for_the_other_client_too():
    def raw(cell):
        return b"" if cell == "-" else bytes.fromhex(cell)
    for digest, *parts in derived("tuple"):
        assert client.tuple_hash(*map(raw, parts)) == digest
    for text, *run, target, attempt in derived("execution"):
        assert client.execution_id(*run, target, int(attempt)) == text
    for text, root, key in derived("user"):
        assert client.user_id(root, raw(key)) == text
    for line, key, box in derived("keyline"):
        assert client.key_line_read(line) == (raw(key), raw(box))
    for _, seed, _, key, box in derived("invitation"):
        pair = client.Key.of_invitation(raw(seed))
        assert (pair.public, pair.box) == (raw(key), raw(box))
        client.canary.kept.pop(raw(seed), None)  # the vectors are public
