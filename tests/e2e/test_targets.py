"""Where commands run: labels, @all, -t, and targets that are drained or removed.

A command says @role=web; who may run it names no host, and can't. What it reaches
is the revocation log's to say: submit, the authorizer and the host each read it
there themselves.
"""
import json
import os
import re

import pytest
from confluent_kafka.admin import ConfigResource

from client import DAY, Envelope, b64, execution_id, read_all, sha256
from host import Asked, Host, Witness
from house import until
from lone import Lone
from test_joining import told
from test_standing import done


def hosts_of(house, path, n):
    """Executors of targets of their own, which have nothing else to do."""
    found = []
    for i in range(n):
        home = path / str(i)
        home.mkdir()
        found.append(Host(house, home, slots=1))
        found[-1].start()
    return found


@pytest.fixture(scope="module")
def three(house, tmp_path_factory):
    hosts = hosts_of(house, tmp_path_factory.mktemp("three"), 3)
    yield hosts
    for host in hosts:
        host.stop()


@pytest.fixture
def host(house, tmp_path):
    [executor] = hosts_of(house, tmp_path, 1)
    yield executor
    executor.stop()


def labelled(house, target, *labels):
    done(house.submit("target", "set", target, *labels))


def heartbeats(newest, n=2):
    """Until the executor has said so many hellos more: it had its turns."""
    for _ in range(n):
        before = newest()
        until("a heartbeat", lambda b=before: newest() != b)


def said_by(message, key):
    """Others put all kinds of bytes there, too."""
    try:
        return Envelope.from_record(message).signed_by(key)
    except (KeyError, ValueError):
        return False


def hellos(lone, executor):
    return [m for m in read_all(lone.brokers, "errand.executors")
            if said_by(m, executor.key)]


def hello_of(house, host):
    return house.rows("SELECT hello_at FROM executors WHERE name = %s", host.name)


def shown(house, target):
    return json.loads(done(house.submit("target", "show", target, "-o", "json")).stdout)


def ran_on(house, *arguments, **options):
    """Where a run of a command that says its target went."""
    run = done(house.submit("run", *arguments, **options))
    return {line.split(": ")[-1] for line in run.stdout.splitlines()}, run.stderr


WHERE = "echo $ERRAND_TARGET"


# Labels

def test_a_label_says_where_a_command_runs(house, three):
    web, db, other = three
    role = house.fresh("web")
    labelled(house, web.target, f"role={role}", "env=prod")
    labelled(house, db.target, "role=db", "env=prod")
    command = house.command(WHERE, target=f"@role={role}", runner=True)
    assert ran_on(house, command, who="runner")[0] == {web.target}
    labelled(house, other.target, f"role={role}")
    assert ran_on(house, command, who="runner")[0] == {web.target, other.target}
    seen = done(house.submit("watch", "-t", other.target, who="runner"))
    assert seen.stdout == f"{other.target}\n" and web.target not in seen.stderr
    told(house.submit("watch", "-t", db.target, who="runner"), 65, "is not for target")
    labelled(house, web.target, "role=db")
    assert ran_on(house, command, who="runner")[0] == {other.target}
    labelled(house, other.target, "role=")
    told(house.submit("run", command, who="runner"), 65, f"@role={role}", "no such target")
    rows = house.rows("SELECT DISTINCT e.target FROM executions e JOIN runs r ON"
                      " r.id = e.run_id JOIN commands c ON c.id = r.command_id"
                      " WHERE c.name = %s", command)
    assert {target for target, in rows} == {web.target, other.target}


def test_t_narrows_and_never_widens(house, three):
    web, db, other = (h.target for h in three)
    role = house.fresh("web")
    labelled(house, web, f"role={role}", "env=prod")
    labelled(house, db, f"role={role}", "env=test")
    labelled(house, other, "role=none", "env=prod")
    command = house.command(WHERE, target=f"@role={role}", runner=True)
    for narrow, wanted in ((["-t", web], {web}), (["-t", web, "-t", db], {web, db}),
                           (["-t", "@env=prod"], {web}), (["-t", "@all"], {web, db}),
                           (["-t", web, "-t", f"@role={role}"], {web, db}),
                           (["-t", "@env=prod", "-t", "@env=test"], {web, db})):
        assert ran_on(house, command, *narrow, who="runner")[0] == wanted
    for wrong in (other, "dev", "no-such", "@role=none", "@env=none"):
        told(house.submit("run", command, "-t", wrong, who="runner"), 65, wrong,
             f"@role={role}")
    told(house.submit("run", command, "-t", "@role", who="runner"), 65, "@LABEL=VALUE")


