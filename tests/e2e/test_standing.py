"""Staying in control, through submit: suspend, resume, remove, role, new invitations
and keys; and that what was answered holds (P6), whatever is killed."""
import json
import os
import signal
import subprocess

import client
import post
from client import Key, accepted, b64, moment, now_ms
from host import Host, standing
from house import BIN, HOME, until
from terminal import Terminal
from test_joining import Guest as Newcomer
from test_joining import folder, told  # noqa: F401  pylint: disable=unused-import
from test_promises import next_of


class Guest(Newcomer):
    """Whose profile unlocks itself, as that of a script's does."""

    def settled(self, role="runner"):
        self.joined(role)
        with open(self.profile / "config", "a", encoding="utf-8") as config:
            config.write(f"[profile]\npassword_file = {self.password}\n")
        return self


def done(run, status=0):
    assert run.returncode == status, (run.stdout, run.stderr)
    return run


def state_of(house, email):
    rows = json.loads(done(house.submit("user", "list", "-o", "json")).stdout)
    return [("suspended" if r.get("suspended") else r["state"]) for r in rows
            if r["email"] == email]


def anew(house, folder, guest):
    """Who was reset, in another place, by the mail that came for it."""
    again = Guest(house, folder, "again")
    again.email = guest.email
    again.code.write_text(house.post.code(guest.email, 2))
    again.code.chmod(0o600)
    done(again.verify())
    return again


def runner_of(house, folder, name="guest"):
    """Somebody with a command of their own."""
    guest = Guest(house, folder, name).settled()
    command = house.command("echo hello")
    done(house.submit("assign", "add", command, guest.email))
    assert done(guest.submit("run", command)).stdout == "hello\n"
    return guest, command


HOUR_MINUS = client.HOUR - client.MINUTE


# People

def test_a_suspension_holds_for_the_next_request_and_open_sessions(house, folder):
    guest, command = runner_of(house, folder)
    done(house.submit("user", "suspend", guest.email))
    for verb in (["run", command], ["list"], ["history"], ["whoami"]):
        told(guest.submit(*verb), 77, "suspended")
    assert state_of(house, guest.email) == ["suspended"]
    told(house.submit("user", "suspend", guest.email), 65, "already")
    told(house.submit("user", "invite", guest.email), 65, "suspended", "resume")
    done(house.submit("user", "resume", guest.email))
    assert done(guest.submit("run", command)).stdout == "hello\n"
    told(house.submit("user", "resume", guest.email), 65, "not suspended")


def test_one_person_is_shown_with_how_they_stand(house, folder):
    guest, _ = runner_of(house, folder)
    done(house.submit("user", "suspend", guest.email))
    shown = done(house.submit("user", "show", guest.email.upper())).stdout
    assert guest.email in shown and "suspended" in shown
    row = json.loads(done(house.submit("user", "show", guest.email, "-o", "json")).stdout)
    assert (row["email"], row["generation"], row["suspended"]) == (guest.email, 1, True)
    told(house.submit("user", "show", "nobody@x.example"), 67)
    told(house.submit("user", "show", guest.email, who="runner"), 67)


def test_who_was_removed_is_gone_and_what_they_did_is_not(house, folder):
    guest, command = runner_of(house, folder)
    run = json.loads(guest.submit("result", "-o", "json").stdout)["run"]["run"]
    done(house.submit("user", "remove", guest.email, "--yes"))
    told(guest.submit("run", command), 77, "removed")
    assert state_of(house, guest.email) == ["removed"]
    shown = json.loads(done(house.submit("result", run, "-o", "json")).stdout)
    assert shown["run"]["asked_by"] == guest.email
    told(house.submit("user", "resume", guest.email), 67, "no user")
    # The address is free: a new user, with nothing of the old one's.
    again = Guest(house, folder, "again")
    again.email = guest.email
    again.settled()
    assert "no command is assigned" in again.submit("list").stderr
    assert state_of(house, guest.email) == ["removed", "active"]


