"""Requests by people with bad intentions or odd software, written straight to the
topic: each is answered as it deserves or put aside, and the authorizer lives on.

What only has another form (JSON, headers, signatures) is in tests/vectors.
"""
import itertools
import json
import os
import time

import pytest

from client import (DAY, MINUTE, ZERO, Envelope, Key, accepted, b64, moment_ms, now_ms,
                    reader, uuid7)
from test_access import SCRIPT, Dead, World

BIG = 2**53 - 1


@pytest.fixture(scope="module")
def world(house):
    return World(house)


class Siege:
    """Many requests at once; what came of each."""

    def __init__(self, world):
        self.world, self.asker = world, world.asker
        self.pid = world.house.pid("authorizer-1")
        self.dead = Dead(world.house)

    def send(self, envelopes):
        """[status, or "dead"] of each, in order; and it goes on answering."""
        payloads = {e.fields["id"]: e.payload for e in envelopes}
        self.asker.send_all(envelopes)
        replies = self.asker.gather(
            envelopes, until=lambda missing: self.dead.read() >= {
                payloads[m] for m in missing})
        accepted(self.asker.ask("session.show", {}, self.world.sessions["A"]))
        assert self.world.house.pid("authorizer-1") == self.pid
        return [replies[e.fields["id"]].status if e.fields["id"] in replies else
                "dead" if e.payload in self.dead.values else "silence"
                for e in envelopes]


@pytest.fixture
def siege(world):
    return Siege(world)


def come_to(said, wanted, what):
    wrong = [f"{w!r:.200}: {s}" for w, s in zip(what, said) if s not in wanted]
    assert not wrong, "\n".join(wrong)


# Odd texts

EMAILS = [
    "é@x.example", "a@ex\u0301ample.org", "\u202ea@x.example", "a\u200b@x.example",
    "a@x.example\r\nBcc: b@x.example", "a@x.example\n", "a\0@x.example", "@", "a@",
    "@x.example", "a@b@c", "a b@x.example", "A@x.example", "a@X.EXAMPLE", "",
    "a" * 250 + "@x.example", "<a@x.example>", "a@x.example,b@x.example",
    "\"a b\"@x.example", "\x7f@x.example", "\ufffe@x.example", "а@x.example"]


def test_an_address_that_could_be_another_is_refused(siege, world):
    asked = [world.asker.invitation(world.boss, e).envelope for e in EMAILS]
    come_to(siege.send(asked), {"invalid", "dead"}, EMAILS)


NAMES = ["", "A", "é", "-a", "a_b", "a.b", "a/b", "../a", "a\nb", "a" * 64, "a b",
         "a\0", "a%", "a'", "a\"", "{a}", "a,b", "\u0430", "a\u200d", "NULL "]


def test_a_name_is_letters_digits_and_dashes(siege, world):
    asked = [world.asker.command_request(world.boss, name, SCRIPT, [world.target])
             for name in NAMES]
    asked += [world.asker.entry_request("target.set", {
        "name": name, "generation": 1, "max_wait": 60}, world.boss) for name in NAMES]
    asked += [world.asker.command_request(
        world.boss, world.house.fresh("c"), SCRIPT, [name]) for name in NAMES]
    come_to(siege.send(asked), {"invalid", "dead"}, NAMES * 3)


RUNS = ["", "%", "_" * 36, "%%%%", "----", "....", "abcd%", "ABCD", "'; --", "\u0661" * 4,
        "0" * 37, " " * 4, "abcd\n"]


def test_a_run_is_not_found_by_a_pattern(siege, world):
    session = world.sessions["R"]
    asked = [world.ask("run.show", {"run": run}, session) for run in RUNS]
    come_to(siege.send(asked), {"invalid", "dead", "not_found"}, RUNS)


def test_a_text_is_data_wherever_it_goes(siege, world, house):
    """Descriptions and arguments come back as they were given."""
    odd = "'; DROP TABLE users; -- \\ \" $1 %s {} \u202e \U0001f600 e\u0301"
    name = house.fresh("c")
    parameter = {"name": "x", "type": "string"}
    save = world.asker.command_request(
        world.boss, name, SCRIPT, [world.target], description=odd,
        parameters=[parameter])
    said = siege.send([save])
    come_to(said, {"accepted"}, [odd])
    session = world.sessions["A"]
    shown = accepted(world.asker.ask("command.show", {"name": name}, session))
    assert shown.answer["command"]["description"] == odd
    run = world.asker.run_request(session, save.fields["command"],
                                  [world.target], {"x": odd})
    accepted(world.asker.exchange(run))
    shown = accepted(world.asker.ask("run.show", {"run": run.fields["id"]}, session))
    assert shown.answer["run"]["arguments"] == {"x": odd}


# Long lists, numbers at their bounds

