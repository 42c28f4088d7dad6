"""How people and daemons become members, through submit: invitations, sessions,
enrolments; and the many ways in which somebody may not."""
import base64
import hashlib
import json
import os
import re
import subprocess

import pytest

import canary
import client
from house import BIN

PASSWORD = "seven unlikely words of a test\n"


@pytest.fixture
def folder(tmp_path):
    """A private place; a person's password lies in it."""
    tmp_path.chmod(0o700)
    private(tmp_path / "password", PASSWORD)
    return tmp_path


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


class Guest:
    """Somebody with a profile of their own, which may not be there yet."""

    def __init__(self, house, folder, name):
        self.house = house
        self.profile = folder / name
        self.password = folder / "password"
        self.email = f"{house.fresh(name)}@guests.example"
        self.code = folder / f"{name}.code"

    def submit(self, *arguments, **options):
        env = {**os.environ, "ERRAND_PROFILE": str(self.profile),
               "ERRAND_BROKERS": self.house.brokers}
        options = {"stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            options.pop("stdin")
        return subprocess.run([BIN / "submit", *arguments], text=True,
                              capture_output=True, timeout=60, env=env,
                              check=False, **options)

    def invited(self, role="runner"):
        before = len(self.house.post.mails(self.email, "Your invitation to"))
        done = self.house.submit("user", "invite", self.email, "--role", role,
                                 "--no-mfa")
        assert done.returncode == 0, done.stderr
        private(self.code,
                self.house.post.code(self.email, before + 1) + "\n")
        return self

    def verify(self, *more):
        return self.submit("verify", "--code-file", str(self.code),
                           "--password-file", str(self.password), *more)

    def joined(self, role="runner"):
        done = self.invited(role).verify()
        assert done.returncode == 0, done.stderr
        return self


def told(done, status, *words):
    assert done.returncode == status, (done.stdout, done.stderr)
    for word in words:
        assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_who_follows_an_invitation_is_signed_in(house, folder):
    guest = Guest(house, folder, "guest").joined()
    who = json.loads(guest.submit("whoami", "-o", "json").stdout)
    assert (who["email"], who["role"], who["state"]) == (
        guest.email, "runner", "active")
    for file in guest.profile.iterdir():
        public = file.name in ("config", "root.pub")
        assert file.stat().st_mode & 0o777 == (0o644 if public else 0o600)
    secret = PASSWORD.strip().encode()
    code = guest.code.read_text().strip().replace("-", "").encode()
    for file in guest.profile.iterdir():
        assert secret not in file.read_bytes()
        assert code not in file.read_bytes().replace(b"-", b"")


def test_a_code_from_standard_input_is_as_good(house, folder):
    guest = Guest(house, folder, "piped").invited()
    done = guest.submit("verify", "--code-file", "-", "--password-file",
                        str(guest.password), input=guest.code.read_text())
    assert done.returncode == 0, done.stderr


def test_a_code_as_an_argument_is_refused(house, folder):
    guest = Guest(house, folder, "loud").invited()
    code = guest.code.read_text().strip()
    canary.give_away(code)
    told(guest.submit("verify", code), 64,
         "read by others", "--code-file")
    assert not guest.profile.exists()


def test_a_code_is_good_once(house, folder):
    guest = Guest(house, folder, "first").joined()
    thief = Guest(house, folder, "thief")
    thief.code = guest.code
    told(thief.verify(), 65, "followed already")
    assert not thief.profile.exists()


def test_a_mistyped_code_is_told_at_once(house, folder):
    guest = Guest(house, folder, "typist").invited()
    code = guest.code.read_text()
    private(guest.code, ("b" if code[0] == "a" else "a") + code[1:])
    told(guest.verify(), 65, "mistyped")
    private(guest.code, code[:20])
    told(guest.verify(), 65, "incomplete")
    assert not guest.profile.exists()


@pytest.mark.parametrize("password, said", [
    ("too short\n", "at least 15 characters"),
    ("passwordpassword\n", "too easy to guess")], ids=["short", "guessed"])
def test_a_weak_password_is_refused(house, folder, password, said):
    guest = Guest(house, folder, "weak").invited()
    private(guest.password, password)
    done = guest.verify()
    assert done.returncode == 65 and said in done.stderr
    assert not guest.profile.exists()


def test_a_profile_belongs_to_one_person(house, folder):
    guest = Guest(house, folder, "settled").joined()

    def lasting():
        return [(guest.profile / name).read_bytes() for name in
                ("config", "key.json", "enrolment.json", "root.pub")]
    before = lasting()
    again = guest.verify()
    assert again.returncode == 0 and "going on with the key" in again.stderr
    stranger = Guest(house, folder, "stranger").invited()
    stranger.profile = guest.profile
    told(stranger.verify(), 65, "ERRAND_PROFILE")
    assert lasting() == before


def test_an_administrator_waits_to_be_confirmed(house, folder):
    guest = Guest(house, folder, "boss").joined("administrator")
    told(guest.submit("user", "list"), 77, "waits to be confirmed")
    assert guest.submit("user", "confirm", guest.email,
                        "--yes").returncode == 77
    done = house.submit("user", "confirm", guest.email)
    assert done.returncode == 77 and "--yes" in done.stderr
    shown = re.search(r"key: ((?:[a-z]{3,8} ){5}[a-z]{3,8})$", done.stderr, re.M)
    assert shown, done.stderr
    done = house.submit("user", "confirm", guest.email, "--yes")
    assert done.returncode == 0 and shown.group(1) in done.stderr
    assert guest.submit("user", "list").returncode == 0
    done = house.submit("user", "confirm", guest.email, "--yes")
    assert done.returncode == 65 and "already" in done.stderr


def test_an_administrator_who_was_confirmed_enrols_with_their_chain(
        house, folder):
    guest = Guest(house, folder, "second").joined("administrator")
    assert house.submit("user", "confirm", guest.email,
                        "--yes").returncode == 0
    done = guest.submit("login", "--password-file", str(guest.password))
    assert done.returncode == 0, done.stderr
    private(guest.profile / "config", (guest.profile / "config").read_text() +
            f"[profile]\npassword_file = {guest.password}\n")
    line = make_key(house, folder)
    out = folder / "enrolment.json"
    arguments = ["service", "enrol", "executor", house.fresh("e"), "--target",
                 "dev", "--key", line, "--out", str(out)]
    done = guest.submit(*arguments)
    assert done.returncode == 0, done.stderr
    types = [e["payloadType"].split(".", 1)[1]
             for e in json.loads(out.read_text())["envelopes"]]
    assert types[0] == "service.enrol.v1" and types[-1] == "root.init.v1"
    assert set(types[1:-1]) == {"user.verify.v1", "user.confirm.v1",
                                "user.invite.v1"}
    told(guest.submit(*arguments), 65, "there already")


def make_key(house, folder):
    """The line of a daemon's new key."""
    config = folder / "daemon.ini"
    home = house.env("admin")["ERRAND_HOME"]
    config.write_text(
        f"[kafka]\nbootstrap.servers = {house.brokers}\n"
        f"[root]\nkeys = {home}/root/root.pub\n[service]\nname = some-1\n"
        f"key = {folder}/daemon.key\nenrolment = {folder}/none\n"
        f"[executor]\ntarget = dev\nstate = {folder}\n")
    done = subprocess.run(
        [BIN / "errand-executor", "--config", config, "--make-key"],
        text=True, capture_output=True, check=True)
    return done.stdout.strip()


def test_a_session_ends_and_begins(house, folder):
    guest = Guest(house, folder, "night").joined()
    asked = guest.submit("mfa", "status")  # no password is wanted for that
    assert asked.returncode == 0 and guest.email in asked.stdout, asked.stderr
    assert guest.submit("logout").returncode == 0
    told(guest.submit("whoami"), 77, "password_file")
    told(guest.submit("login"), 77)
    private(folder / "wrong", "another password of a test\n")
    told(guest.submit("login", "--password-file", str(folder / "wrong")), 77,
         "wrong password")
    done = guest.submit("login", "--password-file", str(guest.password))
    assert done.returncode == 0 and guest.email in done.stderr
    assert guest.submit("whoami", "-o", "name").stdout.strip() == guest.email


def test_a_session_that_was_closed_elsewhere_is_opened_anew(house, folder):
    guest = Guest(house, folder, "two").joined()
    private(guest.profile / "config", (guest.profile / "config").read_text() +
            f"[profile]\npassword_file = {guest.password}\n")
    kept = {f: f.read_bytes() for f in guest.profile.glob("session*")}
    assert guest.submit("logout").returncode == 0
    for file, content in kept.items():
        file.write_bytes(content)
        file.chmod(0o600)
    done = guest.submit("list", "-o", "name")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert any(f.read_bytes() != c for f, c in kept.items())
    private(guest.password, "the password before that was reset\n")
    assert guest.submit("logout").returncode == 0
    told(guest.submit("login"), 77, str(guest.password), "no longer")


def test_without_a_profile_or_a_broker_it_says_what_helps(house, folder):
    guest = Guest(house, folder, "nobody")
    told(guest.submit("list"), 78, "submit verify", "submit init")
    guest.joined()
    done = subprocess.run(
        [BIN / "submit", "list"], text=True, capture_output=True, check=False,
        env={**os.environ, "ERRAND_PROFILE": str(guest.profile),
             "ERRAND_CONF_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, timeout=60)
    assert done.returncode == 69 and "127.0.0.1:1" in done.stderr
    assert "nothing was sent" in done.stderr


# The first hour, off line

@pytest.fixture
def founded(house, folder):
    """A new installation, away from any broker."""
    def found(*more, profile="founder"):
        return subprocess.run(
            [BIN / "submit", "init", "Founder@Example.org", "--authorizer",
             make_key(house, folder), "--out", folder / "root",
             "--password-file", folder / "password", "--root-password-file",
             folder / "password", *more],
            text=True, capture_output=True, check=False,
            env={**os.environ, "ERRAND_PROFILE": str(folder / profile)})
    return found


def test_a_root_is_made_once(founded, folder):
    done = founded()
    assert done.returncode == 0, done.stderr
    files = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert (folder / "root/root.key").stat().st_mode & 0o777 == 0o600
    told(founded(profile="other"), 65, "there already", "one root")
    told(founded("--out", folder / "root2"), 65, "there already")
    assert {p: p.read_bytes() for p in folder.rglob("*")
            if p.is_file()} == files


def test_the_root_key_enrols_another_authorizer_off_line(house, founded,
                                                         folder):
    assert founded().returncode == 0
    out = folder / "second.json"
    arguments = [BIN / "submit", "service", "enrol", "authorizer",
                 "authorizer-2", "--key", make_key(house, folder), "--out",
                 out, "--root-key", folder / "root/root.key",
                 "--root-password-file"]
    private(folder / "wrong", "another password of a test\n")
    done = subprocess.run([*arguments, folder / "wrong"], text=True,
                          capture_output=True, check=False)
    told(done, 77, "wrong password")
    done = subprocess.run([*arguments, folder / "password"], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    first = json.loads((folder / "root/authorizer-1.enrol.json").read_text())
    second = json.loads(out.read_text())
    assert second["envelopes"][1:] == first["envelopes"][1:]


def test_a_code_of_another_installation_pins_nothing(house, founded, folder):
    """Its seed may be known here, but the root is not the one in the code."""
    assert founded().returncode == 0
    guest = Guest(house, folder, "astray").invited()
    private(guest.code, other_root(guest.code.read_text()))
    done = guest.verify()
    assert done.returncode == 75, done.stderr
    assert "not of the installation at this broker" in done.stderr
    assert not guest.profile.exists()


def other_root(code):
    """The same seed under another root, its checksum made good."""
    raw = bytearray(client.unbase32(code.strip()))
    raw[31] ^= 1
    raw[32:] = hashlib.sha256(raw[:32]).digest()[:4]
    return base64.b32encode(raw).decode().rstrip("=").lower() + "\n"


def test_the_help_is_of_one_table(house):
    done = house.submit("help")
    verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?) ", done.stdout, re.M)
    assert {"run", "command save", "user invite", "init"} <= set(verbs)
    for verb in verbs:
        shown = house.submit("help", *verb.split()).stdout
        assert shown.startswith(f"Usage: submit {verb}")
        assert house.submit(*verb.split(), "--help").stdout == shown
    codes = house.submit("help", "exit-codes").stdout
    assert all(f"{n}  " in codes for n in (64, 65, 66, 67, 69, 70, 74, 75, 77,
                                           78))
    with open("/dev/full", "w", encoding="ascii") as full:
        assert house.submit("help", stdout=full).returncode == 74
