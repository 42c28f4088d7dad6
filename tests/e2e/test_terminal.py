"""A person at a terminal: what is asked, what is hidden, what is said, and how
to go on. And who has no terminal: is never asked anything."""
import contextlib
import ctypes
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import struct
import subprocess

import pytest

import house as house_module
from house import until
from terminal import Terminal

PASSWORD = "nail tropic verbal gnome quilt"
OTHER = "ochre pylon dampen fiddle swarm"


class Profile:
    """A directory for one person, and submit there: typed or piped."""

    def __init__(self, house, folder):
        self.house = house
        self.path = pathlib.Path(folder)
        self.env = {
            "ERRAND_PROFILE": str(self.path), "ERRAND_BROKERS": house.brokers,
            "HOME": str(self.path.parent), "ERRAND_TEST_LOCK_COST": "low"}

    def at_terminal(self, *words, **more):
        return Terminal(*words, environment={**self.env, **more})

    def piped(self, *words, given="", **more):
        """With no terminal anywhere."""
        return subprocess.run(
            [house_module.BIN / "submit", *words], input=given, text=True,
            capture_output=True, start_new_session=True, timeout=60,
            check=False, env={**os.environ, **self.env, **more})

    @contextlib.contextmanager
    def impatient(self):
        """Until then it waits for an answer for no longer than it takes to ask again."""
        config = self.path / "config"
        before = config.read_text()
        config.write_text(f"{before}[profile]\nanswer_within = 6s\n")
        yield
        config.write_text(before)

    def sign_out(self):
        assert self.piped("logout").returncode == 0

    def joins(self, email, role="runner", password=PASSWORD):
        """Invited, and followed at a terminal."""
        code = invited(self.house, email, role)
        with self.at_terminal("verify") as seen:
            seen.asks("Verification code: ", code)
            seen.asks("New password: ", password, hidden=True)
            seen.asks("New password, again: ", password, hidden=True)
            seen.ends(0)
        return seen


def invited(house, email, role="runner"):
    """The code that an invitation's mail brings."""
    done = house.submit("user", "invite", email, "--role", role, "--no-mfa")
    assert done.returncode == 0, done.stderr
    return house.post.code(email)


@pytest.fixture
def fresh(house, tmp_path):
    """A profile that is nobody's yet."""
    return Profile(house, tmp_path / "profile")


@pytest.fixture(scope="module")
def person(house, tmp_path_factory):
    """A runner who signed up at a terminal; some command is theirs."""
    them = Profile(house, tmp_path_factory.mktemp("person") / "profile")
    them.email = f"{house.fresh('p')}@example.org"
    them.joins(them.email)
    them.command = house.command("echo hello")
    done = house.submit("assign", "add", them.command, them.email)
    assert done.returncode == 0, done.stderr
    return them


@pytest.fixture(scope="module")
def administrator(house, tmp_path_factory):
    """One who joined at a terminal and was confirmed."""
    them = Profile(house, tmp_path_factory.mktemp("admin") / "profile")
    them.email = f"{house.fresh('a')}@example.org"
    them.joins(them.email, "administrator")
    done = house.submit("user", "confirm", them.email, "--yes")
    assert done.returncode == 0, done.stderr
    return them


# Following an invitation

def test_an_invitation_is_followed_by_a_code_and_a_password_twice(
        house, fresh):
    email = f"{house.fresh('p')}@example.org"
    seen = fresh.joins(email)
    assert f"You are invited as runner: {email}." in seen.text
    assert "at least 15 characters" in seen.text
    assert f"Signed in as {email} (runner) until 20" in seen.text
    told = fresh.piped("whoami", "-o", "json")
    assert json.loads(told.stdout)["email"] == email
    modes = {p.name: p.stat().st_mode & 0o777 for p in fresh.path.iterdir()}
    assert (modes["key.json"], fresh.path.stat().st_mode & 0o777) == \
        (0o600, 0o700)


