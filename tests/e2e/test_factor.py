"""test_factor.py: second factors, passwords and keys of people, from the
outside: codes by oathtool, boxes by PyNaCl, the QR code read by zbarimg.

Where a test would wait for the next code, it sets the last step back in the
database: only time is played there, never a verdict.
"""
import json
import os
import re
import subprocess
import urllib.parse

import pytest

import client
from client import HOUR, Key, accepted, b64, moment, now_ms, uuid7
from house import BIN, HOME, until
from second_factor import (Device, code, early_in_step, recovery_text, scan,
                           sealed, wrong)
from terminal import COLUMNS
from test_promises import beside, lag, shared, waiting
from test_terminal import PASSWORD, Profile


@pytest.fixture(scope="module")
def asker(house):
    return house.asker()


@pytest.fixture
def device(house, asker):
    """A runner with a second factor, whose next code is good."""
    person = asker.verify(asker.invite(house.admin, house.fresh("f") + "@x.example"))
    early_in_step()
    here = Device(asker, person).set_up()
    forget_step(house, person)
    return here


def forget_step(house, person):
    """As if its last code had been long ago."""
    house.change("UPDATE factors SET step = 0 WHERE user_id = %s", person.user)


def forget_wait(house, person):
    """As if its last failure had been hours ago."""
    house.change("UPDATE factors SET failed_at = now() - interval '2 hours'"
                 " WHERE user_id = %s", person.user)


def failures(house, person):
    return house.rows("SELECT failures FROM factors WHERE user_id = %s",
                      person.user)[0][0]


def refused(reply, status, part=""):
    assert reply.status == status, reply
    assert part in (reply.text or ""), reply
    return reply


# A session takes a code

def test_no_session_without_a_code(device):
    refused(device.open(), "code_wanted", "submit login")


def test_a_code_opens_one_session(device):
    given = code(device.secret)
    accepted(device.open(given))
    for _ in range(3):
        refused(device.open(given), "code_wanted", "used already")


@pytest.mark.parametrize("steps, good", [(-2, False), (-1, True), (1, True), (2, False)])
def test_one_step_either_side_is_good(device, steps, good):
    reply = device.open(code(device.secret, steps))
    assert (reply.status == "accepted") == good, reply


def test_the_same_request_again_is_answered_the_same(device):
    envelope = device.open_request(code(device.secret))
    first = accepted(device.asker.exchange(envelope))
    assert device.asker.exchange(envelope).body == first.body


def test_of_32_logins_at_once_with_one_code_one_succeeds(house, device, tmp_path):
    """Before two authorizers, both of which have read before either writes."""
    early_in_step(20)
    given = code(device.secret)
    asked = [device.open_request(given) for _ in range(32)]
    with beside(house, "authorizer", tmp_path):
        until("they share the partitions", lambda: shared(house), 30)
        with house.connect() as lock:
            lock.autocommit = False
            lock.execute("LOCK TABLE factors IN EXCLUSIVE MODE")
            for i, request in enumerate(asked):
                device.asker.producer.produce(
                    "errand.requests", request.payload, partition=i % 8,
                    headers=request.headers(), key=request.signatures[0][0])
            device.asker.producer.flush(10)
            until("both want to look", lambda: len(waiting(house, "authorizer")) == 2)
            lock.rollback()
        until("all are read", lambda: lag(house) == 0, 60)
    rows = until("all are decided", lambda: all_decided(house, asked))
    assert sorted(rows) == ["accepted"] + ["code_wanted"] * 31
    assert failures(house, device.person) == 0
    assert house.rows("SELECT count(*) FROM sessions WHERE user_id = %s",
                      device.person.user) == [(1,)]


def all_decided(house, asked):
    rows = house.rows("SELECT status FROM requests WHERE id = ANY(%s::uuid[])",
                      [a.fields["id"] for a in asked])
    return [r[0] for r in rows] if len(rows) == len(asked) else None


# Whom a box is for

@pytest.mark.parametrize("other", [
    {"request": uuid7()}, {"signer": Key().id}, {"name": uuid7()},
    {"purpose": "first code"}, {"purpose": "totp secret"},
    {"root": Key().id}])
def test_a_code_sealed_for_something_else_is_refused(house, device, other):
    (member,) = other
    refused(device.open(code(device.secret), **other), "invalid", member)
    assert failures(house, device.person) == 0
    accepted(device.open(code(device.secret)))


