"""Who is told how a run ended: by mail, and by webhooks, which a receiver of other
people's checks (standardwebhooks); and what becomes of it when the receiver fails,
redirects, is not known yet, or one of ours is killed.
"""
import base64
import contextlib
import http.server
import json
import os
import secrets
import signal
import ssl
import threading

import pytest
import standardwebhooks

import canary
import post
from house import HOME, until
from test_mail import restart

FOLDER = HOME / "webhooks"


class Receiver:
    """An HTTP server on which each path is a webhook of its own: a list of the
    statuses that it answers with, one a call; then 204."""

    def __init__(self, tls=None):
        self.calls, self.answers = [], {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.calls.append((self.path, dict(self.headers), body))
                answers = receiver.answers.get(self.path, [])
                status = answers.pop(0) if answers else 204
                if status is None:  # without a word
                    return
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_what):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True,
                do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:" \
                   f"{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, path):
        return [call[1:] for call in self.calls if call[0] == path]

    def awaited(self, path, n=1):
        """What the n-th call to it was."""
        until(f"{n} calls of {path}", lambda: len(self.of(path)) >= n, 30)
        return self.of(path)[n - 1]


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def stranger(tmp_path):
    """One whose certificate nobody vouches for."""
    made = Receiver(post.certificate(tmp_path))
    yield made
    made.close()


def webhook(name, url, n=1):
    """The notifier's file of a webhook; its secrets."""
    made = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(n)]
    for secret in made:
        canary.keep("a webhook's secret", secret)
    path = FOLDER / name
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
              encoding="ascii") as file:
        file.write("\n".join([url, *(f"whsec_{secret}" for secret in made)]) +
                   "\n")
    return made


def verified(secret, call):
    """The body, once the standard's own library finds it signed."""
    headers, body = call
    return standardwebhooks.Webhook(f"whsec_{secret}").verify(
        body, {name.lower(): value for name, value in headers.items()})


def fates(house, run):
    """{to: (fate, reason, tries)} of what was told of a run."""
    return {row[0]: row[1:] for row in house.rows(
        "SELECT m.email, m.fate, m.reason, m.tries FROM mails m"
        " JOIN runs r ON r.hash = m.about WHERE r.id = %s", run)}


def fate(house, run, to, word):
    def is_so():
        found = fates(house, run).get(to)
        return found if found and found[0] == word else None
    return until(f"{to}: {word}", is_so, 30)


def ran(house, name, *arguments, status):
    done = house.submit("run", name, *arguments, "-o", "json")
    assert done.returncode == status, done.stderr
    return house.rows("SELECT r.id FROM runs r JOIN commands c ON"
                      " c.id = r.command_id WHERE c.name = %s"
                      " ORDER BY r.asked_at DESC LIMIT 1", name)[0][0]


def noticed(house, run):
    """{to: (fate, reason, until)} as submit result tells it."""
    done = house.submit("result", str(run), "-o", "json")
    assert done.returncode == 0, done.stderr
    return {n["to"]: (n["fate"], n.get("reason"), n.get("until"))
            for n in json.loads(done.stdout).get("notices", [])}


def address(house):
    return f"{house.fresh('n')}@told.example"


def told_header(name):
    return [f"#: [param {name}]", "#: type = string"]


def test_mail_and_webhook_tell_how_a_run_ended(house, receiver):
    failed, succeeded = address(house), address(house)
    old, new = webhook("pager", receiver.url + "/pager", 2)
    command = house.command(
        '[ "$ERRAND_PARAM_HOW" = good ] || { echo the-output; exit 3; }',
        f"#: notify = {failed.upper()}, webhook:pager on not succeeded",
        f"#: notify = {succeeded} on succeeded", *told_header("how"), runner=True)
    shown = house.submit("command", "show", command).stdout
    assert f"{failed} on not succeeded" in shown
    assert f"{succeeded} on succeeded" in shown
    run = ran(house, command, "how=an-argument", status=1)

    mail = house.post.awaited(failed)
    assert mail["Subject"] == f"Errand: {command} failed"
    assert not mail.defects and not any(p.defects for p in mail.walk())
    text = post.plain(mail)
    for part in (command, "version 1", str(run), house.email_of("admin"),
                 "dev: failed (exit 3)", f"submit result {run}"):
        assert part in text, text
    assert "the-output" not in mail.as_string()
    assert "an-argument" not in mail.as_string()

    call = receiver.awaited("/pager")
    body = verified(old, call)
    assert body == verified(new, call)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verified(base64.b64encode(bytes(32)).decode(), call)
    assert body["type"] == "run.ended" and set(body["data"]) == {
        "run", "command", "version", "outcome", "asked_by", "asked", "ended",
        "targets"}
    assert body["data"]["run"] == str(run)
    assert body["data"]["command"] == command
    assert body["data"]["outcome"] == "failed"
    assert body["data"]["targets"] == [
        {"target": "dev", "outcome": "failed", "exit": 3}]
    assert call[0]["Content-Type"] == "application/json"
    fate(house, run, failed, "sent")
    fate(house, run, "webhook:pager", "sent")
    assert {to: told[0] for to, told in noticed(house, run).items()} == {
        failed: "sent", "webhook:pager": "sent"}
    told = house.submit("result", str(run)).stdout
    assert failed in told and "sent" in told.split(failed)[1], told
    kept = house.submit("result", str(run), "-o", "json", who="runner").stdout
    assert failed not in kept and "notices" not in kept

    good = ran(house, command, "how=good", status=0)
    assert house.post.awaited(succeeded)["Subject"] == \
        f"Errand: {command} succeeded"
    fate(house, good, succeeded, "sent")
    assert len(house.post.mails(failed)) == 1 and len(receiver.of("/pager")) == 1
    assert set(fates(house, run)) == {failed, "webhook:pager"}
    assert set(fates(house, good)) == {succeeded}


