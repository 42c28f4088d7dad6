"""forged.py: records that are well formed, and whose signature does not fit."""
import hashlib

from installation import Envelope, key, pae
from shapes import compact, flipped, forged

ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's group


def malleable(signature):
    """The same signature once more: S + L is no canonical scalar."""
    scalar = int.from_bytes(signature[32:], "little")
    return signature[:32] + (scalar + ORDER).to_bytes(32, "little")


def other_value(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1 if value < 2**53 - 1 else value - 1
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, dict):
        name = sorted(value)[-1]
        return {**value, name: other_value(value[name])}
    swap = {"0": "1", "1": "0", "a": "b", "e": "f", "w": "x", "A": "B"}
    for i, letter in enumerate(value):
        if letter in swap:
            return value[:i] + swap[letter] + value[i + 1:]
    return value + "x"


WORDS = {"outcome": "succeeded", "stream": "stderr", "kind": "scheduler",
         "role": "administrator", "status": "denied"}


def each_field(case):
    """One member after the other has another value, each still a good one."""
    for name, value in case.envelope.fields.items():
        fields = dict(case.envelope.fields)
        fields[name] = WORDS.get(name) or other_value(value)
        yield (f"{case.envelope.type}: another {name}", case,
               Envelope(case.envelope.type, compact(fields).encode(),
                        case.envelope.signatures))


def resigned(case, signatures):
    return Envelope(case.envelope.type, case.envelope.payload, signatures)


def each_signature(case):
    """One signer's: what is near the right signature, or looks like one."""
    (key_id, sig), thief = case.envelope.signatures[0], key("thief")
    kind, payload = case.envelope.type, case.envelope.payload
    for name, other in (
            [("bit %d of the signature flipped" % bit, flipped(sig, bit))
             for bit in (0, 7, 100, 255, 256, 300, 507, 508, 511)] +
            [("S + L: the same signature, not canonical", malleable(sig)),
             ("zeros", bytes(64)),
             ("of the neutral point", b"\1" + bytes(63)),
             ("by another key under this one's id",
              thief.signing.sign(pae(kind, payload)).signature),
             ("over the payload alone", case.keys[0].signing.sign(payload).signature),
             ("over another version of the encoding", case.keys[0].signing.sign(
                 pae(kind, payload).replace(b"DSSEv1", b"DSSEv2")).signature),
             ("over the encoding without lengths", case.keys[0].signing.sign(
                 b"DSSEv1 %s %s" % (kind.encode(), payload)).signature),
             ("over another type", case.keys[0].signing.sign(
                 pae("errand.run.show.v1", payload)).signature),
             ("over the payload's hash", case.keys[0].signing.sign(
                 hashlib.sha256(pae(kind, payload)).digest()).signature)]):
        yield name, case, resigned(case, [(key_id, other)])
    yield ("another key's id beside a good signature", case,
           resigned(case, [(flipped(bytes.fromhex(key_id), 0).hex(), sig)]))
    yield ("signed by another key, its own id beside it", case,
           Envelope(kind, payload).sign(thief))


def each_pair(case):
    first, second = case.envelope.signatures
    thief = key("thief")
    kind, payload = case.envelope.type, case.envelope.payload
    stolen = Envelope(kind, payload).sign(thief).signatures[0]
    for name, pair in (("two signers in the other order", [second, first]),
                       ("the first signer twice", [first, first]),
                       ("the second signer twice", [second, second]),
                       ("the second is somebody else", [first, stolen]),
                       ("the first is somebody else", [stolen, second]),
                       ("the ids in the other order",
                        [(second[0], first[1]), (first[0], second[1])])):
        yield name, case, resigned(case, pair)


def each_payload(case):
    """The same document in other bytes: no JSON is ever canonicalised."""
    fields, kind = case.envelope.fields, case.envelope.type
    sorted_ = {name: fields[name] for name in sorted(fields)}
    for name, text in (("a blank more", compact(fields).replace(",", ", ", 1)),
                       ("a newline at the end", compact(fields) + "\n"),
                       ("its members sorted", compact(sorted_)),
                       ("a letter escaped", compact(fields).replace("root", "\\u0072oot", 1))):
        yield (f"the same payload with {name}", case,
               Envelope(kind, text.encode(), case.envelope.signatures))


def wrong_types(cases):
    """Another type beside the signature, that takes the same fields."""
    for kind, other in (("session.show", "user.list"), ("user.list", "session.show"),
                        ("command.show", "command.versions"),
                        ("run.accepted", "run.refused")):
        case = cases[kind][0]
        yield (f"a {kind} that says it is a {other}", case,
               Envelope(f"errand.{other}.v1", case.envelope.payload,
                        case.envelope.signatures))


def all_forged(here):
    cases = here.cases
    rows = {}
    rows["fields"] = [row for kind in ("root.init", "service.enrol", "user.invite",
                                       "user.verify", "user.confirm", "session.open",
                                       "command.save", "assignment.add", "run.start",
                                       "dispatch", "claim", "execution.finished",
                                       "reply")
                      for row in each_field(cases[kind][0])]
    rows["signatures"] = list(each_signature(cases["run.start"][0]))
    rows["signers"] = [*each_pair(cases["user.verify"][0]),
                       *each_pair(cases["session.open"][0])]
    rows["payloads"] = list(each_payload(cases["run.start"][0]))
    rows["types"] = list(wrong_types(cases))
    return {theme: [forged(*row) for row in found] for theme, found in rows.items()}
