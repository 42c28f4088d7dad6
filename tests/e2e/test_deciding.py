"""test_deciding.py: what the authorizer says to requests made by hand: who may
do what, what is decided once, what nobody learns (P5, P7, P8).

`house` is the stack's own installation; each test makes people, targets and
commands of its own beside what is there.
"""
import itertools
import json
import os
import time

import pytest

from client import (DAY, HOUR, MINUTE, Envelope, Key, Silence, accepted, b64,
                    execution_id, id_of_hash, moment, moment_ms, now_ms,
                    read_all, reader, sha256, unb64, user_id, uuid7)

numbers = itertools.count(now_ms())
SCRIPT = b"#!/bin/sh\necho hello\n"


def fresh(prefix):
    return f"{prefix}{next(numbers)}"


@pytest.fixture(scope="module")
def asker(house):
    return house.asker()


@pytest.fixture(scope="module")
def admin(house):
    return house.admin


@pytest.fixture(scope="module")
def session(asker, admin):
    return asker.open_session(admin)


@pytest.fixture(scope="module")
def target(asker, admin):
    """A target that nobody serves."""
    name = fresh("t")
    accepted(asker.add_target(admin, name))
    return name


@pytest.fixture(scope="module")
def command(asker, admin, target):
    return asker.save_command(admin, fresh("c"), SCRIPT, [target])


@pytest.fixture(scope="module")
def runner(asker, admin, command):
    """A runner with a session, assigned to `command`."""
    return make_runner(asker, admin, [command])


def make_runner(asker, admin, commands=()):
    person = asker.verify(asker.invite(admin, fresh("r") + "@x.example"))
    for command in commands:
        accepted(asker.assign(admin, person.user, command))
    asker.open_session(person)
    return person


def name_of(house, command):
    return house.rows("SELECT name FROM commands WHERE id = %s", command)[0][0]


def decided(house, envelope):
    """(decision, status, reason) of a request, or None."""
    rows = house.rows("SELECT decision, status, reason FROM requests"
                      " WHERE id = %s", envelope.fields["id"])
    return rows[0] if rows else None


def outlive(envelope):
    """Until what it says of its end has passed: nothing tells of that."""
    end = moment_ms(envelope.fields["until"]) + 200
    time.sleep(max(0, end - now_ms()) / 1000)


def refused(reply, status, part=""):
    assert reply.status == status, reply
    assert part in (reply.text or ""), reply
    assert reply.answer is None


class Dead:
    """What goes to errand.dead from now on."""

    def __init__(self, house):
        self.consumer = reader(house.brokers, "errand.dead")

    def reason_of(self, value, timeout=10):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.consumer.poll(0.1)
            if message is None or message.error():
                continue
            if message.value() == value:
                return dict(message.headers())["errand-reason"].decode()
        raise AssertionError("nothing came to errand.dead")


def is_dead(house, asker, envelope, part=""):
    """Sends it: it gets no answer, and is put aside for this reason."""
    dead = Dead(house)
    asker.produce(envelope)
    assert part in dead.reason_of(envelope.payload)
    assert decided(house, envelope) is None


# Once

def test_the_same_bytes_get_the_same_answer_and_run_once(
        house, asker, session, command, target):
    run = asker.run_request(session, command, [target])
    first = accepted(asker.exchange(run))
    again = [asker.exchange(run) for _ in range(3)]
    assert [r.body for r in again] == [first.body] * 3
    assert house.rows("SELECT count(*) FROM executions WHERE run_id = %s",
                      run.fields["id"]) == [(1,)]
    sent = [m.value() for m in read_all(house.brokers,
                                        f"errand.dispatch.{target}.1")
            if Envelope.from_record(m).fields["run"] == run.hash]
    assert len(sent) == 4 and len(set(sent)) == 1


def test_an_id_with_other_bytes_is_told_nothing(house, asker, session, command,
                                                target, runner):
    run = asker.run_request(session, command, [target])
    accepted(asker.exchange(run))
    other = asker.run_request(runner.session, command, [target],
                              request_id=run.fields["id"])
    reply = asker.exchange(other)
    refused(reply, "id_in_use")
    assert reply.text is None
    assert house.rows("SELECT hash FROM requests WHERE id = %s",
                      run.fields["id"]) == [(bytes.fromhex(run.hash),)]