def test_all_is_every_target(house, three):
    """The stack has others, with nobody behind them: those are not waited for."""
    named = [h.target for h in three]
    everywhere = house.command(WHERE, target="@all")
    assert ran_on(house, everywhere, *[w for t in named for w in ("-t", t)])[0] == \
        set(named)


def test_by_hand_a_run_reaches_no_more_than_by_submit(house, three):
    """Whoever signs run.start with other software, at targets of their choice."""
    web, other = three[0].target, three[1].target
    role = house.fresh("web")
    labelled(house, web, f"role={role}")
    asker = house.asker()
    session = asker.open_session(house.admin)
    command = asker.save_command(house.admin, house.fresh("c"), b"#!/bin/sh\ntrue\n",
                                 [f"@role={role}"])
    for targets in ([other], [web, other], [web, "no-such-target"]):
        refused = asker.exchange(asker.run_request(session, command, targets))
        assert (refused.status, targets[-1] in refused.text) == ("invalid", True), refused
    run = asker.run_request(session, command, [web])
    labelled(house, web, "role=db")
    refused = asker.exchange(run)
    assert refused.status == "invalid" and web in refused.text, "as it was before"
    labelled(house, web, f"role={role}")
    assert asker.exchange(asker.run_request(session, command, [web])).status == "accepted"


# At the host, against a thief of the authorizer's key

@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


def test_a_host_checks_by_itself_that_its_label_is_meant(lone):
    authority, executor = lone.authority, lone.executor().start()
    command = authority.save("#!/bin/sh\ntrue\n", ["@role=web"])
    place = {"name": lone.target, "generation": 1, "max_wait": 3600}
    last = None

    def entered(**fields):
        nonlocal last
        last = lone.enter(authority.entry("target.set", {
            **place, "previous": last and last.hash, **fields}, after=last)
            if last else authority.entry("target.set", {**place, **fields}))
        path = lone.home / f"{executor.name}.state" / "revocations"
        until("the spawner knows", lambda: b64(last.payload) in path.read_text())

    def sent():
        run = authority.start(command, [lone.target])
        dispatch = authority.dispatch(command, run, lone.target)
        offset = lone.ends(lone.dispatches)[0]
        lone.send(dispatch)
        return dispatch.fields["execution"], offset

    def refused(why):
        execution, offset = sent()
        assert why in lone.dead(offset)
        assert not lone.results(execution)

    refused("not for target")
    entered(labels={"role": "db"})
    refused("not for target")
    entered(labels={"role": "web", "env": "prod"})
    assert lone.outcome(sent()[0])["outcome"] == "succeeded"
    entered(labels={"env": "web"})
    refused("not for target")
    entered(labels={"role": "web"}, state="drained")
    claims_before = lone.ends(lone.claims)
    waits, _ = sent()
    heartbeats(lambda: len(hellos(lone, executor)))
    assert not lone.results(waits) and lone.ends(lone.claims) == claims_before
    entered(labels={"role": "web"})
    assert lone.outcome(waits)["outcome"] == "succeeded"
    entered(labels={"role": "web"}, state="removed")
    assert executor.process.wait(20) == os.EX_CONFIG
    assert f"target {lone.target} was removed" in executor.log.read_text()


# Drained, and in use again

def test_nothing_starts_on_a_drained_target_and_what_waits_goes_on_later(
        house, host, tmp_path):
    witness = Witness(tmp_path)
    asked = Asked(house, witness.script, host.target)
    host.stop()
    waiting = asked.accept()
    said = done(house.submit("target", "drain", host.target)).stderr
    assert f"submit target resume {host.target}" in said
    told(house.submit("target", "drain", host.target), 65, "drained already")
    row = shown(house, host.target)
    assert (row["state"], row["waiting"]) == ("drained", 1)
    refused = asked.asker.exchange(asked.request()[1])
    assert (refused.status, refused.text) == (
        "conflict", f"{host.target} is drained: nothing new is started there for now")
    host.start()
    other = house.command("true", target=host.target)
    told(house.submit("run", other, "-t", host.target), 65, "drained")
    told(house.submit("run", other), 65, f"{host.target} is drained")
    heartbeats(lambda: hello_of(house, host))
    assert waiting not in witness.lines(), "it waits"
    done(house.submit("target", "resume", host.target))
    told(house.submit("target", "resume", host.target), 65, "not drained")
    assert asked.outcome(waiting, "succeeded")
    assert witness.lines() == [waiting]
    done(house.submit("run", other))


