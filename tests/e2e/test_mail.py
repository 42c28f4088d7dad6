"""What people get by mail, as an SMTP server and a MIME parser of other people's
see it; and what becomes of it when the server is away, slow, refuses, or dies.

The faults are those of a server of the test's own (post.py): the stack's notifier
is told to send there for the time of those tests.
"""
import base64
import contextlib
import email.utils
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

import client
import post
from client import MINUTE, Envelope, Key, b64, moment, now_ms, user_id
from house import BIN, HOME, until
from terminal import Terminal
from test_joining import PASSWORD, Guest, folder, private, told  # pylint: disable=unused-import

INVITATION = "Your invitation to"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


CONFIG = HOME / "conf/notifier-1.ini"


def configured(settings):
    """The configuration of the stack's notifier, with these in [smtp]."""
    text = CONFIG.read_text()
    for name, value in settings.items():
        text = re.sub(f"^{name} = .*\n", "", text, flags=re.M)
        text = text.replace("[smtp]\n", f"[smtp]\n{name} = {value}\n")
    return text


def restart(house):
    """The supervisor starts another, which reads the file as it is now."""
    end(house, signal.SIGTERM)
    ready = HOME / "run/notifier-1.ready"
    until("it is ready", lambda: ready.exists() and ready.read_text().strip()
          == str(living(house)))


@contextlib.contextmanager
def notifier_with(house, **settings):
    """[smtp] settings of the stack's notifier, for the time of a block."""
    kept = CONFIG.read_text()
    CONFIG.write_text(configured(settings))
    try:
        restart(house)
        yield
    finally:
        CONFIG.write_text(kept)
        restart(house)


@pytest.fixture(scope="module")
def port(house):
    """Where the notifier sends to, instead of the stack's sink."""
    number = free_port()
    with notifier_with(house, url=f"smtp://127.0.0.1:{number}", timeout="3s",
                       retry_max="1s"):
        yield number


def invite(house, prefix="m", **flags):
    """Invites somebody new; their address."""
    address = f"{house.fresh(prefix)}@guests.example"
    more = [word for name, value in flags.items()
            for word in (f"--{name}", value)]
    done = house.submit("user", "invite", address, "--no-mfa", *more)
    assert done.returncode == 0, done.stderr
    return address


def user(house, address):
    rows = json.loads(house.submit("user", "list", "-o", "json").stdout)
    return next(row for row in rows if row["email"] == address)


def fate(house, address, word):
    """Once the mail's fate is that, the row of user list."""
    def is_so():
        row = user(house, address)
        return row if row.get("mail") == word else None
    return until(f"{address}: {word}", is_so)


# What is in it