def test_a_refusal_stays_a_refusal(house, asker, admin, runner, target):
    command = asker.save_command(admin, fresh("c"), SCRIPT, [target])
    run = asker.run_request(runner.session, command, [target])
    refused(asker.exchange(run), "not_found")
    accepted(asker.assign(admin, runner.user, command))
    refused(asker.exchange(run), "not_found")
    accepted(asker.exchange(asker.run_request(runner.session, command,
                                              [target])))


def test_a_read_is_recorded_and_answered_anew(house, asker, session, admin):
    read = asker.request("target.list", {}, session.by, session.key)
    before = accepted(asker.exchange(read)).answer["targets"]
    accepted(asker.add_target(admin, fresh("t")))
    after = accepted(asker.exchange(read)).answer["targets"]
    assert len(after) == len(before) + 1
    assert house.rows("SELECT count(*), count(reply) FROM requests"
                      " WHERE id = %s", read.fields["id"]) == [(1, 0)]


def test_what_has_ended_is_not_dispatched_again(house, asker, session, command,
                                                target):
    run = asker.run_request(session, command, [target], wait=3)
    accepted(asker.exchange(run))
    time.sleep(3.1)  # the dispatch's own life: nothing tells of its end
    accepted(asker.exchange(run))
    sent = [m for m in read_all(house.brokers, f"errand.dispatch.{target}.1")
            if Envelope.from_record(m).fields["run"] == run.hash]
    assert len(sent) == 1


# Freshness

@pytest.mark.parametrize("change, part", [
    ({"life": -1000}, "expired"),
    ({"life": 6 * MINUTE}, "more than 5 minutes"),
    ({"ahead": 40_000}, "ahead of"),
    ({"ahead": -6 * MINUTE, "life": 5 * MINUTE}, "expired"),
    ({"request_id": uuid7(now_ms() - HOUR)}, "UUIDv7 of now"),
    ({"request_id": "01970000-0000-4000-8000-000000000001"}, "UUIDv7 of now"),
])
def test_a_request_out_of_its_time_is_stale(house, asker, session, change,
                                            part):
    change = dict(change)
    issued = now_ms() + change.pop("ahead", 0)
    if "request_id" in change:  # never the same one twice
        change["request_id"] = (change["request_id"][:24] +
                                os.urandom(6).hex())
    read = asker.request("session.show", {}, session.by, session.key,
                         issued=issued, **change)
    refused(asker.exchange(read), "stale", part)
    assert decided(house, read)[1] == "stale"


# Nobody to answer to

def test_an_unknown_signer_gets_no_answer(house, asker):
    stranger = Key()
    is_dead(house, asker, asker.request("session.show", {}, sha256(b"no"),
                                        stranger), "lacks an envelope")


def test_a_signature_by_another_key_gets_no_answer(house, asker, session):
    is_dead(house, asker, asker.request("session.show", {}, session.by, Key()),
            "not signed by")


@pytest.mark.parametrize("field", ["root", "id", "issued", "by", "expires",
                                   "reply", "command", "arguments", "targets",
                                   "deadline", "follow"])
def test_a_changed_field_gets_no_answer(house, asker, session, command, target,
                                        field):
    run = asker.run_request(session, command, [target])
    fields = run.fields
    fields[field] = {
        "root": sha256(b"other"), "id": uuid7(), "issued": moment(now_ms() + 1),
        "by": sha256(b"other"), "expires": moment(now_ms() + 2 * MINUTE),
        "reply": {"partition": 1, "box": b64(Key().box)}, "command": uuid7(),
        "arguments": {"x": "y"}, "targets": ["other"],
        "deadline": moment(now_ms() + 2 * MINUTE), "follow": True}[field]
    forged = Envelope.of("run.start", fields)
    forged.signatures = run.signatures
    is_dead(house, asker, forged)


@pytest.mark.parametrize("header", ["errand-sig", "errand-key", "ce_id",
                                    "ce_time", "ce_type"])
def test_a_changed_header_gets_no_answer(house, asker, session, header):
    read = asker.request("session.show", {"expires": moment(
        now_ms() + MINUTE + next(numbers) % 1000)}, session.by, session.key)
    other = asker.request("session.show", {}, session.by, session.key)
    wrong = dict(other.headers())
    wrong["ce_type"] = b"errand.session.list.v1"
    wrong["errand-key"] = sha256(b"x").encode()
    wrong["ce_time"] = moment(1).encode()
    dead = Dead(house)
    asker.send("errand.requests", read.payload,
               [(n, wrong[n] if n == header else v)
                for n, v in read.headers()], "x")
    assert dead.reason_of(read.payload)


