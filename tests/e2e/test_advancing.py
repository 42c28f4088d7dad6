"""What follows from how a run goes: waves, errors, other attempts, turns; whoever
is killed in between. The witness is a file to which each script appends when it
begins and when it ends; what it waits for is a file of its own.
"""
import json
import re

import pytest

from client import Key, accepted, advance_id, b64, reader
from host import Host, standing
from house import until
from test_chaos import kill
from test_standing import done, outcomes, states

GATED = """echo + $ERRAND_TARGET $ERRAND_PARAM_HOST >> {0}
while [ ! -e {0}.$ERRAND_TARGET -a ! -e {0}.all ]; do sleep 0.02; done
echo - $ERRAND_TARGET $ERRAND_PARAM_HOST >> {0}"""


class Gate:
    """A script that begins, says so, and ends when it is let."""

    def __init__(self, folder, name="gate"):
        self.path = folder / name
        self.script = GATED.format(self.path)

    def lines(self):
        return self.path.read_text().splitlines() if self.path.exists() else []

    def began(self):
        return [line.split()[1] for line in self.lines() if line[0] == "+"]

    def open(self, target="all"):
        self.path.with_name(f"{self.path.name}.{target}").touch()

    def most(self):
        """How many were at work at once."""
        at_work = most = 0
        for line in self.lines():
            at_work += 1 if line[0] == "+" else -1
            most = max(most, at_work)
        return most


@pytest.fixture(scope="module")
def four(house, tmp_path_factory):
    hosts = []
    for i in range(4):
        hosts.append(Host(house, tmp_path_factory.mktemp(f"host{i}"), slots=1))
        hosts[-1].start()
    yield hosts
    for host in hosts:
        host.stop()


def everywhere(hosts):
    return ", ".join(h.target for h in hosts)


def begun(house, *arguments):
    return done(house.submit("run", "--detach", *arguments)).stdout.strip()


def over(house, run):
    """Until nothing follows any more; its outcome."""
    return until("it is over", lambda: house.rows(
        "SELECT outcome::text FROM run_outcomes WHERE id = %s", run))[0][0]


def reasons(house, run):
    return {reason for reason, in house.rows(
        "SELECT reason FROM execution_states WHERE run_id = %s AND outcome = 'cancelled'",
        run)}


def test_waves_go_on_whoever_is_killed(house, four, tmp_path):
    gate = Gate(tmp_path)
    command = house.command(gate.script, "#: max_parallel = 50%", target=everywhere(four))
    run = begun(house, command)
    until("two begin", lambda: len(gate.began()) == 2)
    assert sorted(states(house, run)).count("planned") == 2
    for n, victim in ((3, "scheduler-1"), (4, "authorizer-1")):
        gate.open(gate.began()[n - 3])
        kill(house, victim)
        until(f"{n} have begun", lambda n=n: len(gate.began()) == n, 60)
    gate.open()
    assert over(house, run) == "succeeded"
    assert gate.most() == 2 and sorted(gate.began()) == sorted(h.target for h in four)
    advances = house.rows("SELECT count(*), count(DISTINCT id) FROM requests WHERE"
                          " verb = 'run.advance' AND command = %s AND decision ="
                          " 'accepted'", command)[0]
    assert 3 <= advances[0] == advances[1] <= 5, advances


def test_when_it_is_enough_the_rest_is_cancelled(house, four, tmp_path):
    mark = tmp_path / "mark"
    command = house.command(f"echo x >> {mark}; exit 3", "#: max_parallel = 1",
                            "#: max_errors = 2", target=everywhere(four))
    told = house.submit("run", command)
    assert told.returncode == 1
    assert len(re.findall(r"failed \(exit 3\) .*; run", told.stderr)) == 2, told.stderr
    assert told.stderr.count("cancelled: it went wrong on 2 of 4 targets, and"
                             " max_errors = 2; run") == 2, told.stderr
    assert len(mark.read_text().split()) == 2
    run = house.submit("history", "-o", "name", "-n", "1").stdout.strip()
    assert sorted(outcomes(house, run)) == ["cancelled", "cancelled", "failed", "failed"]
    assert over(house, run) == "failed"


