"""A host starts no version of a command that it has seen replaced, whoever dispatches it;
and every run that was asked for before, or is held to that version by a signature (P1).

The authorizer's key is the test's: it says which version a run is for.
"""
import pytest

from client import Envelope, Key, b64, moment, now_ms, uuid7
from lone import Lone

MINUTE = 60_000


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


class Versions:
    """Those of one command, each with its word for the witness outside."""

    def __init__(self, lone):
        self.lone, self.id, self.path = lone, uuid7(), lone.home / "witness"

    def save(self, version, minutes):
        """Saved so long ago, and decided at once."""
        saved = now_ms() - minutes * MINUTE
        return self.lone.command(
            f"#!/bin/sh\necho {version} >> {self.path}\n", command=self.id,
            version=version, issued=moment(saved), expires=moment(saved + 1000),
            id=uuid7(saved))

    def said(self):
        return self.path.read_text().split() if self.path.exists() else []

    def run(self, dispatch):
        self.lone.send(dispatch)
        return self.lone.outcome(dispatch.fields["execution"])


def test_an_older_version_is_refused_and_no_honest_run(lone):
    executor = lone.executor().start()
    authority, command = lone.authority, Versions(lone)
    one, two = command.save(1, 30), command.save(2, 10)

    # Nobody knows better yet; then the newer one is seen.
    assert command.run(lone.order(one))["outcome"] == "succeeded"
    assert command.run(lone.order(two))["outcome"] == "succeeded"
    for again in range(2):
        said = command.run(lone.order(one))
        assert (said["outcome"], said["started"]) == ("interrupted", False)
        assert "version 1 of command" in said["reason"] and "version 2" in said["reason"]
        assert command.said() == ["1", "2"]
        if not again:  # it is no other's knowledge, and outlives both halves
            executor.kill()
            executor.start()

    # Who is held to it by an administrator's signature runs it on.
    runner = authority.invited("runner@example.org")
    assigned = Envelope.of("assignment.add", {
        **authority.request(authority.admin.by), "user": runner.user,
        "command": command.id, "pin": 1, "seq": 0}, authority.admin.key)
    session, opened = authority.signed_in(runner)
    held = Envelope.of("run.start", {
        **authority.request(opened.hash), "command": command.id, "arguments": {},
        "targets": [lone.target], "deadline": moment(now_ms() + MINUTE),
        "follow": False}, session)
    proof = [authority.enrol, authority.root.init, *runner.chain, opened, one,
             assigned, held]
    assert command.run(authority.dispatch(one, held, lone.target, proof))[
        "outcome"] == "succeeded"

    # What was asked for before the newest was seen goes on in its own.
    waits = lone.order(two)
    three = lone.command(f"#!/bin/sh\necho 3 >> {command.path}\n", command=command.id,
                         version=3)
    assert command.run(lone.order(three))["outcome"] == "succeeded"
    assert command.run(waits)["outcome"] == "succeeded"
    assert command.said() == ["1", "2", "1", "3", "2"]
