"""Secret parameters, and files: from the hand that types them to the child that they
are for, and secrets in clear nowhere else (P9; test_canary.py looks everywhere).
"""
import hashlib
import json
import os
import re

import nacl.public
import pytest

import canary
import client
from client import Envelope, accepted, b64, execution_id, moment, now_ms, sha256, uuid7
from host import Host
from house import until
from second_factor import sealed
from terminal import Terminal
from test_joining import told
from test_standing import done

PARAMETERS = ("#: [param token]", "#: type = secret", "#: required = true",
              "#: [param pin]", "#: type = secret", "#: max_length = 40")
# What the script finds, told by a digest: in clear it would be hidden.
DIGESTS = 'for v in "${ERRAND_PARAM_TOKEN-unset}" "${ERRAND_PARAM_PIN-unset}"; do\n' \
          'printf %s "$v" | sha256sum | cut -c 1-16; done'


def secret(*parts):
    """A new one that the whole session's scan looks for."""
    return canary.keep("secret parameter", "".join([os.urandom(16).hex(), *parts]))


def kept(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return f"@{path}"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digests_of(*texts):
    return [digest(text) for text in texts]


@pytest.fixture(scope="module")
def digests(house):
    return house.command(DIGESTS, *PARAMETERS, runner=True)


def run_of(ran):
    """The id's ending that the last line names."""
    return ran.stderr.strip().rsplit("run ", 1)[1]


def test_a_secret_comes_from_files_to_the_child_and_is_not_recorded(
        house, digests, tmp_path):
    token, pin = secret("\nzwölf\n\n\x1b[31m"), secret()
    with open(kept(tmp_path / "p", pin + "\n")[1:], encoding="utf-8") as file:
        ran = done(house.submit("run", digests, f"token={kept(tmp_path / 't', token)}",
                                "pin=@-", who="runner", stdin=file))
    assert ran.stdout.split() == digests_of(token, pin)
    shown = json.loads(done(house.submit("result", run_of(ran), "-o", "json",
                                         who="runner")).stdout)
    assert shown["run"]["arguments"] == {"token": "***", "pin": "***"}
    told(house.submit("rerun", run_of(ran), who="runner"), 77, "token", "token=@FILE")
    params = kept(tmp_path / "params", json.dumps({"token": token}))[1:]
    dry = house.submit("run", digests, "--dry-run", "--params", params, who="runner")
    assert "ERRAND_PARAM_TOKEN=***\n" in done(dry).stdout and token not in dry.stdout
    assert re.search(r"sealed to \d+ executors?\n", dry.stderr), dry.stderr
    again = house.submit("rerun", run_of(ran), f"token={kept(tmp_path / 'e', '')}",
                         who="runner")
    assert done(again).stdout.split() == digests_of("", "unset")


def test_what_is_no_secret_or_in_clear_is_refused(house, digests, tmp_path):
    for literal in ("token=hunter2", "token=", "token=@@x"):
        told(house.submit("run", digests, literal, who="runner"), 64, "token=@FILE")
    told(house.submit("run", digests, who="runner"), 77, "token", "no terminal")
    told(house.submit("history", "--command", digests, "--param", "token=hunter2",
                      who="runner"), 64, "token", "kept nowhere")
    for content, status, said in ((b"x" * 4001, 65, "4000"), (b"x" * 65536, 66, "t"),
                                  (b"a\0b", 65, "UTF-8"), (b"\xff", 65, "UTF-8")):
        told(house.submit("run", digests, f"token={kept(tmp_path / 't', content)}",
                          who="runner"), status, "token", said)
    told(house.submit("run", digests, f"token={kept(tmp_path / 't', 'abcd')}",
                      f"pin={kept(tmp_path / 'p', 'x' * 41)}", who="runner"), 65, "pin")


def test_a_person_is_asked_and_nothing_is_shown(house, digests):
    """Each once; Enter leaves out what may be left out, and no other."""
    token = secret()
    with Terminal("run", digests, environment=house.env("runner")) as seen:
        seen.asks("token (not shown): ", "", hidden=True).sees("missing, and required")
        seen.asks("token (not shown): ", token, hidden=True)
        seen.asks("pin (not shown; Enter leaves it out): ", "", hidden=True)
        seen.sees(digest(token)).sees(digest("unset")).ends(0)
    assert token not in seen.text and token.encode() not in seen.bytes
    with Terminal("run", digests, environment=house.env("runner")) as seen:
        seen.sees("token (not shown): ").listens().presses("c")
        seen.sees("nothing was started").ends(77)


def test_output_hides_them_however_it_comes(house, tmp_path):
    """Also what came out in two halves, with time between; all that comes after the
    child has ended; and what is more than one read, whole."""
    script = 'echo "say $ERRAND_PARAM_TOKEN!"; printf "%.10s" "$ERRAND_PARAM_TOKEN"\n' \
             'sleep 0.3; printf "%s\\n" "${ERRAND_PARAM_TOKEN#??????????}"\n' \
             'echo "e: $ERRAND_PARAM_TOKEN" >&2; seq 30000; printf "%.9s" ' \
             '"$ERRAND_PARAM_TOKEN"'
    name = house.command(script, *PARAMETERS, runner=True)
    ran = done(house.submit("run", name, f"token={kept(tmp_path / 't', secret())}",
                            who="runner"))
    assert ran.stdout == "say ***!\n***\n" + "".join(
        f"{n}\n" for n in range(1, 30001)) + "***"
    assert "e: ***\n" in ran.stderr


# By hand, as somebody else's program does it

def box_of(house, host, request, name, value, signer, to=None, **other):
    """One box of a run.start; `to`: who shall open it; its host, otherwise."""
    to = host_box(host) if to is None else to
    content = {"root": house.admin.init.fields["root"], "purpose": "secret parameter",
               "signer": signer, "request": request, "name": name,
               "value": b64(value.encode()), **other}
    [row] = sealed(content, [to])
    return {"name": name, "to": row["recipient"], "box": row["box"]}


def host_box(host):
    enrolment = json.loads((host.home / f"{host.name}.enrol.json").read_text())
    return client.unb64(Envelope.from_dsse(enrolment["envelopes"][0]).fields["box"])


class Hand:
    """Asks for runs of one command on a host of the test's own."""

    def __init__(self, house, host):
        self.house, self.host = house, host
        self.asker = house.asker()
        self.session = self.asker.open_session(house.admin)
        self.name = house.command(DIGESTS, "#: wait = 4s", *PARAMETERS[:3],
                                  target=host.target)
        [[self.command]] = house.rows("SELECT id::text FROM commands WHERE name = %s",
                                      self.name)

    def request(self, boxes, issued=None, arguments=None, request_id=None):
        issued = issued or now_ms()
        return self.asker.request("run.start", {
            "command": self.command, "arguments": arguments or {},
            "targets": [self.host.target], "deadline": moment(issued + 60000),
            "follow": False, "boxes": boxes}, self.session.by, self.session.key,
            issued=issued, request_id=request_id)

    def box(self, request, **other):
        return box_of(self.house, self.host, request, "token", secret(),
                      self.session.key.id, **other)

    def ends(self, run):
        accepted(self.asker.exchange(run))
        return until("it has an outcome", lambda: self.house.rows(
            "SELECT outcome::text, was_started, coalesce(reason, '') FROM results"
            " WHERE execution_id = %s AND outcome IS NOT NULL",
            execution_id(run.fields["id"], run.hash, self.host.target)), 60)[0]


@pytest.fixture(scope="module")
def hand(house, tmp_path_factory):
    host = Host(house, tmp_path_factory.mktemp("sealed"))
    host.start()
    yield Hand(house, host)
    host.stop()


def test_a_box_counts_in_the_request_that_it_was_made_for_alone(hand):
    request = uuid7()
    box = hand.box(request)
    assert hand.ends(hand.request([box], request_id=request))[:2] == ("succeeded", True)
    for moved in (box, hand.box(request, purpose="card")):
        outcome, started, reason = hand.ends(hand.request([moved]))
        assert (outcome, started) == ("interrupted", False)
        assert "something else" in reason


def test_boxes_that_nobody_could_open_and_values_in_clear_are_refused(hand):
    request = uuid7()
    stranger = bytes(nacl.public.PrivateKey.generate().public_key)
    for run, said in (
            (hand.request([hand.box(request, to=stranger)], request_id=request),
             "could open the secrets"),
            (hand.request(None), "token: missing"),
            (hand.request([hand.box(uuid7())], arguments={"token": "hunter2"}),
             "never sent in clear"),
            (hand.request([{**hand.box(uuid7()), "name": "other"}]), "no secret")):
        reply = hand.asker.exchange(run)
        assert reply.status in ("invalid", "conflict") and said in reply.text, reply


def test_a_host_without_a_box_leaves_it_to_the_others(house, hand, tmp_path):
    """Here there is no other that lives: it expires. What follows runs."""
    ghost = client.Key()
    name = house.fresh("ghost")
    done(house.submit("service", "enrol", "executor", name, "--target", hand.host.target,
                      "--key", client.key_line_make(ghost), "--out",
                      str(tmp_path / "enrol.json")))
    request = uuid7()
    assert hand.ends(hand.request([hand.box(request, to=ghost.box)],
                                  request_id=request))[:2] == ("expired", False)
    request = uuid7()
    both = [hand.box(request), hand.box(request, to=ghost.box)]
    assert hand.ends(hand.request(both, request_id=request))[0] == "succeeded"
    token = secret()
    given = f"token={kept(tmp_path / 't', token)}"
    dry = done(house.submit("run", hand.name, given, "--dry-run"))
    assert "sealed to 2 executors\n" in dry.stderr
    assert digest(token) in done(house.submit("run", hand.name, given)).stdout
    done(house.submit("service", "revoke", name, "--yes"))
    dry = done(house.submit("run", hand.name, given, "--dry-run"))
    assert re.search(r"sealed to \d+ executors?\n", dry.stderr), dry.stderr


def memory(pid):
    """What a process holds of its own, keys behind a write protection, too."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights, *_, last = line.split()
            if rights[0] == "r" and not last.startswith("/"):
                start, end = (int(x, 16) for x in span.split("-"))
                mem.seek(start)
                try:
                    yield mem.read(end - start)
                except OSError:
                    pass  # the kernel's own


@pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory")
def test_each_half_of_an_executor_holds_only_what_is_its_own(house, hand, tmp_path):
    """While a script runs, its secret is in its environment and in its masker; to open
    more can the spawner alone, to sign the other half alone."""
    name = house.command(f"cd {tmp_path}; touch go; until [ -e over ]; do sleep 0.1; done",
                         *PARAMETERS[:3], target=hand.host.target)
    token = secret()
    seeds = client.unb64(json.loads(
        (hand.host.home / f"{hand.host.name}.key").read_text())["seeds"])
    with house.start("run", name, f"token={kept(tmp_path / 't', token)}") as run:
        until("it runs", (tmp_path / "go").exists)
        kafka, spawner = hand.host.halves()
        [masker] = [pid for pid in map(int, canary.read(
            f"/proc/{spawner}/task/{spawner}/children").split())
            if canary.read(f"/proc/{pid}/comm") == b"errand-masker\n"]
        held = {who: b"".join(memory(pid)) for who, pid in (
            ("kafka", kafka), ("spawner", spawner), ("masker", masker))}
        (tmp_path / "over").touch()
        run.communicate()

    def holders(data):
        return {who for who, bytes_held in held.items()
                if any(form in bytes_held for form in canary.forms(data).values())}
    assert holders(token.encode()) == {"masker"}
    assert holders(seeds[4:28]) == {"kafka"}
    assert holders(seeds[36:60]) == {"spawner"}


# Files

def test_a_file_arrives_byte_for_byte_and_only_its_digest_is_kept(house, tmp_path):
    script = 'cat "$ERRAND_PARAM_CONFIG"; stat -c "%a %n" "$1" >&2; ls >&2'
    name = house.command(script, "#: args = {config}", "#: [param config]",
                         "#: type = file", "#: required = true", runner=True)
    content = bytes(range(32, 127)) + b"\n\n" + os.urandom(64).hex().encode() + b"\n\n"
    given = kept(tmp_path / "c", content)
    ran = done(house.submit("run", name, f"config={given}", who="runner"))
    assert ran.stdout.encode() == content
    assert "600 " in ran.stderr and "/.parameters/config" in ran.stderr
    shown = json.loads(done(house.submit("result", run_of(ran), "-o", "json",
                                         who="runner")).stdout)
    assert shown["run"]["arguments"] == {
        "config": f"file, {len(content)} bytes, sha256 {sha256(content)}"}
    told(house.submit("rerun", run_of(ran), who="runner"), 64, "config=@FILE")
    binary = os.urandom(40 * 1024)
    again = house.submit("rerun", run_of(ran), f"config={kept(tmp_path / 'b', binary)}",
                         who="runner", text=False)
    assert (again.returncode, again.stdout) == (0, binary), again.stderr
    for wrong, status, said in ((str(tmp_path / "c"), 64, "config=@FILE"),
                                (kept(tmp_path / "l", binary + b"x"), 66, "config"),
                                (f"@{tmp_path}/none", 66, "config")):
        told(house.submit("run", name, f"config={wrong}", who="runner"), status, said)