def test_a_run_leaves_out_what_is_drained(house, three):
    web, db, _ = (h.target for h in three)
    role = house.fresh("web")
    labelled(house, web, f"role={role}")
    labelled(house, db, f"role={role}")
    command = house.command(WHERE, target=f"@role={role}")
    named = house.command(WHERE, target=f"{web}, {db}")
    done(house.submit("target", "drain", db))
    for each in command, named:
        targets, said = ran_on(house, each)
        assert targets == {web}
        assert f"left out: {db} is drained" in said
    done(house.submit("target", "resume", db))
    assert ran_on(house, command)[0] == {web, db}


def test_what_runs_on_a_drained_target_ends_by_itself(house, host, tmp_path):
    witness = Witness(tmp_path, "sleep 1")
    asked = Asked(house, witness.script, host.target)
    runs, waits = asked.accept(), asked.accept()
    until("it runs", witness.lines)
    done(house.submit("target", "drain", host.target))
    asked.outcome(runs, "succeeded")
    until("one waits", lambda: shown(house, host.target).get("running", 0) == 0)
    heartbeats(lambda: hello_of(house, host))
    assert witness.lines() == [runs]
    done(house.submit("target", "resume", host.target))
    asked.outcome(waits, "succeeded")


# Removed

def test_what_waits_or_runs_on_a_removed_target_is_ended(house, host, tmp_path):
    witness = Witness(tmp_path, "sleep 60")
    asked = Asked(house, witness.script, host.target)
    both = [asked.accept(), asked.accept()]
    until("one runs", witness.lines)
    told(house.submit("target", "remove", host.target), 77, "--yes")
    said = done(house.submit("target", "remove", host.target, "--yes")).stderr
    assert f"Target {host.target} is removed" in said
    for execution in both:
        asked.outcome(execution, "cancelled")
    assert host.process.wait(20) == os.EX_CONFIG
    assert f"target {host.target} was removed" in host.log.read_text()
    refused = asked.asker.exchange(asked.request()[1])
    assert refused.status == "invalid" and host.target in refused.text, refused
    assert host.target not in house.submit("target", "list").stdout
    for verb in (["show", host.target], ["set", host.target, "a=b"], ["drain", host.target],
                 ["resume", host.target], ["remove", host.target, "-y"]):
        told(house.submit("target", *verb), 67, "for good")
    told(house.submit("target", "add", host.target), 65, "was removed", "--again")
    line = host.run("--make-key").stdout.strip()
    told(house.submit("service", "enrol", "executor", f"{host.name}x", "--target",
                      host.target, "--key", line, "--out", str(tmp_path / "no")), 67)
    other = house.fresh("other")
    done(house.submit("target", "add", other))
    done(house.submit("service", "enrol", "executor", host.name, "--target", other,
                      "--key", line, "--out", str(tmp_path / "moved")))
    told(house.submit("command", "save", file_for(tmp_path, host.target)), 65, host.target)
    assert len(witness.lines()) == 1


