"""Forty hosts, each with its own executor, and runs over all of them: never more of
a run at once than its command says, and no more errors than it bears. The witness is
a file to which each script appends when it begins and before it ends.

Forty are enrolled by hand, all requests of a kind at once: submit would ask for each.
"""
import collections
import json
import subprocess

import pytest

import lone
from client import accepted, b64, key_line_read
from host import root_pub
from house import until
from test_standing import done

FORTY = 40
AT_ONCE = 8
SCRIPT = """echo + $ERRAND_RUN_ID >> {0}
sleep 0.05
echo - $ERRAND_RUN_ID >> {0}
"""


class Forty:
    def __init__(self, house, home):
        self.house, self.home, self.processes = house, home, []
        self.asker = house.asker()
        self.asker.ask("session.show", {}, house.admin)  # the log's newest place
        first = house.fresh("f")
        self.names = sorted(f"{first}-{i}" for i in range(FORTY))
        (home / "root.pub").write_text(root_pub(house).read_text())
        self.sets = self.enter([{"name": n, "generation": 1, "max_wait": 3600}
                                for n in self.names])
        self.enrol()

    def enter(self, entries):
        """Entries of the revocation log, one behind the other, asked all at once."""
        requests, (seq, head) = [], self.asker.log
        for fields in entries:
            requests.append(self.asker.entry_request(
                "target.set", fields, self.house.admin, place=(seq, head)))
            seq, head = seq + 1, requests[-1].hash
        for reply in self.asker.exchange_all(requests, 60):
            accepted(reply)
        return requests

    def config(self, name):
        return self.home / f"{name}.conf"

    def executor(self, name, *arguments, **how):
        return subprocess.Popen(
            [lone.BIN / "errand-executor", "--config", self.config(name), *arguments], **how)

    def enrol(self):
        for name in self.names:
            self.config(name).write_text(lone.CONFIG.format(
                brokers=self.house.brokers, home=self.home, name=name, target=name,
                slots=1, who=lone.WHO))
        makers = [self.executor(n, "--make-key", stdout=subprocess.PIPE, text=True)
                  for n in self.names]
        requests = []
        for name, maker in zip(self.names, makers):
            key, box = key_line_read(maker.communicate(timeout=30)[0].strip())
            requests.append(self.asker.request("service.enrol", {
                "kind": "executor", "name": name, "target": name, "key": b64(key),
                "box": b64(box)}, self.house.admin.by, self.house.admin.key))
        for reply in self.asker.exchange_all(requests, 30):
            accepted(reply)
        for name, enrol in zip(self.names, requests):
            (self.home / f"{name}.enrol.json").write_text(json.dumps(
                {"envelopes": [e.dsse() for e in (enrol, self.house.admin.init)]}))

    def start(self):
        with open(self.home / "log", "a", encoding="utf-8") as log:
            self.processes = [self.executor(n, stderr=log) for n in self.names]
        until("all are ready", lambda: all(
            (self.home / f"{n}.ready").exists() for n in self.names), 60)

    def remove(self):
        """Their executors end by themselves, and no later test finds them."""
        self.enter([{**{k: e.fields[k] for k in ("name", "generation", "max_wait")},
                     "previous": e.hash, "state": "removed"} for e in self.sets])
        for process in self.processes:
            process.wait(30)

    def kill(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def forty(house, tmp_path_factory):
    made = Forty(house, tmp_path_factory.mktemp("forty"))
    try:
        made.start()
        yield made
        made.remove()
    finally:
        made.kill()


def begun(house, command):
    tail = done(house.submit("run", "--detach", command)).stdout.strip()
    return house.rows("SELECT id FROM runs WHERE id::text LIKE '%%' || %s", tail)[0][0]


def over(house, run):
    """{outcome: how often}, once nothing follows any more."""
    until(f"run {run} is over", lambda: house.rows(
        "SELECT FROM run_outcomes WHERE id = %s", run), 60)
    return dict(house.rows("SELECT outcome::text, count(*) FROM execution_states"
                           " WHERE run_id = %s GROUP BY 1", run))


def at_work(witness):
    """{run: (how many began, how many were at work at once)}"""
    now, most, began = (collections.Counter() for _ in range(3))
    for sign, run in map(str.split, witness.read_text().splitlines()):
        now[run] += 1 if sign == "+" else -1
        began[run] += sign == "+"
        most[run] = max(most[run], now[run])
    return {run: (began[run], most[run]) for run in began}


def test_never_more_at_once_than_the_command_says(house, forty, tmp_path):
    """Of each run: others go on beside it."""
    witness = tmp_path / "witness"
    command = house.command(SCRIPT.format(witness), f"#: max_parallel = {AT_ONCE}",
                            target=", ".join(forty.names))
    runs = [begun(house, command) for _ in range(2)]
    for run in runs:
        assert over(house, run) == {"succeeded": FORTY}
    seen = at_work(witness)
    assert set(seen) == set(map(str, runs))
    assert all(began == FORTY and 2 <= most <= AT_ONCE
               for began, most in seen.values()), seen


def test_no_more_errors_than_the_command_bears(house, forty, tmp_path):
    """Where three are too many: two stop nothing; and once there are three, nothing
    more begins than what was sent with the third."""
    witness, bad = tmp_path / "witness", forty.names[::20]
    some = house.command(
        f"{SCRIPT.format(witness)}case $ERRAND_TARGET in {'|'.join(bad)}) exit 3; esac",
        "#: max_parallel = 20%", "#: max_errors = 3", target=", ".join(forty.names))
    every = house.command(SCRIPT.format(witness) + "exit 3", "#: max_parallel = 4",
                          "#: max_errors = 3", target=", ".join(forty.names))
    two, all_ = begun(house, some), begun(house, every)
    assert over(house, two) == {"succeeded": FORTY - 2, "failed": 2}
    outcomes = over(house, all_)
    assert 3 <= outcomes["failed"] <= 3 + 3, outcomes
    assert outcomes == {"failed": outcomes["failed"],
                        "cancelled": FORTY - outcomes["failed"]}
    seen = at_work(witness)
    assert seen[str(two)][0] == FORTY and seen[str(two)][1] <= FORTY // 5
    assert seen[str(all_)][0] == outcomes["failed"] and seen[str(all_)][1] <= 4