def test_random_bytes_do_not_stop_the_partition(house, asker, session):
    dead = Dead(house)
    for value in (b"", b"{}", b"\0" * 100, os.urandom(2000), b"[" * 5000,
                  b'{"root":1,"root":2}'):
        for partition in range(8):
            asker.send("errand.requests", value + b" " * partition,
                       [("ce_type", b"errand.run.start.v1"), ("x", b"\0\xff")],
                       os.urandom(5), partition=partition)
    accepted(asker.ask("session.show", {}, session))
    assert dead.reason_of(b"{}" + b" " * 7)


@pytest.mark.parametrize("missing", ["expires", "reply"])
def test_without_an_address_there_is_no_answer(house, asker, session, missing):
    is_dead(house, asker, asker.request("session.show", {missing: None},
                                        session.by, session.key), "`reply`")


def test_a_partition_that_is_not_there_stops_nothing(house, asker, session):
    is_dead(house, asker, asker.request(
        "session.show", {"reply": {"partition": 99, "box": b64(Key().box)}},
        session.by, session.key), "`reply`")


def test_the_root_signs_nothing_on_the_topic(house, asker, admin):
    root = admin.init.fields["root"]
    key = Key()
    is_dead(house, asker, Envelope.of("service.enrol", {
        "root": root, "id": uuid7(), "issued": moment(now_ms()), "by": root,
        "kind": "authorizer", "name": "x", "key": b64(key.public),
        "box": b64(key.box), "until": moment(now_ms() + DAY)}, key))


# Who may what

def test_a_session_key_changes_nothing_that_outlives_it(house, asker, admin,
                                                        session):
    key = Key()
    for kind, fields in {
            "user.invite": {"user": user_id(asker.root, key.public),
                            "invitation": b64(key.public), "role": "runner",
                            "email": "no@x.example",
                            "until": moment(now_ms() + HOUR)},
            "target.set": {"name": fresh("t"), "generation": 1, "seq": 1,
                           "max_wait": 60, "prev": admin.init.hash},
            "assignment.add": {"user": admin.user, "command": uuid7()},
    }.items():
        refused(asker.ask(kind, fields, session), "denied", "session")


def test_an_own_key_starts_no_run(asker, admin, command, target):
    run = asker.request("run.start", {
        "command": command, "arguments": {}, "targets": [target],
        "deadline": moment(now_ms() + MINUTE), "follow": False},
        admin.by, admin.key)
    refused(asker.exchange(run), "denied", "own key")


def test_a_runner_has_no_verb_of_administrators(asker, runner, command):
    for kind, fields in {"user.list": {}, "target.list": {},
                         "assignment.list": {},
                         "command.versions": {"name": "x"}}.items():
        refused(asker.ask(kind, fields, runner.session), "denied", "role")
    refused(asker.ask("assignment.add",
                      {"user": runner.user, "command": command}, runner),
            "denied", "role")


def test_an_administrator_counts_once_confirmed(house, asker, admin):
    other = asker.verify(asker.invite(admin, fresh("a") + "@x.example",
                                      "administrator"))
    own = asker.open_session(other)
    assert asker.ask("session.show", {}, own).answer["state"] == "verified"
    refused(asker.ask("command.list", {}, own), "denied", "confirmed")
    refused(asker.ask("target.set", {
        "name": fresh("t"), "generation": 1, "max_wait": 60, "seq": 1,
        "prev": admin.init.hash}, other), "denied", "confirmed")
    confirm = {"user": other.user, "key": b64(other.key.public),
               "verify": other.by}
    refused(asker.ask("user.confirm", confirm, other), "denied")
    refused(asker.ask("user.confirm", {**confirm, "key": b64(Key().public)},
                      admin), "conflict", "another key")
    accepted(asker.ask("user.confirm", confirm, admin))
    refused(asker.ask("user.confirm", confirm, admin), "conflict", "already")
    accepted(asker.ask("command.list", {}, own))
    name = fresh("t")
    accepted(asker.add_target(other, name))
    chain = asker.ask("user.show", {"email": other.email}, own).answer
    assert {e["payloadType"].split(".", 1)[1] for e in chain["envelopes"]} == {
        "user.invite.v1", "user.verify.v1", "user.confirm.v1", "root.init.v1"}


