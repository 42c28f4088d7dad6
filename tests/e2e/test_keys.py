"""test_keys.py: a person's key on their machines: another password, a second
machine, who one is.
"""
import base64
import json
import re
import signal

import pytest

from client import Key
from host import standing
from house import until
from test_terminal import OTHER, PASSWORD, Profile, invited

THIRD = "lumen gravel oboe tinsel marsh"


@pytest.fixture
def person(house, tmp_path):
    them = Profile(house, tmp_path / "profile")
    them.email = f"{house.fresh('p')}@example.org"
    them.joins(them.email)
    return them


def private(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


def changes_password(person, new=OTHER):
    with person.at_terminal("passwd") as seen:
        seen.asks("Password of", PASSWORD, hidden=True)
        seen.asks("New password: ", new, hidden=True)
        seen.asks("New password, again: ", new, hidden=True)
        seen.ends(0)
    return seen


def opens(person, password):
    try:
        Key.read(person.path / "key.json", password)
    except Exception:  # pylint: disable=broad-except
        return False
    return True


def test_passwd_locks_the_key_by_the_new_password_alone(house, person, tmp_path):
    old = (person.path / "key.json").read_bytes()
    seen = changes_password(person)
    assert opens(person, OTHER) and not opens(person, PASSWORD)
    assert (person.path / "key.json").stat().st_mode & 0o777 == 0o600
    assert "old copy of the file still opens with the old one" in seen.text
    (person.path / "key.json").write_bytes(old)  # as it says
    assert opens(person, PASSWORD)
    assert not [w for w in (PASSWORD, OTHER) if w.encode() in seen.bytes]


def test_passwd_wants_the_old_one_and_a_good_new_one(house, person, tmp_path):
    before = (person.path / "key.json").read_bytes()
    local = person.email.split("@", maxsplit=1)[0]
    for old, new, status, said in (
            (OTHER, THIRD, 77, "wrong password"),
            (PASSWORD, "too short", 65, "at least 15"),
            (PASSWORD, f"nail tropic {local} gnome", 65, "first half of your e-mail"),
            (PASSWORD, "nail tropic errand gnome quilt", 65, "holds the name errand"),
            (PASSWORD, "passwordpassword", 65, "too easy to guess")):
        done = person.piped(
            "passwd", "--password-file", private(tmp_path / "old", old),
            "--new-password-file", private(tmp_path / "new", new))
        assert done.returncode == status and said in done.stderr, done.stderr
    assert (person.path / "key.json").read_bytes() == before


def test_passwd_holds_to_the_organisations_policy(house, person, tmp_path):
    short = "lumen gravel oboe tins"
    old = private(tmp_path / "old", PASSWORD)
    new = private(tmp_path / "new", short)
    assert house.submit("policy", "set", "password.min=30").returncode == 0
    try:
        done = person.piped("passwd", "--password-file", old,
                            "--new-password-file", new)
        assert done.returncode == 65 and "at least 30" in done.stderr
    finally:
        house.submit("policy", "set", "password.min=15")
    done = person.piped("passwd", "--password-file", old, "--new-password-file", new)
    assert done.returncode == 0 and opens(person, short), done.stderr


def test_a_key_goes_to_a_second_machine_locked(house, person, tmp_path):
    file = tmp_path / "carried"
    done = person.piped("key", "export", str(file))
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert b'"seeds"' not in file.read_bytes()
    second = Profile(house, tmp_path / "second/profile")
    (tmp_path / "second").mkdir()
    del second.env["ERRAND_BROKERS"]  # they came along
    done = second.piped("key", "import", str(file), "--password-file",
                        private(tmp_path / "pass", PASSWORD))
    assert done.returncode == 0, done.stderr
    assert f"You are {person.email} (runner) here, too" in done.stderr
    done = second.piped("login", "--password-file", str(tmp_path / "pass"))
    assert done.returncode == 0, done.stderr
    told = json.loads(second.piped("whoami", "-o", "json").stdout)
    assert told["email"] == person.email
    first, copy = ({f.name: f.read_bytes() for f in p.path.iterdir()
                    if f.name in ("key.json", "root.pub")} for p in (person, second))
    assert first == copy


def test_a_profile_of_somebody_is_not_imported_over(house, person, tmp_path):
    file = tmp_path / "carried"
    assert person.piped("key", "export", str(file)).returncode == 0
    before = {f: f.read_bytes() for f in person.path.iterdir() if f.is_file()}
    done = person.piped("key", "import", str(file), "--password-file",
                        private(tmp_path / "pass", PASSWORD))
    assert done.returncode == 65 and "ERRAND_PROFILE" in done.stderr
    assert {f: f.read_bytes() for f in person.path.iterdir() if f.is_file()} == before
    done = person.piped("key", "export", str(file))
    assert done.returncode != 0  # it is there already


@pytest.mark.parametrize("spoil, status", [
    (lambda d, o: {**d, "root": o["root"]}, 65),
    (lambda d, o: {**d, "key": o["key"]}, 65),
    (lambda d, o: {**d, "enrolment": d["enrolment"][1:]}, 65),
    (lambda d, o: {**d, "enrolment": []}, 65),
    (lambda d, o: {**d, "format": "errand profile 2"}, 65),
    (lambda d, o: {"hello": 1}, 65)])
def test_what_does_not_fit_together_is_not_imported(house, person, tmp_path, spoil,
                                                    status):
    other = Profile(house, tmp_path / "other")
    other.joins(f"{house.fresh('p')}@example.org")
    files = []
    for who in person, other:
        file = tmp_path / f"carried{len(files)}"
        assert who.piped("key", "export", str(file)).returncode == 0
        files.append(json.loads(file.read_text()))
    files[1]["root"] = "A" * 43 + "="
    bad = private(tmp_path / "bad", json.dumps(spoil(*files)))
    second = Profile(house, tmp_path / "second")
    done = second.piped("key", "import", bad, "--password-file",
                        private(tmp_path / "pass", PASSWORD))
    assert done.returncode == status, done.stderr
    assert not (second.path / "config").exists()
    assert not (second.path / "key.json").exists()


def test_a_wrong_password_imports_nothing(house, person, tmp_path):
    file = tmp_path / "carried"
    assert person.piped("key", "export", str(file)).returncode == 0
    second = Profile(house, tmp_path / "second")
    done = second.piped("key", "import", str(file), "--password-file",
                        private(tmp_path / "pass", OTHER))
    assert done.returncode == 77 and "wrong password" in done.stderr
    assert not list(second.path.glob("*"))


def test_a_machines_key_stays_where_it_is(house, tmp_path):
    machine = Profile(house, tmp_path / "profile")
    shown = house.submit("user", "invite", house.fresh("m-"), "--service", "-o",
                         "name").stdout
    assert machine.piped("verify", "--code-file", "-", given=shown).returncode == 0
    for words in (("key", "export", str(tmp_path / "f")), ("passwd",)):
        done = machine.piped(*words)
        assert done.returncode == 65 and "no password" in done.stderr
    assert not (tmp_path / "f").exists()


def test_a_key_is_listed_by_its_six_words(house, person):
    (row,) = json.loads(person.piped("key", "list", "-o", "json").stdout)
    assert re.fullmatch("(?:[a-z]{3,8} ){5}[a-z]{3,8}", row["words"])
    assert (row["generation"], row["locked"]) == (1, True)
    assert re.search(r"password", person.piped("key", "list").stdout)


def test_one_sees_who_one_is_but_programs_do_not(house, person):
    with person.at_terminal("list") as seen:
        seen.ends(0)
    assert seen.text.splitlines()[0] == f"{person.email} (runner)"
    assert "(runner)" not in person.piped("list").stderr
    with person.at_terminal("whoami", "-o", "json") as seen:
        seen.ends(0)
    assert json.loads(seen.bytes)["email"] == person.email


# What broke off

def test_who_was_killed_while_waiting_goes_on_with_the_same_code(house, tmp_path):
    """The request was on its way: the key that it names is not lost."""
    them = Profile(house, tmp_path / "profile")
    email = f"{house.fresh('p')}@example.org"
    code = invited(house, email)
    with them.at_terminal("verify") as seen:
        seen.asks("Verification code: ", code)
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.sees("New password, again: ")
        with standing(house.pid("authorizer-1")):
            seen.types(PASSWORD)
            until("the key is there", lambda: (them.path / "key.json").exists())
            seen.sees("waiting for the authorizer's answer")
            seen.child.kill(signal.SIGKILL)
    until("it was accepted", lambda: house.rows(
        "SELECT 1 FROM users WHERE email = %s AND state = 'active'", email))
    assert not (them.path / "config").exists()
    with them.at_terminal("verify") as again:
        again.asks("Verification code: ", code)
        again.sees("followed already")
        again.asks("Password of", PASSWORD, hidden=True).ends(0)
    assert f"Signed in as {email} (runner)" in again.text
    assert them.piped("whoami").returncode == 0


def test_what_never_arrived_is_begun_anew(house, tmp_path):
    them = Profile(house, tmp_path / "profile")
    email = f"{house.fresh('p')}@example.org"
    code = invited(house, email)
    begun(house, them, code)
    stranger = invited(house, f"{house.fresh('q')}@example.org")
    done = them.piped("verify", "--code-file", "-", given=stranger + "\n")
    assert done.returncode == 65 and "somebody's" in done.stderr
    done = them.piped("verify", "--code-file", "-", "--password-file",
                      private(tmp_path / "pass", PASSWORD), given=code + "\n")
    assert done.returncode == 0, done.stderr
    assert opens(them, PASSWORD)


def begun(house, them, code):
    """As it was before the request left."""
    text = code.replace("-", "").upper()
    seed = base64.b32decode(text + "=" * (-len(text) % 8))[:16]
    asker, key = house.asker(), Key()
    verify = asker.request("user.verify", {
        "user": house.admin.user, "invite": "0" * 64, "key": "A" * 43 + "=",
        "generation": 1}, "0" * 64, Key.of_invitation(seed), key)
    them.path.mkdir(mode=0o700)
    private(them.path / "enrolment.json", json.dumps(
        {"envelopes": [verify.dsse(), house.admin.init.dsse()]}))
    private(them.path / "key.json", "half written")