@contextlib.contextmanager
def patient_no_longer():
    """The notifier tries webhooks again after a second, and for twelve."""
    config = HOME / "conf/notifier-1.ini"
    kept = config.read_text()
    config.write_text(kept.replace("[webhook]\n", "[webhook]\nretry_first = 1s\n"
                                   "retry_max = 1s\ngive_up = 12s\n"))
    try:
        yield
    finally:
        config.write_text(kept)


def test_what_fails_is_sent_again_as_it_was_or_said_to_be_refused(
        house, receiver, stranger):
    names = [house.fresh(word)
             for word in ("flaky", "gone", "moved", "strange", "late")]
    flaky, gone, moved, strange, late = names
    receiver.answers.update({f"/{flaky}": [500, None, 503], f"/{gone}": [410],
                             f"/{moved}": [302] * 99})
    keys = {name: webhook(name, f"{receiver.url}/{name}")[0]
            for name in names[:3]}
    webhook(strange, f"{stranger.url}/{strange}")
    command = house.command("exit 1", "#: notify = " + ", ".join(
        f"webhook:{name}" for name in names) + " on failed")
    with patient_no_longer():
        restart(house)
        run = ran(house, command, status=1)
        receiver.awaited(f"/{flaky}")
        fate(house, run, f"webhook:{flaky}", "delayed")
        assert f"no webhook {late}" in \
            fate(house, run, f"webhook:{late}", "delayed")[1]
        keys[late] = webhook(late, f"{receiver.url}/{late}")[0]
        os.kill(house.pid("notifier-1"), signal.SIGKILL)

        assert fate(house, run, f"webhook:{gone}", "refused")[1] == \
            "the receiver answered 410"
        verified(keys[late], receiver.awaited(f"/{late}"))

        receiver.awaited(f"/{flaky}", 4)
        calls = receiver.of(f"/{flaky}")
        assert len({body for _, body in calls}) == 1
        assert len({headers["webhook-id"] for headers, _ in calls}) == 1
        for call in calls:
            verified(keys[flaky], call)
        fate(house, run, f"webhook:{flaky}", "sent")

        said = fate(house, run, f"webhook:{moved}", "refused")[1]
        assert "could not be delivered in time" in said
        assert "302; redirects are not followed" in said
        assert "certificate" in \
            fate(house, run, f"webhook:{strange}", "refused")[1]
        assert noticed(house, run)[f"webhook:{gone}"] == (
            "refused", "the receiver answered 410", None)
        assert not stranger.calls
        assert not receiver.of("/elsewhere") and len(receiver.of(f"/{gone}")) == 1
    restart(house)