def test_a_password_is_never_shown(house, fresh):
    seen = fresh.joins(f"{house.fresh('p')}@example.org")
    for word in PASSWORD.split():
        assert word.encode() not in seen.bytes


def test_a_code_may_be_typed_in_capitals_and_with_spaces(house, fresh):
    code = invited(house, f"{house.fresh('p')}@example.org")
    with fresh.at_terminal("verify") as seen:
        seen.asks("Verification code: ", "  " + code.upper().replace("-", " "))
        seen.sees("New password: ")


@pytest.mark.parametrize("change, said", [
    (lambda code: code[:20], "incomplete"),
    (lambda code: code[:-1] + ("b" if code[-1] == "a" else "a"), "mistyped"),
    (lambda code: ("b" if code[0] == "a" else "a") + code[1:], "mistyped"),
    (lambda code: "hello", "incomplete"),
    (lambda code: "-", "incomplete"),
])
def test_a_mistyped_code_is_told_before_anything_else_is_asked(
        house, fresh, change, said):
    code = invited(house, f"{house.fresh('p')}@example.org")
    with fresh.at_terminal("verify") as seen:
        seen.asks("Verification code: ", change(code))
        seen.ends(65)
    assert said in seen.text
    assert "New password" not in seen.text
    assert not (fresh.path / "key.json").exists()


def test_a_password_that_is_short_easy_or_mistyped_is_asked_again(
        house, fresh):
    code = invited(house, f"{house.fresh('p')}@example.org")
    with fresh.at_terminal("verify") as seen:
        seen.asks("Verification code: ", code)
        seen.asks("New password: ", "short", hidden=True)
        seen.sees("too short: a password has at least 15 characters")
        seen.asks("New password: ", "passwordpassword", hidden=True)
        seen.sees("too easy to guess")
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.asks("New password, again: ", OTHER, hidden=True)
        seen.sees("the two are not the same")
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.asks("New password, again: ", PASSWORD, hidden=True)
        seen.ends(0)


def test_who_never_finds_a_password_can_follow_the_code_later(house, fresh):
    email = f"{house.fresh('p')}@example.org"
    code = invited(house, email)
    with fresh.at_terminal("verify") as seen:
        seen.asks("Verification code: ", code)
        for _ in range(5):
            seen.asks("New password: ", "short", hidden=True)
        seen.ends(65)
    assert not (fresh.path / "key.json").exists()
    with fresh.at_terminal("verify") as seen:
        seen.asks("Verification code: ", code)
        seen.sees("New password: ").listens().presses("c")
        seen.ends(75)
    assert not (fresh.path / "key.json").exists()
    with fresh.at_terminal("verify") as seen:
        seen.asks("Verification code: ", code)
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.asks("New password, again: ", PASSWORD, hidden=True)
        seen.sees(f"Signed in as {email}").ends(0)


# Where there is no terminal

def test_without_a_terminal_nothing_is_asked_of_who_joins(house, fresh):
    done = fresh.piped("verify")
    assert (done.returncode, done.stdout) == (77, "")
    assert "there is no terminal" in done.stderr
    assert "--code-file" in done.stderr
    code = invited(house, f"{house.fresh('p')}@example.org")
    done = fresh.piped("verify", "--code-file", "-", given=code + "\n")
    assert (done.returncode, done.stdout) == (77, "")
    assert "--password-file" in done.stderr
    assert not (fresh.path / "key.json").exists()


@pytest.mark.parametrize("words", [
    ["login"], ["whoami"], ["list"], ["run", "x"], ["result"]])
def test_without_a_terminal_an_ended_session_is_told_and_not_asked_for(
        person, words):
    person.sign_out()
    done = person.piped(*words)
    assert (done.returncode, done.stdout) == (77, "")
    assert "there is no terminal" in done.stderr
    assert "password_file" in done.stderr