def test_what_an_unconfirmed_administrator_saved_before_is_no_right(
        house, asker, admin, target):
    """A row that says yes without its envelope is an error, not a right."""
    other = asker.verify(asker.invite(admin, fresh("a") + "@x.example",
                                      "administrator"))
    own = asker.open_session(other)
    house.change("UPDATE users SET state = 'active', confirm_hash = verify_hash,"
                 " confirmed_at = now() WHERE id = %s", other.user)
    refused(asker.ask("command.list", {}, own), "denied", "confirmed")


# People

def test_an_address_that_is_known_says_how(house, asker, admin):
    def invite(email, role="runner"):
        key = Key()
        return asker.ask("user.invite", {
            "user": user_id(asker.root, key.public),
            "invitation": b64(key.public), "email": email, "role": role,
            "until": moment(now_ms() + HOUR)}, admin)

    runner, boss, late = (fresh(c) + "@x.example" for c in "rbl")
    invitation = asker.invite(admin, runner)
    refused(invite(runner), "conflict", "is invited already")
    asker.verify(invitation)
    refused(invite(runner), "conflict", "here already")
    asker.verify(asker.invite(admin, boss, "administrator"))
    refused(invite(boss), "conflict", "waits to be confirmed")
    asker.invite(admin, late)
    house.change("UPDATE users SET invited_until = now() - interval '1 hour'"
                 " WHERE email = %s", late)
    refused(invite(late), "conflict", "ended at")
    refused(invite("Upper@x.example"), "invalid", "lower case")
    refused(invite("no address"), "invalid", "e-mail")


def show_request(asker, invitation):
    fields = asker.request("invitation.show", {
        "root": None, "root_half": id_of_hash(asker.root)}, invitation.key.id).fields
    return Envelope.of("invitation.show", fields, invitation.key)


def test_an_invitation_is_shown_and_followed_once(house, asker, admin):
    invitation = asker.invite(admin, fresh("i") + "@x.example")
    told = accepted(asker.exchange(show_request(asker, invitation)))
    answer = told.answer
    assert answer["user"]["email"] == invitation.email
    assert sha256(unb64(told.parts[0].fields["root_key"])) == asker.root
    hashes = [Envelope.from_dsse(e).hash for e in answer["envelopes"]]
    assert sorted(hashes) == sorted([invitation.envelope.hash,
                                     admin.init.hash])
    asker.verify(invitation)
    refused(asker.exchange(asker.verify_request(invitation, Key())),
            "conflict", "followed already")
    refused(asker.exchange(show_request(asker, invitation)),
            "conflict", "followed already")
    assert reused_by(house, invitation) is not None


def reused_by(house, invitation):
    """The request that used it a second time, and is told to both."""
    return house.rows("SELECT reused_by FROM users WHERE email = %s",
                      invitation.email)[0][0]


def test_a_look_at_an_invitation_that_comes_again_is_no_second_use(house, asker, admin):
    """Kafka may deliver a record once more after what followed it."""
    invitation = asker.invite(admin, fresh("i") + "@x.example")
    look = show_request(asker, invitation)
    accepted(asker.exchange(look))
    asker.verify(invitation)
    refused(asker.exchange(look), "conflict", "followed already")
    assert reused_by(house, invitation) is None


def test_an_invitation_that_ended_says_so(house, asker, admin):
    key, new = Key(), Key()
    invite = asker.request("user.invite", {
        "user": user_id(asker.root, key.public), "invitation": b64(key.public),
        "email": fresh("e") + "@x.example", "role": "runner",
        "until": moment(now_ms() + 2000)}, admin.by, admin.key)
    accepted(asker.exchange(invite))
    outlive(invite)
    late = asker.request("user.verify", {
        "user": invite.fields["user"], "invite": invite.hash,
        "key": b64(new.public), "generation": 1}, invite.hash, key, new,
        issued=now_ms() + 29_900)  # beyond the skew that clocks may have
    refused(asker.exchange(late), "denied", "the invitation ended at")


def test_a_verify_by_somebody_without_the_code_gets_no_answer(house, asker,
                                                              admin):
    invitation = asker.invite(admin, fresh("v") + "@x.example")
    key = Key()
    forged = asker.request("user.verify", {
        "user": invitation.user, "invite": invitation.envelope.hash,
        "key": b64(key.public), "generation": 1},
        invitation.envelope.hash, Key(), key)
    is_dead(house, asker, forged)
    asker.verify(invitation)


# Sessions

def test_a_closed_session_is_over(house, asker, admin):
    runner = make_runner(asker, admin)
    own = runner.session
    accepted(asker.ask("session.show", {}, own))
    accepted(asker.ask("session.close", {"session": own.by}, own))
    refused(asker.ask("session.show", {}, own), "denied", "closed")


