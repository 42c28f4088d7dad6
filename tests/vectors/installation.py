"""installation.py: one installation's worth of payloads, made with PyNaCl: each type
that can be signed, from root.init to the last result, every `by`, id and hash
following from what stands above it. make.py writes it down as vectors.

Nothing is left to chance or the clock: keys come from names, moments from one.
What signs and hashes is tests/e2e/client.py, which knows the wire by the design
alone.
"""
import hashlib
import pathlib
import sys
import uuid

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "e2e"))

from client import (DAY, HOUR, MINUTE, ZERO, Envelope, Key, b64,  # noqa: E402
                    execution_id, moment, moment_ms, pae, unb64, user_id)

NOW = 1795521600123  # 2026-11-24T12:00:00.123Z
CODE_SEED = bytes(range(16))
INCARNATION = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def key(name):
    """A pair whose seeds follow from its name."""
    return Key(hashlib.sha512(b"errand vectors: " + name.encode()).digest())


def uid(name, ms=NOW):
    """A version 7 id that follows from its name."""
    raw = bytearray(ms.to_bytes(6, "big") + hashlib.sha256(name.encode()).digest())
    raw[6], raw[8] = raw[6] & 0x0F | 0x70, raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw[:16])))


def box_id(pair):
    """The id of a box key, as of any other."""
    return hashlib.sha256(pair.box).hexdigest()


def nested(depth):
    """A value so deep, with brackets in its text that don't count."""
    return [nested(depth - 1)] if depth else "[[[[{{{{\"[["


class Case:
    """A signed payload with a sentence that says what it shows."""

    def __init__(self, name, envelope, keys, record_key=None):
        self.name = name
        self.envelope = envelope
        self.keys = list(keys)
        self.record_key = record_key or keys[0].id

    @property
    def hash(self):
        return self.envelope.hash


