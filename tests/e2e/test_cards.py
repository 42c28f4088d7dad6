"""Payment cards: sealed on the person's machine to a key that no server has, in
an order that each person signs; opened at the other end, and by PyNaCl too."""
import json
import os
import subprocess

import pytest

import client
from house import BIN
from terminal import Terminal

PASSWORD = "nail tropic verbal gnome quilt"
BILLING_PASSWORD = "ochre pylon dampen fiddle swarm"
VISA, MASTER, AMEX = "4242424242424242", "2223003122003222", "378282246310005"
FORM = "{number}\nAnn Alda\n12/{year}\n"
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
        self.password = private(folder / "password", PASSWORD + "\n")
        code = private(folder / "code", house.submit(
            "user", "invite", self.email, "--role", role, "-o", "name").stdout)
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
    return Billing(house, tmp_path_factory.mktemp("billing"))


class Billing:
    """A billing key of the newest generation, and what it opens."""

    def __init__(self, house, folder):
        self.house = house
        self.key = folder / "billing.key"
        self.password = private(folder / "password", BILLING_PASSWORD + "\n")
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
