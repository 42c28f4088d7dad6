"""Whatever comes on the dispatch topic: what is not what was signed for this host
starts nothing, is put aside with its reason, and stops nobody (P1, P2, P8).

Forgeries are in forgeries.py; a flood of them here, in which every hundredth
record is honest, and runs once.
"""
import json
import os
import random

from client import Envelope, uuid7
from forgeries import FORGED, Record, enrolled, made
from test_revocations import heard

FLOOD = 1000


def as_record(forged):
    return forged if isinstance(forged, Record) else Record.of(forged)


def put(w, records):
    """Their offsets, in order."""
    offsets = {}

    def delivered(n):
        return lambda error, message: offsets.__setitem__(n, error or message.offset())
    for n, record in enumerate(records):
        w.producer.produce(w.dispatches, record.value, record.key, partition=0,
                           headers=record.headers, on_delivery=delivered(n))
        w.producer.poll(0)
    assert w.producer.flush(20) == 0
    return [offsets[n] for n in range(len(records))]


def test_each_forgery_is_refused_for_its_own_reason(besieged):
    offsets = put(besieged, [as_record(forge(besieged)) for forge, _ in FORGED])
    reasons = besieged.reasons(set(offsets))
    wrong = [f"{forge.__name__}: {reasons[offset]!r}, without {because!r}"
             for offset, (forge, because) in zip(offsets, FORGED)
             if because not in reasons[offset]]
    assert not wrong, "\n".join(wrong)


def spoilt(w, draw):
    """Bytes of an honest dispatch, changed on their way."""
    dispatch = made(w)
    value, headers = dispatch.payload, dispatch.headers()
    at = draw.randrange(1, len(value))
    how = draw.randrange(6)
    if how == 0:
        value = value[:at] + bytes([value[at] ^ 1 << draw.randrange(8)]) + value[at + 1:]
    elif how == 1:
        value = value[:at]
    elif how == 2:
        value = value[at:] + value[:at]
    elif how == 3:  # two of its envelopes change places, and their order is signed
        proof = draw.sample(dispatch.fields["proof"], len(dispatch.fields["proof"]))
        proof = proof if proof != dispatch.fields["proof"] else proof[::-1]
        value = json.dumps({**dispatch.fields, "proof": proof},
                           separators=(",", ":")).encode()
    elif how == 4:
        lost = draw.choice(["ce_type", "errand-key", "errand-sig"])
        headers = [h for h in headers if h[0] != lost]
    else:
        sig = bytearray(headers[-1][1])
        sig[draw.randrange(80)] ^= 2
        headers[-1] = ("errand-sig", bytes(sig))
    return Record(value, headers, dispatch.fields["execution"])


def replays(w, honest, draw):
    """As it was; under another key; decided and signed once more; and again under
    an id that it had before."""
    again = Envelope.of("dispatch", {**honest.fields, "id": uuid7()}, w.authority.authorizer)
    return draw.sample([Record.of(honest), Record.of(honest, key=uuid7()), Record.of(again),
                        Record.of(honest, headers=again.headers())], 4)


def test_in_a_flood_every_hundredth_is_honest_and_runs_once(besieged):
    draw = random.Random(os.environ.get("ERRAND_TEST_SEED", "attacks"))
    records, honest, bad = [], [], []
    while len(records) < FLOOD:
        if len(records) % 100 == 99:
            honest.append(besieged.honest())
            records += [Record.of(honest[-1]), *replays(besieged, honest[-1], draw)]
        elif draw.randrange(3) == 0:
            bad.append(len(records))
            records.append(as_record(draw.choice(FORGED)[0](besieged)))
        else:
            bad.append(len(records))
            records.append(spoilt(besieged, draw))
    offsets = put(besieged, records)
    for dispatch in honest:
        assert besieged.outcome(dispatch.fields["execution"], 60)["outcome"] == "succeeded"
    besieged.reasons({offsets[n] for n in bad})
    ran = besieged.ran.read_text().split()
    assert [ran.count(d.fields["execution"]) for d in honest] == [1] * len(honest)
    assert len(honest) == FLOOD // 100


def test_an_authorizer_s_key_that_was_suspended_starts_nothing(besieged):
    """And the other one's goes on."""
    w = besieged
    key, enrol = enrolled(w, w.authority.root.key)

    def decided(command):
        return made(w, command, instead={"enrol": enrol}, key=key, by=enrol.hash)
    before = decided(w.command("#!/bin/sh\ntrue\n"))
    w.send(before)
    assert w.outcome(before.fields["execution"])["outcome"] == "succeeded"
    heard(w.one, w.enter(w.authority.entry("service.revoke", {"service": enrol.hash})))
    (offset,) = put(w, [Record.of(decided(None))])
    assert "was revoked" in w.reasons({offset})[offset]