def test_without_a_terminal_a_confirmation_needs_yes(house, fresh):
    email = f"{house.fresh('a')}@example.org"
    fresh.joins(email, "administrator")
    done = house.submit("user", "confirm", email, start_new_session=True)
    assert (done.returncode, done.stdout) == (77, "")
    assert "--yes" in done.stderr


def test_data_goes_to_stdout_messages_to_stderr_and_both_undecorated(person):
    sign_in(person)
    done = person.piped("run", person.command)
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert "\033" not in done.stderr + person.piped("history").stdout


# Sessions

def sign_in(who):
    """Where they are not: their key may still be unlocked, too."""
    if who.piped("whoami").returncode != 77:
        return
    who.sign_out()
    with who.at_terminal("login") as seen:
        seen.asks(f"Password of {who.email}: ", PASSWORD, hidden=True)
        seen.sees(f"Signed in as {who.email}").ends(0)


def test_an_ended_session_asks_for_the_password_and_goes_on(person):
    person.sign_out()
    with person.at_terminal("run", person.command) as seen:
        seen.asks(f"Password of {person.email}: ", PASSWORD, hidden=True)
        seen.sees("hello\r\n").sees("succeeded (exit 0)").ends(0)
    assert PASSWORD.encode() not in seen.bytes


def test_a_session_that_the_authorizer_ended_asks_and_goes_on(person):
    sign_in(person)
    kept = {p: p.read_bytes() for p in person.path.glob("session*")}
    person.sign_out()
    for path, data in kept.items():
        path.write_bytes(data)
        path.chmod(0o600)
    with person.at_terminal("whoami") as seen:
        seen.asks(f"Password of {person.email}: ", PASSWORD, hidden=True)
        seen.sees(person.email).ends(0)


def test_a_session_file_that_cannot_be_read_is_as_none(person):
    sign_in(person)
    person.sign_out()
    (person.path / "session.json").write_text("garbage")
    (person.path / "session.json").chmod(0o600)
    with person.at_terminal("whoami") as seen:
        seen.asks(f"Password of {person.email}: ", PASSWORD, hidden=True)
        seen.sees(person.email).ends(0)


def test_a_wrong_password_is_asked_for_three_times(person):
    person.sign_out()
    with person.at_terminal("whoami") as seen:
        seen.asks("Password", OTHER, hidden=True).sees("wrong password")
        seen.asks("Password", OTHER, hidden=True).sees("wrong password")
        seen.asks("Password", PASSWORD, hidden=True).sees(person.email).ends(0)
    person.sign_out()
    with person.at_terminal("whoami") as seen:
        for _ in range(3):
            seen.asks("Password", OTHER, hidden=True)
        seen.sees("wrong password").ends(77)


def test_logout_ends_the_session_and_forgets_the_key(person):
    sign_in(person)
    with person.at_terminal("logout") as seen:
        seen.sees("Signed out.").ends(0)
    assert not list(person.path.glob("session*"))
    with person.at_terminal("logout") as seen:
        seen.sees("Not signed in.").ends(0)
    assert person.piped("whoami").returncode == 77


def test_ctrl_c_at_a_question_ends_it_and_the_terminal_echoes_again(person):
    person.sign_out()
    with person.at_terminal("whoami") as seen:
        seen.sees("Password of ")
        assert seen.child.waitnoecho(10)
        seen.presses("c").ends(75)
    assert "broken off" in seen.text


def test_two_people_share_a_machine_by_two_profiles(house, person, fresh):
    email = f"{house.fresh('q')}@example.org"
    sign_in(person)
    fresh.joins(email, password=OTHER)
    with person.at_terminal("whoami", "-o", "name") as one, \
            fresh.at_terminal("whoami", "-o", "name") as two:
        one.sees(person.email).ends(0)
        two.sees(email).ends(0)
    assert person.command in person.piped("list", "-o", "name").stdout
    assert fresh.piped("list", "-o", "name").stdout == ""