def test_another_target_of_the_name_has_executors_of_its_own(house, host, tmp_path):
    witness = Witness(tmp_path)
    named = house.command(f"echo x >> {witness.path}", target=host.target)
    done(house.submit("run", named))
    told(house.submit("target", "add", host.target, "--again"), 65, "leave out --again")
    done(house.submit("target", "remove", host.target, "--yes"))
    assert host.process.wait(20) == os.EX_CONFIG
    told(house.submit("run", named), 65, f"{host.target} was removed")
    told(house.submit("run", named, "-t", host.target), 65, f"{host.target} was removed")
    until("what ran there is told", lambda: house.submit(
        "target", "add", host.target, "--again", "role=second").returncode == 0)
    row = shown(house, host.target)
    assert (row["generation"], row["labels"], row["seen"]) == (
        2, {"role": "second"}, "never_seen")
    assert "executors" not in row
    again = host.run()
    assert again.returncode == os.EX_CONFIG, "the old host serves it"
    assert "was removed" in again.stderr
    config = host.config.read_text().replace(f"{host.name}.", f"{host.name}-new.")
    host.config.write_text(config)
    line = host.run("--make-key").stdout.strip()
    done(house.submit("service", "enrol", "executor", f"{host.name}-new", "--target",
                      host.target, "--key", line, "--out",
                      str(host.home / f"{host.name}-new.enrol.json")))
    host.config.write_text(config.replace(f"name = {host.name}\n", f"name = {host.name}-new\n"))
    host.name += "-new"
    host.ready = host.home / f"{host.name}.ready"
    host.start()
    done(house.submit("run", named))
    assert len(witness.lines()) == 2
    assert f"errand.claims.{host.target}.2" in house.kafka().list_topics(timeout=10).topics
    until("both are recorded", lambda: house.rows(
        "SELECT e.generation FROM executions e JOIN results r ON r.execution_id = e.id"
        " WHERE e.target = %s AND r.outcome = 'succeeded' ORDER BY 1",
        host.target) == [(1,), (2,)])
    labelled(house, host.target, "role=third")
    done(house.submit("run", named))


def test_a_label_that_no_target_has_is_told_when_the_command_is_saved(
        house, three, tmp_path):
    role = house.fresh("mistyped")
    saved = done(house.submit("command", "save", file_for(tmp_path, f"@role={role}, @all")))
    assert saved.stderr == f"no target is @role={role} yet\n"
    labelled(house, three[0].target, f"role={role}")
    assert done(house.submit("command", "save", file_for(tmp_path, f"@role={role}"))
                ).stderr == ""


def file_for(folder, target):
    path = folder / "command"
    path.write_text(f"#!/bin/sh\n#: name = c{os.urandom(4).hex()}\n#: targets = {target}\n")
    return str(path)


# What targets show

def test_a_target_shows_who_serves_it_and_what_is_free(house, host, tmp_path):
    new = house.fresh("t")
    done(house.submit("target", "add", new, "role=new", "--max-wait", "2h"))
    row = shown(house, new)
    assert (row["seen"], row["max_wait"], row["labels"]) == ("never_seen", 7200, {"role": "new"})
    text = done(house.submit("target", "show", new)).stdout
    assert re.search(r"^state +never seen$", text, re.M) and "role=new" in text
    assert "no executor is enrolled" in house.submit("target", "show", new).stderr
    until("it is live", lambda: shown(house, host.target)["seen"] == "live")
    row = shown(house, host.target)
    assert (row["slots"], row["free"], row["executors"][0]["version"]) == (1, 1, "0.1.0")
    witness = Witness(tmp_path, "sleep 3")
    asked = Asked(house, witness.script, host.target)
    asked.accept()
    until("it is busy", lambda: shown(house, host.target).get("free") is None)
    assert shown(house, host.target)["running"] == 1
    asked.ended()
    until("it is free", lambda: shown(house, host.target).get("free") == 1)
    listed = done(house.submit("target", "list")).stdout
    assert re.search(rf"^{host.target} +live +1 of 1 +0\.1\.0", listed, re.M), listed
    assert re.search(rf"^{new} +never seen +- +- +role=new +2h +none enrolled", listed, re.M)
    host.stop()
    house.change("UPDATE executors SET heard_at = heard_at - interval '20s' WHERE name = %s",
                 host.name)
    assert shown(house, host.target)["seen"] == "silent"


def test_only_administrators_see_and_change_targets(house, three):
    target = three[0].target
    for words in (["list"], ["show", target], ["show", "no-such"], ["set", target, "a=b"],
                  ["drain", target], ["resume", target], ["remove", target, "--yes"]):
        told(house.submit("target", *words, who="runner"), 77)
    assert "state" not in shown(house, target)


