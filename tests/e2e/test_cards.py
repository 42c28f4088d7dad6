"""Payment cards: sealed on the person's machine to a key that no server has, in
an order that each person signs; opened at the other end, and by PyNaCl too."""
import base64
import json
import os
import pathlib
import re
import resource
import signal
import subprocess

import nacl.public
import pytest

import client
from house import BIN, HOME, until
from terminal import Terminal
from test_promises import next_of, standing

PASSWORD = "nail tropic verbal gnome quilt"
BILLING_PASSWORD = "ochre pylon dampen fiddle swarm"
VISA, MASTER, AMEX = "4242424242424242", "2223003122003222", "378282246310005"
YEAR = int(client.moment(client.now_ms())[:4]) + 2


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


class Payer:
    """Somebody with a profile that unlocks itself, and their key in Python."""

    def __init__(self, house, folder, role="runner_billing", confirmed=True):
        self.house = house
        self.folder = folder
        self.email = f"{house.fresh('payer')}@example.org"
        self.profile = folder / self.email
        folder.mkdir(mode=0o700, exist_ok=True)
        self.password = private(folder / "password", PASSWORD + "\n")
        done = house.submit("user", "invite", self.email, "--role", role, "--no-mfa")
        assert done.returncode == 0, done.stderr
        code = private(folder / "code", house.post.code(self.email))
        done = self.submit("verify", "--code-file", code, "--password-file",
                           self.password)
        assert done.returncode == 0, done.stderr
        config = self.profile / "config"
        config.write_text(config.read_text() +
                          f"[profile]\npassword_file = {self.password}\n")
        if role == "administrator" and confirmed:
            assert house.submit("user", "confirm", self.email,
                                "--yes").returncode == 0
        self.person = client.Person.read(self.profile, self.email, PASSWORD)

    @property
    def env(self):
        return {"ERRAND_PROFILE": str(self.profile),
                "ERRAND_BROKERS": self.house.brokers,
                "ERRAND_TEST_LOCK_COST": "low", "HOME": str(self.folder)}

    def submit(self, *words, given=None):
        """With no terminal anywhere."""
        return subprocess.run(
            [BIN / "submit", *map(str, words)], input=given or "", text=True,
            capture_output=True, start_new_session=True, timeout=60,
            check=False, env={**os.environ, **self.env})

    def at_terminal(self, *words):
        return Terminal(*words, environment=self.env)

    def adds(self, number=VISA, name="Ann Alda", expiry=None):
        done = self.submit("card", "add", "--file", "-", given="\n".join(
            [number, name, expiry or f"12/{YEAR}"]) + "\n")
        assert done.returncode == 0, done.stderr
        return self

    def cards(self, *more):
        done = self.submit("card", "list", "-o", "json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def payer(house, tmp_path):
    tmp_path.chmod(0o700)
    return Payer(house, tmp_path)


@pytest.fixture(scope="module")
def billing(house, tmp_path_factory):
    for table in ("card_steps", "cards"):  # the stack may be an old one
        house.change(f"DELETE FROM {table}")
    return Billing(house, tmp_path_factory.mktemp("billing"))


class Billing:
    """A billing key of the newest generation, and what it opens."""

    def __init__(self, house, folder):
        self.house = house
        self.key = folder / "billing.key"
        self.password = private(folder / "billing.password",
                                BILLING_PASSWORD + "\n")
        done = house.submit("billing", "init", "--out", str(self.key),
                            "--billing-password-file", str(self.password))
        assert done.returncode == 0, done.stderr
        self.pair = client.Key.read(self.key, BILLING_PASSWORD)

    def export(self, *more):
        return self.house.submit(
            "billing", "export", "--key", str(self.key),
            "--billing-password-file", str(self.password), *more)

    def lines_of(self, payer, *more):
        done = self.export("--keep-going", *more)
        return [line for line in map(json.loads, done.stdout.splitlines())
                if line["email"] == payer.email]


def told(done, status, *words):
    assert done.returncode == status, (done.stdout, done.stderr)
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_card_goes_sealed_from_its_owner_to_who_does_the_payments(
        house, payer, billing):
    done = payer.submit("card", "list")
    assert done.returncode == 0 and "no cards" in done.stderr
    payer.adds(VISA, "Ann Alda").adds(AMEX, "A. Alda", f"01/{YEAR % 100}")
    visa, amex = payer.cards()
    assert (visa["brand"], visa["last4"], visa["expiry"], visa["default"]) == (
        "visa", "4242", f"{YEAR}-12", True)
    assert (amex["brand"], amex["last4"], amex["expiry"], amex["default"]) == (
        "amex", "0005", f"{YEAR}-01", False)
    one, two = billing.lines_of(payer)
    assert one == {"number": VISA, "name": "Ann Alda", "expiry": f"{YEAR}-12",
                   "brand": "visa", "email": payer.email,
                   "user": payer.person.user, "card": visa["card"],
                   "default": True, "added": visa["added"]}
    assert (two["number"], two["default"]) == (AMEX, False)


def test_other_peoples_library_opens_the_box(house, payer, billing):
    payer.adds(VISA)
    [[box, envelope]] = house.rows(
        "SELECT c.box, e.envelope FROM cards c JOIN envelopes e USING (hash) "
        "JOIN users u ON u.id = c.user_id WHERE u.email = %s", payer.email)
    step = client.Envelope.from_dsse(json.loads(envelope))
    assert step.signed_by(payer.person.key.public)
    assert client.unb64(step.fields["box"]) == box
    inside = json.loads(billing.pair.open(box))
    assert {k: inside[k] for k in ("root", "purpose", "signer", "request",
                                   "recipient", "name")} == {
        "root": payer.person.init.fields["root"], "purpose": "card",
        "signer": payer.person.key.id, "request": step.fields["id"],
        "recipient": client.sha256(billing.pair.box),
        "name": payer.person.user}
    assert json.loads(client.unb64(inside["value"])) == {
        "number": VISA, "name": "Ann Alda", "expiry": f"{YEAR}-12"}


# By hand, by other people's libraries

class Hand:
    """Makes a payer's steps itself, as they should be or not."""

    def __init__(self, house, payer, billing):
        self.asker = house.asker()
        self.payer = payer
        self.billing = billing
        [[self.key_hash]] = house.rows(
            "SELECT encode(hash, 'hex') FROM billing_keys "
            "ORDER BY generation DESC LIMIT 1")
        self.number, self.previous = 1, None

    def box(self, request_id, number=VISA, **changes):
        inside = {"root": self.asker.root, "purpose": "card",
                  "signer": self.payer.person.key.id, "request": request_id,
                  "recipient": client.sha256(self.billing.pair.box),
                  "name": self.payer.person.user, **changes,
                  "value": client.b64(json.dumps(
                      {"number": number, "name": "Ann Alda",
                       "expiry": f"{YEAR}-12"}).encode())}
        key = nacl.public.PublicKey(self.billing.pair.box)
        return client.b64(nacl.public.SealedBox(key).encrypt(
            json.dumps(inside).encode()))

    def add(self, who=None, box=None, **fields):
        """The envelope of a card.add."""
        request_id, who = client.uuid7(), who or self.payer.person
        return self.asker.request("card.add", {
            "number": self.number, "previous": self.previous,
            "billing": self.key_hash, "box": box or self.box(request_id),
            "brand": "visa", "last4": "4242", "expiry": f"{YEAR}-12", **fields},
            who.by, who.key, request_id=request_id)

    def sends(self, envelope):
        reply = self.asker.exchange(envelope)
        if reply.status == "accepted":
            self.number, self.previous = self.number + 1, envelope.hash
        return reply


def test_a_card_that_was_sealed_by_hand_is_exported(house, payer, billing):
    hand = Hand(house, payer, billing)
    assert hand.sends(hand.add()).status == "accepted"
    [line] = billing.lines_of(payer)
    assert (line["number"], line["name"]) == (VISA, "Ann Alda")


def test_only_the_own_key_signs_and_only_the_next_step(house, payer, billing):
    hand = Hand(house, payer, billing)
    session = hand.asker.open_session(payer.person)
    reply = hand.sends(hand.add(who=session))
    assert reply.status == "denied" and "session's key" in reply.text
    first = hand.add()
    assert hand.sends(first).status == "accepted"
    again = hand.asker.exchange(first)  # replayed: the same answer, no new card
    assert again.status == "accepted" and len(payer.cards()) == 1
    for place in ({"number": 1}, {"number": 3}, {"previous": client.ZERO},
                  {"previous": hand.key_hash}):
        assert hand.sends(hand.add(**place)).status == "conflict"
    assert hand.sends(hand.add(billing=client.ZERO[:-1] + "1")).status == "conflict"
    for label in ({"last4": "424"}, {"last4": "42a2"}, {"expiry": "2027-13"},
                  {"expiry": "12/2027"}):
        assert hand.sends(hand.add(**label)).status == "invalid"
    assert len(payer.cards()) == 1


def test_nobody_names_anothers_card(house, payer, billing, tmp_path):
    other = Payer(house, tmp_path / "other")
    payer.adds()
    hand = Hand(house, other, billing)
    reply = hand.asker.ask("card.remove", {
        "number": 1, "card": payer.cards()[0]["card"]}, other.person)
    assert reply.status == "not_found"
    told(other.submit("card", "list", "--user", payer.email), 67, "not yours")
    assert other.cards() == []
    done = house.submit("card", "list", "--user", payer.email, "-o", "json")
    assert [c["last4"] for c in json.loads(done.stdout)] == ["4242"]


# Roles

def test_a_runner_without_billing_gets_no_card_verb(house, billing, tmp_path):
    runner = Payer(house, tmp_path, "runner")
    for words in (["card", "add", "--file", "-"], ["card", "list"],
                  ["card", "remove", "4242"], ["card", "default", "4242"],
                  ["billing", "init", "--out", "x"]):
        told(runner.submit(*words, given=f"{VISA}\nAnn\n12/{YEAR}\n"), 77)
    hand = Hand(house, runner, billing)
    reply = hand.sends(hand.add())
    assert reply.status == "denied" and "role runner" in reply.text
    for kind in ("billing.show", "card.list", "card.export"):
        assert hand.asker.ask(kind, {}, runner.person).status == "denied"
    text = runner.submit("help").stdout
    assert "run COMMAND" in text and "login" in text
    assert not re.search(r"^  (card|billing|user|command|init)\b", text, re.M)
    assert "dministrators\n" not in text
    told(runner.submit("help", "card", "add"), 77, "not for you")
    told(runner.submit("help", "card"), 77, "not for you")


def test_a_runner_with_billing_sees_an_empty_list_and_the_cards(payer):
    done = payer.submit("list", "-o", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    for words in (["user", "list"], ["target", "list"],
                  ["billing", "init", "--out", "key"]):
        assert payer.submit(*words).returncode == 77
    text = payer.submit("help").stdout
    assert "card add" in text and "run COMMAND" in text
    assert not re.search(r"^  (billing|user|command|init)\b", text, re.M)


def test_who_opens_must_be_an_administrator(house, payer, billing):
    hand = Hand(house, payer, billing)
    assert hand.asker.ask("card.export", {}, payer.person).status == "denied"
    assert hand.asker.ask("billing.init", {
        "box": client.b64(bytes(31) + b"x"), "generation": 99},
        payer.person).status == "denied"


# What is typed

def test_what_is_typed_wrong_is_told_and_nothing_repeats_the_number(
        payer, billing):
    for text, status, words in (
            (f"{VISA[:-1]}1\nAnn\n12/30", 65, "mistyped"),
            (f"{VISA}123\nAnn\n12/30", 65, "security code"),
            (f"{AMEX}1234\nAnn\n12/30", 65, "security code"),
            (f"{VISA}\nAnn\n12/30\n123", 65, "security code"),
            (f"{VISA}\n123\n12/30", 65, "security code"),
            (f"{VISA}\nAnn\n12/20", 65, "expired"),
            (f"{VISA}\nAnn", 65, "three lines"),
            (json.dumps({"number": VISA, "name": "Ann", "expiry": "12/30",
                         "cvc": "123"}), 65, "security code"),
            (json.dumps({"number": VISA, "name": "Ann"}), 65, "three texts")):
        done = payer.submit("card", "add", "--file", "-", given=text)
        told(done, status, words)
        assert VISA[:12] not in done.stderr + done.stdout
    assert payer.cards() == []


@pytest.mark.parametrize("words", [
    [VISA], VISA[:4].split() * 4, ["--number", VISA], [f"--number={VISA}"],
    ["--cvv", "123"], ["--cvc=123"], ["--security-code", "123"]])
def test_nothing_of_a_card_is_taken_from_the_command_line(payer, billing, words):
    done = payer.submit("card", "add", *words)
    told(done, 64, "security code" if "c" in words[0] else "read by others")
    assert VISA[:12] not in done.stderr


def test_a_card_comes_from_a_private_file_as_json_or_lines(payer, billing):
    path = private(payer.folder / "card", json.dumps(
        {"number": "4242-4242 42424242", "name": "Ann", "expiry": f"12/{YEAR}"}))
    assert payer.submit("card", "add", "--file", path).returncode == 0
    path.chmod(0o644)
    told(payer.submit("card", "add", "--file", path), 66, "chmod 600")
    done = payer.submit("card", "add", "-", given=f"{MASTER}\nAnn\n12/{YEAR}\n")
    assert done.returncode == 0, done.stderr
    assert [c["brand"] for c in payer.cards()] == ["visa", "mastercard"]
    told(payer.submit("card", "add"), 77, "--file FILE")


def test_at_a_terminal_a_number_is_grouped_checked_and_covered(payer, billing):
    with payer.at_terminal("card", "add") as seen:
        seen.sees("Card number: ")
        assert seen.child.waitnoecho(5), "the terminal echoes"
        seen.child.send("42")
        seen.sees("Visa")
        seen.child.send("42-4242x4242 4241")
        seen.sees("4242 4242 4242 4241")
        seen.types("")
        seen.sees("mistyped")
        seen.sees("4242 4242 4242 4241")
        seen.types("\x7f2123")
        seen.sees("security code")
        seen.child.send("\x1b[D\x7f\x7f\x7f")
        seen.sees("4242 4242 4242 4242")
        seen.types("")
        seen.sees("Card number: **** **** **** 4242  Visa")
        seen.asks("Name on the card: ", "Ann Alda")
        seen.asks("Expires (MM/YY): ", "13/30")
        seen.sees("no such month")
        seen.asks("Expires (MM/YY): ", f"12/{YEAR % 100}")
        seen.sees("Visa ending in 4242 is added as your default card")
        seen.ends(0)
    assert "4242 4242" not in seen.text and VISA not in seen.text
    assert "123" not in seen.text.replace(payer.email, "")
    [line] = billing.lines_of(payer)
    assert line["number"] == VISA


def test_an_amex_is_grouped_as_it_is_printed_and_cleared_at_once(payer, billing):
    with payer.at_terminal("card", "add") as seen:
        seen.sees("Card number: ")
        seen.child.send("4242\x15" + AMEX)
        seen.sees("3782 822463 10005")
        seen.sees("American Express")
        seen.presses("c")
        seen.sees("broken off")
        seen.ends(75)
    assert "3782" not in seen.text.replace(payer.email, "")
    assert payer.cards() == []


def test_a_terminal_is_as_before_when_submit_is_ended(payer, billing):
    with payer.at_terminal("card", "add") as seen:
        seen.sees("Card number: ")
        assert seen.child.waitnoecho(5)
        seen.child.kill(signal.SIGTERM)
        until("the terminal echoes again", seen.child.getecho, 5)
        seen.child.wait()
        assert seen.child.signalstatus == signal.SIGTERM


# What is there

def test_cards_are_chosen_and_removed_by_name(house, payer, billing):
    payer.adds(VISA).adds(AMEX).adds(VISA, "Her Other")
    first, amex, third = payer.cards()
    told(payer.submit("card", "remove", "4242"), 65, "several")
    told(payer.submit("card", "remove", "9999"), 67, "card list")
    told(payer.submit("card", "default", VISA), 64, "read by others")
    assert payer.submit("card", "default", "0005").returncode == 0
    assert [c["default"] for c in payer.cards()] == [False, True, False]
    told(payer.submit("card", "remove", third["card"][-12:]), 0, "is removed")
    told(payer.submit("card", "remove", "0005"), 0, "It was your default")
    assert [(c["card"], c["default"]) for c in payer.cards()] == [
        (first["card"], False)]
    assert house.rows(
        "SELECT c.last4, c.is_default, c.removed_at IS NULL FROM cards c "
        "JOIN users u ON u.id = c.user_id WHERE email = %s ORDER BY c.added_at",
        payer.email) == [("4242", False, True), ("0005", False, False),
                         ("4242", False, False)]
    assert [li["card"] for li in billing.lines_of(payer)] == [first["card"]]
    assert amex["card"] != first["card"]


def test_a_card_that_has_expired_is_marked(house, payer, billing):
    hand = Hand(house, payer, billing)
    assert hand.sends(hand.add(expiry="2020-01")).status == "accepted"
    assert "01/2020 (expired)" in payer.submit("card", "list").stdout
    assert payer.cards()[0]["expired"] is True
    payer.submit("card", "remove", "4242")


# Export

def steps_of(house, payer):
    return [number for [number] in house.rows(
        "SELECT number FROM card_steps s JOIN users u ON u.id = s.user_id "
        "WHERE email = %s ORDER BY number", payer.email)]


def test_an_export_is_a_new_private_file_and_whole(house, payer, billing):
    payer.adds()
    out = payer.folder / "cards.jsonl"
    done = billing.export("--out", str(out))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    assert any(json.loads(line)["email"] == payer.email
               for line in out.read_text().splitlines())
    told(billing.export("--out", str(out)), 65, "there already")
    with Terminal("billing", "export", "--key", str(billing.key),
                  environment=house.env("admin")) as seen:
        seen.sees("--force")
        seen.ends(64)
    private(payer.folder / "wrong", "another password of a test\n")
    told(house.submit("billing", "export", "--key", str(billing.key),
                      "--billing-password-file", str(payer.folder / "wrong")),
         77, "wrong password")


def check_named(billing, payer, *words, good=()):
    """The fault is named, nothing comes out; with --keep-going the good ones."""
    done = billing.export()
    told(done, 65, *words)
    assert done.stdout == ""
    done = billing.export("--keep-going")
    told(done, 65, *words)
    assert [li["card"] for li in map(json.loads, done.stdout.splitlines())
            if li["email"] == payer.email] == list(good)


def test_anothers_box_in_ones_own_step_is_refused(house, payer, billing,
                                                  tmp_path):
    """Accepted it is: nobody but the key's holder can see it."""
    thief = Payer(house, tmp_path / "thief")
    payer.adds()
    [[box]] = house.rows("SELECT box FROM cards c JOIN users u "
                         "ON u.id = c.user_id WHERE email = %s", payer.email)
    hand = Hand(house, thief, billing)
    assert hand.sends(hand.add(box=client.b64(box))).status == "accepted"
    card = thief.cards()[0]["card"]
    check_named(billing, payer, f"card {card} of {thief.email}", "signer",
                good=[payer.cards()[0]["card"]])
    assert thief.submit("card", "remove", "4242").returncode == 0


@pytest.mark.parametrize("member, value", [
    ("purpose", "totp secret"), ("name", "01a2b3c4-0000-7000-8000-000000000000"),
    ("request", "01a2b3c4-0000-7000-8000-000000000000"), ("root", "0" * 64)])
def test_a_box_for_something_else_is_refused(house, payer, billing, member, value):
    hand = Hand(house, payer, billing)
    envelope = hand.add()
    box = hand.box(envelope.fields["id"], **{member: value})
    request_id = client.uuid7()
    if member != "request":
        box = hand.box(request_id, **{member: value})
    envelope = hand.asker.request(
        "card.add", {**{k: envelope.fields[k] for k in (
            "number", "billing", "brand", "last4", "expiry")}, "box": box},
        payer.person.by, payer.person.key, request_id=request_id)
    assert hand.sends(envelope).status == "accepted"
    check_named(billing, payer, payer.email, f"its {member} is not")
    assert payer.submit("card", "remove", "4242").returncode == 0


def test_another_card_inside_than_outside_is_refused(house, payer, billing):
    hand = Hand(house, payer, billing)
    assert hand.sends(hand.add(last4="1111")).status == "accepted"
    check_named(billing, payer, payer.email, "another card is in the box")
    assert payer.submit("card", "remove", "1111").returncode == 0


class Tampered:
    """A row of card_steps as somebody with the database changed it, for a while."""

    def __init__(self, house, payer):
        self.house, self.user = house, payer.person.user
        self.rows = house.rows("SELECT number, hash FROM card_steps "
                               "WHERE user_id = %s", self.user)

    def set(self, *rows):
        self.house.change("DELETE FROM card_steps WHERE user_id = %s", self.user)
        for number, digest in rows:
            self.house.change("INSERT INTO card_steps VALUES (%s, %s, %s)",
                              self.user, number, digest)

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        self.set(*self.rows)

    def puts(self, number, envelope):
        """An envelope that nobody asked for."""
        self.house.change(
            "INSERT INTO envelopes VALUES (decode(%s, 'hex'), %s, %s)",
            envelope.hash, envelope.type, json.dumps(envelope.dsse()).encode())
        self.house.change(
            "INSERT INTO card_steps VALUES (%s, %s, decode(%s, 'hex'))",
            self.user, number, envelope.hash)


def test_a_step_that_is_missing_or_out_of_place_is_named(house, payer, billing):
    payer.adds(VISA).adds(AMEX).adds(MASTER)
    with Tampered(house, payer) as base:
        (_, one), (_, two), (_, three) = base.rows
        for rows in ([(1, one), (3, three)], [(2, two), (3, three)],
                     [(1, two), (2, one), (3, three)],
                     [(1, one), (2, three)]):
            base.set(*rows)
            check_named(billing, payer, "one is missing")
            told(payer.submit("card", "list"), 65, "can't be trusted")
    assert len(payer.cards()) == len(billing.lines_of(payer)) == 3


def test_what_was_done_last_is_not_kept_back_from_its_person(
        house, payer, billing):
    """An export can't know of it; the machine that did it does."""
    payer.adds(VISA).adds(AMEX)
    with Tampered(house, payer) as base:
        base.set(base.rows[0])
        told(payer.submit("card", "list"), 65, "keeps something back")
        told(payer.submit("card", "remove", "4242"), 65, "cards.json")
        assert len(billing.lines_of(payer)) == 1
    assert len(payer.cards()) == 2


def test_a_step_without_a_chain_to_the_root_is_named(house, payer, billing):
    payer.adds()
    hand = Hand(house, payer, billing)
    hand.number, hand.previous = 2, None
    [[last]] = house.rows("SELECT encode(hash, 'hex') FROM card_steps "
                          "WHERE user_id = %s", payer.person.user)
    hand.previous = last
    session = hand.asker.open_session(payer.person)
    other = client.Person("x@example.org", client.Key(), payer.person.by,
                          payer.person.user)
    for who, words in ((session, "names no person's key"),
                       (other, "not signed by their own key"),
                       (house.admin, f"it is {house.admin.email}'s")):
        with Tampered(house, payer) as base:
            base.puts(2, hand.add(who=who))
            check_named(billing, payer, payer.email, words)


def test_a_runner_without_billing_has_no_card_even_in_the_database(
        house, billing, payer, tmp_path):
    runner = Payer(house, tmp_path / "runner", "runner")
    hand = Hand(house, runner, billing)
    with Tampered(house, runner) as base:
        base.puts(1, hand.add())
        check_named(billing, runner, f"{runner.email} may keep no cards")


# A stolen authorizer's key

def answer_as_authorizer(asker, request, answer, chain):
    """A reply that is good in every way, with this body."""
    fields, ms = request.fields, client.now_ms()
    enrol = next(e for e in map(client.Envelope.from_dsse, chain)
                 if e.type == "errand.service.enrol.v1")
    envelope = client.Envelope.of("reply", {
        "root": fields["root"], "id": client.uuid7(ms),
        "issued": client.moment(ms), "by": enrol.hash, "to": fields["id"],
        "request": request.hash, "part": 0, "last": True, "seq": asker.log[0],
        "head": asker.log[1], "status": "ok",
        "body": client.b64(json.dumps(answer).encode()), "proof": chain},
        client.Key.read(HOME / "keys/authorizer-1.key"))
    to = nacl.public.PublicKey(client.unb64(fields["reply"]["box"]))
    box = nacl.public.SealedBox(to).encrypt(json.dumps(envelope.dsse()).encode())
    asker.send("errand.replies", json.dumps({"box": client.b64(box)}).encode(), [],
               fields["id"], partition=fields["reply"]["partition"])


@pytest.mark.parametrize("who", ["a runner with billing", "a stranger's root", "nobody"])
def test_a_stolen_authorizer_key_slips_in_no_billing_key(house, payer, billing, who):
    hand = Hand(house, payer, billing)
    honest = hand.asker.ask("billing.show", {}, payer.person)
    chain = honest.fields["proof"]
    stranger = client.Root().first_administrator("thief@example.org")
    by = {"a runner with billing": payer.person, "a stranger's root": stranger,
          "nobody": house.admin}[who]
    key = client.Key() if who == "nobody" else by.key
    mine = hand.asker.request("billing.init", {
        "box": client.b64(client.Key().box), "generation": 99}, by.by, key)
    answer = {"hash": mine.hash, "envelopes": [
        mine.dsse(), *(e.dsse() for e in by.chain), *honest.answer["envelopes"]]}
    requests = [client.reader(house.brokers, "errand.requests", p)
                for p in house.partitions("errand.requests")]
    with standing(house.pid("authorizer-1")):
        asking = subprocess.Popen(
            [BIN / "submit", "card", "add", "--file", "-"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **payer.env})
        asking.stdin.write(f"{VISA}\nAnn\n12/{YEAR}\n")
        asking.stdin.close()
        asking.stdin = None
        answer_as_authorizer(hand.asker, client.Envelope.from_record(
            next_of(requests)), answer, chain)
        _out, said = asking.communicate(timeout=30)
    assert asking.returncode == 65 and "not believed" in said, said
    assert payer.cards() == []


# P9

def forms(number):
    """The number and parts of it, as they might lie somewhere."""
    grouped = [" ".join(number[i:i + 4] for i in range(0, 16, 4)),
               "-".join(number[i:i + 4] for i in range(0, 16, 4))]
    plain = [number, number[:12], number[4:], *grouped]
    found = [text.encode() for text in plain]
    found += [text.encode().hex().encode() for text in plain]
    for text in plain:
        for shift in range(3):  # base64, wherever it begins
            cut = base64.b64encode(b"x" * shift + text.encode())
            found.append(cut[4 if shift else 0:-4])
    return found


def places(house):
    """Yields (name, bytes) of all that is kept anywhere."""
    for topic in house.kafka().list_topics(timeout=10).topics:
        if not topic.startswith("__"):
            yield topic, b"\n".join(
                (m.key() or b"") + b" " + (m.value() or b"") + b" " +
                repr(m.headers()).encode() for m in
                client.read_all(house.brokers, topic))
    admin = house.env("admin")
    yield "pg_dump", subprocess.run(
        ["pg_dump", "-h", admin["PGHOST"], "-p", admin.get("PGPORT", "5432"),
         "-U", "postgres", admin["PGDATABASE"]],
        capture_output=True, check=True).stdout
    for path in (HOME / "log").glob("*"):
        yield path.name, path.read_bytes()


def decoded(text, depth=3):
    """With what is base64 or hex in it, and what is in that again."""
    yield text
    if depth == 0:
        return
    for word in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", text):
        try:
            yield from decoded(base64.b64decode(word, validate=True), depth - 1)
        except ValueError:
            pass
    for word in re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", text):
        yield from decoded(bytes.fromhex(word.decode()), depth - 1)


def found_in(house, needles):
    return {name for name, text in places(house) for piece in decoded(text)
            for needle in needles if needle in piece}


def test_a_card_number_lies_nowhere_in_clear(house, payer, billing):
    number = "4929" + "731058264"  # of nobody
    for n in range(1000):
        candidate = f"{number}{n:03}"
        if luhn(candidate):
            break
    done = payer.submit("card", "add", "--file", "-", given=(
        f"{candidate}\nCanary Owner\n12/{YEAR}\n"))
    assert done.returncode == 0, done.stderr
    payer.submit("card", "add", "--file", "-",
                 given=f"{candidate}123\nCanary Owner\n12/{YEAR}\n")
    assert billing.lines_of(payer)[0]["number"] == candidate
    names = found_in(house, [payer.email.encode()])
    assert {"errand.events", "pg_dump"} <= names  # the search can find
    needles = forms(candidate) + [b"Canary Owner"]
    assert found_in(house, needles) == set()
    planted = private(HOME / "log/planted.log", base64.b64encode(
        b"a part of it: " + candidate[:12].encode() + b".").decode())
    try:
        assert found_in(house, needles) == {"planted.log"}
    finally:
        planted.unlink()


def luhn(number):
    digits = [int(d) for d in reversed(number)]
    return sum(sum(divmod(d * (1 + i % 2), 10))
               for i, d in enumerate(digits)) % 10 == 0


def memory(pid):
    """Yields what a process has mapped and may write."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(x, 16) for x in span.split("-"))
                mem.seek(start)
                try:
                    yield mem.read(end - start)
                except OSError:
                    pass  # guard pages, the kernel's own


@pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory")
def test_what_was_typed_is_wiped_once_it_is_sealed(house, payer, billing):
    """While submit waits for the answer only the locked copy is left: one."""
    authorizer = house.pid("authorizer-1")
    with payer.at_terminal("card", "add") as seen:
        seen.sees("Card number: ").types(MASTER)
        seen.asks("Name on the card: ", "Ann Alda")
        os.kill(authorizer, signal.SIGSTOP)
        try:
            seen.asks("Expires (MM/YY): ", f"12/{YEAR % 100}")
            seen.sees("waiting for")
            held = b"".join(memory(seen.child.pid))
            environ = pathlib.Path(f"/proc/{seen.child.pid}/environ").read_bytes()
        finally:
            os.kill(authorizer, signal.SIGCONT)
        seen.ends(0)
    whole, *parts = forms(MASTER)
    assert held.count(whole) <= 1
    assert [p for p in parts if held.count(p) > (p in whole)] == []
    assert whole not in environ


def no_limit(folder):
    """For a child: a core, as large as it may be, in that folder."""
    def begin():
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    return begin


def test_no_core_is_written_of_what_is_typed(payer, billing, tmp_path):
    begin = no_limit(tmp_path)
    with subprocess.Popen(["sleep", "60"], preexec_fn=begin) as control:
        control.send_signal(signal.SIGABRT)
        if not os.WCOREDUMP(os.waitpid(control.pid, 0)[1]):
            pytest.skip("nothing dumps core here")
    with Terminal("card", "add", environment=payer.env, begin=begin) as seen:
        seen.sees("Card number: ").types(VISA)
        seen.sees("Name on the card: ")
        seen.child.kill(signal.SIGABRT)
        seen.child.wait()
        assert seen.child.signalstatus == signal.SIGABRT
        assert not os.WCOREDUMP(seen.child.status)


def test_an_older_billing_key_is_refused_by_who_saw_a_newer_one(
        house, payer, tmp_path):
    [[newest]] = house.rows("SELECT max(generation) FROM billing_keys")
    payer.adds(VISA)
    assert payer.submit("card", "remove", "4242").returncode == 0
    seen = payer.profile / "cards.json"
    assert seen.stat().st_mode & 0o777 == 0o600
    rows = json.loads(seen.read_text())
    assert (rows["generation"], rows["steps"]) == (newest, 2)
    seen.write_text(json.dumps({**rows, "generation": newest + 1}))
    told(payer.submit("card", "add", "--file", "-",
                      given=f"{VISA}\nAnn\n12/{YEAR}\n"), 65, "older billing key")


# The last ones: from here on there is another key

def test_a_key_whose_signer_is_nobody_seals_nothing_and_is_followed(
        house, payer, billing, tmp_path):
    """As after the removal of the administrator who made it."""
    hand = Hand(house, payer, billing)
    [[newest]] = house.rows("SELECT max(generation) FROM billing_keys")
    key = client.Key()
    mine = hand.asker.request("billing.init", {
        "box": client.b64(key.box), "generation": newest + 1,
        "previous": hand.key_hash}, payer.person.by, payer.person.key)
    house.change("INSERT INTO envelopes VALUES (decode(%s, 'hex'), %s, %s)",
                 mine.hash, mine.type, json.dumps(mine.dsse()).encode())
    house.change("INSERT INTO billing_keys VALUES (%s, decode(%s, 'hex'), "
                 "decode(%s, 'hex'), %s, now())", newest + 1, mine.hash,
                 client.sha256(key.box), payer.person.user)
    given = f"{VISA}\nAnn\n12/{YEAR}\n"
    told(payer.submit("card", "add", "--file", "-", given=given), 67,
         "no administrator now", "billing init")
    Billing(house, tmp_path)
    assert payer.submit("card", "add", "--file", "-", given=given).returncode == 0
    assert payer.submit("card", "remove", "4242").returncode == 0
    assert house.rows("SELECT max(generation) FROM billing_keys") == [(newest + 2,)]


def test_each_card_says_which_key_it_needs(house, payer, tmp_path):
    old = Billing(house, tmp_path)
    payer.adds(VISA)
    (tmp_path / "new").mkdir()
    new = Billing(house, tmp_path / "new")
    payer.adds(AMEX)
    assert [li["number"] for li in new.lines_of(payer)] == [AMEX]
    done = new.export()
    generation = re.search(rf"of {payer.email}: is sealed to the billing key of "
                           r"generation (\d+)", done.stderr)
    assert done.returncode == 65 and generation
    both = new.lines_of(payer, "--key", str(old.key))
    assert [li["number"] for li in both] == [VISA, AMEX]
    told(house.submit("billing", "init", "--out", str(new.key)), 65,
         "there already")
    assert payer.submit("card", "remove", "4242").returncode == 0
    assert payer.submit("card", "remove", "0005").returncode == 0