def test_nobody_locks_everybody_out(house, folder):
    """Whoever acts is left; so somebody always is."""
    other = Guest(house, folder, "other").settled("administrator")
    done(house.submit("user", "confirm", other.email, "--yes"))
    for verb in (["suspend", other.email],
                 ["remove", other.email, "--yes", "--keep", "all"],
                 ["role", other.email, "runner", "--keep", "all"],
                 ["reset", other.email, "--password", "--keep", "all"]):
        told(other.submit("user", *verb), 77, "that is you")
    told(house.submit("user", "remove", "nobody@x.example", "--yes"), 67)


def test_the_last_administrator_stays(house, folder):
    """Whoever is left alone can't be ended by one who waits, either."""
    other = Guest(house, folder, "other").settled("administrator")
    told(other.submit("user", "suspend", house.email_of("admin")), 67)
    done(house.submit("user", "confirm", other.email, "--yes"))
    asker = house.asker()
    own = client.Person.read(str(other.profile), other.email,
                             other.password.read_text().strip())
    user = {"user": house.admin.user}
    accepted(asker.enter("user.suspend", {**user, "keep": kept(house)}, own))
    assert asker.enter("user.remove", {"user": own.user}, own).text.startswith("that is you")
    # The first one is suspended, so the other is the last who can act.
    told(house.submit("user", "list"), 77, "suspended")
    accepted(asker.enter("user.resume", user, own))
    assert state_of(house, other.email) == ["active"]
    done(house.submit("user", "remove", other.email, "--yes"))


def kept(house):
    """All that hangs on the stack's administrator."""
    rows = house.asker().ask("user.signed", {"email": house.email_of("admin")},
                             house.admin).answer["rows"]
    return [row["hash"] for row in rows]


def test_a_role_is_changed_with_the_same_key(house, folder):
    guest, command = runner_of(house, folder)
    told(house.submit("user", "role", guest.email, "runner"), 65, "already")
    told(house.submit("user", "role", guest.email, "king"), 64, "king")
    done(house.submit("user", "role", guest.email, "administrator", "--yes"))
    assert "administrator" in done(guest.submit("whoami")).stdout
    path = folder / "theirs"
    mine = house.fresh("c")
    path.write_text(house.file(mine, "echo theirs"))
    done(guest.submit("command", "save", str(path), "--runner", house.runner_email))
    assert done(house.submit("run", mine, who="runner")).stdout == "theirs\n"
    # As a runner again they keep no right of an administrator's, nor do others
    # who relied on it, but for what is kept.
    other = house.fresh("c")
    path.write_text(house.file(other, "echo other"))
    done(guest.submit("command", "save", str(path), "--runner", house.runner_email))
    done(house.submit("user", "role", guest.email, "runner", "--keep", mine,
                      "--keep", f"{mine} to {house.runner_email}"))
    told(guest.submit("command", "save", str(path)), 77)
    assert done(house.submit("run", mine, who="runner")).stdout == "theirs\n"
    told(house.submit("run", other, who="runner"), 67)
    assert other not in house.submit("list", who="runner").stdout
    assert done(guest.submit("run", command)).stdout == "hello\n"
    told(guest.submit("user", "list"), 77)


def test_what_hangs_on_an_administrator_is_shown_before_it_ends(house, folder):
    other = Guest(house, folder, "leaving").settled("administrator")
    done(house.submit("user", "confirm", other.email, "--yes"))
    path = folder / "theirs"
    command = house.fresh("c")
    path.write_text(house.file(command, "true"))
    done(other.submit("command", "save", str(path)))
    asked = house.submit("user", "remove", other.email, "--yes")
    assert asked.returncode == 77 and command in asked.stderr, asked.stderr
    told(house.submit("user", "remove", other.email, "--yes", "--keep", "wrong"), 65,
         "wrong")
    assert state_of(house, other.email) == ["active"]
    done(house.submit("user", "remove", other.email, "--yes", "--keep", command))
    done(house.submit("run", command))


def test_who_was_invited_by_somebody_void_is_told_so(house, folder):
    other = Guest(house, folder, "leaving").settled("administrator")
    done(house.submit("user", "confirm", other.email, "--yes"))
    guest = Guest(house, folder, "guest")
    done(other.submit("user", "invite", guest.email, "--no-mfa"))
    guest.code.write_text(house.post.code(guest.email))
    guest.code.chmod(0o600)
    done(guest.verify())
    command = house.command("true")
    done(house.submit("assign", "add", command, guest.email))
    explained(house, command, guest.email, True, "it is assigned")
    done(house.submit("user", "remove", other.email, "--yes", "--keep", "none"))
    told(guest.submit("list"), 77, "who gave you your right")
    explained(house, command, guest.email, False, other.email)