def test_long_lists_are_refused_and_hold_nobody_up(siege, world):
    many = [f"t{n}" for n in range(1000)]
    session = world.sessions["A"]
    command = world.command("given")
    asked = [
        world.asker.run_request(session, command, many),
        world.asker.run_request(session, command, [world.target] * 1000),
        world.asker.run_request(session, command, [world.target],
                                {f"p{n}": "v" for n in range(1000)}),
        world.asker.command_request(world.boss, world.house.fresh("c"), SCRIPT, many),
        world.asker.command_request(
            world.boss, world.house.fresh("c"), SCRIPT, [world.target],
            parameters=[{"name": f"p{n}", "type": "string"} for n in range(1000)]),
        world.asker.entry_request("target.set", {
            "name": world.house.fresh("t"), "generation": 1, "max_wait": 60,
            "labels": {f"l{n}": "v" * 200 for n in range(1000)}}, world.boss)]
    come_to(siege.send(asked), {"invalid", "dead"}, [e.type for e in asked])


def test_numbers_at_their_bounds_are_refused(siege, world):
    session, boss = world.sessions["A"], world.boss
    command = world.command("given")
    asked = [
        world.ask("run.history", {"limit": n}, session)
        for n in (0, -1, 101, BIG, BIG + 1)]
    asked += [world.ask("run.output", {"run": world.runs["given"], "after": n},
                        session) for n in (-1, BIG + 1)]
    asked += [world.ask("assignment.add", {
        "user": world.waiting.user, "command": command, "pin": n}, boss)
        for n in (-1, BIG, BIG + 1, 1000)]
    asked += [world.asker.command_request(
        boss, world.house.fresh("c"), SCRIPT, [world.target], **{field: n})
        for field in ("timeout", "wait") for n in (0, -1, BIG, BIG + 1)]
    asked += [world.asker.entry_request("target.set", {
        "name": world.house.fresh("t"), "generation": g, "max_wait": w, **more}, boss)
        for g, w, more in ((0, 60, {}), (BIG, 60, {}), (1, 0, {}), (1, BIG, {}),
                           (1, 60, {"seq": 0}), (1, 60, {"seq": BIG}),
                           (1, 60, {"prev": ZERO}))]
    come_to(siege.send(asked), {"invalid", "dead", "conflict", "behind"},
            [e.fields for e in asked])


def test_what_follows_the_last_number_is_nothing(siege, world):
    asked = [world.ask("run.output", {"run": world.runs["given"], "after": BIG},
                       world.sessions["A"])]
    come_to(siege.send(asked), {"ok"}, ["after"])


def test_a_moment_at_the_end_of_time_is_no_trouble(siege, world):
    last, first = "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"
    boss, asked = world.boss, []
    for at in (last, first, "1970-01-01T00:00:00.000Z"):
        asked += [
            world.ask("assignment.add", {
                "user": world.waiting.user, "command": world.command("given"),
                "until": at}, boss),
            world.ask("session.show", {"expires": at}, boss),
            world.ask("run.start", {
                "command": world.command("given"), "arguments": {},
                "targets": [world.target], "deadline": at, "follow": False},
                world.sessions["A"])]
        for kind in ("issued", "expires"):
            fields = {**world.ask("session.show", {}, boss).fields, kind: at}
            asked.append(Envelope.of("session.show", fields, boss.key))
    said = siege.send(asked)
    come_to(said[:1], {"accepted"}, asked)  # a very long time
    come_to(said[1:], {"invalid", "dead", "stale"}, [e.fields for e in asked[1:]])


def test_an_assignment_until_the_first_moment_is_not_for_good(siege, world):
    """0 is what our structs say where there is no end at all."""
    asked = [world.ask("assignment.add", {
        "user": world.waiting.user, "command": world.command("other"),
        "until": f"1970-01-01T00:00:00.00{n}Z"}, world.boss) for n in (0, 1)]
    come_to(siege.send(asked), {"dead", "invalid"}, [e.fields for e in asked])


# Ids

def test_an_id_of_another_version_or_time_is_stale(siege, world):
    now, good = now_ms(), uuid7()
    ids = [good[:14] + v + good[15:] for v in "012345689abcdef"]
    ids += ["00000000-0000-0000-0000-000000000000", "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12,
            uuid7(now - 6 * MINUTE), uuid7(now + 6 * MINUTE)]
    asked = [world.ask("session.show", {"id": i}, world.sessions["A"]) for i in ids]
    come_to(siege.send(asked), {"stale", "dead", "id_in_use"}, ids)


def test_of_two_with_one_id_at_the_same_moment_one_is_decided(siege, world):
    for _ in range(5):
        one = uuid7()
        asked = [world.ask("session.show", {"id": one}, world.sessions[who])
                 for who in "RB"]
        world.asker.send_all(asked)
        heard = {part.fields["request"]: part.fields["status"]
                 for part, _ in itertools.islice(world.asker.replies(asked[0]), 2)}
        assert {heard[e.hash] for e in asked} == {"ok", "id_in_use"}


# Replays, and other people's addresses

