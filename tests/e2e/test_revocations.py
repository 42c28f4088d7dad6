"""P6 at the host: an executor alone with a broker, a thief of the authorizer's key,
and the revocation log. What was taken away starts nothing, whatever is sent."""
import os

import pytest

import client
from client import Envelope, Key, b64, moment, now_ms
from lone import Lone, until


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


class Job:
    """A runner with a session, a command of the administrator's, and the right to
    run it: what a dispatch's proof is made of."""

    def __init__(self, lone, log=0):
        self.lone, authority = lone, lone.authority
        self.path = lone.home / f"ran-{os.urandom(3).hex()}"
        self.runner = authority.invited("runner@example.org")
        self.session, self.opened = authority.signed_in(self.runner)
        self.command = lone.command(f"#!/bin/sh\necho x >> {self.path}\n")
        self.assign = self.assigned(log)

    def assigned(self, seq=0):
        return Envelope.of("assignment.add", {
            **self.lone.authority.request(self.lone.authority.admin.by),
            "user": self.runner.user, "command": self.command.fields["command"],
            **({"seq": seq} if seq else {})}, self.lone.authority.admin.key)

    def kept(self):
        return [self.runner.chain[0].hash, self.assign.hash, self.command.hash,
                *[e.enrol.hash for e in self.lone.executors]]

    def dispatch(self, **fields):
        """What a thief of the authorizer's key makes up of it, now."""
        authority = self.lone.authority
        run = Envelope.of("run.start", {
            **authority.request(self.opened.hash),
            "command": self.command.fields["command"], "arguments": {},
            "targets": [self.lone.target], "deadline": moment(now_ms() + 60000),
            "follow": False}, self.session)
        return authority.dispatch(
            self.command, run, self.lone.target, proof=[
                authority.enrol, authority.root.init, *self.runner.chain,
                self.opened, self.command, self.assign, run], **fields)

    def runs(self, **fields):
        dispatch = self.dispatch(**fields)
        self.lone.send(dispatch)
        return self.lone.outcome(dispatch.fields["execution"])["outcome"] == "succeeded"

    def refused(self, **fields):
        """The reason in errand.dead; nothing was started."""
        before = self.count()
        offset = self.lone.ends(self.lone.dispatches)[0]
        self.lone.send(self.dispatch(**fields))
        why = self.lone.dead(offset)
        assert self.count() == before
        return why

    def count(self):
        return len(self.path.read_text().split()) if self.path.exists() else 0


def heard(executor, entry):
    """Once both halves know of it: the spawner keeps it in a file of its own."""
    path = executor.lone.home / f"{executor.name}.state" / "revocations"
    wanted = b64(entry.payload)
    until("the spawner knows", lambda: wanted in path.read_text())


def under(entry):
    return {"seq": entry.fields["seq"], "head": entry.hash}


def test_who_was_ended_starts_nothing_under_any_head(lone):
    executor, job = lone.executor().start(), Job(lone)
    assert job.runs()
    user = {"user": job.runner.user}
    suspended = lone.enter(lone.authority.entry("user.suspend", user))
    heard(executor, suspended)
    assert "suspended" in job.refused(**under(suspended))
    assert "suspended" in job.refused()  # as it was decided before
    resumed = lone.enter(lone.authority.entry("user.resume", user, suspended))
    assert job.runs(**under(resumed))
    removed = lone.enter(lone.authority.entry("user.remove", user, resumed))
    heard(executor, removed)
    assert "removed" in job.refused(**under(removed))
    assert "removed" in job.refused(**under(resumed))


def test_what_it_knows_of_the_log_outlives_the_executor_and_the_topic(lone):
    """A broker that shows an empty log again gives nothing back."""
    executor, job = lone.executor().start(), Job(lone)
    removed = lone.enter(lone.authority.entry("user.remove", {"user": job.runner.user}))
    heard(executor, removed)
    executor.kill()
    line = lone.home / f"{executor.name}.state" / "revocations"
    assert line.read_text().count("\n") == 1
    with open(line, "a", encoding="utf-8") as file:
        file.write('{"entry":{"payl')  # it was killed while it wrote the next
    executor.start()
    assert "removed" in job.refused(**under(removed))
    assert line.read_text().count("\n") == 1


def test_a_dispatch_that_is_ahead_waits_for_its_entry(lone):
    lone.executor().start()
    job = Job(lone)
    entry = lone.authority.entry("assignment.remove", {
        "user": lone.authority.admin.user, "command": job.command.fields["command"]})
    ahead = job.dispatch(**under(entry))
    lone.send(ahead)
    behind = job.dispatch()
    lone.send(behind)
    assert not job.path.exists()
    lone.enter(entry)
    for dispatch in (ahead, behind):
        assert lone.outcome(dispatch.fields["execution"])["outcome"] == "succeeded"


def test_a_dispatch_under_an_entry_that_never_comes_stops_nobody(lone):
    lone.executor().start()
    job = Job(lone)
    offset = lone.ends(lone.dispatches)[0]
    lone.send(job.dispatch(seq=7, head="7" * 64))
    honest = job.dispatch()
    lone.send(honest)
    assert lone.outcome(honest.fields["execution"], 30)["outcome"] == "succeeded"
    assert "only 0 are known" in lone.dead(offset)


def test_another_log_is_a_fork_and_is_reported(lone):
    executor, job = lone.executor().start(), Job(lone)
    user = {"user": job.runner.user}
    first = lone.enter(lone.authority.entry("user.suspend", user))
    second = lone.enter(lone.authority.entry("user.resume", user, first))
    heard(executor, second)
    other = lone.enter(lone.authority.entry("user.remove", user, first))
    assert "forks" in job.refused(**under(other))
    until("it is told", lambda: "forks" in executor.log.read_text())
    assert job.runs(**under(second))