# Invitations, keys

def test_a_new_invitation_ends_the_one_before(house, folder):
    guest = Guest(house, folder, "guest").invited()
    first = guest.code.read_text()
    done(house.submit("user", "resend", guest.email))
    late = Guest(house, folder, "late")
    late.code.write_text(first)
    late.code.chmod(0o600)
    told(late.verify(), 77, "newer")
    guest.code.write_text(house.post.code(guest.email, 2))
    done(guest.verify())
    told(house.submit("user", "resend", guest.email), 65, "reset")


def test_a_withdrawn_invitation_can_t_be_followed(house, folder):
    guest = Guest(house, folder, "guest").invited()
    done(house.submit("user", "withdraw", guest.email))
    told(guest.verify(), 77, "withdrawn")
    told(house.submit("user", "withdraw", guest.email), 67)
    joined = Guest(house, folder, "joined").settled()
    told(house.submit("user", "withdraw", joined.email), 65, "remove")


def test_a_command_that_is_almost_called_so_is_suggested(house, folder):
    """To whom it is theirs; to nobody else."""
    guest, command = runner_of(house, folder)
    meant = f"did you mean {command}?"
    told(house.submit("assign", "add", command + "x", guest.email), 67, meant)
    told(guest.submit("run", command + "x"), 67, meant)
    theirs = house.command("true")
    hidden = guest.submit("show", theirs + "xyz")
    assert hidden.returncode == 67 and theirs + "?" not in hidden.stderr


def test_a_lost_password_gives_the_same_person_a_new_key(house, folder):
    guest, command = runner_of(house, folder)
    done(house.submit("user", "reset", guest.email, "--password"))
    told(guest.submit("run", command), 77, "verify")
    mail = house.post.awaited(guest.email, "choose a new password")
    text = " ".join(post.plain(mail).split())
    assert "has reset your password" in text and "invites you" not in text
    again = anew(house, folder, guest)
    assert done(again.submit("run", command)).stdout == "hello\n"
    assert done(again.submit("history", "-o", "name")).stdout.count("\n") == 2
    told(guest.submit("run", command), 77)


def test_a_lost_password_is_followed_on_the_same_machine(house, folder):
    """In the profile as it is: its key is dead, its person is the same."""
    guest, command = runner_of(house, folder)
    before = (guest.profile / "config").read_text()
    old = (guest.profile / "key.json").read_bytes()
    said = done(house.submit("user", "reset", guest.email, "--password")).stdout
    assert "second factor  none" in said
    guest.code.write_text(house.post.code(guest.email, 2))
    other = Guest(house, folder, "other").settled()
    other.code = guest.code
    kept = (other.profile / "key.json").read_bytes()
    told(other.verify(), 65, "somebody's")
    assert (other.profile / "key.json").read_bytes() == kept
    done(guest.verify())
    assert (guest.profile / "key.json").read_bytes() != old
    assert (guest.profile / "config").read_text() == before
    assert done(guest.submit("run", command)).stdout == "hello\n"
    assert "going on with the key" in done(guest.verify()).stderr
    assert (guest.profile / "config").read_text() == before


def test_a_rotated_key_is_the_only_one(house, folder):
    guest, command = runner_of(house, folder)
    old = guest.profile / "key.json"
    stolen = client.Person.read(str(guest.profile), guest.email,
                                guest.password.read_text().strip())
    before = old.read_bytes()
    done(guest.submit("key", "rotate", "--password-file", str(guest.password)))
    assert old.read_bytes() != before
    assert not (guest.profile / "key.new.json").exists()
    done(guest.submit("login", "--password-file", str(guest.password)))
    assert done(guest.submit("run", command)).stdout == "hello\n"
    asker = house.asker()
    reply = asker.exchange(asker.session_request(stolen, Key()))
    assert (reply.status, "changed" in reply.text) == ("denied", True)
    thief = Key()
    reply = asker.enter("key.rotate", {
        "user": stolen.user, "naming": stolen.by, "key": b64(thief.public),
        "generation": 2}, stolen, thief)
    assert (reply.status, "changed" in reply.text) == ("denied", True)