def test_a_replay_on_every_partition_is_one_request(siege, world):
    asker, session = world.asker, world.sessions["R"]
    run = asker.run_request(session, world.command("given"), [world.target])
    for partition in range(8):
        asker.producer.produce("errand.requests", value=run.payload,
                               headers=run.headers(), key=os.urandom(4),
                               partition=partition)
    asker.producer.flush(10)
    seen = [asker.wait(run) for _ in range(8)]
    assert {r.status for r in seen} == {"accepted"} and len({r.body for r in seen}) == 1
    assert world.house.rows("SELECT count(*) FROM executions WHERE run_id = %s",
                            run.fields["id"]) == [(1,)]


def test_an_answer_cannot_be_had_by_another_address(siege, world):
    """Whoever changes where it goes has to sign it anew."""
    asked = world.ask("command.list", {}, world.sessions["A"])
    thief = Key()
    fields = {**asked.fields, "reply": {"partition": 0, "box": b64(thief.box)}}
    forged = Envelope(asked.type, json.dumps(fields, separators=(",", ":")).encode(),
                      asked.signatures)
    own = Envelope(asked.type, forged.payload).sign(thief)
    come_to(siege.send([forged, own]), {"dead"}, ["forged", "own"])


SMALL = [b"\x01" + b"\0" * 31, b"\xec" + b"\xff" * 30 + b"\x7f", bytes.fromhex(
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]


def test_nothing_is_sealed_to_what_anybody_could_open(siege, world):
    """Points of small order as the box's key."""
    asked = [world.ask("session.show", {"reply": {"partition": 0, "box": b64(box)}},
                       world.sessions["A"]) for box in SMALL]
    heard = reader(world.house.brokers, "errand.replies", 0)
    world.asker.send_all(asked)
    last = world.ask("session.show", {}, world.sessions["A"])
    accepted(world.asker.exchange(last))
    keys = set()
    while last.fields["id"].encode() not in keys:
        keys |= {m.key() for m in heard.consume(500, 0.1)}
    assert not keys & {e.fields["id"].encode() for e in asked}


# The edges of time

def test_a_session_that_is_over_asks_for_no_more_by_an_earlier_date(siege, world):
    """Whoever finds its key later dates the request back into its life."""
    session = world.brief["A"]
    asked = [world.ask("command.list", {}, session),
             world.asker.request("command.list", {}, session.by, session.key,
                                 issued=session.until - 1000, life=5 * MINUTE)]
    come_to(siege.send(asked), {"denied"}, ["now", "back"])


def test_an_invitation_that_is_over_is_not_followed_by_an_earlier_date(
        siege, world):
    invitation = world.asker.invitation(world.boss, world.house.fresh("i") + "@x.example",
                                        hours=1 / 60 + 1.5 / 3600)
    world.send([invitation.envelope])
    end = moment_ms(invitation.envelope.fields["until"])
    time.sleep(max(0, end + 50 - now_ms()) / 1000)  # nothing tells of it
    asked = [world.asker.verify_request(invitation, Key(), issued=end - 500,
                                        life=5 * MINUTE)]
    come_to(siege.send(asked), {"denied", "conflict"}, ["back"])


def test_a_request_lives_for_five_minutes_at_most(siege, world):
    session, now = world.sessions["A"], now_ms()
    asked = [world.asker.request("session.show", {}, session.by, session.key,
                                 issued=now + ahead, life=life, request_id=uuid7(now))
             for ahead, life in (
                 (0, 5 * MINUTE), (25_000, MINUTE), (40_000, MINUTE),
                 (0, 5 * MINUTE + 1), (0, 0), (0, -1), (-6 * MINUTE, 5 * MINUTE),
                 (-DAY, DAY + MINUTE), (DAY, MINUTE))]
    what = [e.fields for e in asked]
    said = siege.send(asked)
    come_to(said[:2], {"ok"}, what)
    come_to(said[2:], {"stale", "denied", "dead"}, what[2:])


# What submit is given

@pytest.mark.parametrize("words, said", [
    (("run", "a" * 5000), "a-z, 0-9 and -"),
    (("show", "\x1b]0;title\x07"), "\\x1b]0;title\\x07"),
    (("show", "a\nb"), "a-z, 0-9 and -"),
    (("result", "a" * 100), "an ending of it of at least 4 digits"),
    (("output", "%%%%"), "an ending of it of at least 4 digits"),
    (("user", "invite", "\u202eb@x.example"), "e-mail"),
    (("user", "invite", "a@x.example\r\nBcc: b@x.example"), "e-mail"),
    (("assign", "add", "no-such", "nobody@x.example"), "no such thing"),
    (("a" * 5000,), "submit help"),
])
def test_submit_says_what_is_wrong_in_one_harmless_line(house, words, said):
    done = house.submit(*words)
    assert done.returncode in (64, 65, 67) and done.stdout == ""
    line = done.stderr.removesuffix("\n")
    assert said in line and len(line) < 400 and line.isprintable()