def test_a_change_that_nobody_saw_is_not_undone(house, three):
    """Each names what it follows; and what is set wrong is told."""
    target, asker = three[0].target, house.asker()
    first = asker.ask("target.show", {"name": target}, house.admin).answer["target"]
    seen, = house.rows("SELECT encode(hash, 'hex') FROM targets WHERE name = %s", target)
    told_before = house.ends("errand.events")
    labelled(house, target, "seen=no")
    changed = [Envelope.from_record(m) for m in read_all(house.brokers, "errand.events")
               if m.offset() >= told_before[m.partition()]]
    assert [e.fields["name"] for e in changed if e.type == "errand.target.changed.v1"] == \
        [target]
    late = asker.enter("target.set", {
        "name": target, "generation": 1, "max_wait": first["max_wait"],
        "previous": seen[0], "labels": {"role": "late"}}, house.admin)
    assert late.status == "conflict" and "look at it" in late.text, late
    assert shown(house, target)["labels"]["seen"] == "no"
    unknown = asker.enter("target.set", {
        "name": "no-such-target", "generation": 1, "max_wait": 60,
        "previous": sha256(b"x")}, house.admin)
    assert unknown.status == "not_found"
    for labels in ({"Role": "a"}, {"role": "a b"}, {"role": ""}, {"": "a"}):
        wrong = asker.enter("target.set", {
            "name": house.fresh("t"), "generation": 1, "max_wait": 60,
            "labels": labels}, house.admin)
        assert wrong.status == "invalid", (labels, wrong)
    for words, status, why in (
            (["role"], 64, "KEY=VALUE"), (["Role=a"], 65, "Role"), (["role=a b"], 65, "role"),
            (["nothing="], 65, "no label"), (["max_wait=8d"], 65, "7d"),
            (["max_wait=x"], 65, "max_wait")):
        told(house.submit("target", "set", target, *words), status, why)
    told(house.submit("target", "set", "no-such", "a=b"), 67, "no such target")


def test_topics_keep_what_a_longer_wait_needs_and_all_else_that_was_set(house, host):
    """Kafka sets a topic's configuration whole: what somebody set stays."""
    claims, dispatches = (f"errand.{t}.{host.target}.1" for t in ("claims", "dispatch"))
    known = house.topic_config(claims)
    kafka = house.kafka()

    def configure(topic, **changed):
        for answer in kafka.alter_configs([ConfigResource("topic", topic, {
                **{name: known[name] for name in ("cleanup.policy", "message.timestamp.type")},
                **changed})]).values():
            answer.result(10)

    def kept():
        return [int(house.topic_config(t)["retention.ms"]) for t in (claims, dispatches)]

    configure(claims, **{"segment.ms": "7000000", "retention.ms": known["retention.ms"]})
    assert kept() == [3 * DAY, 2 * DAY]
    configure(dispatches, **{"retention.ms": str(5 * DAY)})
    labelled(house, host.target, "max_wait=2d")
    assert kept() == [6 * DAY, 5 * DAY], "an operator's own, longer one stays"
    labelled(house, host.target, "max_wait=7d")
    assert kept() == [21 * DAY, 14 * DAY]
    configure(dispatches, **{"retention.ms": "-1"})
    labelled(house, host.target, "max_wait=1h")
    assert kept() == [21 * DAY, -1], "what waits may still wait for long"
    assert shown(house, host.target)["max_wait"] == 3600
    config = house.topic_config(claims)
    assert (config["segment.ms"], config["message.timestamp.type"],
            config["cleanup.policy"]) == ("7000000", "LogAppendTime", "delete")


def test_a_run_waits_no_longer_than_its_target_allows(house, host):
    role = house.fresh("slow")
    labelled(house, host.target, f"role={role}", "max_wait=5s")
    asker = house.asker()
    session = asker.open_session(house.admin)
    command = asker.save_command(house.admin, house.fresh("c"), b"#!/bin/sh\ntrue\n",
                                 [f"@role={role}"], wait=600)
    run = asker.run_request(session, command, [host.target], wait=600)
    assert asker.exchange(run).status == "accepted"
    (seconds,), = house.rows(
        "SELECT extract(epoch FROM expires - issued)::float FROM executions WHERE id = %s",
        execution_id(run.fields["id"], run.hash, host.target))
    assert seconds == 5
    (dispatch,), = house.rows("SELECT dispatch FROM executions WHERE id = %s",
                              execution_id(run.fields["id"], run.hash, host.target))
    signed = Envelope.from_dsse(json.loads(dispatch)).fields
    assert signed["target"] == host.target and signed["seq"] > 0