def rotates(guest):
    return guest.submit("key", "rotate", "--password-file", str(guest.password))


def test_a_rotation_that_was_broken_off_goes_on_with_the_key_that_was_accepted(
        house, folder):
    guest, command = runner_of(house, folder)
    new, asked = guest.profile / "key.new.json", guest.profile / "enrolment.new.json"
    with standing(house.pid("authorizer-1")):
        broken = subprocess.Popen(
            [BIN / "submit", "key", "rotate", "--password-file", str(guest.password)],
            env={**os.environ, "ERRAND_PROFILE": str(guest.profile),
                 "ERRAND_BROKERS": house.brokers}, stderr=subprocess.PIPE)
        until("it was sent", lambda: broken.stderr.read(1), 20)  # "waiting for …"
        broken.kill()
        broken.communicate()
    key = new.read_bytes()
    assert asked.exists() and key != (guest.profile / "key.json").read_bytes()
    until("it was accepted", lambda: house.rows(
        "SELECT generation FROM users WHERE email = %s", guest.email) == [(2,)])
    done(rotates(guest))
    assert (guest.profile / "key.json").read_bytes() == key
    assert not new.exists() and not asked.exists()
    done(guest.submit("login", "--password-file", str(guest.password)))
    assert done(guest.submit("run", command)).stdout == "hello\n"
    # One that never left is begun anew.
    new.write_bytes(b"half")
    done(rotates(guest))
    done(guest.submit("login", "--password-file", str(guest.password)))
    assert done(guest.submit("run", command)).stdout == "hello\n"


def test_administrators_rotate_and_their_commands_go_on(house, folder):
    other = Guest(house, folder, "other").settled("administrator")
    done(house.submit("user", "confirm", other.email, "--yes"))
    path = folder / "theirs"
    command = house.fresh("c")
    path.write_text(house.file(command, "echo on"))
    done(other.submit("command", "save", str(path), "--runner", house.runner_email))
    done(other.submit("key", "rotate", "--password-file", str(other.password)))
    assert done(house.submit("run", command, who="runner")).stdout == "on\n"
    done(other.submit("login", "--password-file", str(other.password)))
    done(other.submit("run", command))


# Commands, assignments

def test_an_assignment_is_taken_back_and_given_again(house, folder):
    guest, command = runner_of(house, folder)
    done(house.submit("assign", "remove", command, guest.email))
    told(guest.submit("run", command), 67)
    assert command not in guest.submit("list").stdout
    told(house.submit("assign", "remove", command, guest.email), 67, "no assignment")
    done(house.submit("assign", "add", command, guest.email))
    assert done(guest.submit("run", command)).stdout == "hello\n"


def test_an_assignment_may_end_by_itself_and_be_for_one_version(house, folder):
    guest = Guest(house, folder, "guest").settled()
    path = folder / "c"
    command = house.fresh("c")
    for word in ("first", "second"):
        path.write_text(house.file(command, f"echo {word}"))
        done(house.submit("command", "save", str(path)))
    done(house.submit("assign", "add", command, guest.email, "--pin", "1",
                      "--until", "1h"))
    assert done(guest.submit("run", command)).stdout == "first\n"
    [row] = json.loads(done(house.submit("assign", "list", "--user", guest.email, "-o",
                                         "json")).stdout)
    assert row["pin"] == 1
    assert HOUR_MINUS < client.moment_ms(row["until"]) - now_ms() <= client.HOUR
    done(house.submit("assign", "add", command, guest.email, "--until", "2s"))
    assert done(guest.submit("run", command)).stdout == "second\n"
    until("it ends", lambda: guest.submit("run", command).returncode == 67)
    explained(house, command, guest.email, False, "has ended")
    for flag, value in (("--until", "soon"), ("--pin", "0"), ("--pin", "x")):
        told(house.submit("assign", "add", command, guest.email, flag, value), 65, flag)


def explained(house, command, email, may, why):
    shown = done(house.submit("assign", "explain", command, email, "-o", "json"),
                 0 if may else 1)
    answer = json.loads(shown.stdout)
    assert (answer["may"], why in answer["why"]) == (may, True), answer
    return answer