def test_a_failure_is_tried_again(house):
    command = house.command('echo "try $ERRAND_ATTEMPT"; [ $ERRAND_ATTEMPT = 2 ]',
                            "#: retry = 2", "#: retry_backoff = 1s")
    told = done(house.submit("run", command))
    assert told.stdout == "try 1\ntry 2\n"
    assert re.search(r"failed \(exit 1\).*; tries again in 1s \(2 of 3\)\n", told.stderr)
    assert f"{command} on dev: succeeded" in told.stderr, told.stderr
    shown = json.loads(done(house.submit("result", "-o", "json")).stdout)
    assert shown["run"]["outcome"] == "succeeded"
    assert [(e["attempt"], e["outcome"]) for e in shown["executions"]] == \
        [(1, "failed"), (2, "succeeded")]
    assert "attempt 2" in done(house.submit("result")).stdout
    assert "all of it succeeded" in done(house.submit("rerun", "--failed")).stderr


def test_after_the_last_attempt_it_has_failed(house):
    command = house.command("exit 7", "#: retry = 1", "#: retry_backoff = 1s")
    told = house.submit("run", command)
    assert told.returncode == 1
    assert told.stderr.count("failed (exit 7)") == 2, told.stderr


def test_what_is_planned_is_cancelled_with_the_rest(house, four, tmp_path):
    gate = Gate(tmp_path)
    command = house.command(gate.script, "#: max_parallel = 1", "#: retry = 3",
                            "#: retry_on = failed", target=everywhere(four))
    run = begun(house, command)
    until("one begins", gate.began)
    told = done(house.submit("cancel", run)).stderr
    assert told.count("before its turn came") == 3, told
    assert over(house, run) == "cancelled"
    assert outcomes(house, run) == ["cancelled"] * 4 and len(gate.began()) == 1


def test_one_at_a_time_or_refused(house, tmp_path):
    gate = Gate(tmp_path)
    command = house.command(gate.script, "#: concurrency = refuse",
                            "#: concurrency_key = {host}", "#: [param host]",
                            "#: type = string", "#: required = true")
    run = begun(house, command, "host=a")
    refused = house.submit("run", command, "host=a")
    assert refused.returncode != 0 and f"run {run[-12:]}" in refused.stderr
    assert "goes on with the same values" in refused.stderr, refused.stderr
    other = begun(house, command, "host=b")
    until("both run", lambda: len(gate.began()) == 2)
    gate.open()
    assert over(house, run) == over(house, other) == "succeeded"
    for _ in range(4):  # who was told that it is over may ask again at once
        done(house.submit("run", command, "host=a"))


def test_one_after_the_other(house, tmp_path):
    gate = Gate(tmp_path)
    command = house.command(gate.script, "#: concurrency = queue", "#: [param host]",
                            "#: type = string")
    runs = [begun(house, command, f"host={n}") for n in range(3)]
    until("the first begins", gate.began)
    kill(house, "authorizer-1")
    assert [states(house, r) for r in runs[1:]] == [["planned"], ["planned"]]
    done(house.submit("cancel", runs[1]))
    gate.open()
    assert [over(house, r) for r in runs] == ["succeeded", "cancelled", "succeeded"]
    assert [line.split()[2] for line in gate.lines()] == ["0", "0", "2", "2"]


def test_the_newest_in_the_place_of_the_others(house, tmp_path):
    gate = Gate(tmp_path)
    command = house.command(gate.script, "#: concurrency = replace", "#: [param host]",
                            "#: type = string")
    first = begun(house, command, "host=0")
    until("it begins", gate.began)
    second, third = begun(house, command, "host=1"), begun(house, command, "host=2")
    gate.open()
    assert over(house, third) == "succeeded"
    assert over(house, first) == over(house, second) == "cancelled"
    assert [line for line in gate.lines() if line[0] == "-"] == ["- dev 2"]