def test_an_ended_session_says_so(asker, admin):
    key = Key()
    envelope = asker.session_request(admin, key)
    fields = envelope.fields
    fields["until"] = moment(now_ms() + 2000)
    envelope = Envelope.of("session.open", fields, admin.key, key)
    accepted(asker.exchange(envelope))
    outlive(envelope)
    read = asker.request("session.show", {}, envelope.hash, key)
    refused(asker.exchange(read), "denied", "ended")


def test_a_session_of_somebody_else_is_not_there(asker, admin, session):
    runner = make_runner(asker, admin)
    theirs = asker.ask("session.close", {"session": session.by},
                       runner.session)
    none = asker.ask("session.close", {"session": sha256(b"none")},
                     runner.session)
    same(theirs, none)
    accepted(asker.ask("session.show", {}, session))


# Not yours, or not there: the same (P7)

def same(theirs, none):
    """To the byte, and as long: but for the digits of how many rows there are."""
    refused(theirs, "not_found")
    assert (theirs.status, theirs.text, theirs.body) == (
        none.status, none.text, none.body)
    assert len(theirs.sizes) == len(none.sizes) == 1
    assert abs(theirs.sizes[0] - none.sizes[0]) <= 16


def test_what_is_not_theirs_is_not_there(house, asker, admin, session, runner,
                                         target):
    secret = asker.save_command(admin, fresh("s"), SCRIPT, [target])
    run = asker.run_request(session, secret, [target])
    accepted(asker.exchange(run))
    own = runner.session
    same(asker.ask("command.show", {"name": name_of(house, secret)}, own),
         asker.ask("command.show", {"name": fresh("s")}, own))
    same(asker.exchange(asker.run_request(own, secret, [target])),
         asker.exchange(asker.run_request(own, uuid7(), [target])))
    for kind, more in {"run.show": {}, "run.output": {"after": 0}}.items():
        same(asker.ask(kind, {"run": run.fields["id"], **more}, own),
             asker.ask(kind, {"run": uuid7(), **more}, own))
    same(asker.ask("user.show", {"email": admin.email}, own),
         asker.ask("user.show", {"email": "nobody@x.example"}, own))
    listed = asker.ask("command.list", {}, own).answer["commands"]
    assert secret not in [c["command"] for c in listed] and listed
    runs = asker.ask("run.history", {"limit": 100}, own).answer["runs"]
    assert run.fields["id"] not in [r["run"] for r in runs]
    reasons = house.rows("SELECT reason FROM requests WHERE user_id = %s AND"
                         " verb = 'run.start' AND status = 'not_found'",
                         runner.user)
    assert any("has no assignment to command" in r for r, in reasons)


def test_a_runner_sees_the_runs_of_their_commands_and_no_script(
        house, asker, admin, session, runner, command, target):
    run = asker.run_request(session, command, [target])
    accepted(asker.exchange(run))
    own = runner.session
    shown = asker.ask("run.show", {"run": run.fields["id"][-12:]}, own).answer
    assert shown["run"]["asked_by"] == admin.email
    answer = asker.ask("command.show", {"name": name_of(house, command)},
                       own).answer
    assert not {"envelopes", "runners"} & set(answer)
    assert not {"saved_by", "runners"} & set(answer["command"])


def test_an_assignment_ends(house, asker, admin, target):
    command = asker.save_command(admin, fresh("c"), SCRIPT, [target])
    runner = make_runner(asker, admin)
    until = now_ms() + 3000
    accepted(asker.assign(admin, runner.user, command, until=moment(until)))
    accepted(asker.exchange(asker.run_request(runner.session, command,
                                              [target])))
    time.sleep(max(0, until + 100 - now_ms()) / 1000)  # its life
    refused(asker.exchange(asker.run_request(runner.session, command,
                                             [target])), "not_found")
    assert asker.ask("command.list", {}, runner.session).answer == {
        "commands": []}


def test_an_assignment_is_for_who_is_only_invited_too(asker, admin, command,
                                                      target):
    invitation = asker.invite(admin, fresh("r") + "@x.example")
    accepted(asker.assign(admin, invitation.user, command))
    accepted(asker.assign(admin, invitation.user, command))
    runner = asker.verify(invitation)
    own = asker.open_session(runner)
    accepted(asker.exchange(asker.run_request(own, command, [target])))