def test_a_box_of_another_login_is_no_code_here(device):
    """What was seen on the topic, put into a request of one's own."""
    seen = device.open_request(code(device.secret))
    refused(device.asker.exchange(device.open_with(
        seen.fields["code"], Key(), uuid7())), "invalid", "sealed box")


def test_a_box_for_another_authorizer_is_not_opened(device):
    stranger = Key()
    key, request = Key(), uuid7()
    content = device.content("second factor", code(device.secret).encode(), key.id,
                             request)
    refused(device.asker.exchange(device.open_with(
        sealed(content, [stranger.box]), key, request)), "code_wanted",
        "not sealed for the authorizer")
    (box,) = sealed(content, [stranger.box])
    named = {"recipient": client.sha256(device.boxes[0]), "box": box["box"]}
    refused(device.asker.exchange(device.open_with([named], key, uuid7())), "invalid")


# Back-off and lock

def test_wrong_codes_cost_time_and_then_the_factor(house, device):
    bad = wrong(device.secret)
    for _ in range(4):
        refused(device.open(bad), "code_wanted", "not good")
    refused(device.open(bad), "denied", "again in 20 s")
    reply = refused(device.open(code(device.secret)), "denied", "too many codes")
    assert re.search(r"again in (1\d|20) s", reply.text)
    assert failures(house, device.person) == 5
    forget_wait(house, device.person)
    refused(device.open(bad), "denied", "again in 40 s")
    for _ in range(13):
        forget_wait(house, device.person)
        refused(device.open(bad), "denied", "again in")
    forget_wait(house, device.person)
    refused(device.open(bad), "denied", "locked until an administrator resets it")
    forget_wait(house, device.person)
    refused(device.open(code(device.secret)), "denied", "locked")
    refused(device.open(recovery_text(device.codes[0])), "denied", "locked")
    assert failures(house, device.person) == 20


def test_a_good_code_makes_failures_forgotten(house, device):
    for _ in range(4):
        device.open(wrong(device.secret))
    accepted(device.open(code(device.secret)))
    assert failures(house, device.person) == 0


def test_a_reset_takes_the_factor_and_the_sessions(house, asker, device):
    person = device.signed_in(code(device.secret))
    reply = asker.ask("mfa.reset", {"user": person.user}, person)
    refused(reply, "denied")
    done = house.submit("user", "reset", person.email, "--mfa")
    assert done.returncode == 0, done.stderr
    refused(asker.ask("session.show", {}, person.session), "denied", "closed")
    refused(device.open(code(device.secret)), "set_up_wanted", "set up")
    device.fresh()
    key = Key()
    device.set_up(session=key)
    accepted(asker.exchange(device.open_request(key=key)))
    refused(device.open(), "code_wanted")
    done = house.submit("user", "reset", house.admin.email, "--mfa")
    assert done.returncode == 77 and "nobody resets their own" in done.stderr


# Recovery codes

def test_a_recovery_code_is_good_once(house, device):
    text = recovery_text(device.codes[3])
    accepted(device.open(text.upper().replace("-", " ")))
    refused(device.open(text), "code_wanted", "used already")
    assert failures(house, device.person) == 0
    refused(device.open(recovery_text(os.urandom(10))), "code_wanted", "not good")
    assert failures(house, device.person) == 1
    accepted(device.open(recovery_text(device.codes[4])))


def test_another_persons_recovery_code_is_none(house, asker, device):
    other = asker.verify(asker.invite(house.admin, house.fresh("g") + "@x.example"))
    theirs = Device(asker, other)
    theirs.codes = device.codes
    theirs.set_up()
    accepted(theirs.open(recovery_text(device.codes[0])))
    accepted(device.open(recovery_text(device.codes[0])))


# Setting up

def test_the_first_code_must_fit_the_new_secret(device, house, asker):
    person = asker.verify(asker.invite(house.admin, house.fresh("h") + "@x.example"))
    other = Device(asker, person)
    refused(asker.exchange(other.set_request(first=wrong(other.secret))),
            "code_wanted", "first code is not good")
    accepted(asker.open_session(person) and asker.ask("session.show", {}, person))