def test_why_somebody_may_run_it_is_one_line(house, folder):
    admin = house.email_of("admin")
    guest = Guest(house, folder, "guest").invited()
    command = house.command("echo hello")

    def ask(may, why):
        return explained(house, command, guest.email, may, why)
    ask(False, "not assigned")
    done(house.submit("assign", "add", command, guest.email))
    assert ask(False, "not followed")["by"] == admin
    done(guest.verify())
    assert ask(True, "it is assigned")["by"] == admin
    done(house.submit("user", "suspend", guest.email))
    assert ask(False, "suspended")["by"] == admin
    done(house.submit("user", "resume", guest.email))
    ask(True, "it is assigned")
    done(house.submit("user", "remove", guest.email, "--yes"))
    ask(False, "removed")
    explained(house, command, admin, True, "every command")
    told(house.submit("assign", "explain", command, "x@x.example"), 67, "no user")
    told(house.submit("assign", "explain", "nothing", admin), 67, "no command")


def test_a_removed_command_leaves_its_name_free(house, folder):
    guest, command = runner_of(house, folder)
    done(house.submit("command", "remove", command, "--yes"))
    told(guest.submit("run", command), 67)
    told(house.submit("run", command), 67)
    path = folder / "new"
    path.write_text(house.file(command, "echo new"))
    done(house.submit("command", "save", str(path)))
    told(guest.submit("run", command), 67)
    assert done(house.submit("run", command)).stdout == "new\n"


# P6

def test_what_waits_is_closed_and_what_runs_is_ended(house, folder):
    host = Host(house, folder).start()
    try:
        guest = Guest(house, folder, "guest").settled()
        command = house.command("sleep 60", "#: wait = 5m", target=host.target)
        done(house.submit("assign", "add", command, guest.email))
        running = done(guest.submit("run", "--detach", command)).stdout.strip()
        until("it runs", lambda: states(house, running) == ["running"])
        with standing(*host.halves()):
            waiting = done(guest.submit("run", "--detach", command)).stdout.strip()
            done(house.submit("user", "suspend", guest.email))
        for run in (running, waiting):
            until("it is cancelled", lambda r=run: outcomes(house, r) == ["cancelled"])
    finally:
        host.stop()


def states(house, run):
    return [s for (s,) in house.rows(
        "SELECT state FROM execution_states WHERE run_id = %s", run)]


def outcomes(house, run):
    return [o for (o,) in house.rows(
        "SELECT outcome FROM execution_states WHERE run_id = %s", run)]


def log_on_topic(house):
    """[(seq, hash, prev)] of this installation, as Python reads the topic."""
    found = {}
    for message in client.read_all(house.brokers, "errand.revocations"):
        try:
            envelope = client.Envelope.from_record(message)
        except (KeyError, ValueError, TypeError):
            continue
        fields = envelope.fields
        if fields["root"] == house.admin.init.fields["root"]:
            found.setdefault(fields["seq"], []).append((envelope.hash, fields["prev"]))
    return found


def test_the_log_is_whole_whatever_the_authorizer_s_killed_at(house, folder):
    """One chain, on the topic and in the table, and each answer is in it."""
    guest = Guest(house, folder, "guest").settled()
    asker, answered = house.asker(), []
    user = {"user": json.loads(guest.submit("whoami", "-o", "json").stdout)["user"]}
    for n in range(12):
        kind = "user.suspend" if n % 2 == 0 else "user.resume"
        request = asker.entry_request(kind, user, house.admin)
        asker.produce(request)
        if n % 3 == 0:
            os.kill(house.pid("authorizer-1"), signal.SIGKILL)
        try:
            reply = asker.wait(request, 12)
        except client.Silence:
            reply = asker.exchange(request, 20)
        if reply.status == "behind":
            reply = asker.enter(kind, user, house.admin)
        accepted(reply)
        answered.append(asker.log[0])
        assert asker.log[0] in log_on_topic(house), "answered before it was told"
    rows = house.rows("SELECT seq, encode(hash, 'hex') FROM revocations ORDER BY seq")
    told_ = log_on_topic(house)
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    prev = house.admin.init.hash
    for seq, digest in rows:
        assert {h for h, _ in told_[seq]} == {digest}
        assert told_[seq][0][1] == prev
        prev = digest