class Installation:
    """Fills `cases`, a list of Case by type without errand. and .v1."""

    def __init__(self):
        self.cases = {}
        self.root = key("root")
        self.admin = key("admin")
        self.second = key("second administrator")
        self.authorizer = key("authorizer")
        self.executor = key("executor")
        self.scheduler = key("scheduler")
        self.notifier = key("notifier")
        self.invitation = Key.of_invitation(CODE_SEED)
        self.runner = key("runner")
        self.session = key("session")
        self.asker = key("asker")
        self.moment = NOW
        self.found()
        self.people()
        self.command()
        self.run()
        self.reads()
        self.revocations()
        self.changes()
        self.cards()
        self.mail()
        self.targets()
        self.told()
        self.secrets()
        self.advance()
        self.approvals()

    # Signing

    def head(self, kind, by, root=None):
        """Each a second later than the one before."""
        self.moment += 1000
        return {"root": root or self.root.id, "id": uid(kind, self.moment),
                "issued": moment(self.moment), "by": by}

    def add(self, name, kind, fields, keys, record_key=None):
        rows = {k: v for k, v in fields.items() if v is not None}
        case = Case(name, Envelope.of(kind, rows, *keys), keys, record_key)
        self.cases.setdefault(kind, []).append(case)
        return case

    def said(self, name, kind, by, fields, signer, record_key=None):
        """What is no request, or is signed off line: no expiry, no reply."""
        return self.add(name, kind, {**self.head(kind, by), **fields}, [signer],
                        record_key)

    def asked(self, name, kind, by, fields, *keys):
        head = self.head(kind, by)
        return self.add(name, kind, {
            **head, "expires": moment(self.moment + 5 * MINUTE),
            "reply": {"partition": 3, "box": b64(self.asker.box)}, **fields}, keys)

    def by_admin(self, name, kind, fields):
        return self.asked(name, kind, self.init.hash, fields, self.admin)

    def entry(self, name, kind, fields, *keys):
        """The next one of the revocation log."""
        prev = self.entered[-1] if self.entered else self.init
        case = self.asked(name, kind, self.init.hash, {
            "seq": len(self.entered) + 1, "prev": prev.hash, **fields},
            *(keys or [self.admin]))
        self.entered.append(case)
        return case

    # Who there is

    def found(self):
        self.init = self.said("the root names the first administrator", "root.init",
                              self.root.id,
                              {"email": "admin@example.org",
                               "user": user_id(self.root.id, self.admin.public),
                               "key": b64(self.admin.public)}, self.root)
        self.enrol = self.said("the root enrols an authorizer, with an end",
                               "service.enrol", self.root.id,
                               {"kind": "authorizer", "name": "authorizer-1",
                                "key": b64(self.authorizer.public),
                                "box": b64(self.authorizer.box),
                                "until": moment(self.moment + 90 * DAY)}, self.root)
        self.host = self.by_admin("an administrator enrols a target's executor",
                                  "service.enrol",
                                  {"kind": "executor", "name": "web-1-a",
                                   "target": "web-1",
                                   "key": b64(self.executor.public),
                                   "box": b64(self.executor.box)})
        self.clock = self.by_admin("an administrator enrols a scheduler",
                                   "service.enrol",
                                   {"kind": "scheduler", "name": "scheduler-1",
                                    "key": b64(self.scheduler.public),
                                    "box": b64(self.scheduler.box)})
        self.entered = []
        self.entry("a target with labels", "target.set",
                   {"name": "web-1", "generation": 1,
                    "labels": {"os": "debian", "where": "Z\u00fcrich"},
                    "max_wait": 86400})

    def people(self):
        self.user = user_id(self.root.id, self.invitation.public)
        self.invite = self.by_admin(
            "a runner is invited", "user.invite",
            {"user": self.user, "invitation": b64(self.invitation.public),
             "email": "runner@example.org", "role": "runner",
             "until": moment(self.moment + 72 * HOUR)})
        self.show_invitation()
        self.verify = self.verified("two sign: the invitation's key, then the new one",
                                    self.invite, self.invitation, self.runner)
        one_time = key("second invitation")
        second = self.by_admin(
            "an administrator is invited, the seed sealed for two notifiers",
            "user.invite",
            {"user": user_id(self.root.id, one_time.public),
             "invitation": b64(one_time.public), "email": "b@example.org",
             "role": "administrator", "until": moment(self.moment + 72 * HOUR),
             "name": "Bj\u00f6rk \u00c6gisd\u00f3ttir",
             "sealed": [{"to": box_id(self.notifier), "box": b64(b"sealed here")},
                        {"to": ZERO, "box": b64(b"sealed elsewhere")}]})
        verify = self.verified("an administrator follows an invitation", second,
                               one_time, self.second)
        self.by_admin("an administrator is confirmed", "user.confirm",
                      {"user": verify.envelope.fields["user"],
                       "key": b64(self.second.public), "verify": verify.hash})
        self.factor()
        self.open = self.asked("two sign: the own key, then the session's",
                               "session.open", self.verify.hash,
                               {"key": b64(self.session.public),
                                "box": b64(self.session.box),
                                "until": moment(self.moment + 8 * HOUR)},
                               self.runner, self.session)

    def factor(self):
        """A second factor, and what the organisation says of them. What is sealed
        is no part of these: a box is random."""
        boxes = [{"recipient": hashlib.sha256(self.authorizer.box).hexdigest(),
                  "box": b64(b"sealed elsewhere")}]
        recovery = [hashlib.sha256(b"code %d" % i).hexdigest() for i in range(10)]
        self.asked("a runner sets up a second factor", "mfa.set", self.verify.hash,
                   {"secret": boxes, "code": boxes, "recovery": recovery,
                    "session": b64(self.session.public)}, self.runner)
        self.asked("another takes its place, by a code of the first", "mfa.set",
                   self.verify.hash, {"secret": boxes, "code": boxes,
                                      "current": boxes * 2, "recovery": recovery},
                   self.runner)
        self.by_admin("an administrator takes away a lost one", "mfa.reset",
                      {"user": self.user})
        rules = {"mfa": "required", "password_min": 20, "session_ttl": 3600,
                 "invitation_ttl": 86400}
        first = self.by_admin("the organisation requires second factors",
                              "policy.set", {"version": 1, "rules": rules})
        self.by_admin("the next version names the one before", "policy.set",
                      {"version": 2, "previous": first.hash,
                       "rules": {**rules, "mfa": "optional"}})
        self.policy = self.by_admin("what is old is not kept", "policy.set",
                                    {"version": 3, "previous": first.hash,
                                     "rules": {**rules, "keep": 90 * 86400}})
        self.by_admin("a machine is invited", "user.invite",
                      {"user": user_id(self.root.id, key("a machine").public),
                       "invitation": b64(key("a machine").public),
                       "email": "backup-monitor", "role": "runner",
                       "until": moment(self.moment + 72 * HOUR), "service": True})
        self.by_admin("a runner is invited, to have a second factor", "user.invite",
                      {"user": user_id(self.root.id, key("a third").public),
                       "invitation": b64(key("a third").public),
                       "email": "c@example.org", "role": "runner",
                       "until": moment(self.moment + 72 * HOUR), "mfa": True})

    def verified(self, name, invite, one_time, own):
        fields = invite.envelope.fields
        return self.asked(name, "user.verify", invite.hash,
                          {"user": fields["user"], "invite": invite.hash,
                           "key": b64(own.public), "generation": 1}, one_time, own)

    def show_invitation(self):
        """Signed by who knows no more than the code: half of the root's hash."""
        head = self.head("invitation.show", self.invitation.id)
        del head["root"]
        self.add("a code's holder asks with half of the root's hash",
                 "invitation.show",
                 {**head, "expires": moment(self.moment + 5 * MINUTE),
                  "reply": {"partition": 0, "box": b64(self.asker.box)},
                  "root_half": str(uuid.UUID(self.root.id[:32]))},
                 [self.invitation])

    # What runs

    def command(self):
        self.command_id = uid("command")
        first = {"command": self.command_id, "name": "disk-report",
                 "description": "What fills a directory \u2013 \U0001f4be",
                 "version": 1, "script": b64(b"#!/bin/sh\ndu \"$ERRAND_PARAM_DIR\"\n"),
                 "parameters": [{"name": "dir", "type": "path", "default": "/var",
                                 "help": "where to look"},
                                {"name": "unit", "type": "choice",
                                 "choices": ["kB", "MB"]}],
                 "targets": ["web-1"], "timeout": 60, "wait": 600}
        self.save = self.by_admin("a command with parameters", "command.save", first)
        self.by_admin("its second version names the first", "command.save",
                      {"command": self.command_id, "name": "disk-report",
                       "version": 2, "previous": self.save.hash,
                       "script": b64(b"#!/bin/sh\ntrue\n"),
                       "parameters": [
                           {"name": "host", "type": "string", "pattern": "[a-z]+",
                            "max_length": 20},
                           {"name": "n", "type": "number", "min": "0.5", "max": "7"},
                           {"name": "how", "type": "bool", "fixed": "true"}],
                       "args": ["--host={host}", "{n}"],
                       "runner_may": ["cancel", "see_script"],
                       "run_as": "www-data", "cpu": 60, "memory": 1 << 30,
                       "file_size": 1 << 20, "open_files": 64, "processes": 32,
                       "output": 1 << 26,
                       "files": [{"name": "a.conf", "data": b64(b"\x00\xff")},
                                 {"name": "run_2.sh", "executable": True,
                                  "data": b64(b"#!/bin/sh\n")}],
                       "targets": ["web-1", "web-2"], "timeout": 86400,
                       "wait": 604800,
                       "pace": {"max_parallel": "25%", "max_errors": "2", "retry": 3,
                                "retry_on": ["failed", "lost"], "retry_backoff": 10,
                                "idempotent": True, "concurrency": "queue",
                                "concurrency_key": "{host}"}})
        self.assign = self.by_admin("a runner may run a command", "assignment.add",
                                    {"user": self.user, "command": self.command_id})
        self.by_admin("until an hour from now, and that version alone",
                      "assignment.add",
                      {"user": self.user, "command": self.command_id,
                       "until": moment(self.moment + HOUR), "pin": 2})
        self.schedule = self.by_admin(
            "it runs by itself on workdays", "schedule.set",
            {"schedule": uid("schedule"), "command": self.command_id,
             "saved": self.save.hash, "arguments": {"dir": "/srv"},
             "targets": ["@role=web", "web-1"], "cron": "0 3 * * 1-5",
             "zone": "Europe/Berlin", "catch_up": "last", "paused": False, "seq": 3})
        self.by_admin("it would run once, and is paused", "schedule.set",
                      {"schedule": uid("once"), "command": self.command_id,
                       "saved": self.save.hash, "arguments": {}, "targets": ["@all"],
                       "at": moment(self.moment + HOUR), "zone": "UTC",
                       "catch_up": "no", "paused": True})

    def run(self):
        self.start = self.asked("a run with arguments", "run.start", self.open.hash,
                                {"command": self.command_id, "name": "disk-report",
                                 "arguments": {"dir": "/srv/\u00fc; rm -rf \"$HOME\""},
                                 "targets": ["web-1"],
                                 "deadline": moment(self.moment + 10 * MINUTE),
                                 "follow": True}, self.session)
        self.asked("its schedule's time has come", "run.tick", self.clock.hash,
                   {"command": self.command_id, "arguments": {"dir": "/srv"},
                    "targets": ["web-1"],
                    "deadline": moment(self.moment + 10 * MINUTE), "follow": False,
                    "schedule": self.schedule.hash,
                    "local": 1792983600000, "fold": 1}, self.scheduler)
        self.asked("a run ends", "run.cancel", self.open.hash,
                   {"run": self.start.envelope.fields["id"]}, self.session)
        self.asked("it ends on one target", "run.cancel", self.open.hash,
                   {"run": self.start.envelope.fields["id"], "targets": ["web-1"]},
                   self.session)
        self.execution = execution_id(self.start.envelope.fields["id"],
                                      self.start.hash, "web-1", 1)
        links = [self.enrol, self.init, self.invite, self.verify, self.open,
                 self.save, self.assign, self.start]
        self.dispatch = self.said(
            "a dispatch that carries its whole proof", "dispatch", self.enrol.hash,
            {"expires": moment(self.moment + 5 * MINUTE), "execution": self.execution,
             "run": self.start.hash, "command": self.save.hash, "target": "web-1",
             "attempt": 1, "seq": 0, "head": self.init.hash,
             "proof": [link.envelope.dsse() for link in links]},
            self.authorizer, self.execution)
        self.by_executor("an executor claims", "claim",
                         {"execution": self.execution, "incarnation": INCARNATION})
        self.said("the authorizer closes", "claim", self.enrol.hash,
                  {"execution": self.execution, "closing": "expired"},
                  self.authorizer, self.execution)
        self.said("the authorizer cancels, with its chain", "claim", self.enrol.hash,
                  {"execution": self.execution, "closing": "cancelled",
                   "proof": [self.enrol.envelope.dsse(), self.init.envelope.dsse()]},
                  self.authorizer, self.execution)
        self.results()

    def advance(self):
        self.asked("a scheduler asks what follows", "run.advance", self.clock.hash,
                   {"run": self.start.envelope.fields["id"],
                    "progress": hashlib.sha256(b"how it is").hexdigest()},
                   self.scheduler)

    def by_executor(self, name, kind, fields):
        return self.said(name, kind, self.host.hash, fields, self.executor,
                         fields.get("execution", "web-1-a"))

    def result(self, number, previous):
        return {"execution": self.execution, "incarnation": INCARNATION,
                "number": number, "previous": previous}

    def results(self):
        started = self.by_executor("started", "execution.started",
                                   {**self.result(0, ZERO), "claim": 0})
        output = self.by_executor("output may be any bytes", "execution.output",
                                  {**self.result(1, started.hash), "stream": "stdout",
                                   "data": b64(bytes(range(256)))})
        later = {"later": nested(15)}
        self.by_executor("a field that we don't know, 16 deep, is passed over",
                         "execution.output",
                         {**self.result(2, output.hash), "stream": "stderr",
                          "data": "", **later})
        end = {"outcome": "failed", "started": True, "exit": 130, "signal": 2,
               "chunks": 1, "dropped": 0}
        self.by_executor("finished, its output told before", "execution.finished",
                         {**self.result(2, output.hash), "claim": 2**53 - 1, **end})
        self.by_executor("finished at once, with all its output inside",
                         "execution.finished",
                         {**self.result(1, started.hash), "claim": 7, **end,
                          "outcome": "succeeded", "exit": 0, "signal": 0,
                          "core": True, "usage": {
                              "wall": 1203, "user": 15, "system": 2**53 - 1,
                              "memory": 1 << 24, "read": 0, "written": 4096},
                          "reason": "quick", "output": [
                              {"stream": "stdout", "data": b64(b"one\n")},
                              {"stream": "stderr", "data": b64(b"two\n")}]})
        self.by_executor("an executor says what it holds", "executor.hello",
                         {"name": "web-1-a", "target": "web-1",
                          "incarnation": INCARNATION, "slots": 4, "version": "0.1.0",
                          "running": [self.execution]})

    # What is asked, and told

    def reads(self):
        session, by = [self.session], self.open.hash
        for kind, fields in (
                ("session.show", {}), ("policy.list", {}), ("user.list", {}),
                ("target.list", {}),
                ("user.show", {"email": "runner@example.org"}),
                ("user.signed", {"email": "admin@example.org"}), ("command.list", {}),
                ("command.show", {"name": "disk-report"}),
                ("command.versions", {"name": "disk-report"}),
                ("assignment.list", {}), ("schedule.list", {}),
                ("assignment.explain", {"command": "disk-report",
                                        "email": "runner@example.org"}), ("run.show", {"run": "aeed"}),
                ("run.output", {"run": self.execution, "execution": self.execution,
                                "after": 0}),
                ("run.history", {
                    "before": uid("a run"), "limit": 100, "count": True,
                    "command": "disk-report", "email": "runner@example.org",
                    "target": "web-1", "outcome": "timed_out", "state": "running",
                    "since": moment(NOW - 2),
                    "until": moment(NOW), "arguments": {"dir": "/var"}}),
                ("session.close", {"session": self.open.hash})):
            self.asked("a session asks: " + kind, kind, by, fields, *session)
        self.audits()
        self.asked("of one version", "command.show", by,
                   {"name": "disk-report", "version": 1}, *session)
        self.asked("of one command", "schedule.list", by, {"command": "disk-report"},
                   *session)
        self.asked("of one command and one person", "assignment.list", by,
                   {"command": "disk-report", "email": "runner@example.org"}, *session)
        answer = {"to": self.start.envelope.fields["id"],
                  "request": self.start.hash, "part": 0, "last": True, "seq": 0,
                  "head": self.init.hash}
        self.reply = self.said(
            "the first reply brings its sender's chain", "reply", self.enrol.hash,
            {**answer, "status": "accepted", "body": b64(b"{}"),
             "proof": [self.enrol.envelope.dsse(), self.init.envelope.dsse()],
             "audit": {"partition": 3, "rows": 17, "head": self.open.hash}},
            self.authorizer, answer["to"])
        self.said("a refusal in words", "reply", self.enrol.hash,
                  {**answer, "status": "not_found", "text": "no such command"},
                  self.authorizer, answer["to"])

    def audits(self):
        session, by = [self.session], self.open.hash
        self.asked("all of the audit log's filters", "audit.list", by,
                   {"email": "runner@example.org", "verb": "run.start",
                    "command": "disk-report", "since": moment(self.moment),
                    "outcome": "refused", "before": uid("a request"), "limit": 100},
                   *session)
        self.asked("none of them", "audit.list", by, {"limit": 1}, *session)
        self.asked("the first page of the audit log's rows", "audit.rows", by,
                   {"partition": 0, "after": 0}, *session)
        self.said("the end of a chain", "audit.checkpoint", self.enrol.hash,
                  {"partition": 3, "rows": 17, "head": self.open.hash},
                  self.authorizer, "audit-3")
        self.said("a month is dropped", "audit.cut", self.enrol.hash,
                  {"until": "2026-08-01T00:00:00.000Z", "policy": self.policy.hash,
                   "spans": [{"partition": 3, "first": 1, "last": 12,
                              "previous": ZERO, "head": self.open.hash},
                             {"partition": 3, "first": 14, "last": 14,
                              "previous": self.open.hash, "head": self.save.hash}]},
                  self.authorizer, "audit-cut")
    def revocations(self):
        """Taken away, and given otherwise, one after the other."""
        user, again, rotated = {"user": self.user}, key("reinvited"), key("rotated")
        self.entry("a suspension keeps what is named", "user.suspend",
                   {"keep": [self.save.hash, self.assign.hash], **user})
        self.entry("it ends", "user.resume", user)
        self.entry("another role for the same key", "user.role",
                   {**user, "naming": self.verify.hash, "key": b64(self.runner.public),
                    "role": "runner_billing"})
        self.entry("an assignment ends", "assignment.remove",
                   {**user, "command": self.command_id})
        self.entry("a command ends", "command.retire", {"command": self.command_id})
        self.entry("a schedule ends", "schedule.remove",
                   {"schedule": self.schedule.envelope.fields["schedule"]})
        self.entry("an enrolment ends", "service.revoke", {"service": self.host.hash})
        self.entry("two sign: the old key, then the new one", "key.rotate",
                   {"user": self.init.envelope.fields["user"], "naming": self.init.hash,
                    "key": b64(rotated.public), "generation": 2}, self.admin, rotated)
        self.entry("a new invitation for who is known", "user.reinvite",
                   {**user, "invitation": b64(again.public),
                    "email": "runner@example.org", "role": "runner_billing",
                    "until": moment(self.moment + 72 * HOUR), "generation": 2,
                    "sealed": [{"to": box_id(self.notifier), "box": b64(b"sealed here")}]})
        self.entry("a user ends for good", "user.remove", user)

    def changes(self):
        for kind in ("user.invited", "user.verified", "user.confirmed",
                     "mfa.enabled", "mfa.withdrawn", "policy.changed",
                     "session.opened", "session.closed", "service.enrolled",
                     "target.added", "command.saved", "schedule.changed",
                     "schedule.removed", "assignment.added",
                     "run.accepted", "run.refused", "run.cancelled", "user.suspended",
                     "user.resumed", "user.removed", "user.changed",
                     "user.reinvited", "key.rotated", "assignment.removed",
                     "command.retired", "service.revoked"):
            self.changed(kind)

    def targets(self):
        """What becomes of one; and commands that reach it by its labels."""
        web = {"name": "web-1", "generation": 1, "max_wait": 3600}
        self.entry("a target is drained, and keeps a label", "target.set",
                   {**web, "previous": self.entered[0].hash,
                    "labels": {"role": "web"}, "state": "drained"})
        self.entry("a target is removed", "target.set",
                   {**web, "previous": self.entered[-1].hash, "state": "removed"})
        self.entry("another one gets its name", "target.set",
                   {**web, "previous": self.entered[-1].hash, "generation": 2})
        second = key("second executor")
        self.by_admin("an executor of a target's second generation", "service.enrol",
                      {"kind": "executor", "name": "web-1-b", "target": "web-1",
                       "generation": 2, "key": b64(second.public),
                       "box": b64(second.box)})
        self.changed("target.changed")
        self.asked("a session asks: target.show", "target.show", self.open.hash,
                   {"name": "web-1"}, self.session)
        self.by_admin("a command for labels, for all, and for one", "command.save",
                      {"command": uid("labelled"), "name": "everywhere", "version": 1,
                       "script": b64(b"#!/bin/sh\ntrue\n"), "parameters": [],
                       "targets": ["@role=web", "@os=Debian.12_x-y", "@all", "web-2"],
                       "timeout": 60, "wait": 60})

    def approvals(self):
        """Who approves what, and how they do."""
        leads = {"name": "ops-leads", "members": [self.user, self.init.envelope.fields["user"]]}
        self.entry("a group of two", "group.set", leads)
        self.entry("a group ends", "group.set",
                   {**leads, "previous": self.entered[-1].hash, "members": []})
        command = {"script": b64(b"#!/bin/sh\ntrue\n"), "parameters": [], "version": 1,
                   "targets": ["web-1"], "timeout": 60, "wait": 60}
        self.by_admin("a command that two of a group have to approve", "command.save",
                      {**command, "command": uid("approved"), "name": "careful",
                       "approve": {"count": 2, "group": "ops-leads", "within": 86400}})
        self.by_admin("a command that an administrator has to approve", "command.save",
                      {**command, "command": uid("approved too"), "name": "careful-too",
                       "approve": {"count": 1, "within": 1}})
        vote = {"run": self.start.hash, "command": self.save.hash, "targets": ["web-1"]}
        for kind in ("run.approve", "run.reject"):
            self.asked("a vote: " + kind, kind, self.open.hash,
                       {**vote, "comment": "as agreed"}, self.session)
            self.asked("a vote without a word: " + kind, kind, self.open.hash, vote,
                       self.session)
        for kind, fields in (("group.list", {}), ("pending.list", {}),
                             ("pending.show", {"run": "aeed"})):
            self.asked("a session asks: " + kind, kind, self.open.hash, fields,
                       self.session)
        for kind in ("run.pending", "run.approved", "run.rejected", "group.changed"):
            self.changed(kind)

    def changed(self, kind):
        self.said("what changed: " + kind, kind, self.enrol.hash,
                  {"subject": self.start.hash, "actor": self.user,
                   "user": self.user, "command": self.command_id,
                   "run": self.start.envelope.fields["id"], "name": "disk-report",
                   "detail": "in words"}, self.authorizer, self.user)

    # What is paid with

    def cards(self):
        """An administrator's: the runner here is one without billing."""
        billing = key("billing")
        first = self.by_admin("a billing key", "billing.init",
                              {"box": b64(billing.box), "generation": 1})
        self.by_admin("its second generation names the first", "billing.init",
                      {"box": b64(key("second billing").box), "generation": 2,
                       "previous": first.hash})
        add = self.by_admin("a card, sealed elsewhere", "card.add",
                            {"number": 1, "billing": first.hash,
                             "box": b64(b"sealed elsewhere"), "brand": "visa",
                             "last4": "0042", "expiry": "2027-12"})
        card = add.envelope.fields["id"]
        default = self.by_admin("the card that is charged", "card.default",
                                {"number": 2, "previous": add.hash, "card": card})
        self.by_admin("a card is taken back", "card.remove",
                      {"number": 3, "previous": default.hash, "card": card})
        for kind, fields in (("billing.show", {}), ("card.list", {}),
                             ("card.list", {"email": "runner@example.org",
                                            "after": 50}),
                             ("card.export", {}),
                             ("card.export", {"user": self.user, "after": 50})):
            self.by_admin("an administrator asks: " + kind, kind, fields)
        for kind in ("billing.made", "card.added", "card.defaulted", "card.removed"):
            self.changed(kind)

    # By mail

    def mail(self):
        for name, fields in (("all daemons", {}), ("of one kind", {"kind": "notifier"})):
            self.asked("a session asks: service.list, " + name, "service.list",
                       self.open.hash, fields, self.session)
        self.post = self.by_admin("an administrator enrols a notifier",
                                  "service.enrol",
                                  {"kind": "notifier", "name": "notifier-1",
                                   "key": b64(self.notifier.public),
                                   "box": b64(self.notifier.box)})
        self.said("an invitation's code was used again", "invitation.reused",
                  self.enrol.hash,
                  {"subject": self.start.hash, "invite": self.invite.hash,
                   "user": self.user}, self.authorizer, self.user)
        self.said("an invitation, with all that a notifier has to see",
                  "user.invited", self.enrol.hash,
                  {"subject": self.invite.hash, "invite": self.invite.hash,
                   "actor": self.init.envelope.fields["user"], "user": self.user,
                   "name": "runner@example.org",
                   "envelopes": [self.enrol.envelope.dsse(),
                                 self.init.envelope.dsse(),
                                 self.invite.envelope.dsse()]},
                  self.authorizer, self.user)
        for kind, more in (("mail.sent", {}),
                           ("mail.delayed", {"reason": "451 4.7.1 later",
                                            "until": moment(NOW + MINUTE)}),
                           ("mail.refused", {"reason": "550 5.1.1 no such user"})):
            self.said("what became of a mail: " + kind, kind, self.post.hash,
                      {"mail": uid("a mail"), "about": self.invite.hash,
                       "letter": "invitation", "user": self.user,
                       "email": "runner@example.org", **more, "tries": 1,
                       "envelopes": [self.post.envelope.dsse(),
                                     self.init.envelope.dsse()]},
                      self.notifier, self.user)

    def told(self):
        """Who is told of a run's end, and that it ended."""
        saved = self.by_admin(
            "a command that says whom to tell", "command.save",
            {"command": uid("told"), "name": "told", "version": 1,
             "script": b64(b"#!/bin/sh\nfalse\n"),
             "parameters": [],
             "notify": [{"to": "ops@example.org", "on": ["failed", "lost"]},
                        {"to": "webhook:pager", "on": ["succeeded"]}],
             "targets": ["web-1"], "timeout": 60, "wait": 600})
        self.said("a run has ended, with all that a notifier has to see",
                  "run.ended", self.enrol.hash,
                  {"run": self.start.envelope.fields["id"], "start": self.start.hash,
                   "command": saved.hash, "user": self.user,
                   "asker": "runner@example.org", "asked": moment(self.moment),
                   "ended": moment(self.moment + MINUTE), "outcome": "failed",
                   "targets": [{"target": "web-1", "outcome": "failed", "exit": 3},
                               {"target": "web-2", "outcome": "succeeded"}],
                   "holds": [{"to": "ops@example.org", "before": 2,
                                 "since": moment(self.moment - HOUR)},
                                {"to": "dev@example.org", "held": True}],
                   "envelopes": [self.enrol.envelope.dsse(),
                                 self.init.envelope.dsse(),
                                 saved.envelope.dsse()]},
                  self.authorizer, self.start.envelope.fields["id"])
    # Parameters that nobody else reads

    def secrets(self):
        self.asked("with the executors of a target", "command.show", self.open.hash,
                   {"name": "disk-report", "targets": ["web-1"]}, self.session)
        self.asked("a run with a secret for two executors", "run.start",
                   self.open.hash,
                   {"command": self.command_id, "arguments": {},
                    "boxes": [{"name": "token", "to": box_id(self.executor),
                               "box": b64(b"sealed here")},
                              {"name": "token", "to": ZERO,
                               "box": b64(b"sealed elsewhere")}],
                    "targets": ["web-1"],
                    "deadline": moment(self.moment + 10 * MINUTE),
                    "follow": False}, self.session)