def test_another_factor_takes_a_code_of_the_first(house, device):
    old = device.secret
    device.fresh()
    refused(device.asker.exchange(device.set_request()), "code_wanted")
    refused(device.asker.exchange(device.set_request(current=code(device.secret))),
            "code_wanted", "not good")
    device.set_up(current=code(old))
    forget_step(house, device.person)
    refused(device.open(code(old)), "code_wanted", "not good")
    accepted(device.open(code(device.secret)))


def test_mfa_sets_own_code_opens_one_session_with_that_key_alone(house, asker):
    person = asker.verify(asker.invite(house.admin, house.fresh("i") + "@x.example"))
    device, key = Device(asker, person), Key()
    device.set_up(session=key)
    refused(device.open(), "code_wanted")
    accepted(asker.exchange(device.open_request(key=key)))
    refused(asker.exchange(device.open_request(key=key)), "invalid", "used before")


@pytest.mark.parametrize("change, part", [
    (lambda f: {"recovery": f["recovery"][:9]}, "9 recovery codes"),
    (lambda f: {"recovery": f["recovery"][:9] * 1 + f["recovery"][:1]}, "twice"),
    (lambda f: {"secret": f["code"]}, "purpose"),
    (lambda f: {"code": f["secret"]}, "purpose")])
def test_what_is_no_factor_is_refused(house, asker, change, part):
    person = asker.verify(asker.invite(house.admin, house.fresh("j") + "@x.example"))
    device = Device(asker, person)
    good = device.set_request()
    bad = asker.request("mfa.set", {
        **{k: good.fields[k] for k in ("secret", "code", "recovery")},
        **change(good.fields)}, person.by, person.key,
        request_id=good.fields["id"])
    refused(asker.exchange(bad), "invalid", part)
    assert not house.rows("SELECT 1 FROM factors WHERE user_id = %s", person.user)


# The own key alone

def test_an_own_key_without_a_session_changes_nothing(house, asker):
    """Else the second factor would guard runs, and not what runs."""
    admin = asker.verify(asker.invite(house.admin, house.fresh("k") + "@x.example",
                                      "administrator"))
    row = house.rows("SELECT key_id, verify_hash FROM users WHERE id = %s", admin.user)
    accepted(asker.ask("user.confirm", {
        "user": admin.user, "key": b64(admin.key.public),
        "verify": row[0][1].hex()}, house.admin))
    device = Device(asker, admin).set_up()
    forget_step(house, admin)
    name = house.fresh("t")
    refused(asker.add_target(admin, name), "code_wanted",
            "sign in with your second factor first")
    refused(asker.ask("user.list", {}, admin), "code_wanted")
    device.signed_in(code(device.secret))
    accepted(asker.add_target(admin, name))
    accepted(asker.ask("session.close", {"session": admin.session.by}, admin.session))
    refused(asker.ask("user.list", {}, admin), "code_wanted")


# P9

def test_nothing_of_it_is_in_clear_anywhere(house, device):
    """Topics, tables and logs; and the scan finds what is there."""
    given = code(device.secret)
    accepted(device.open(given))
    accepted(device.open(recovery_text(device.codes[0])))
    secrets = [device.raw, device.secret.encode(), b64(device.raw).encode(),
               device.raw.hex().encode()]
    for raw in device.codes:
        secrets += [raw, b64(raw).encode(), raw.hex().encode(),
                    recovery_text(raw).encode(),
                    recovery_text(raw).replace("-", "").encode()]
    planted = device.person.user.encode()
    places = everywhere(house)
    for secret in secrets:
        assert [n for n, data in places if secret in data] == []
    assert {"tables", "errand.requests", "errand.events"} <= {
        n for n, data in places if planted in data}


def everywhere(house):
    """(name, bytes) of all that is kept of a session."""
    admin = house.env("admin")
    dump = subprocess.run(
        ["pg_dump", "-h", admin["PGHOST"], "-U", "postgres", admin["PGDATABASE"]],
        capture_output=True, check=True, env={**os.environ, **admin}).stdout
    yield_places = [("tables", dump + dump.replace(b"\\\\x", b""))]
    for topic in ("errand.requests", "errand.replies", "errand.events", "errand.dead"):
        data = b"\n".join(m.value() + repr(m.headers()).encode()
                          for m in client.read_all(house.brokers, topic))
        yield_places.append((topic, data))
    for log in (HOME / "log").glob("*"):
        if log.is_file():
            yield_places.append((str(log), log.read_bytes()))
    return yield_places


