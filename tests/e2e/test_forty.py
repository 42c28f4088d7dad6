"""Forty hosts, each with its own executor, and fifty runs over all of them: never
more of a run at once than its command says, and just as many errors as it bears. The
witness is a file for each run, to which each script appends when it begins and before
it ends.

Forty are enrolled by hand, all requests of a kind at once: submit would ask for each.
"""
import itertools
import os
import json
import subprocess

import pytest

import lone
from client import accepted, b64, key_line_read
from host import root_pub
from house import until
from test_standing import done

FORTY = 40
RUNS = int(os.environ.get("ERRAND_TEST_FORTY", "50"))
AT_ONCE = 10  # runs that go on side by side
BEGIN = """witness={0}/$ERRAND_RUN_ID
echo "+ $ERRAND_TARGET" >> $witness
"""
END = """echo "- $ERRAND_TARGET" >> $witness
"""
# Those that may be at work at once wait for each other before the first of them ends.
SCRIPT = f"""{BEGIN}until [ $(grep -c ^+ $witness) -ge {{1}} ]; do sleep 0.05; done
sleep 0.05
{END}"""
# Ends once as many have begun as may by then: that of place p, p - 1 before it having
# failed, once {1} more have. So no two of the first failures are heard of at once, and
# the last that may begin do.
GATED = f"""{BEGIN}place=$(grep ^+ $witness | grep -n " $ERRAND_TARGET$" | cut -d: -f1)
until [ $(grep -c ^+ $witness) -ge {{2}} ] ||
    [ $(grep -c ^+ $witness) -ge $((place + {{1}})) ]; do sleep 0.05; done
{END}exit 3
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
                slots=AT_ONCE, who=lone.WHO))
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


def ended(house, runs):
    """Those after which nothing follows any more."""
    return {run for run, in house.rows(
        "SELECT id FROM run_outcomes WHERE id = ANY(%s)", list(runs))}


def all_over(house, commands):
    """[(command, run)]: a run of each was accepted, and is over."""
    runs, going, waiting = [], set(), list(commands)
    while waiting or going:
        while waiting and len(going) < AT_ONCE:
            command = waiting.pop(0)
            runs.append((command, begun(house, command)))
            going.add(runs[-1][1])
        going -= until("one more is over", lambda: ended(house, going), 60)
    return runs


def outcomes(house, run):
    """{outcome: how often}"""
    return dict(house.rows("SELECT outcome::text, count(*) FROM execution_states"
                           " WHERE run_id = %s GROUP BY 1", run))


def at_work(witness):
    """(how many began, how many were at work at once)"""
    now = most = began = 0
    for line in witness.read_text().splitlines():
        now += 1 if line[0] == "+" else -1
        began += line[0] == "+"
        most = max(most, now)
    return began, most


def kinds(house, forty, folder):
    """{command: (how its executions end, how many are at work at once)}"""
    bad = "|".join(forty.names[::20])
    every = ", ".join(forty.names)

    def command(script, at_once, errors):
        return house.command(script, f"#: max_parallel = {at_once}",
                             *[f"#: max_errors = {errors}"][:errors is not None],
                             target=every)
    eight = SCRIPT.format(folder, 8)
    return {
        command(eight, 8, None): ({"succeeded": FORTY}, 8),
        # two are not yet three
        command(f"{eight}case $ERRAND_TARGET in {bad}) exit 3; esac", "20%", 3):
            ({"succeeded": FORTY - 2, "failed": 2}, 8),
        # one at a time: the fourth is the last
        command(f"{SCRIPT.format(folder, 1)}exit 3", 1, "10%"):
            ({"failed": 4, "cancelled": FORTY - 4}, 1),
        # four at a time: behind each of the first two failures one more begins; with
        # the third it is enough, and the other three that were sent go on to their end
        command(GATED.format(folder, 3, 6), 4, 3):
            ({"failed": 6, "cancelled": FORTY - 6}, 4)}


def test_fifty_runs_over_forty_hosts_go_as_their_commands_say(house, forty, tmp_path):
    """Side by side: what one run may do at once is nothing to the others."""
    wanted = kinds(house, forty, tmp_path)
    runs = all_over(house, itertools.islice(itertools.cycle(wanted), RUNS))
    assert len({run for _, run in runs}) == RUNS
    assert {path.name for path in tmp_path.iterdir()} == {str(run) for _, run in runs}
    for command, run in runs:
        ends, most = wanted[command]
        assert outcomes(house, run) == ends, run
        began = FORTY - ends.get("cancelled", 0)
        assert at_work(tmp_path / str(run)) == (began, most), run