def test_who_was_told_enough_of_a_command_is_told_less_and_how_much(house, receiver):
    """Three mails within the hour, by command; webhooks hear all of it."""
    to, secret = address(house), webhook("each", receiver.url + "/each")[0]
    header = f"#: notify = {to}, webhook:each on failed"
    late = house.fresh("late")  # not known to the notifier yet
    command = house.command("exit $ERRAND_PARAM_STATUS", "#: notify = webhook:each on"
                            " failed", f"#: notify = {to} on failed, succeeded",
                            *told_header("status"))
    other = house.command("exit 1", header, f"#: notify = webhook:{late} on failed")
    def ran_so(status):
        return ran(house, command, f"status={status}", status=status)
    runs = [ran_so(1) for _ in range(5)]
    last = ran(house, other, status=1)
    fate(house, last, to, "sent")  # of another command
    fate(house, last, f"webhook:{late}", "delayed")
    word, reason, until_ = noticed(house, last)[f"webhook:{late}"]
    assert word == "delayed" and f"no webhook {late}" in reason and until_
    assert "tried again until" in house.submit("result", str(last)).stdout
    webhook(late, f"{receiver.url}/{late}")
    receiver.awaited("/each", 6)
    assert {verified(secret, call)["data"]["run"] for call in receiver.of("/each")} == \
        {str(run) for run in [*runs, last]}
    for run, word in zip(runs, ["sent"] * 3 + ["held"] * 2):
        until(f"{run} is {word}", lambda r=run, w=word: noticed(house, r).get(
            to, [None])[0] == w)
        assert noticed(house, run)["webhook:each"][0] == "sent"
    assert "held back" in house.submit("result", str(runs[4])).stdout
    assert len(house.post.mails(to)) == 4
    changes = [ran_so(status) for status in (0, 1)]  # as it is, at once
    for run in changes:
        fate(house, run, to, "sent")
    held = ran_so(1)
    until("it is held", lambda: noticed(house, held).get(to, [None])[0] == "held")
    house.change("UPDATE tellings SET decided_at = decided_at - interval '61 min'"
                 " WHERE told_to = %s", to)  # an hour later
    later = [ran_so(1) for _ in range(2)]
    for run in later:
        fate(house, run, to, "sent")
    texts = {post.plain(mail) for mail in house.post.mails(to, f"Errand: {command}")}
    said = [text for text in texts if "held back" in text]
    assert len(texts) == 7 and len(said) == 2
    for run, more in (changes[0], "2 more runs"), (later[0], "1 more run"):
        [text] = [text for text in said if str(run) in text]
        assert f"{more} ended" in " ".join(text.split())
    fate(house, last, f"webhook:{late}", "sent")


def noted(house, run, before="SELECT 1"):
    """Whether its end is noted, when it comes after that; nothing of it stays."""
    with house.connect() as own, own.transaction(force_rollback=True):
        own.execute(before)
        ended = own.execute("DELETE FROM run_outcomes WHERE id = %s RETURNING *",
                            [run]).fetchone()
        own.execute("INSERT INTO run_outcomes VALUES (%s, %s, %s, %s, %s)", ended)
        return bool(own.execute("SELECT FROM notices WHERE run_id = %s",
                                [run]).fetchall())


def test_only_what_somebody_is_told_of_is_noted_and_nothing_of_before(house):
    run = ran(house, house.command("exit 1", "#: notify = ops@told.example on lost"),
              status=1)
    other = ran(house, house.command("exit 1"), status=1)
    for one in run, other:
        until("its outcome is recorded", lambda one=one: house.rows(
            "SELECT id FROM run_outcomes WHERE id = %s", one))
    until("nothing is owed", lambda: not house.rows(
        "SELECT run_id FROM notices WHERE run_id = %s", run))
    assert noted(house, run) and not noted(house, other)
    assert not noted(house, run, "UPDATE services SET revoked_at = now()"
                     " WHERE kind = 'notifier'")


def test_an_end_is_told_though_the_authorizer_dies(house):
    told = address(house)
    slow = house.command("sleep 1; exit 1", f"#: notify = {told} on failed")
    done = house.submit("run", slow, "--detach")
    assert done.returncode == 0, done.stderr
    authorizer = house.pid("authorizer-1")
    os.kill(authorizer, signal.SIGSTOP)
    until("the end is noted", lambda: house.rows(
        "SELECT n.run_id FROM notices n JOIN runs r ON r.id = n.run_id JOIN commands c"
        " ON c.id = r.command_id WHERE c.name = %s", slow))
    os.kill(authorizer, signal.SIGKILL)
    assert house.post.awaited(told)["Subject"] == f"Errand: {slow} failed"
    until("nothing is owed", lambda: not house.rows("SELECT run_id FROM notices"))
    assert len(house.post.mails(told)) == 1


@pytest.mark.parametrize("line, said", [
    ("ops@example.org", "does not say when"),
    ("https://hooks.example.org/x on failed", "webhook:NAME"),
    ("ops@example.org on broken", "'broken' is no outcome")])
def test_a_line_that_says_too_little_is_refused(house, line, said):
    path = HOME / "tmp-notify"
    path.write_text(house.file(house.fresh("c"), "true", f"#: notify = {line}"))
    done = house.submit("command", "save", str(path))
    assert done.returncode == 65 and said in done.stderr
    path.unlink()
