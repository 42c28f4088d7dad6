"""10,000 mutated dispatches: none runs, none stops the executor, each is put aside
with its reason, and the honest ones among them run (P1, P8).

A hostile broker holds back a dispatch, which it has read off the wire, and hands
out what it makes of it; every hundredth record is the honest one that it had. Half
of what changes the payload is signed anew: by a stranger's key, or by a stolen
authorizer's, which may not be enough either.
"""
import json
import os
import random

import pytest

import client
from client import Envelope, Key, moment, now_ms
from lone import Lone, until

SEED = int(os.environ.get("ERRAND_TEST_SEED", 2026))
RECORDS, EVERY = 10_000, 100
COUNTING = {"errand-key", "errand-sig", "ce_type", "ce_id", "ce_time"}


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


class Mutations:
    """Each makes of a dispatch something that must be refused: (key, value,
    headers). Those of `text_…` are signed anew, or keep the old signature."""

    def __init__(self, lone, seed):
        self.lone, self.dice = lone, random.Random(seed)
        self.stranger = Key()
        self.whole = [getattr(self, n) for n in sorted(dir(self)) if n.startswith("whole_")]
        self.text = [getattr(self, n) for n in sorted(dir(self)) if n.startswith("text_")]

    def make(self, number, dispatch, other):
        """The number-th, of a dispatch and another one."""
        if number % 2:
            return self.whole[number // 2 % len(self.whole)](dispatch, other)
        text = self.text[number // 2 % len(self.text)](dispatch, other)
        return self.signed(dispatch, text)

    def signed(self, dispatch, text):
        """A changed payload under the old signature, a stranger's, the right one."""
        envelope = Envelope(dispatch.type, text, dispatch.signatures)
        key = self.dice.choice([None, self.stranger, self.lone.authority.authorizer])
        if key:
            envelope = Envelope(dispatch.type, text).sign(key)
        headers = [h for h in dispatch.headers() if not h[0].startswith("errand-")]
        for signer, signature in envelope.signatures:
            headers += [("errand-key", signer.encode()),
                        ("errand-sig", client.b64(signature).encode())]
        return dispatch.fields["execution"].encode(), text, headers

    # The record

    def changed(self, dispatch, value=None, headers=None, key=None):
        return (dispatch.fields["execution"].encode() if key is None else key,
                dispatch.payload if value is None else value,
                dispatch.headers() if headers is None else headers)

    def flipped(self, data, bits=1):
        out = bytearray(data)
        for _ in range(bits):
            out[self.dice.randrange(len(out))] ^= 1 << self.dice.randrange(8)
        return bytes(out) if bytes(out) != data else self.flipped(data, bits)

    def whole_bits(self, dispatch, _):
        return self.changed(dispatch, self.flipped(dispatch.payload, self.dice.choice([1, 9])))

    def whole_cut(self, dispatch, _):
        return self.changed(dispatch, dispatch.payload[:self.dice.randrange(len(dispatch.payload))])

    def whole_tail(self, dispatch, _):
        return self.changed(dispatch, dispatch.payload + self.dice.choice([b" ", b"\0", b"{}"]))

    def whole_splice(self, dispatch, other):
        at = self.dice.randrange(300, len(dispatch.payload) - 1)
        return self.changed(dispatch, dispatch.payload[:at] + other.payload[at:] + b" ")

    def whole_others_headers(self, dispatch, other):
        return self.changed(dispatch, headers=other.headers())

    def whole_others_key(self, dispatch, other):
        return self.changed(dispatch, key=other.fields["execution"].encode())

    def whole_no_key(self, dispatch, _):
        return self.changed(dispatch, key=self.dice.choice([b"", b"\0", b"x" * 3000]))

    def whole_empty(self, dispatch, _):
        return self.changed(dispatch, self.dice.choice([b"", b"null", b"[]", b"\0" * 60, b"{"]))

    def whole_header_bits(self, dispatch, _):
        rows = dispatch.headers()
        at = self.dice.choice([i for i, (n, _) in enumerate(rows) if n in COUNTING])
        rows[at] = (rows[at][0], self.flipped(rows[at][1]))
        return self.changed(dispatch, headers=rows)

    def whole_header_gone(self, dispatch, _):
        gone = self.dice.choice(sorted(COUNTING))
        return self.changed(dispatch, headers=[h for h in dispatch.headers() if h[0] != gone])

    def whole_header_twice(self, dispatch, other):
        """A second signer; the first of any other would count."""
        return self.changed(dispatch, headers=dispatch.headers() + other.headers()[-2:])

    def whole_no_headers(self, dispatch, _):
        return self.changed(dispatch, headers=[])

    def whole_other_type(self, dispatch, _):
        kind = self.dice.choice([b"errand.run.start.v1", b"errand.claim.v1", b"x" * 500])
        return self.changed(dispatch, headers=[
            (n, kind if n == "ce_type" else v) for n, v in dispatch.headers()])

    # The payload

    def member(self, dispatch, name, value):
        return json.dumps({**dispatch.fields, name: value}, separators=(",", ":")).encode()

    def text_twice(self, dispatch, _):
        name = self.dice.choice(sorted(dispatch.fields))
        row = json.dumps({name: dispatch.fields[name]})[1:-1].encode()
        return dispatch.payload[:-1] + b"," + row + b"}"

    def text_gone(self, dispatch, _):
        fields = dispatch.fields
        del fields[self.dice.choice(sorted(fields))]
        return json.dumps(fields).encode()

    def text_unknown(self, dispatch, _):
        return self.member(dispatch, self.dice.choice(["uid", "env", "cwd", "", "Proof"]), 0)

    def text_type(self, dispatch, _):
        name = self.dice.choice(sorted(dispatch.fields))
        return self.member(dispatch, name, self.dice.choice([None, True, {}, -1, 1.5, "x"]))

    def text_number(self, dispatch, _):
        huge = self.dice.choice([b"1e999", b"9007199254740992", b"9" * 400, b"-0", b"0x1"])
        return dispatch.payload.replace(b'"attempt":1', b'"attempt":' + huge)

    def text_deep(self, dispatch, _):
        depth = self.dice.choice([17, 1000, 100_000])
        return dispatch.payload[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}"

    def text_execution(self, dispatch, other):
        return self.member(dispatch, "execution", other.fields["execution"])

    def text_target(self, dispatch, _):
        return self.member(dispatch, "target", "elsewhere")

    def text_attempt(self, dispatch, _):
        return self.member(dispatch, "attempt", self.dice.choice([2, 3, 1000, 1001]))

    def text_run(self, dispatch, other):
        return self.member(dispatch, "run", other.fields["run"])

    def text_proof_gone(self, dispatch, _):
        proof = dispatch.fields["proof"]
        del proof[self.dice.randrange(len(proof))]
        return self.member(dispatch, "proof", proof)

    def text_proof_bits(self, dispatch, _):
        proof = dispatch.fields["proof"]
        one = self.dice.choice(proof)
        one["payload"] = client.b64(self.flipped(client.unb64(one["payload"])))
        return self.member(dispatch, "proof", proof)

    def text_proof_signature(self, dispatch, _):
        proof = dispatch.fields["proof"]
        one = self.dice.choice(self.dice.choice(proof)["signatures"])
        one["sig"] = client.b64(self.flipped(client.unb64(one["sig"])))
        return self.member(dispatch, "proof", proof)

    def text_proof_others(self, dispatch, other):
        return self.member(dispatch, "proof", other.fields["proof"])


def witness(lone):
    path = lone.home / "witness"
    return f"#!/bin/sh\necho $ERRAND_EXECUTION_ID >> {path}\n", path


def ordered(lone, command):
    """A run and its dispatch, alive for as long as all this may take."""
    run = lone.authority.start(command, [lone.target], deadline=moment(now_ms() + 290_000))
    return lone.authority.dispatch(command, run, lone.target,
                                   expires=moment(now_ms() + 280_000))


def hand_out(lone, mutations, orders):
    """All of them, in their places; returns where the honest ones are."""
    honest = {}
    for number in range(RECORDS):
        round_, place = divmod(number, EVERY)
        dispatch, other = orders[round_], orders[round_ - 1]
        key, value, headers = mutations.make(number, dispatch, other)
        if place == EVERY - 1:
            honest[number] = dispatch.fields["execution"]
            key, value, headers = honest[number].encode(), dispatch.payload, dispatch.headers()
        lone.producer.produce(lone.dispatches, value, key=key, headers=headers, partition=0)
        if number % 500 == 0:
            lone.producer.flush(10)
    assert lone.producer.flush(20) == 0
    return honest


def put_aside(lone, wanted):
    """The reasons by the offsets of our own topic's records in errand.dead."""
    follower = client.Follower(lone.brokers, "errand.dead", lone.from_here[1])
    found = {}

    def all_of_them():
        for message in follower.read():
            headers = dict(reversed(message.headers()))
            if headers.get("errand-topic") == lone.dispatches.encode():
                found[int(headers["errand-offset"])] = headers["errand-reason"].decode()
        return len(found) >= wanted
    until(f"{wanted} records are put aside", all_of_them, 60)
    follower.close()
    return found


def test_none_of_ten_thousand_mutated_dispatches_runs(lone):
    script, path = witness(lone)
    command = lone.command(script)
    executor = lone.executor(slots=8)
    orders = [ordered(lone, command) for _ in range(RECORDS // EVERY)]
    honest = hand_out(lone, Mutations(lone, SEED), orders)
    executor.start()
    halves = executor.halves()
    reasons = put_aside(lone, RECORDS - len(honest))
    until("the honest ones ran", lambda: path.exists()
          and len(path.read_text().split()) >= len(honest), 60)
    assert lone.outcome(honest[RECORDS - 1])["outcome"] == "succeeded"
    assert sorted(path.read_text().split()) == sorted(honest.values()), f"seed {SEED}"
    assert set(reasons) == set(range(RECORDS)) - set(honest), f"seed {SEED}"
    assert all(reasons.values()) and len(set(reasons.values())) > 20
    assert executor.halves() == halves and executor.process.poll() is None