@pytest.mark.parametrize("there", [False, True], ids=["none", "another"])
def test_an_authorizer_with_another_factor_key_does_not_start(
        house, device, tmp_path, there):
    """Nor does it make one where secrets are stored already."""
    key = tmp_path / "factor.key"
    if there:
        key.write_text(b64(os.urandom(32)) + "\n")
        key.chmod(0o600)
    config = tmp_path / "authorizer.ini"
    text = (HOME / "conf/authorizer-1.ini").read_text()
    config.write_text(f"{text}[authorizer]\nfactor_key = {key}\n")
    done = subprocess.run([BIN / "errand-authorizer", "--config", config],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert "second factors are stored under another key" in done.stderr
    assert key.exists() == there


# At a terminal

@pytest.fixture
def fresh(house, tmp_path):
    return Profile(house, tmp_path / "profile")


def invited(house, email, *more):
    done = house.submit("user", "invite", email, "-o", "name", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() if "@" not in email else house.post.code(email)


def begins(house, profile, background=0):
    """Follows an invitation as far as the QR code; the terminal, and the secret
    that is read beside it."""
    profile.email = f"{house.fresh('p')}@example.org"
    seen = profile.at_terminal("verify")
    seen.asks("Verification code: ", invited(house, profile.email))
    seen.asks("New password: ", PASSWORD, hidden=True)
    seen.asks("New password, again: ", PASSWORD, hidden=True)
    return sees_secret(seen)


def sees_secret(seen):
    seen.sees("First code: ")
    return seen, re.search(r"^Secret: ([A-Z2-7]{32})$", seen.text, re.M).group(1)


def recovery_of(seen):
    return re.findall(r"^ +((?:[a-z2-7]{5}-){4}[a-z2-7]{3})$", seen.text, re.M)


@pytest.fixture(scope="module")
def member(house, tmp_path_factory):
    """Somebody who set up a second factor while following an invitation."""
    them = Profile(house, tmp_path_factory.mktemp("member") / "profile")
    early_in_step()
    seen, them.secret = begins(house, them)
    with seen:
        seen.types(code(them.secret)).ends(0)
    them.first_screen = seen
    them.recovery = recovery_of(seen)
    them.user = house.rows("SELECT id::text FROM users WHERE email = %s",
                           them.email)[0][0]
    return them


def test_a_first_day_has_a_qr_code_a_first_code_and_ten_recovery_codes(
        house, member, tmp_path):
    seen = member.first_screen
    assert f"Signed in as {member.email} (runner)" in seen.text
    assert len(set(member.recovery)) == 10
    told = json.loads(member.piped("whoami", "-o", "json").stdout)
    assert (told["mfa"], told["state"]) == ("on", "active")
    assert told.get("service", False) is False


@pytest.mark.parametrize("background", [0, 255], ids=["dark", "light"])
def test_the_qr_code_is_read_by_zbar(house, member, tmp_path, background):
    read = scan(member.first_screen.screen, COLUMNS, tmp_path, background)
    uri = urllib.parse.urlsplit(read)
    query = urllib.parse.parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp"), read
    root = house.admin.init.fields["root"]
    assert urllib.parse.unquote(uri.path) == f"/Errand {root[:8]}:{member.email}"
    assert query == {"secret": [member.secret], "issuer": [f"Errand {root[:8]}"]}


def test_without_colour_it_is_read_on_a_dark_terminal(house, fresh, tmp_path):
    fresh.env["NO_COLOR"] = "1"
    seen, secret = begins(house, fresh)
    with seen:
        assert b"\x1b[38" not in seen.bytes
        assert secret in scan(seen.screen, COLUMNS, tmp_path)


def test_a_wrong_first_code_is_asked_for_again(house, fresh):
    seen, secret = begins(house, fresh)
    with seen:
        seen.types(wrong(secret)).asks("First code: ", "hello")
        seen.sees("First code: ").types(code(secret)).ends(0)
    assert "not the code that belongs to this secret" in seen.text
    assert len(recovery_of(seen)) == 10


def test_what_breaks_off_at_the_qr_code_goes_on_at_the_next_login(house, fresh):
    seen, _ = begins(house, fresh)
    with seen:
        seen.presses("c").ends(75)
    done = fresh.piped("whoami")
    assert done.returncode == 77
    with fresh.at_terminal("login") as again:
        again.asks("Password", PASSWORD, hidden=True)
        again, secret = sees_secret(again)
        again.types(code(secret)).ends(0)
    assert len(recovery_of(again)) == 10
    assert json.loads(fresh.piped("whoami", "-o", "json").stdout)["mfa"] == "on"


def signs_out(house, member):
    member.sign_out()
    forget_step(house, member)


def test_a_login_asks_for_a_code(house, member):
    signs_out(house, member)
    early_in_step()
    with member.at_terminal("login", "--ttl", "1h") as seen:
        seen.asks("Password", PASSWORD, hidden=True)
        seen.asks("Code of your second factor: ", wrong(member.secret))
        seen.asks("Code of your second factor: ", code(member.secret)).ends(0)
    assert "the code is not good" in seen.text
    until_ms = client.moment_ms(json.loads(
        member.piped("whoami", "-o", "json").stdout)["until"])
    assert 0.9 * HOUR < until_ms - now_ms() < 1.1 * HOUR


def test_any_verb_signs_in_with_a_code(house, member):
    signs_out(house, member)
    with member.at_terminal("list") as seen:
        seen.asks("Password", PASSWORD, hidden=True)
        seen.asks("Code of your second factor: ", code(member.secret)).ends(0)


def test_a_login_takes_the_code_from_a_file(house, member, tmp_path):
    signs_out(house, member)
    file = tmp_path / "code"
    for given, status in ((wrong(member.secret), 77), (code(member.secret), 0)):
        file.write_text(given + "\n")
        file.chmod(0o600)
        done = member.piped("login", "--code-file", str(file), "--password-file",
                            password_file(tmp_path, PASSWORD))
        assert done.returncode == status, done.stderr
    signs_out(house, member)
    done = member.piped("login", "--code-file", "-", "--password-file",
                        password_file(tmp_path, PASSWORD),
                        given=member.recovery[0] + "\n")
    assert done.returncode == 0, done.stderr


def password_file(folder, password, name="password"):
    path = folder / name
    path.write_text(password + "\n")
    path.chmod(0o600)
    return str(path)


def test_where_nobody_can_be_asked_it_is_said_what_to_do(house, member, tmp_path):
    signs_out(house, member)
    done = member.piped("login", "--password-file",
                        password_file(tmp_path, PASSWORD))
    assert done.returncode == 77
    assert "--code-file" in done.stderr


def test_mfa_setup_again_wants_a_code_of_the_first(house, member):
    signs_out(house, member)
    early_in_step(12)
    with member.at_terminal("mfa", "setup") as seen:
        seen.asks("Password", PASSWORD, hidden=True)
        seen.asks("Code of your present second factor: ", member.recovery[1])
        seen, secret = sees_secret(seen)
        assert secret != member.secret
        seen.types(code(secret)).ends(0)
    member.secret, member.recovery = secret, recovery_of(seen)
    done = member.piped("mfa", "status")
    assert "on: a session takes a code" in done.stdout


# The organisation's policy

@pytest.fixture
def policy(house):
    """What a test sets is taken back."""
    yield
    done = house.submit("policy", "set", "mfa=optional", "password.min=15",
                        "session.ttl=8h", "invitation.ttl=3d")
    assert done.returncode == 0, done.stderr


def test_a_policy_says_what_holds(house, policy):
    done = house.submit("policy", "set", "password.min=20", "session.ttl=1h")
    assert done.returncode == 0, done.stderr
    told = json.loads(house.submit("policy", "list", "-o", "json").stdout)
    assert {r["name"]: r["value"] for r in told} == {
        "mfa": "optional", "password.min": "20", "session.ttl": "1h",
        "invitation.ttl": "3d", "keep": "forever"}
    for bad in ("session.ttl=9h", "invitation.ttl=73h", "password.min=14", "mfa=no",
                "colour=red", "mfa"):
        assert house.submit("policy", "set", bad).returncode in (64, 65), bad


def test_a_required_second_factor_is_required(house, asker, policy):
    person = asker.verify(asker.invite(house.admin, house.fresh("m") + "@x.example"))
    session = asker.open_session(person)
    machine = Machine(house, asker)
    assert house.submit("policy", "set", "mfa=required").returncode == 0
    done = house.submit("user", "invite", "x@x.example", "--no-mfa")
    assert done.returncode == 65 and "requires a second factor" in done.stderr
    refused(asker.exchange(asker.session_request(person, Key())), "set_up_wanted")
    accepted(asker.ask("session.show", {}, session))  # which was open before
    key = Key()
    Device(asker, person).set_up(session=key)
    accepted(asker.exchange(asker.session_request(person, key)))
    accepted(asker.exchange(asker.session_request(machine.person, Key())))
    rows = json.loads(house.submit("user", "list", "-o", "json").stdout)
    assert {r["email"]: r["mfa"] for r in rows}[machine.person.email] == "exempt"


class Machine:
    """A machine identity, by hand."""

    def __init__(self, house, asker):
        key = Key()
        user = client.user_id(asker.root, key.public)
        name = house.fresh("machine-")
        envelope = asker.request("user.invite", {
            "user": user, "invitation": b64(key.public), "email": name,
            "role": "runner", "until": moment(now_ms() + HOUR), "service": True},
            house.admin.by, house.admin.key)
        accepted(asker.exchange(envelope))
        self.person = asker.verify(client.Invitation(key, user, name, envelope))


def test_a_session_ends_when_the_policy_says(house, asker, policy):
    person = asker.verify(asker.invite(house.admin, house.fresh("n") + "@x.example"))
    assert house.submit("policy", "set", "session.ttl=2m").returncode == 0
    session = asker.open_session(person)
    until_ms = client.moment_ms(accepted(
        asker.ask("session.show", {}, session)).answer["until"])
    assert 100_000 < until_ms - now_ms() <= 120_000
    house.change("UPDATE sessions SET until = now() - interval '1 s' WHERE hash = %s",
                 bytes.fromhex(session.by))
    refused(asker.ask("session.show", {}, session), "denied", "ended")


def test_policies_are_a_chain(house, asker, policy):
    rules = {"mfa": "optional", "password_min": 15, "session_ttl": 28800,
             "invitation_ttl": 259200}
    now = accepted(asker.ask("policy.list", {}, house.admin)).answer
    nxt = {"version": now.get("version", 0) + 1, "previous": now.get("hash"),
           "rules": rules}
    refused(asker.ask("policy.set", {**nxt, "version": nxt["version"] + 1},
                      house.admin), "conflict")
    refused(asker.ask("policy.set", {**nxt, "previous": Key().id}, house.admin),
            "conflict")
    accepted(asker.ask("policy.set", nxt, house.admin))
    refused(asker.ask("policy.set", nxt, house.admin), "conflict", "changed meanwhile")


# Machines

def test_a_machine_has_no_password_and_no_factor(house, fresh):
    name = house.fresh("backup-")
    shown = invited(house, name, "--service")
    done = fresh.piped("verify", "--code-file", "-", given=shown + "\n")
    assert done.returncode == 0, done.stderr
    assert "machine identity" in done.stderr
    key = json.loads((fresh.path / "key.json").read_text())
    assert "seeds" in key and (fresh.path / "key.json").stat().st_mode & 0o777 == 0o600
    told = json.loads(fresh.piped("whoami", "-o", "json").stdout)
    assert (told["email"], told["mfa"], told["service"]) == (name, "exempt", True)
    fresh.sign_out()
    assert fresh.piped("list").returncode == 0  # signs in by itself
    rows = house.submit("user", "list").stdout
    assert re.search(rf"^{name} +- +service +runner +exempt", rows, re.M), rows
    command = house.command("echo hello")
    done = house.submit("assign", "add", command, name)
    assert done.returncode == 0, done.stderr
    assert command in fresh.piped("list").stdout


@pytest.mark.parametrize("words", [
    ("m1", "--service", "--role", "administrator"), ("m1", "--service", "--mfa"),
    ("m1",), ("a@b.example", "--mfa", "--no-mfa")])
def test_what_is_no_machine_nor_person_is_not_invited(house, words):
    assert house.submit("user", "invite", *words).returncode in (64, 65)


def test_a_machine_is_a_runner_whoever_signs(house, asker):
    key = Key()
    for more in ({"role": "administrator"}, {"role": "runner", "mfa": True}):
        reply = asker.ask("user.invite", {
            "user": client.user_id(asker.root, key.public),
            "invitation": b64(key.public), "email": "m2",
            "until": moment(now_ms() + HOUR), "service": True, **more}, house.admin)
        refused(reply, "invalid", "machine identity")
