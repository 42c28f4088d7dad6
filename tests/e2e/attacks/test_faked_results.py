"""A run tells of itself alone: what another one's script puts onto errand.results in
its name is put aside, and what its executor said is what is recorded (P4, P11)."""
import json

import client
from besieged import CHILDREN
from client import Envelope
from host import Asked
from house import until


def told(house, execution):
    """What was said of it, in order."""
    return [Envelope.from_record(m) for m in client.read_all(house.brokers, "errand.results")
            if m.key() == execution.encode()]


def test_a_child_can_t_tell_of_another_s_run(house, tmp_path):
    asked = Asked(house, f"#!/bin/sh\necho true words\nuntil test -e {tmp_path}/go; do"
                  " sleep 0.1; done\nexit 5\n")
    execution = asked.accept()
    until("its output is told", lambda: len(told(house, execution)) == 2)
    started, output = told(house, execution)
    theirs = {"fields": output.fields, "hash": output.hash, "key": output.signatures[0][0],
              "claim": started.fields["claim"]}
    dead = client.reader(house.brokers, "errand.dead")
    faker = Asked(house, "#!/usr/bin/python3\n" + f"THEIRS = {json.dumps(theirs)!r}\n"
                  f"BROKERS = {house.brokers!r}\n" + (CHILDREN / "fake.py").read_text())
    assert faker.outcome(faker.accept(), "succeeded").exit_status == 0
    put_aside = []

    def all_are():
        for message in dead.consume(100, 0.05):
            if message.key() == execution.encode():
                put_aside.append(dict(message.headers())["errand-reason"])
        return len(put_aside) == 4
    until("all four lies are in errand.dead", all_are)
    (tmp_path / "go").touch()
    assert asked.outcome(execution, "failed").exit_status == 5
    assert house.rows("SELECT data FROM outputs WHERE execution_id = %s", execution) == [
        (b"true words\n",)]