def test_an_assignment_without_an_envelope_is_no_right(
        house, asker, admin, runner, command, target):
    """PostgreSQL may refuse; only envelopes may allow."""
    other = make_runner(asker, admin)
    house.change("INSERT INTO assignments (user_id, command_id, hash, added_by,"
                 " added_at) SELECT %s, command_id, hash, added_by, added_at"
                 " FROM assignments WHERE user_id = %s AND command_id = %s",
                 other.user, runner.user, command)
    listed = asker.ask("command.list", {}, other.session).answer["commands"]
    assert [c["command"] for c in listed] == [command]  # the row is there
    run = asker.run_request(other.session, command, [target])
    refused(asker.exchange(run), "not_found")
    assert "no assignment" in decided(house, run)[2]


# Commands

def test_of_two_who_save_the_second_is_told(asker, admin, target):
    name = fresh("c")
    first = asker.command_request(admin, name, SCRIPT, [target])
    accepted(asker.exchange(first))
    refused(asker.exchange(asker.command_request(admin, name, SCRIPT,
                                                 [target])),
            "conflict", f"version 1 of {name} was saved by {admin.email} at")
    command = first.fields["command"]
    second = asker.command_request(admin, name, SCRIPT + b"#2\n", [target],
                                   version=2, command=command,
                                   previous=first.hash)
    rival = asker.command_request(admin, name, SCRIPT + b"#3\n", [target],
                                  version=2, command=command,
                                  previous=first.hash)
    asker.produce(second)
    asker.produce(rival)
    assert {asker.wait(second).status} == {"accepted"}
    refused(asker.exchange(rival), "conflict", f"version 2 of {name} was saved")
    other = asker.command_request(admin, fresh("c"), SCRIPT, [target],
                                  version=3, command=command,
                                  previous=second.hash)
    refused(asker.exchange(other), "invalid", "keeps its name")


def test_a_command_names_targets_that_are_there_and_waits_no_longer(
        asker, admin, target):
    short = fresh("t")
    accepted(asker.add_target(admin, short, 30))
    for targets, fields, part in [
            (["nowhere"], {}, "no target nowhere"),
            ([target, target], {}, "twice"),
            ([target, short], {"wait": 31}, f"target {short} allows"),
            ([], {}, "target")]:
        refused(asker.exchange(asker.command_request(
            admin, fresh("c"), SCRIPT, targets, **fields)), "invalid", part)


def test_a_large_command_is_saved_shown_in_parts_and_dispatched(
        house, asker, admin, session, target):
    script = b"#!/bin/sh\n" + b"# " + os.urandom(200_000).hex().encode() + b"\n"
    script = script[:400 * 1024 - 1] + b"\n"
    name = fresh("big")
    command = asker.save_command(admin, name, script, [target])
    shown = asker.ask("command.show", {"name": name}, session)
    assert len(shown.parts) > 1
    saved = next(Envelope.from_dsse(e) for e in shown.answer["envelopes"]
                 if e["payloadType"] == "errand.command.save.v1")
    assert unb64(saved.fields["script"]) == script
    run = asker.run_request(session, command, [target])
    accepted(asker.exchange(run))
    last = read_all(house.brokers, f"errand.dispatch.{target}.1")[-1]
    assert Envelope.from_record(last).fields["run"] == run.hash


def test_other_requests_are_small(asker, runner, command, target):
    run = asker.run_request(runner.session, command, [target],
                            {f"p{i}": "x" * 4000 for i in range(17)})
    refused(asker.exchange(run), "invalid", "at most 65536")


def test_a_pinned_version_runs(house, asker, admin, target):
    name = fresh("c")
    first = asker.command_request(admin, name, SCRIPT, [target])
    accepted(asker.exchange(first))
    command = first.fields["command"]
    second = asker.command_request(admin, name, SCRIPT + b"#2\n", [target],
                                   version=2, command=command,
                                   previous=first.hash)
    accepted(asker.exchange(second))
    runner = make_runner(asker, admin)
    refused(asker.assign(admin, runner.user, command, pin=3), "invalid",
            "no version 3")
    accepted(asker.assign(admin, runner.user, command, pin=1))
    reply = asker.exchange(asker.run_request(runner.session, command,
                                             [target]))
    assert accepted(reply).answer["run"]["version"] == 1


# Runs

