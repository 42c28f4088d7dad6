"""Approval: who has to say yes before a command runs, and that nobody else's word
is taken for it: not the asker's, not the authorizer's, not a member's who is none
any more. The witnesses are files that the commands write."""
import json
import os
import pathlib
import subprocess

import pytest

from client import Envelope, Person, read_all
from house import BIN, until
from lone import Lone
from test_joining import told
from test_standing import Guest, done, outcomes, states


class Stage:
    """A group of three, of whom one asks, and a runner outside."""

    def __init__(self, house, folder):
        folder.chmod(0o700)
        (folder / "password").write_text("seven unlikely words of a test\n")
        (folder / "password").chmod(0o600)
        self.house, self.folder = house, folder
        self.asker, self.one, self.two, self.stranger = (
            Guest(house, folder, name).settled()
            for name in ("asker", "one", "two", "stranger"))
        self.group = house.fresh("leads")
        done(house.submit("group", "add", self.group, self.asker.email,
                          self.one.email, self.two.email))

    def command(self, *header, approve=None, script=""):
        """Its name, and its witness."""
        mark = self.folder / self.house.fresh("mark")
        name = self.house.command(
            f"{script}\necho $ERRAND_RUN_ID >> {mark}",
            f"#: approve = {approve or '2 of ' + self.group}", *header)
        for who in (self.asker, self.stranger):
            done(self.house.submit("assign", "add", name, who.email))
        return name, mark

    def asked(self, command, *arguments):
        """The id of a run that waits."""
        run = done(self.asker.submit("run", "--detach", command, *arguments))
        assert "waits for" in run.stderr, run.stderr
        return run.stdout.strip()


@pytest.fixture(scope="module")
def stage(house, tmp_path_factory):
    return Stage(house, tmp_path_factory.mktemp("approval"))


def facts(house, run):
    """What was told of a run on errand.events."""
    return [m for message in read_all(house.brokers, "errand.events")
            if message.key() == run.encode()
            for m in [Envelope.from_record(message)]]


def pending(guest):
    return [r["run"] for r in json.loads(
        done(guest.submit("pending", "-o", "json")).stdout)]


def test_two_of_three_approve_and_the_asker_does_not_count(house, stage):
    command, mark = stage.command("#: [param token]", "#: type = secret")
    shown = done(stage.asker.submit("run", "--dry-run", command)).stdout
    assert f"2 of {stage.group}" in shown
    assert f"2 of {stage.group}, within 1h" in done(
        stage.asker.submit("show", command)).stdout
    run = stage.asked(command, f"token=@{stage.folder / 'password'}")
    assert states(house, run) == ["planned"]
    assert f"waits for 2 approvals (2 of {stage.group})" in done(
        stage.asker.submit("history", "-n", "1")).stdout
    told(stage.asker.submit("approve", run, "-y"), 77, "asked for this run yourself")
    assert run not in pending(stage.asker)
    assert pending(stage.one) == [run]
    # What they vote on, from the envelopes.
    seen = done(stage.one.submit("pending", run[-8:])).stdout
    for word in (run, command, "dev", stage.asker.email, "sha256", "token=***"):
        assert word in seen, seen
    assert str(mark) in done(stage.one.submit("pending", run, "--script")).stdout
    told(stage.one.submit("approve", run), 77, "--yes")
    first = done(stage.one.submit("approve", run[-12:], "-y", "--comment", "looks fine"))
    assert "1 more is needed" in first.stderr
    told(stage.one.submit("approve", run, "-y"), 65, "already")
    assert pending(stage.one) == [] and pending(stage.two) == [run]
    assert not mark.exists() and states(house, run) == ["planned"]
    last = done(stage.two.submit("approve", run, "-y"))
    assert "approved, and begins" in last.stderr
    until("it ran", lambda: outcomes(house, run) == ["succeeded"])
    assert mark.read_text() == run + "\n"
    told(stage.two.submit("reject", run, "-y"), 65, "waits no more")
    kinds = [f.type for f in facts(house, run)]
    assert kinds == ["errand.run.pending.v1", "errand.run.approved.v1"]