def test_an_invitation_is_a_mail_as_others_read_it(house):
    done = house.submit("user", "invite", "Mixed.Case" + house.fresh("x") +
                        "@Guests.example", "--role", "runner", "--name",
                        'Björk "B" <Ægisdóttir>', "-o", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["mail"] is True and "code" not in said
    assert "a mail with the verification code is on its way" in \
        done.stderr.lower()
    mail = house.post.awaited(said["email"])
    assert not mail.defects and not any(p.defects for p in mail.walk())
    assert [p.get_content_type() for p in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html"]
    to = mail["To"].addresses[0]
    assert (to.display_name, to.addr_spec) == ('Björk "B" <Ægisdóttir>',
                                               said["email"])
    assert mail["From"].addresses[0].addr_spec == "errand@example.org"
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.org>", mail["Message-ID"])
    assert mail["Auto-Submitted"] == "auto-generated"
    invited = house.rows("SELECT decided_at FROM requests r JOIN users u ON"
                         " u.invite_hash = r.hash WHERE u.email = %s",
                         said["email"])[0][0]
    assert mail["Date"].datetime == invited.replace(microsecond=0)
    text = post.plain(mail)
    page = mail.get_body(("html",)).get_content()
    for part in (text, page):
        assert house.email_of("admin") in part
        assert "run the commands that are assigned" in " ".join(part.split())
        assert said["until"][:10] in part
        assert "did not expect this" in " ".join(part.split())
    assert "<Ægisdóttir>" not in page and "&lt;Ægisdóttir&gt;" in page
    assert fate(house, said["email"], "sent")["mail_at"]
    assert house.submit("user", "list").stdout.count("sent") >= 1


def test_the_block_names_brokers_root_and_code(house):
    address = invite(house)
    lines = dict(line.split(" = ", 1) for line in
                 house.post.block(address).splitlines() if " = " in line)
    assert lines["brokers"] == house.brokers
    assert lines["root"] == house.admin.init.fields["root"]
    raw = client.unbase32(lines["code"])
    assert raw[16:32].hex() == lines["root"][:32]


def test_every_line_is_within_the_bounds_of_mail(house):
    invite(house, name="ß" * 100)
    for path in house.post.files()[-3:]:
        for line in path.read_bytes().split(b"\r\n"):
            assert len(line) <= 78 or line.startswith(b"X-")
            assert b"\n" not in line and b"\r" not in line


@pytest.mark.parametrize("name", [
    "a\r\nBcc: c@d.example", "a\nb", "a\u202eb", "a\u200bb", "a\u2028b",
    "a\x85b", "x" * 101, "", "\U000e0041"])
def test_a_name_that_hides_something_is_refused_on_both_sides(house, name):
    address = f"{house.fresh('n')}@guests.example"
    done = house.submit("user", "invite", address, "--name", name)
    assert done.returncode == 65 and "name" in done.stderr
    reply = hand_made(house, address, name=name)
    assert reply.status == "invalid", reply


@pytest.mark.parametrize("address", [
    "a@b.example\r\nBcc: c@d.example", "а@b.example", "a@b\u202e.example",
    "a%0d%0aBcc:c@b", "a@b.example>", "a@=?utf-8?q?b?=", "a" * 65 + "@b",
    "\"a\"@b", "a@[127.0.0.1]"])
def test_an_address_that_hides_something_is_refused_on_both_sides(
        house, address):
    assert house.submit("user", "invite", address).returncode == 65
    assert hand_made(house, address).status == "invalid"


def hand_made(house, address, **fields):
    """user.invite by another client, whatever submit would say to it."""
    asker, key = house.asker(), Key()
    return asker.ask("user.invite", {
        "user": user_id(asker.root, key.public), "invitation": b64(key.public),
        "email": address, "role": "runner",
        "until": moment(now_ms() + 60 * MINUTE), **fields}, house.admin)


# What to do with it

def test_a_fresh_machine_needs_nothing_but_the_block(house, folder):
    guest = Guest(house, folder, "fresh")
    assert house.submit("user", "invite", guest.email, "--no-mfa").returncode == 0
    private(guest.code, house.post.block(guest.email))
    bare = {k: v for k, v in os.environ.items() if not k.startswith("ERRAND_")}
    bare.update(ERRAND_PROFILE=str(guest.profile), ERRAND_TEST_LOCK_COST="low")

    def submit(*words):
        return subprocess.run([BIN / "submit", *words], text=True,
                              env=bare, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=60)

    done = submit("verify", "--code-file", str(guest.code), "--password-file",
                  str(guest.password))
    assert done.returncode == 0, done.stderr
    assert f"bootstrap.servers = {house.brokers}\n" in \
        (guest.profile / "config").read_text()
    assert submit("whoami", "-o", "name").stdout.strip() == guest.email


def test_the_block_is_pasted_whole_at_the_prompt(house, folder):
    guest = Guest(house, folder, "paste")
    assert house.submit("user", "invite", guest.email, "--no-mfa").returncode == 0
    environment = {"ERRAND_PROFILE": str(guest.profile),
                   "ERRAND_TEST_LOCK_COST": "low", "HOME": str(folder)}
    with Terminal("verify", environment=environment) as seen:
        seen.asks("Verification code: ", house.post.block(guest.email))
        seen.asks("New password: ", PASSWORD.strip(), hidden=True)
        seen.asks("New password, again: ", PASSWORD.strip(), hidden=True)
        seen.sees(f"Signed in as {guest.email}").ends(0)


def test_a_block_that_was_cut_or_changed_is_told_before_anything(house, folder):
    guest = Guest(house, folder, "cut")
    assert house.submit("user", "invite", guest.email, "--no-mfa").returncode == 0
    block = house.post.block(guest.email)
    for spoilt, said in ((block.replace(house.brokers, "127.0.0.1:1"),
                          "checksum"),
                         (block[:block.index("check = ")], "incomplete")):
        private(guest.code, spoilt)
        told(guest.verify(), 65, said)
    assert not guest.profile.exists()


def test_without_a_notifier_the_code_is_printed_and_it_says_why(house, folder):
    kept = house.rows("SELECT * FROM services WHERE kind = 'notifier'")
    house.change("DELETE FROM services WHERE kind = 'notifier'")
    try:
        guest = Guest(house, folder, "hand")
        done = house.submit("user", "invite", guest.email, "--no-mfa", "-o", "json")
    finally:
        for row in kept:
            house.change("INSERT INTO services VALUES ("
                         + ", ".join(["%s"] * len(row)) + ")", *row)
    said = json.loads(done.stdout)
    assert said["mail"] is False and "No notifier is enrolled" in done.stderr
    private(guest.code, said["code"] + "\n")
    assert guest.verify().returncode == 0
    assert "mail" not in user(house, guest.email)
    assert not house.post.mails(guest.email)


def test_the_services_are_listed(house):
    rows = {row["name"]: row for row in json.loads(
        house.submit("service", "list", "-o", "json").stdout)}
    assert rows["notifier-1"]["kind"] == "notifier"
    assert rows["executor-1"]["target"] == "dev"
    assert "notifier-1" in house.submit("service", "list").stdout
    reply = house.asker().ask("service.list", {"kind": "notifier"}, house.admin)
    sent = {e.hash for e in map(Envelope.from_dsse, reply.answer["envelopes"])}
    assert {row["hash"] for row in reply.answer["services"]} <= sent
    assert {row["kind"] for row in reply.answer["services"]} == {"notifier"}


def sealed_to(house, email):
    """The ids of the box keys that an invitation's seed is sealed to."""
    (envelope,), = house.rows("SELECT e.envelope FROM users u JOIN envelopes e ON"
                              " e.hash = u.invite_hash WHERE u.email = %s", email)
    return [box["to"] for box in Envelope.from_dsse(json.loads(envelope)).fields["sealed"]]


def box_keys(house, name):
    (envelope,), = house.rows("SELECT e.envelope FROM services s JOIN envelopes e"
                              " USING (hash) WHERE s.name = %s", name)
    fields = Envelope.from_dsse(json.loads(envelope)).fields
    return [client.sha256(client.unb64(fields["box"]))]


def test_a_box_key_that_nobody_signed_gets_no_seed(house):
    """The database is the attacker's: a row without a chain is not believed."""
    target = house.rows("SELECT hash FROM services WHERE kind = 'executor'")[0]
    house.change("INSERT INTO services (hash, kind, name, key_id, enrolled_by,"
                 " enrolled_at) SELECT h.hash, 'notifier', 'thief', s.key_id,"
                 " s.enrolled_by, now() FROM services s, envelopes h WHERE"
                 " s.hash = %s AND h.type = 'errand.target.set.v1' LIMIT 1",
                 target[0])
    try:
        rows = json.loads(house.submit("service", "list", "-o", "json").stdout)
        assert {r["name"]: r["state"] for r in rows}["thief"] == "void"
        email = house.fresh("x") + "@b.example"
        assert house.submit("user", "invite", email).returncode == 0
        assert sealed_to(house, email) == box_keys(house, "notifier-1")
    finally:
        house.change("DELETE FROM services WHERE name = 'thief'")


# Who else is told

def about(house, address, subject):
    """The administrator's mails that speak of this address."""
    return [m for m in house.post.mails(house.email_of("admin"), subject)
            if address in post.plain(m)]


def test_the_inviter_is_told_at_once_who_followed(house, folder):
    guest = Guest(house, folder, "follow").joined()
    mail = until("the inviter's mail",
                 lambda: about(house, guest.email, "was followed"))[0]
    assert "six words" not in post.plain(mail)


def test_six_words_are_the_same_in_three_places(house, folder):
    guest = Guest(house, folder, "boss").invited("administrator")
    done = guest.verify("-o", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert re.fullmatch("(?:[a-z]{3,8} ){5}[a-z]{3,8}", said["words"])
    assert said["words"] in done.stderr
    assert re.fullmatch("(?:[0-9a-f]{4} ){7}[0-9a-f]{4}", said["fingerprint"])
    mail = until("the inviter's mail",
                 lambda: about(house, guest.email, "was followed"))[0]
    assert said["words"] in post.plain(mail).splitlines()
    done = house.submit("user", "confirm", guest.email, "--yes", "-o", "json")
    assert json.loads(done.stdout) == said
    assert said["words"] in done.stderr


def test_a_second_use_of_a_code_is_told_to_both_and_once(house, folder):
    guest = Guest(house, folder, "first").joined()
    for i in range(3):
        thief = Guest(house, folder, f"thief{i}")
        thief.code = guest.code
        told(thief.verify(), 65, "followed already")
    until("the invitee's mail",
          lambda: house.post.mails(guest.email, "used again"))
    until("the inviter's mail", lambda: about(house, guest.email, "used again"))
    later = invite(house)
    house.post.awaited(later)
    assert len(house.post.mails(guest.email, "used again")) == 1
    assert len(about(house, guest.email, "used again")) == 1


def test_a_new_invitation_goes_by_mail_too(house, folder):
    guest = Guest(house, folder, "again").invited()
    done = house.submit("user", "resend", guest.email)
    assert done.returncode == 0 and "on its way" in done.stderr, done.stderr
    private(guest.code, house.post.block(guest.email, 2))
    fate(house, guest.email, "sent")
    assert guest.verify().returncode == 0
    both = [m["Message-ID"] for m in house.post.mails(guest.email, INVITATION)]
    assert len(both) == len(set(both)) == 2


# What nobody signed is not mailed

def test_what_can_t_be_believed_goes_to_dead_and_the_rest_goes_on(house):
    asker = house.asker()
    victim = f"{house.fresh('v')}@guests.example"
    genuine = invite(house)
    said = next(m for m in client.read_all(house.brokers, "errand.events")
                if genuine.encode() in m.value()
                and header(m, "ce_type") == b"errand.user.invited.v1")
    fields = {**json.loads(said.value()), "id": client.uuid7(), "name": victim,
              "issued": moment(now_ms())}
    forged = Envelope.of("user.invited", fields, Key())
    dead = len(client.read_all(house.brokers, "errand.dead"))
    produce(asker, forged, said.key())
    asker.producer.produce("errand.events", b"no record", b"x")
    asker.producer.flush(10)
    until("two dead", lambda: len(client.read_all(
        house.brokers, "errand.dead")) >= dead + 2)
    assert house.post.awaited(invite(house))
    assert not house.post.mails(victim)


def header(message, name):
    return dict(message.headers() or []).get(name)


def produce(asker, envelope, key):
    headers = [("ce_specversion", "1.0"), ("ce_id", envelope.fields["id"]),
               ("ce_source", "thief"), ("ce_type", envelope.type),
               ("ce_time", envelope.fields["issued"]),
               ("content-type", "application/json")]
    for key_id, signature in envelope.signatures:
        headers += [("errand-key", key_id), ("errand-sig", b64(signature))]
    asker.producer.produce("errand.events", envelope.payload, key,
                           headers=headers)
    asker.producer.flush(10)


def test_a_fate_that_no_notifier_told_is_not_recorded(house):
    address = invite(house)
    sent = fate(house, address, "sent")
    said = next(m for m in client.read_all(house.brokers, "errand.events")
                if address.encode() in m.value()
                and header(m, "ce_type") == b"errand.mail.sent.v1")
    fields = {**json.loads(said.value()), "id": client.uuid7(),
              "mail": client.uuid7(), "reason": "forged"}
    dead = len(client.read_all(house.brokers, "errand.dead"))
    produce(house.asker(), Envelope.of("mail.refused", fields, Key()),
            said.key())
    until("it is dead", lambda: len(client.read_all(
        house.brokers, "errand.dead")) > dead)
    assert user(house, address) == sent


# P9

def test_the_seed_appears_nowhere_in_clear(house, folder):
    guest = Guest(house, folder, "canary").joined()
    fate(house, guest.email, "sent")
    code = guest.code.read_text().strip()
    seed = client.unbase32(code)[:16]
    needles = [seed, seed.hex().encode(), b64(seed).rstrip("=").encode()[:21],
               code.encode(), code.replace("-", "").encode()]

    def holds(data):
        return any(needle in data for needle in needles)

    assert holds(house.post.awaited(guest.email, INVITATION).as_bytes()
                 .replace(b"=\n", b"").replace(b"=\r\n", b"")), \
        "the search finds nothing, even where it is"
    topics = [t for t in house.kafka().list_topics(timeout=10).topics
              if t.startswith("errand.")]
    for topic in topics:
        for message in client.read_all(house.brokers, topic):
            assert not holds(message.value() or b""), topic
    admin = house.env("admin")
    dump = subprocess.run(
        ["pg_dump", "-U", "postgres"], check=True, capture_output=True,
        env={**os.environ, **admin, "PGUSER": "postgres"}).stdout
    text = dump.decode(errors="replace")
    assert not holds(dump)
    for found in re.findall(r"\\\\x([0-9a-f]{20,})", text):
        assert not holds(bytes.fromhex(found[:len(found) // 2 * 2]))
    for log in (HOME / "log").iterdir():
        assert not holds(log.read_bytes()), log
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert not holds(process.read_bytes())


# The server's moods

FOR_A_WHILE = ["4xx rcpt", "4xx data", "dies before", "dies after", "slow"]


@pytest.mark.parametrize("fault", FOR_A_WHILE)
def test_a_server_that_fails_for_a_while_gets_the_same_mail_again(
        house, port, fault):
    with post.Server(port) as server:
        server.faults = [fault]
        address = invite(house)
        fate(house, address, "delayed" if fault == "slow" else "sent")
        row = fate(house, address, "sent")
        assert server.tried >= 2 and not server.faults
        assert len(set(server.took)) == 1 and len(server.ids()) == 1
        assert "mail_reason" not in row
        until("all is quiet", lambda: waits(house) == 0)


def waits(house):
    """How many mails have no last word yet."""
    return house.rows("SELECT count(*) FROM mails WHERE fate = 'delayed'")[0][0]


@pytest.mark.parametrize("fault, said", [
    ("5xx rcpt", "550 5.1.1 no such user"), ("5xx data", "554 5.7.1 not this")])
def test_a_refusal_for_good_is_told_and_not_tried_again(house, port, fault,
                                                        said):
    with post.Server(port) as server:
        server.faults = [fault]
        refused = invite(house)
        row = fate(house, refused, "refused")
        assert said in row["mail_reason"]
        assert "refused: 55" in house.submit("user", "list").stdout
        fate(house, invite(house), "sent")
        assert server.tried == 2 and len(server.took) == 1


def test_a_server_that_is_away_loses_no_mail(house, port):
    addresses = [invite(house) for _ in range(3)]
    row = fate(house, addresses[0], "delayed")
    assert row["mail_reason"]
    with post.Server(port) as server:
        for address in addresses:
            fate(house, address, "sent")
        assert len(server.took) == len(server.ids()) == 3


def test_one_mail_that_waits_holds_up_no_other(house, port):
    with post.Server(port) as server:
        server.faults = ["4xx rcpt"]
        first = invite(house)
        until("it was tried", lambda: server.tried == 1)
        second = invite(house)
        fate(house, second, "sent")
        fate(house, first, "sent")
        assert [post.parsed(d)["To"].addresses[0].addr_spec
                for d in server.took] == [second, first]


def test_kill_9_in_the_middle_sends_no_second_one_that_looks_different(
        house, port):
    with post.Server(port) as server:
        server.faults = ["slow"]
        addresses = [invite(house)]
        until("it goes", lambda: server.tried == 1)
        kill(house)
        fate(house, addresses[0], "sent")
        for _ in range(4):
            addresses.append(invite(house))
            kill(house)
        for address in addresses:
            fate(house, address, "sent")
        assert len(server.ids()) == len(set(server.took)) == len(addresses)


def test_what_was_sent_is_not_sent_again_after_a_restart(house, port):
    """A mail that waits keeps the group's offset; those behind it were sent."""
    with post.Server(port) as server:
        server.put_off = "later"
        waiting = invite(house, "later")
        fate(house, waiting, "delayed")
        others = [invite(house)]
        while partition_of(house, others[-1]) != partition_of(house, waiting):
            others.append(invite(house))
        for address in others:
            fate(house, address, "sent")
        kill(house)
        fate(house, invite(house), "sent")
        assert len(server.took) == len(server.ids()) == len(others) + 1
        server.put_off = None
        fate(house, waiting, "sent")
        assert len(server.took) == len(server.ids()) == len(others) + 2


def partition_of(house, address):
    """Of errand.events, where the invitation was told."""
    return next(m.partition() for m in client.read_all(
        house.brokers, "errand.events") if address.encode() in m.value()
        and header(m, "ce_type") == b"errand.user.invited.v1")


def kill(house):
    """-9 for the notifier; until there is another."""
    end(house, signal.SIGKILL)


def end(house, how):
    before = until("a notifier", lambda: living(house))
    os.kill(before, how)
    until("another notifier", lambda: living(house) not in (None, before))


def living(house):
    """The notifier's pid; None while the supervisor starts it again."""
    try:
        return house.pid("notifier-1")
    except (OSError, ValueError):
        return None


# TLS and passwords

def test_starttls_and_a_password_from_a_file(house, tmp_path):
    number = free_port()
    tls = post.certificate(tmp_path)
    secret = private(tmp_path / "credentials", "errand\ncorrect horse\n")
    tmp_path.chmod(0o755)
    with notifier_with(
            house, url=f"smtp://127.0.0.1:{number}", tls="required",
            ca_file=tls[0], credentials_file=secret, retry_max="1s"):
        # In clear nothing is sent, neither mail nor password.
        with post.Server(number) as server:
            address = invite(house)
            row = fate(house, address, "delayed")
            assert "STARTTLS" in row["mail_reason"] and not server.took
        with post.Server(number, tls, ("errand", "another")) as server:
            until("it is refused", lambda: server.logins >= 1)
            assert not server.took
        with post.Server(number, tls, ("errand", "correct horse")) as server:
            fate(house, address, "sent")
            assert len(server.took) == 1
    for file in (HOME / "log").iterdir():
        assert b"correct horse" not in file.read_bytes()
        assert base64.b64encode(b"correct horse") not in file.read_bytes()


def test_a_certificate_that_nobody_vouches_for_gets_nothing(house, tmp_path):
    number = free_port()
    tls = post.certificate(tmp_path)
    with notifier_with(house, url=f"smtp://127.0.0.1:{number}",
                       tls="required", retry_max="1s"):
        with post.Server(number, tls) as server:
            address = invite(house)
            row = fate(house, address, "delayed")
            assert "certificate" in row["mail_reason"] and not server.took


@pytest.mark.parametrize("settings, said", [
    ({"tls": "none", "credentials_file": "x"}, "does not travel in clear"),
    ({"tls": "maybe"}, "expected required, optional or none"),
    ({"url": "http://127.0.0.1"}, "expected smtp://"),
    ({"from": "a@b\r"}, ""), ({"from": "nobody"}, "[smtp] from"),
])
def test_a_configuration_that_would_be_unsafe_is_refused(tmp_path, settings,
                                                         said):
    path = private(tmp_path / "notifier.ini", configured(settings))
    env = {k: v for k, v in os.environ.items() if "ERRAND_CONF" not in k}
    done = subprocess.run([BIN / "errand-notifier", "--config",
                           path], text=True, capture_output=True, check=False,
                          env=env, timeout=30)
    assert done.returncode in (1, 78) and said in done.stderr
