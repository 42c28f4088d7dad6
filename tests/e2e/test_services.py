"""Daemons' keys, as an administrator changes and ends them: submit service
rotate, revoke, list."""
import contextlib
import json
import os
import re
import subprocess

import pytest

from client import Key, key_line_make
from host import Asked, Host
from house import BIN, until
from test_mail import box_keys, sealed_to
from test_recording import Dead, Voice
from test_standing import (Guest, anew, done, folder,  # pylint: disable=unused-import
                           second_authorizer, told)


@pytest.fixture
def host(house, tmp_path):
    executor = Host(house, tmp_path)
    executor.start()
    yield executor
    executor.stop()


def enrolments(house, name):
    """Of what `service list` shows, the newest first: (state, hash)."""
    rows = json.loads(done(house.submit("service", "list", "-o", "json")).stdout)
    return [(row["state"], row["hash"]) for row in rows if row["name"] == name]


def rotated(house, host):
    """Its configuration with the new key, which --make-key made on the host."""
    text = host.config.read_text()
    for ending in ".key", ".enrol.json":
        text = text.replace(host.name + ending, f"{host.name}.new{ending}")
    config = host.home / "new.conf"
    config.write_text(text)
    line = subprocess.run([BIN / "errand-executor", "--config", config, "--make-key"],
                          capture_output=True, text=True, check=True).stdout.strip()
    said = done(house.submit(
        "service", "rotate", "executor", host.name, "--key", line,
        "--out", str(host.home / f"{host.name}.new.enrol.json"))).stderr
    assert f"submit service revoke {host.name} --older" in said
    return config


def test_an_executor_gets_a_new_key_and_its_runs_go_on(house, host):
    command = house.command("echo here", target=host.target)
    assert done(house.submit("run", command)).stdout == "here\n"
    old, new = host.config, rotated(house, host)
    assert done(house.submit("run", command)).stdout == "here\n", "the old key"
    host.stop()
    host.config = new
    host.start()
    assert done(house.submit("run", command)).stdout == "here\n", "the new key"
    assert [state for state, _ in enrolments(house, host.name)] == ["active"] * 2
    told(house.submit("service", "revoke", host.name, "--yes"), 64, "--older", "--all")
    said = done(house.submit("service", "revoke", host.name, "--older", "--yes")).stderr
    assert re.search(f"executor {host.name}, enrolled at .*, is revoked", said)
    assert len(enrolments(house, host.name)) == 1
    told(house.submit("service", "revoke", host.name, "--older", "--yes"), 65, "--all")
    assert done(house.submit("run", command)).stdout == "here\n", "the new key stays"
    host.stop()
    host.config = old
    process = host.run()
    assert process.returncode == os.EX_CONFIG, "the old key serves again"
    assert f"the enrolment of {host.name} was revoked" in process.stderr


def test_a_host_whose_key_was_stolen_is_ended_at_once(house, host):
    command = house.command("echo here", "#: wait = 2s", target=host.target)
    (_, enrolment), = enrolments(house, host.name)
    done(house.submit("service", "revoke", host.name, "--enrolment", enrolment[:12], "--yes"))
    assert enrolments(house, host.name) == []
    assert host.process.wait(20) == os.EX_CONFIG, "it goes on"
    assert "revoked" in host.log.read_text()
    line = host.run("--make-key").stdout.strip()
    told(house.submit("service", "enrol", "executor", host.name, "--target", host.target,
                      "--key", line, "--out", str(host.home / "again")), 65, "was revoked")
    assert not (host.home / "again").exists()
    refused = house.submit("run", command)
    assert refused.returncode != 0 and "here" not in refused.stdout, refused
    told(house.submit("service", "revoke", host.name, "--yes"), 67, "service list")
    told(house.submit("service", "rotate", "executor", host.name, "--key", key_line_make(Key()),
                      "--out", str(host.home / "none")), 67, "service enrol")
    assert not (host.home / "none").exists()