def test_entries_that_nobody_may_add_take_nothing(lone):
    executor, job = lone.executor().start(), Job(lone)
    user, authority = {"user": job.runner.user}, lone.authority
    stranger = Key()
    lone.enter(authority.entry("user.remove", user, key=stranger))
    lone.enter(authority.entry("user.remove", user, key=authority.authorizer))
    lone.enter(authority.entry("user.remove", user, key=job.runner.key, by=job.runner.by),
               *job.runner.chain)
    lone.producer.produce("errand.revocations", b"\x00junk", partition=0)
    flipped = authority.entry("user.suspend", user)
    flipped.payload = flipped.payload.replace(b'"seq":1', b'"seq":1 ')
    lone.enter(flipped)
    own_role = authority.entry("user.role", {
        "user": authority.admin.user, "naming": authority.admin.by,
        "key": b64(authority.admin.key.public), "role": "runner"})
    lone.enter(own_role)
    assert job.runs()
    honest = lone.enter(authority.entry("user.suspend", user))
    heard(executor, honest)
    assert "suspended" in job.refused()


def test_a_removed_administrator_s_work_goes_on_only_where_it_is_kept(lone):
    """By the second administrator, who removes the first: with and without `keep`."""
    executor, authority = lone.executor().start(), lone.authority
    other = authority.invited("other@example.org", "administrator")
    confirm = Envelope.of("user.confirm", {
        **authority.request(authority.admin.by), "user": other.user,
        "key": b64(other.key.public), "verify": other.by}, authority.admin.key)
    kept, void = Job(lone), Job(lone)
    assert kept.runs() and void.runs()
    chain = [*other.chain, confirm]
    entry = authority.entry(
        "user.remove", {"user": authority.admin.user, "keep": [
            *kept.kept(), other.chain[0].hash, confirm.hash]},
        key=other.key, by=other.by)
    lone.enter(entry, *chain)
    heard(executor, entry)
    assert kept.runs(**under(entry))
    assert "void" in void.refused(**under(entry))
    assert "void" in void.refused()
    # The first administrator's key goes on signing; nobody listens.
    more = lone.enter(authority.entry("user.suspend", {"user": other.user}, entry))
    late = Job(lone)
    assert "void" in late.refused(**under(entry))
    assert more.hash not in (lone.home / f"{executor.name}.state/revocations").read_text()


def test_an_old_assignment_is_not_brought_back(lone):
    executor, job = lone.executor().start(), Job(lone)
    assert job.runs()
    removed = lone.enter(lone.authority.entry("assignment.remove", {
        "user": job.runner.user, "command": job.command.fields["command"]}))
    heard(executor, removed)
    assert "no assignment" in job.refused(**under(removed))
    assert "no assignment" in job.refused()
    job.assign = job.assigned(seq=1)
    assert job.runs(**under(removed))


def test_a_rotated_key_opens_no_session_with_the_old_one(lone):
    executor, job = lone.executor().start(), Job(lone)
    assert job.runs()
    new = Key()
    rotate = Envelope.of("key.rotate", {
        **lone.authority.request(job.runner.by), "seq": 1,
        "prev": lone.authority.root.init.hash, "user": job.runner.user,
        "naming": job.runner.by, "key": b64(new.public), "generation": 2},
        job.runner.key, new)
    lone.enter(rotate, *job.runner.chain)
    heard(executor, rotate)
    assert "another key" in job.refused(**under(rotate))
    person = client.Person(job.runner.email, new, rotate.hash, job.runner.user,
                           [*job.runner.chain, rotate])
    job.runner = person
    job.session, job.opened = lone.authority.signed_in(person)
    assert job.runs(**under(rotate))


def test_a_removed_command_and_a_revoked_authorizer_start_nothing(lone):
    executor, job = lone.executor().start(), Job(lone)
    other = Job(lone)
    retired = lone.enter(lone.authority.entry(
        "command.retire", {"command": job.command.fields["command"]}))
    heard(executor, retired)
    assert "removed" in job.refused(**under(retired))
    assert other.runs(**under(retired))
    revoked = lone.enter(lone.authority.entry(
        "service.revoke", {"service": lone.authority.enrol.hash}, retired))
    heard(executor, revoked)
    assert "revoked" in other.refused(**under(revoked))


def test_any_authorizer_may_cancel_what_another_dispatched_and_nobody_else(lone):
    lone.executor().start()
    authority = lone.authority
    execution = lone.ask("#!/bin/sh\nsleep 60\n")
    until("it runs", lambda: lone.results(execution))

    def close(signer, enrol, closing="cancelled"):
        lone.send(Envelope.of("claim", {
            **authority.head(enrol.hash), "execution": execution, "closing": closing,
            "proof": [enrol.dsse(), authority.root.init.dsse()]}, signer),
            topic=lone.claims, key=execution)
    second, stranger = Key(), client.Root()
    stranger.first_administrator("a@x.example")

    def enrolled(root, key):
        return Envelope.of("service.enrol", {
            **root.head(), "kind": "authorizer", "name": "authorizer-2",
            "key": b64(key.public), "box": b64(key.box),
            "until": moment(now_ms() + client.DAY)}, root.key)
    close(second, authority.enrol)
    close(second, enrolled(stranger, second))
    close(authority.authorizer, authority.enrol, "expired")
    honest = lone.ask("#!/bin/sh\ntrue\n")
    assert lone.outcome(honest)["outcome"] == "succeeded"
    assert len(lone.results(execution)) == 1, "somebody else ended it"
    close(second, enrolled(authority.root, second))
    assert lone.outcome(execution)["outcome"] == "cancelled"