def test_an_older_database_is_not_believed(house):
    """What was taken away since then would be given again."""
    [(seq, digest, entry)] = house.rows(
        "SELECT seq, hash, entry FROM revocations ORDER BY seq DESC LIMIT 1")
    config = HOME / "conf/authorizer-1.ini"
    house.change("DELETE FROM revocations WHERE seq = %s", seq)
    try:
        second = subprocess.run(
            [BIN / "errand-authorizer", "--config", config], text=True,
            capture_output=True, timeout=30, check=False,
            env={**os.environ, "ERRAND_CONF_SERVICE_READY": str(HOME / "second.ready")})
    finally:
        house.change("INSERT INTO revocations (seq, hash, entry) VALUES (%s, %s, %s)",
                     seq, digest, entry)
    assert second.returncode == 1
    assert "older copy" in second.stderr


def test_a_place_of_the_log_is_taken_once(house, folder):
    """32 at once for the same place: one gets it, the others are told to sign anew."""
    guest = Guest(house, folder, "guest").settled()
    asker = house.asker()
    accepted(asker.ask("user.list", {}, house.admin))
    user = {"user": json.loads(guest.submit("whoami", "-o", "json").stdout)["user"]}
    requests = [asker.entry_request("user.suspend", user, house.admin)
                for _ in range(32)]
    for request in requests:
        asker.produce(request)
    said = [asker.wait(request).status for request in requests]
    assert said.count("accepted") == 1
    assert set(said) <= {"accepted", "behind", "conflict"}


def test_a_session_key_signs_no_entry(house):
    asker = house.asker()
    session = asker.open_session(house.admin)
    for kind, fields in (("user.suspend", {"user": house.admin.user}),
                         ("user.reinvite", {
                             "user": house.admin.user, "role": "runner",
                             "invitation": b64(Key().public), "generation": 2,
                             "email": "a@x.example",
                             "until": moment(now_ms() + client.HOUR)})):
        assert asker.enter(kind, fields, session).status == "denied"


def test_the_authorizer_starts_again_when_its_founder_has_another_key(house):
    """What names the first administrator's key then is no root.init any more."""
    founder = house.email_of("admin")
    (kept,), = house.rows("SELECT verify_hash FROM users WHERE email = %s", founder)
    house.change("UPDATE users SET verify_hash = (SELECT hash FROM envelopes WHERE"
                 " type = 'errand.user.verify.v1' LIMIT 1) WHERE email = %s", founder)
    try:
        before = house.pid("authorizer-1")
        os.kill(before, signal.SIGKILL)
        until("another one runs", lambda: house.pid("authorizer-1") != before)
        done(house.submit("list", who="runner"))
    finally:
        house.change("UPDATE users SET verify_hash = %s WHERE email = %s", kept, founder)
    done(house.submit("user", "list"))


# A stolen authorizer's key

def second_authorizer(house, folder, name, verb="enrol"):
    """One that the root key enrols: its key, its enrolment's chain, and its
    configuration, to start it by."""
    key = Key()
    key.write(folder / "second.key")
    enrolment = folder / "second.enrol.json"
    done(house.submit("service", verb, "authorizer", name, "--key", client.key_line_make(key),
                      "--out", str(enrolment), "--root-key", str(HOME / "root/root.key"),
                      "--root-password-file", str(HOME / "keys/root.password")))
    text = (HOME / "conf/authorizer-1.ini").read_text()
    for old, new in ((HOME / "keys/authorizer-1.key", folder / "second.key"),
                     (HOME / "keys/authorizer-1.enrol.json", enrolment),
                     (HOME / "run/authorizer-1.ready", folder / "second.ready"),
                     ("authorizer-1", name)):
        text = text.replace(str(old), str(new))
    text += f"[authorizer]\nfactor_key = {HOME / 'keys/factor.key'}\n"
    (folder / "second.ini").write_text(text)
    (folder / "second.ini").chmod(0o600)
    chain = json.loads(enrolment.read_text())["envelopes"]
    return key, chain, folder / "second.ini"