# Keys

def has_keyring():
    """Whether this machine's kernel keeps keys for us."""
    done = subprocess.run(["keyctl", "show", "@u"], capture_output=True,
                          check=False) if shutil.which("keyctl") else None
    if done is not None:
        return done.returncode == 0
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(250, 0, -4, 0) > 0  # KEYCTL_GET_KEYRING_ID, user


@pytest.mark.skipif(not has_keyring(), reason="no kernel keyring here")
def test_an_own_key_is_asked_for_once_in_fifteen_minutes(
        house, administrator):
    administrator.sign_out()
    first, second = house.fresh("t"), house.fresh("t")
    with administrator.at_terminal("target", "add", first) as seen:
        seen.asks("Password of ", PASSWORD, hidden=True)
        seen.sees("added").ends(0)
    with administrator.at_terminal("target", "add", second) as seen:
        seen.sees("added").ends(0)
    assert "Password" not in seen.text
    administrator.sign_out()
    with administrator.at_terminal("target", "add", second) as seen:
        seen.asks("Password of ", PASSWORD, hidden=True)
        seen.sees("unchanged").ends(0)


def deny_keyring():
    """Answers EPERM to add_key, request_key, keyctl: as containers do."""
    rows = [(0x20, 0, 0, 0), (0x35, 0, 2, 248), (0x25, 1, 0, 250),
            (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
    code = b"".join(struct.pack("HBBI", *row) for row in rows)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(rows), ctypes.addressof(held))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, filter


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86")
def test_where_there_is_no_keyring_the_password_is_asked_each_time(
        house, administrator):
    sign_in(administrator)
    for _ in range(2):
        with Terminal("target", "add", house.fresh("t"), begin=deny_keyring,
                      environment=administrator.env) as seen:
            seen.asks("Password of ", PASSWORD, hidden=True)
            seen.sees("asked for each time").sees("added").ends(0)


def test_a_key_that_others_may_read_is_refused_with_the_way_out(person):
    person.sign_out()
    key = person.path / "key.json"
    key.chmod(0o644)
    with person.at_terminal("login") as seen:
        seen.asks("Password of ", PASSWORD, hidden=True)
        seen.sees("chmod 600").ends(66)
    key.chmod(0o600)
    sign_in(person)


# Administrators

def test_a_second_administrator_has_no_right_until_confirmed(house, fresh):
    fresh.email = f"{house.fresh('a')}@example.org"
    seen = fresh.joins(fresh.email, "administrator")
    assert "has to confirm you first" in " ".join(seen.text.split())
    words = re.search(r"not by mail: +((?:[a-z]{3,8} ){5}[a-z]{3,8})",
                      " ".join(seen.text.split()))
    target = house.fresh("t")
    sign_in(fresh)
    for verb in (["target", "add", target], ["user", "list"], ["list"],
                 ["user", "confirm", fresh.email, "--yes"],
                 ["user", "invite", "x@example.org"]):
        with fresh.at_terminal(*verb) as seen:
            if seen.child.expect(["Password of ", "waits to be conf"]) == 0:
                seen.types(PASSWORD).sees("waits to be conf")
            seen.ends(77)
    assert target not in house.submit("target", "list", "-o", "name").stdout

    admin = Profile(house, house.env("admin")["ERRAND_PROFILE"])
    with admin.at_terminal("user", "confirm", fresh.email) as asked:
        asked.sees(words.group(1)).asks("(y/N): ", "").ends(65)
    assert "not confirmed" in asked.text
    assert fresh.piped("user", "list").returncode == 77
    with admin.at_terminal("user", "confirm", fresh.email) as asked:
        asked.asks("(y/N): ", "y").sees("is an administrator now").ends(0)
    with fresh.at_terminal("target", "add", target) as seen:
        if seen.child.expect(["Password of ", "added"]) == 0:
            seen.types(PASSWORD).sees("added")
        seen.ends(0)
    assert target in house.submit("target", "list", "-o", "name").stdout


# Runs

def test_ctrl_c_detaches_and_says_how_to_go_on(house, person):
    sign_in(person)
    name = house.command("echo begun; exec sleep 2; echo done")
    assert house.submit("assign", "add", name, person.email).returncode == 0
    with person.at_terminal("run", name) as seen:
        seen.sees("begun\r\n").presses("c")
        seen.sees("detached; the run goes on").sees("submit cancel").ends(75)
    line = seen.text.splitlines()[-2]
    assert line.startswith("detached"), "the sentence has a line of its own"
    run = re.search("submit watch ([0-9a-f]{12})", line).group(1)
    until("the outcome", lambda: house.rows(
        "SELECT 1 FROM run_states WHERE right(id::text, 12) = %s AND"
        " outcome = 'succeeded'", run))
    with person.at_terminal("output", run) as seen:
        seen.sees("begun\r\n").ends(0)
    with person.at_terminal("result", run) as seen:
        seen.sees("outcome").sees("succeeded").ends(0)


@pytest.fixture
def stopped(house):
    """Stops a daemon; it goes on afterwards."""
    pids = []

    def stop(name):
        pids.append(house.pid(name))
        os.kill(pids[-1], signal.SIGSTOP)
        return lambda: os.kill(pids[-1], signal.SIGCONT)
    yield stop
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_what_is_waited_for_is_said_after_two_seconds_and_goes_on(
        person, stopped):
    sign_in(person)
    goes_on = stopped("authorizer-1")
    with person.at_terminal("whoami") as seen:
        seen.sees("waiting for the authorizer's answer")
        goes_on()
        seen.sees(person.email).ends(0)


def test_an_authorizer_that_never_answers_ends_all_that_ask_with_75(
        person, stopped):
    sign_in(person)
    stopped("authorizer-1")
    with person.impatient(), person.at_terminal("whoami") as one, \
            person.at_terminal("run", person.command) as two, \
            person.at_terminal("run", person.command) as three:
        three.sees("waiting for the authorizer's answer").presses("c")
        three.ends(75)
        for seen in one, two:
            seen.sees("waiting for the authorizer's answer")
            seen.sees("no answer within 6 s").ends(75)
            assert "ask again later" in " ".join(seen.text.split())


def test_a_target_that_is_away_is_told_and_until_when_it_is_waited_for(
        house, person, stopped):
    sign_in(person)
    name = house.command("echo hello", "#: wait = 10m")
    assert house.submit("assign", "add", name, person.email).returncode == 0
    goes_on = stopped("executor-1")
    with person.at_terminal("run", name) as seen:
        seen.sees("dev has not begun yet: the run waits for it until 20")
        seen.sees("dev is silent (last heard: 20").sees("until 20")
        with person.at_terminal("run", name) as later:
            later.sees("dev is silent (last heard: 20").presses("c").ends(75)
        assert "has not begun" not in later.text, "silence is told at once"
        goes_on()
        seen.sees("hello\r\n").sees("succeeded (exit 0)").ends(0)


# What a screen shows

def test_tables_fit_the_screen_and_names_stay_whole(person):
    sign_in(person)
    assert person.piped("run", person.command).returncode == 0
    run = person.piped("history", "-o", "name").stdout.split()[0]
    with person.at_terminal("history", "--limit", "1") as seen:
        seen.ends(0)
    who, _, line, *more = seen.text.splitlines()
    assert who == f"{person.email} (runner)"
    assert person.command in line and run in line
    assert all(m.startswith("the newest 1 of ") for m in more), seen.text


def test_no_colour_where_it_is_not_wanted(person):
    sign_in(person)
    with person.at_terminal("history", NO_COLOR="1") as seen:
        seen.ends(0)
    assert b"\033[" not in seen.bytes