class Clock:
    """A scheduler of the test's own."""

    def __init__(self, house, asker):
        self.asker, self.key = asker, Key()
        self.by = accepted(self.asker.ask("service.enrol", {
            "kind": "scheduler", "name": house.fresh("s"),
            "key": b64(self.key.public), "box": b64(self.key.box)},
            house.admin)).answer["hash"]

    def ask(self, run, progress, request_id=None):
        return self.asker.exchange(self.asker.request(
            "run.advance", {"run": run, "progress": progress}, self.by, self.key,
            request_id=request_id or advance_id(run, progress)))

    def aside(self, run, progress, request_id=None):
        """Why it is put aside: the reason in errand.dead."""
        dead = reader(self.asker.brokers, "errand.dead")
        envelope = self.asker.request(
            "run.advance", {"run": run, "progress": progress}, self.by, self.key,
            request_id=request_id or advance_id(run, progress))
        self.asker.produce(envelope)

        def look():
            for message in dead.consume(500, 0.05):
                if not message.error() and message.value() == envelope.payload:
                    return dict(message.headers())["errand-reason"].decode()
            return None
        return until("it is put aside", look)


def test_asked_twice_it_is_decided_once(house, tmp_path):
    """Of how the run is, by a scheduler, under the id that follows from both."""
    gate = Gate(tmp_path)
    run = begun(house, house.command(gate.script, "#: retry = 1"))
    until("it begins", gate.began)
    asker = house.asker()
    one, other = Clock(house, asker), Clock(house, asker)
    [[now]] = house.rows("SELECT encode(run_progress(id, now()), 'hex') FROM runs"
                         " WHERE id = %s", run)
    assert "not that of its run" in one.aside(run, now, advance_id(run, "0" * 64))
    assert "gone on since" in one.aside(run, "0" * 64)
    assert one.ask(run, now).status == "accepted"
    assert other.ask(run, now).status == "id_in_use"
    gate.open()
    assert over(house, run) == "succeeded" and outcomes(house, run) == ["succeeded"]


def test_an_end_while_another_is_decided_on_is_not_forgotten(house, four, tmp_path):
    """The recorder waits for no decision: what it writes meanwhile is decided, too."""
    gate = Gate(tmp_path)
    two = four[:2]
    run = begun(house, house.command(gate.script, "#: retry = 1", target=everywhere(two)))
    until("both begin", lambda: len(gate.began()) == 2)
    first, second = (host.target for host in two)
    house.change("BEGIN")
    house.change("LOCK TABLE votes IN ACCESS EXCLUSIVE MODE")  # which a plan asks for
    try:
        gate.open(first)
        until("the first's end is being decided on", lambda: house.rows(
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'votes'::regclass"))
        with standing(house.pid("scheduler-1")):
            gate.open(second)
            until("the second has ended", lambda: house.rows(
                "SELECT FROM executions WHERE run_id = %s AND ended"
                " HAVING count(*) = 2", run))
            house.change("COMMIT")
            until("it is decided", lambda: not house.rows(
                "SELECT FROM pg_stat_activity WHERE usename = 'errand_authorizer'"
                " AND xact_start IS NOT NULL"))
    finally:
        house.change("ROLLBACK")
    assert over(house, run) == "succeeded"


def test_what_is_taken_away_begins_nowhere(house, four, tmp_path):
    """Whose assignment ends while the next target waits for its turn."""
    gate = Gate(tmp_path)
    command = house.command(gate.script, "#: max_parallel = 1", runner=True,
                            target=everywhere(four[:2]))
    run = done(house.submit("run", "--detach", command, who="runner")).stdout.strip()
    until("one begins", gate.began)
    done(house.submit("assign", "remove", command, house.runner_email))
    gate.open()
    over(house, run)
    assert "cancelled" in outcomes(house, run) and len(gate.began()) == 1
    assert "it was cancelled before its turn came" in reasons(house, run)