def test_for_others_it_is_not_there(house, stage):
    """P7: the same bytes as of a run that never was."""
    command, _ = stage.command()
    run = stage.asked(command)
    nothing = "01234567-89ab-7cde-8f01-23456789abcd"
    # The stranger may run this command, and sees its runs; the guest does not.
    guest = Guest(house, stage.folder, house.fresh("guest")).settled()
    for who in (stage.stranger, guest):
        assert pending(who) == []
        for verb in (["pending"], ["approve", "-y"], ["reject", "-y"]):
            answers = {(d.returncode, d.stdout, d.stderr) for name in (run, nothing)
                       for d in [who.submit(*verb, name)]}
            assert len(answers) == 1 and next(iter(answers))[0] == 67, answers
    done(stage.stranger.submit("result", run))
    told(guest.submit("result", run), 67)
    # Who votes on it sees it, and nothing else of it.
    for verb in ("result", "output", "watch", "cancel"):
        told(stage.one.submit(verb, run), 67)
    told(stage.one.submit("show", command), 67)
    # Nor by a vote that is signed by hand.
    asker = house.asker()
    rows = house.rows("SELECT hash, command_hash FROM runs WHERE id = %s", run)
    person = of_guest(guest)
    session = asker.open_session(person)
    said = [asker.ask("run.approve", {
        "run": bytes(run_hash).hex(), "command": bytes(rows[0][1]).hex(),
        "targets": ["dev"]}, session) for run_hash in (rows[0][0], b"\1" * 32)]
    assert {(r.status, r.text, r.body) for r in said} == {
        ("not_found", said[0].text, b"")}
    done(stage.asker.submit("cancel", run))


def of_guest(guest):
    return Person.read(str(guest.profile), guest.email,
                              guest.password.read_text().strip())


def test_one_rejection_ends_it_and_so_does_its_asker(house, stage):
    command, mark = stage.command()
    run = stage.asked(command)
    with follower_of(stage, run) as follower:
        done(stage.one.submit("approve", run, "-y"))
        said = done(stage.two.submit("reject", run, "-y", "--comment", "not on a Friday"))
        assert "nothing of it begins" in said.stderr
        _, heard = follower.communicate(timeout=30)
    why = f"cancelled: rejected by {stage.two.email}: not on a Friday"
    assert follower.returncode == 1 and why in heard, heard
    assert why in done(stage.asker.submit("result", run)).stdout
    told(stage.one.submit("approve", run, "-y"), 65, "waits no more", "rejected")
    assert [f.type for f in facts(house, run)][-1] == "errand.run.rejected.v1"
    assert facts(house, run)[-1].fields["detail"] == "not on a Friday"

    other = stage.asked(command)
    told_end = done(stage.asker.submit("cancel", other)).stderr
    assert "cancelled" in told_end, told_end
    told(stage.one.submit("approve", other, "-y"), 65, "waits no more")
    assert not mark.exists()