def test_invitations_go_on_when_a_notifier_was_revoked(house, tmp_path):
    name = house.fresh("notifier-")
    done(house.submit("service", "enrol", "notifier", name, "--key", key_line_make(Key()),
                      "--out", str(tmp_path / "notifier.enrol.json")))
    email = house.fresh("sealed-to-two") + "@x.example"
    done(house.submit("user", "invite", email))
    assert box_keys(house, name)[0] in sealed_to(house, email)
    done(house.submit("service", "revoke", name, "--yes"))
    email = house.fresh("sealed-to-one") + "@x.example"
    done(house.submit("user", "invite", email))
    assert box_keys(house, name)[0] not in sealed_to(house, email)
    house.post.awaited(email)


def test_the_only_authorizer_stays(house):
    told(house.submit("service", "revoke", "authorizer-1", "--yes"), 65, "only authorizer")
    told(house.submit("service", "revoke", "authorizer-1", "--kind", "king"), 64, "king")
    told(house.submit("service", "revoke", "nobody", "--yes"), 67, "nobody")
    told(house.submit("service", "list", who="runner"), 77)
    told(house.submit("service", "revoke", "authorizer-1", "--yes", who="runner"), 77)


def test_what_a_stolen_hosts_key_says_later_is_not_recorded(house, tmp_path):
    voice, asked, dead = heard(house, tmp_path)
    before, later = asked.accept(), asked.accept()
    for execution in before, later:
        voice.say(voice.started(execution, voice.claim(execution)))
    voice.say(voice.finished(before, 0))
    asked.outcome(before, "succeeded")
    done(house.submit("service", "revoke", voice.name, "--yes"))
    voice.say(voice.finished(later, 1))
    dead.has("its signer's enrolment was revoked")
    assert asked.results()[before].outcome == "succeeded"
    assert asked.outcome(later, "lost").said_by == "scheduler"


def heard(house, folder, administrator=None):
    """An executor whose key is ours, of a target of its own."""
    target = house.fresh("r")
    done(house.submit("target", "add", target))
    voice = Voice(house, folder, target, administrator)
    return voice, Asked(house, "#!/bin/sh\ntrue\n", target=target), Dead(house)


@pytest.mark.parametrize("change", ["rotate", "role", "reset"])
def test_hosts_of_an_administrator_whose_key_is_another_now_are_heard(
        house, folder, change):
    """Their enrolments hang on a key.rotate, a user.role or a user.reinvite."""
    guest = Guest(house, folder, "guest")
    if change == "role":
        guest.settled()
        done(house.submit("user", "role", guest.email, "administrator", "--yes"))
    else:
        guest.settled("administrator")
        done(house.submit("user", "confirm", guest.email, "--yes"))
    if change == "rotate":
        done(guest.submit("key", "rotate", "--password-file", str(guest.password)))
    if change == "reset":
        done(house.submit("user", "reset", guest.email, "--password"))
        guest = anew(house, folder, guest)
        done(house.submit("user", "confirm", guest.email, "--yes"))
    done(guest.submit("login", "--password-file", str(guest.password)))
    voice, asked, _ = heard(house, folder, guest)
    execution = asked.accept()
    voice.say(voice.finished(execution, voice.claim(execution)))
    asked.outcome(execution, "succeeded")


@contextlib.contextmanager
def serving(config):
    """An authorizer beside the stack's own."""
    folder = config.parent
    with open(folder / "second.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([BIN / "errand-authorizer", "--config", config],
                                   stderr=log)
    try:
        until("it serves", (folder / "second.ready").exists, 30)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def test_an_authorizers_key_is_changed_while_requests_come(house, tmp_path):
    """The new key's process first, then the old one's end: all are answered."""
    name = house.fresh("authorizer-")
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    _, _, config = second_authorizer(house, old, name)
    with serving(config) as ends:
        _, _, config = second_authorizer(house, new, name, "rotate")
        with serving(config) as stays:
            both = enrolments(house, name)
            assert [state for state, _ in both] == ["active"] * 2
            asking = [house.start("list", who="runner") for _ in range(5)]
            done(house.submit("service", "revoke", name, "--older", "--yes"))
            assert ends.wait(20) == os.EX_CONFIG, "it goes on with a revoked key"
            for process in asking:
                with process:
                    assert process.wait(60) == 0, process.stderr.read()
            for _ in range(5):
                done(house.submit("list", who="runner"))
            assert stays.poll() is None
            assert enrolments(house, name) == both[:1]
            done(house.submit("service", "revoke", name, "--yes"))
    done(house.submit("list", who="runner"))