def test_a_dispatch_carries_what_its_executor_checks(house, asker, runner,
                                                     command, target):
    run = asker.run_request(runner.session, command, [target])
    answer = accepted(asker.exchange(run)).answer
    message = read_all(house.brokers, f"errand.dispatch.{target}.1")[-1]
    dispatch = Envelope.from_record(message)
    fields = dispatch.fields
    proof = {e.hash: e for e in map(Envelope.from_dsse, fields["proof"])}
    enrol = proof[fields["by"]]
    assert dispatch.signed_by(unb64(enrol.fields["key"]))
    assert fields["execution"] == execution_id(run.fields["id"], run.hash, target)
    assert message.key().decode() == fields["execution"]
    assert answer["executions"][0]["execution"] == fields["execution"]
    assert answer["executions"][0]["silent"] is True
    assert fields["run"] == run.hash and fields["run"] in proof
    assert proof[fields["command"]].fields["command"] == command
    assert moment_ms(fields["expires"]) <= moment_ms(run.fields["deadline"])
    assert "errand.assignment.add.v1" in {e.type for e in proof.values()}
    headers = dict(message.headers())
    assert headers["ce_id"].decode() == fields["id"]
    assert headers["content-type"] == b"application/json"


@pytest.mark.parametrize("change, status, part", [
    ({"targets": []}, "invalid", "no target"),
    ({"targets": ["elsewhere"]}, "invalid", "not for target"),
    ({"arguments": {"what": "x"}}, "invalid", "what"),
    ({"deadline": moment(now_ms() + HOUR)}, "invalid", "deadline"),
    ({"deadline": moment(now_ms() - 1000)}, "stale", "deadline"),
])
def test_a_bad_run_says_what_is_wrong(house, asker, runner, command, target,
                                      change, status, part):
    fields = {**asker.run_request(runner.session, command, [target]).fields,
              **change}
    run = Envelope.of("run.start", fields, runner.session.key)
    refused(asker.exchange(run), status, part)
    events = [Envelope.from_record(m).fields for m in read_all(
        house.brokers, "errand.events")
              if ("ce_type", b"errand.run.refused.v1") in (m.headers() or [])]
    told = [e for e in events if e["subject"] == run.hash]
    assert len(told) == 1 and part in told[0]["detail"]


def test_a_target_has_its_two_topics_before_it_is_said(house, asker, admin):
    """They keep two and three times its longest wait, of a day at least."""
    name = fresh("t")
    accepted(asker.add_target(admin, name, 100))
    for kind, retention in ("dispatch", 2 * DAY), ("claims", 3 * DAY):
        topic = f"errand.{kind}.{name}.1"
        config = house.topic_config(topic)
        assert config["retention.ms"] == str(retention)
        assert config["message.timestamp.type"] == "LogAppendTime"
        assert len(house.partitions(topic)) == 1
    again = asker.add_target(admin, name, 100)
    assert (again.status, again.text) == ("ok", "unchanged")
    refused(asker.add_target(admin, name, 101), "conflict", name)


def enrol(asker, admin, kind, name, target=None, key=None):
    key = key or Key()
    return asker.ask("service.enrol", {
        "kind": kind, "name": name, "target": target, "key": b64(key.public),
        "box": b64(key.box)}, admin)


def test_a_daemon_is_enrolled_for_what_it_is(asker, admin, target):
    key, name = Key(), fresh("e")
    other = fresh("t")
    accepted(asker.add_target(admin, other))
    accepted(enrol(asker, admin, "executor", name, target, key))
    accepted(enrol(asker, admin, "executor", name, target))
    accepted(enrol(asker, admin, "scheduler", fresh("s")))
    for arguments, status, part in [
            (("authorizer", fresh("a")), "invalid", "root key"),
            (("executor", fresh("e")), "invalid", "for a target"),
            (("scheduler", fresh("s"), target), "invalid", "only executors"),
            (("executor", fresh("e"), "nowhere"), "not_found", "target add"),
            (("executor", fresh("e"), target, key), "conflict", f"{name}'s"),
            (("executor", name, other), "conflict", f"serves target {target}"),
    ]:
        refused(enrol(asker, admin, *arguments), status, part)


def test_each_change_is_told_once_and_alike(house, asker, admin, session,
                                            command, target):
    run = asker.run_request(session, command, [target])
    for _ in range(3):
        accepted(asker.exchange(run))
    told = [m for m in read_all(house.brokers, "errand.events")
            if run.hash.encode() in m.value()]
    assert len({m.value() for m in told}) == 1
    event = Envelope.from_record(told[0])
    assert event.type == "errand.run.accepted.v1"
    assert event.fields["run"] == run.fields["id"]
    assert told[0].key().decode() == run.fields["id"]