def follower_of(stage, run):
    """submit watch of the asker's, once it has said that the run waits."""
    env = {**os.environ, "ERRAND_PROFILE": str(stage.asker.profile),
           "ERRAND_BROKERS": stage.house.brokers}
    process = subprocess.Popen(
        [BIN / "submit", "watch", run], env=env, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "waits for 2 approvals" in process.stderr.readline()
    return process


def test_what_nobody_approves_in_time_expires(house, stage):
    command, mark = stage.command("#: approve_within = 2s")
    run = stage.asked(command)
    done(stage.one.submit("approve", run, "-y"))
    until("its time is over", lambda: pending(stage.two) == [])

    def expired():
        """What is claimed beside it shows how far the claim log was read."""
        done(house.submit("run", house.command("true")))
        return outcomes(house, run) == ["expired"]
    until("it expires", expired, 30)
    told(stage.two.submit("approve", run, "-y"), 65, "in time")
    assert "expired: nobody approved it in time" in done(
        stage.asker.submit("result", run)).stdout
    assert not mark.exists()


def test_who_leaves_the_group_has_approved_nothing(house, stage):
    """Between the votes: the authorizer counts anew with each."""
    command, mark = stage.command()
    run = stage.asked(command)
    third = Guest(house, stage.folder, house.fresh("third")).settled()
    done(house.submit("group", "add", stage.group, third.email))
    done(third.submit("approve", run, "-y"))
    done(house.submit("group", "remove", stage.group, third.email))
    listed = json.loads(done(house.submit("group", "list", "-o", "json")).stdout)
    [row] = [g for g in listed if g["name"] == stage.group]
    assert sorted(row["members"]) == sorted(
        g.email for g in (stage.asker, stage.one, stage.two))
    assert "1 more is needed" in done(stage.one.submit("approve", run, "-y")).stderr
    assert states(house, run) == ["planned"] and not mark.exists()
    done(stage.two.submit("approve", run, "-y"))
    until("it ran", lambda: outcomes(house, run) == ["succeeded"])


def test_any_administrator_may_and_a_member_of_something_may_not(house, stage):
    command, mark = stage.command(approve="any administrator")
    run = stage.asked(command)
    told(stage.one.submit("approve", run, "-y"), 67)
    assert run in [r["run"] for r in json.loads(
        done(house.submit("pending", "-o", "json")).stdout)]
    done(house.submit("approve", run, "-y"))
    until("it ran", lambda: outcomes(house, run) == ["succeeded"])
    assert mark.exists()


def test_another_request_in_its_place_is_approved_by_nobody(house, stage):
    """Somebody has the database: another run's, and one of another kind."""
    command, mark = stage.command(approve="any administrator")
    run, other = stage.asked(command), stage.asked(command)
    done(house.submit("reject", other, "--comment", "no", "-y"))
    envelope = "SELECT envelope FROM requests WHERE"
    kept, start, reject = (house.rows(f"{envelope} {which} ORDER BY id DESC LIMIT 1")[0][0]
                           for which in (f"id = '{run}'", f"id = '{other}'",
                                         "verb = 'run.reject'"))
    put = "UPDATE requests SET envelope = %s WHERE id = %s"
    for swapped in (start, reject):
        house.change(put, swapped, run)
        told(house.submit("approve", run, "-y"), 65, "can't begin any more")
    house.change(put, kept, run)
    done(house.submit("approve", run, "-y"))
    until("it has run", lambda: mark.exists() and mark.read_text() == f"{run}\n")


def test_what_is_approved_takes_its_turn_and_is_tried_again(house, stage):
    """Votes go with what is dispatched by another decision, too."""
    gate = stage.folder / "gate"
    command, mark = stage.command(
        "#: concurrency = queue", "#: retry = 1", "#: retry_backoff = 1s",
        approve="any administrator",
        script=f"while [ ! -e {gate} ]; do sleep 0.02; done; [ $ERRAND_ATTEMPT = 2 ] || exit 3")
    first, second = stage.asked(command), stage.asked(command)
    done(house.submit("approve", second, "-y"))
    until("the second begins, for the first is not approved",
          lambda: "running" in states(house, second))
    done(house.submit("approve", first, "-y"))
    assert states(house, first) == ["planned"]
    gate.touch()
    until("both ran, at the second attempt", lambda: [
        set(outcomes(house, run)) for run in (second, first)] == [{"failed", "succeeded"}] * 2)
    assert mark.read_text().split() == [second, first]


def test_a_save_asks_for_no_more_than_there_are(house, stage):
    path = pathlib.Path(house.folder.name) / "too-few"
    for approve, why in ((f"4 of {stage.group}", "only 3 could"),
                         ("2 of no-such-group", "submit group add no-such-group"),
                         ("many of them", "is not N of GROUP"),
                         ("9 of them", "at most 5")):
        path.write_text(house.file(house.fresh("c"), "true", f"#: approve = {approve}"))
        told(house.submit("command", "save", str(path)), 65, why)
    # Of two, one asks: the other alone can't be two.
    pair = house.fresh("pair")
    done(house.submit("group", "add", pair, stage.asker.email, stage.one.email))
    command, _ = stage.command(approve=f"2 of {pair}")
    told(stage.asker.submit("run", command), 65, "beside you too few could")


# At the host, against a thief of the authorizer's key

def test_a_host_counts_the_votes_itself(brokers, tmp_path):
    lone = Lone(brokers, tmp_path)
    authority, executor = lone.authority, lone.executor().start()
    people = [authority.invited(f"{n}@x.example") for n in "abc"]
    sessions = [authority.signed_in(p) for p in people]
    command = authority.save("#!/bin/sh\ntrue\n", [lone.target], approve={
        "count": 2, "group": "leads", "within": 600})
    last = None

    def members(*who):
        nonlocal last
        last = lone.enter(authority.entry("group.set", {
            "name": "leads", "previous": last and last.hash,
            "members": [p.user for p in who]}, after=last) if last else
            authority.entry("group.set", {"name": "leads",
                                          "members": [p.user for p in who]}))
        path = lone.home / f"{executor.name}.state" / "revocations"
        until("the spawner knows", lambda: last.hash and
              len(path.read_text().splitlines()) == last.fields["seq"])

    def vote(run, i):
        key, opened = sessions[i]
        return [Envelope.of("run.approve", {
            **authority.request(opened.hash), "run": run.hash,
            "command": command.hash, "targets": [lone.target]}, key),
            opened, *people[i].chain]

    def sent(*voters):
        run = authority.start(command, [lone.target])
        proof = [authority.enrol, authority.root.init, authority.opened, command, run]
        for i in voters:
            proof += vote(run, i)
        dispatch = authority.dispatch(command, run, lone.target, proof=proof)
        offset = lone.ends(lone.dispatches)[0]
        lone.send(dispatch)
        return dispatch.fields["execution"], offset

    def refused(why, *voters):
        execution, offset = sent(*voters)
        assert why in lone.dead(offset)
        assert not lone.results(execution)

    try:
        refused("0 votes count", 0, 1)  # there is no such group yet
        members(people[0], people[1])
        refused("0 votes count")
        refused("1 vote counts", 0)
        refused("1 vote counts", 0, 2)
        assert lone.outcome(sent(0, 1)[0])["outcome"] == "succeeded"
        members(people[0], people[2])
        refused("b@x.example is not among those who may", 0, 1)
        assert lone.outcome(sent(0, 2)[0])["outcome"] == "succeeded"
    finally:
        lone.close()