class Thief:
    """Who has an authorizer's key, and the topics."""

    def __init__(self, house, key, chain):
        self.house, self.key, self.chain = house, key, chain
        self.by = client.Envelope.from_dsse(chain[0]).hash
        self.asker = house.asker()
        self.consumers = []

    def __enter__(self):
        """From now on they hear what is asked."""
        self.consumers = [client.reader(self.house.brokers, "errand.requests", p)
                          for p in self.house.partitions("errand.requests")]
        return self

    def __exit__(self, *_what):
        for consumer in self.consumers:
            consumer.close()

    def answers(self, log, status):
        """The next request, in the name of the authorizer."""
        request = client.Envelope.from_record(next_of(self.consumers))
        fields, ms = request.fields, now_ms()
        reply = client.Envelope.of("reply", {
            "root": fields["root"], "id": client.uuid7(ms), "issued": moment(ms),
            "by": self.by, "to": fields["id"], "request": request.hash, "part": 0,
            "last": True, "seq": log[0], "head": log[1], "status": status,
            "text": "stolen", "proof": self.chain}, self.key)
        box = client.nacl.public.SealedBox(client.nacl.public.PublicKey(
            client.unb64(fields["reply"]["box"]))).encrypt(
                json.dumps(reply.dsse()).encode())
        self.asker.send("errand.replies", json.dumps({"box": b64(box)}).encode(), [],
                        fields["id"], partition=fields["reply"]["partition"])


def answered_by_thief(thief, log, *pids):
    """What submit makes of a thief's answer, while nobody else answers."""
    house = thief.house
    with thief, standing(house.pid("authorizer-1"), *pids):
        asking = house.start("list", who="runner")
        thief.answers(log, "not_found")
        try:
            asking.wait(3)
        except subprocess.TimeoutExpired:
            pass
    said = asking.communicate(timeout=60)
    return asking.returncode, said


def test_an_entry_is_made_when_the_log_shows_it(house, folder):
    """Whoever has an authorizer's key can say so, and the log does not."""
    name = house.fresh("authorizer-")
    key, chain, config = second_authorizer(house, folder, name)
    with subprocess.Popen([BIN / "errand-authorizer", "--config", config],
                          stderr=subprocess.DEVNULL) as second:
        until("it is known", (folder / "second.ready").exists, 30)
        second.terminate()
    with Terminal("service", "revoke", name, environment=house.env("admin")) as seen:
        seen.sees("Revoke the enrolment of authorizer")
        asker = house.asker()
        accepted(asker.ask("user.list", {}, house.admin))
        with Thief(house, key, chain) as thief, standing(house.pid("authorizer-1")):
            seen.types("y")
            thief.answers(asker.log, "accepted")
            seen.sees("the revocation log does not show it")
        seen.ends(77)
    # The request was on the topic: an honest authorizer did it meanwhile.
    told(house.submit("service", "revoke", name, "--yes"), 67, name)


def test_a_revoked_authorizer_is_believed_by_nobody(house, folder):
    key, chain, config = second_authorizer(house, folder, house.fresh("authorizer-"))
    asker = house.asker()
    with open(folder / "second.log", "w", encoding="utf-8") as log:
        second = subprocess.Popen([BIN / "errand-authorizer", "--config", config],
                                  stderr=log)
    try:
        until("it serves", (folder / "second.ready").exists, 30)
        accepted(asker.ask("user.list", {}, house.admin))
        log = asker.log
        thief = Thief(house, key, chain)
        status, said = answered_by_thief(thief, log, second.pid)
        assert (status, "stolen" in said[1]) == (67, True), said
        # What a thief says of the log beyond its end is forgotten.
        answered_by_thief(thief, (log[0] + 1000, "ab" * 32), second.pid)
        done(house.submit("list", who="runner"))
        revoked = client.Envelope.from_dsse(chain[0]).hash
        accepted(asker.enter("service.revoke", {"service": revoked}, house.admin))
        assert second.wait(20) == os.EX_CONFIG, "it goes on"
        assert "revoked" in (folder / "second.log").read_text()
    finally:
        if second.poll() is None:
            second.kill()
    done(house.submit("list", who="runner"))  # it hears of the entry
    status, said = answered_by_thief(thief, asker.log)
    assert (status, "stolen" in said[1]) == (0, False), said