# Trouble

def test_a_bad_row_is_put_aside_and_the_others_are_decided(
        house, asker, admin, target):
    name = fresh("bad")
    house.change("CREATE OR REPLACE FUNCTION planted() RETURNS trigger LANGUAGE"
                 " plpgsql AS $$ BEGIN IF NEW.name LIKE 'bad%%' THEN RAISE"
                 " 'planted' USING ERRCODE = '23514'; END IF; RETURN NEW;"
                 " END $$")
    house.change("CREATE OR REPLACE TRIGGER planted BEFORE INSERT ON commands"
                 " FOR EACH ROW EXECUTE FUNCTION planted()")
    try:
        dead = Dead(house)
        good = [asker.command_request(admin, fresh("g"), SCRIPT, [target])
                for _ in range(5)]
        bad = asker.command_request(admin, name, SCRIPT, [target])
        for envelope in good[:2] + [bad] + good[2:]:
            asker.producer.produce("errand.requests", value=envelope.payload,
                                   headers=envelope.headers(),
                                   key=envelope.signatures[0][0])
        asker.producer.flush(10)
        waiting = {e.fields["id"] for e in good}
        for envelope in good:
            accepted(asker.exchange(envelope))
            waiting.discard(envelope.fields["id"])
        assert not waiting
        assert "planted" in dead.reason_of(bad.payload)
        assert decided(house, bad) is None
    finally:
        house.change("DROP TRIGGER planted ON commands")
    accepted(asker.exchange(bad))


def test_nothing_is_said_before_it_is_stored(house, asker, session, command,
                                             target):
    """The COMMIT fails, twice, as it may for any reason at all."""
    house.change("CREATE SEQUENCE planted")
    house.change("GRANT USAGE ON SEQUENCE planted TO errand_authorizer")
    house.change("CREATE OR REPLACE FUNCTION planted() RETURNS trigger LANGUAGE"
                 " plpgsql AS $$ BEGIN IF nextval('planted') <= 2 THEN RAISE"
                 " 'planted' USING ERRCODE = '40001'; END IF; RETURN NULL;"
                 " END $$")
    house.change("CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON runs"
                 " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                 " EXECUTE FUNCTION planted()")
    try:
        run = asker.run_request(session, command, [target])
        asker.produce(run)
        reply = accepted(asker.wait(run))
    finally:
        house.change("DROP TRIGGER planted ON runs")
        house.change("DROP SEQUENCE planted")
    assert house.rows("SELECT reply FROM requests WHERE id = %s",
                      run.fields["id"]) == [(reply.body,)]
    stored = house.rows("SELECT dispatch FROM executions WHERE run_id = %s",
                        run.fields["id"])[0][0]
    sent = [m.value() for m in read_all(house.brokers,
                                        f"errand.dispatch.{target}.1")
            if Envelope.from_record(m).fields["run"] == run.hash]
    assert sent == [Envelope.from_dsse(json.loads(stored)).payload]


def test_reading_everything_again_decides_nothing_again(house, asker, session,
                                                        command, target):
    # A scheduler's that was put aside, too early or too late, was not decided yet.
    counts = ("SELECT (SELECT count(*) FROM requests WHERE verb NOT IN"
              " ('run.advance', 'run.tick')), (SELECT count(*) FROM runs),"
              " (SELECT count(*) FROM executions), (SELECT count(*)"
              " FROM envelopes), (SELECT count(*) FROM users)")
    run = asker.run_request(session, command, [target])
    accepted(asker.exchange(run))
    before = house.rows(counts)
    every = {m.value(): m for m in read_all(house.brokers, "errand.requests")}
    for message in every.values():
        asker.producer.produce("errand.requests", value=message.value(),
                               headers=message.headers() or [],
                               key=message.key())
        asker.producer.poll(0)
    asker.producer.flush(30)
    last = asker.request("session.show", {}, session.by, session.key)
    accepted(asker.exchange(last, 60))
    accepted(asker.exchange(run, 60))
    grown = [b - a for a, b in zip(before[0], house.rows(counts)[0])]
    assert grown == [1, 0, 0, 0, 0]  # the last question


def test_silence_is_for_who_asks_nothing(asker):
    with pytest.raises(Silence):
        asker.wait(asker.request("session.show", {}, sha256(b"x"), Key()), 0.5)


def test_answers_are_json_that_others_read(asker, session):
    reply = asker.ask("user.list", {}, session)
    assert json.loads(reply.body) == reply.answer
