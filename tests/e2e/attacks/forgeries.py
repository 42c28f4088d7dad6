"""forgeries.py: what a thief could make up of whatever he stole: the broker, a
runner's session, the authorizer's key, another installation's root. Each is a row
of FORGED, with a word of the reason for which it must be refused.

A forgery is a function of the besieged: a signed dispatch, or any record at all.
Its script would write to the witness.
"""
import json

from client import DAY, HOUR, Envelope, Key, b64, moment, now_ms, uuid7
from lone import Authority

FORGED = []


class Record:
    """What goes onto the dispatch topic as it is."""

    def __init__(self, value, headers, key):
        self.value, self.headers, self.key = value, headers, key

    @classmethod
    def of(cls, envelope, value=None, headers=None, key=None):
        return cls(envelope.payload if value is None else value,
                   envelope.headers() if headers is None else headers,
                   key or envelope.fields.get("execution", uuid7()))


def refused(because):
    def keep(forge):
        FORGED.append((forge, because))
        return forge
    return keep


def evil(w, targets=None, **fields):
    return w.authority.save(f"#!/bin/sh\necho {w.target} >> {w.broken}\n",
                            targets or [w.target], **fields)


def anew(envelope, *keys, **fields):
    """The same with other members, signed by these keys."""
    kind = envelope.type.removeprefix("errand.").removesuffix(".v1")
    return Envelope.of(kind, {**envelope.fields, **fields}, *keys)


def made(w, command=None, run=None, without=None, instead=(), more=(), **fields):
    """By the authorizer's key, of an honest chain: `without` one of its links, by
    name, `instead` of others, and with `more`."""
    a = w.authority
    command = command or evil(w)
    run = run or a.start(command, [w.target])
    links = {"enrol": a.enrol, "init": a.root.init, "opened": a.opened,
             "command": command, "run": run, **dict(instead)}
    links.pop(without, None)
    return a.dispatch(command, run, w.target, proof=[*links.values(), *more], **fields)


def with_session(w, opened, key, command=None, more=(), **fields):
    """A run that is asked for in that session."""
    command = command or evil(w)
    run = anew(w.authority.start(command, [w.target]), key, by=opened.hash, **fields)
    return made(w, command, run, instead={"opened": opened}, more=more)


# The dispatch itself: a thief of the broker

@refused("not signed by")
def by_a_key_that_nobody_enrolled(w):
    return made(w, key=Key())


@refused("not signed by")
def by_the_administrator(w):
    return made(w, key=w.authority.admin.key)


@refused("not signed by")
def by_the_session(w):
    return made(w, key=w.authority.session)


@refused("not signed by")
def by_the_root(w):
    return made(w, key=w.authority.root.key)


@refused("not signed by")
def with_another_one_s_signature(w):
    dispatch = made(w)
    return Envelope(dispatch.type, dispatch.payload, made(w).signatures)


@refused("signature")
def unsigned(w):
    dispatch = made(w)
    return Record.of(dispatch, headers=[h for h in dispatch.headers()
                                        if h[0] not in ("errand-key", "errand-sig")])


@refused("sign")
def signed_as_bytes_without_their_type(w):
    dispatch, key = made(w), w.authority.authorizer
    dispatch.signatures = [(key.id, key.signing.sign(dispatch.payload).signature)]
    return dispatch


@refused("sign")
def signed_as_another_type(w):
    dispatch = made(w)
    claim = Envelope("errand.claim.v1", dispatch.payload).sign(w.authority.authorizer)
    dispatch.signatures = claim.signatures
    return dispatch


@refused("not signed by")
def its_members_in_another_order(w):
    dispatch = made(w)
    fields = dict(reversed(dispatch.fields.items()))
    return Record.of(dispatch, json.dumps(fields, separators=(",", ":")).encode())


@refused("not signed by")
def its_proof_in_another_order(w):
    dispatch = made(w)
    fields = {**dispatch.fields, "proof": dispatch.fields["proof"][::-1]}
    return Record.of(dispatch, json.dumps(fields, separators=(",", ":")).encode())


@refused("duplicate")
def with_a_second_target(w):
    dispatch = made(w)
    return Record.of(dispatch, dispatch.payload.replace(
        b'{"root"', b'{"target":"elsewhere","root"', 1))


@refused("JSON")
def with_something_behind_it(w):
    dispatch = made(w)
    return Record.of(dispatch, dispatch.payload + b"{}")


@refused("key")
def under_another_execution_s_key(w):
    return Record.of(made(w), key=uuid7())


@refused("ce_id")
def with_the_id_of_another(w):
    dispatch = made(w)
    return Record.of(dispatch, headers=[(n, uuid7().encode() if n == "ce_id" else v)
                                        for n, v in dispatch.headers()])


@refused("header")
def as_it_is_at_rest(w):
    dispatch = made(w)
    return Record.of(dispatch, json.dumps(dispatch.dsse()).encode(), headers=[])


# Other types

@refused("where a dispatch belongs")
def a_command(w):
    return Record.of(evil(w))


@refused("where a dispatch belongs")
def a_run(w):
    return Record.of(w.authority.start(evil(w), [w.target]))


@refused("where a dispatch belongs")
def an_enrolment(w):
    return Record.of(w.authority.enrol)


@refused("where a dispatch belongs")
def a_claim(w):
    return Envelope.of("claim", {
        **w.authority.head(w.authority.enrol.hash), "execution": uuid7(),
        "incarnation": uuid7()}, w.authority.authorizer)


@refused("where a dispatch belongs")
def a_revocation(w):
    return Record.of(w.authority.entry("service.revoke", {"service": w.authority.enrol.hash}))


@refused("command.save: unknown field")
def a_dispatch_that_says_it_is_a_command(w):
    dispatch = made(w)
    return Record.of(dispatch, headers=[
        (n, b"errand.command.save.v1" if n == "ce_type" else v)
        for n, v in dispatch.headers()])


# What an authorizer's key alone can't change

@refused("not signed by")
def another_script(w):
    save = anew(evil(w), w.authority.authorizer)
    return made(w, save)


@refused("not signed by")
def other_arguments(w):
    command = evil(w)
    run = anew(w.authority.start(command, [w.target]), w.authority.authorizer,
               arguments={"x": "y"})
    return made(w, command, run)


@refused("execution's id")
def another_execution_of_the_run(w):
    return made(w, execution=uuid7())


@refused("attempt")
def a_second_attempt(w):
    return made(w, attempt=2)


@refused("a dispatch for target elsewhere")
def for_another_target(w):
    command = evil(w, targets=[w.target, "elsewhere"])
    run = w.authority.start(command, [w.target, "elsewhere"])
    return w.authority.dispatch(command, run, "elsewhere")


@refused("does not name target")
def a_run_for_another_target(w):
    command = evil(w, targets=[w.target, "elsewhere"])
    return made(w, command, w.authority.start(command, ["elsewhere"]))


@refused("target")
def a_command_for_another_target(w):
    command = evil(w, targets=["elsewhere"])
    return made(w, command, w.authority.start(command, [w.target]))


@refused("names another command")
def a_run_of_another_command(w):
    return made(w, evil(w), w.authority.start(evil(w), [w.target]))


@refused("deadline")
def beyond_its_run_s_deadline(w):
    return made(w, expires=moment(now_ms() + HOUR))


@refused("deadline")
def a_deadline_beyond_its_command_s_wait(w):
    command = evil(w)
    run = w.authority.start(command, [w.target], deadline=moment(now_ms() + DAY))
    return made(w, command, run)


@refused("no parameter")
def an_argument_that_the_command_has_not(w):
    command = evil(w)
    return made(w, command, w.authority.start(command, [w.target],
                                              arguments={"LD_PRELOAD": "/tmp/x.so"}))


@refused("n:")
def an_argument_beyond_its_limit(w):
    command = evil(w, parameters=[{"name": "n", "type": "int", "max": "5"}])
    return made(w, command, w.authority.start(command, [w.target], arguments={"n": "6"}))


@refused("fixed")
def an_argument_that_is_fixed(w):
    command = evil(w, parameters=[{"name": "how", "type": "string", "fixed": "gently"}])
    return made(w, command, w.authority.start(command, [w.target],
                                              arguments={"how": "roughly"}))


@refused("forks")
def decided_under_another_log(w):
    return made(w, head="f" * 64)


@refused("installation")
def of_another_installation(w):
    return made(w, root=Key().id)


# The chain: a link missing

def missing(name):
    @refused("lacks an envelope")
    def a_missing(w):
        return made(w, without=name)
    a_missing.__name__ = f"without_{name}"


for link in ("enrol", "init", "opened", "command", "run"):
    missing(link)


# A link by somebody who may not

def by_a_stranger(name):
    @refused("not signed by")
    def spoilt(w):
        a = w.authority
        command = evil(w)
        links = {"enrol": a.enrol, "init": a.root.init, "opened": a.opened,
                 "command": command, "run": a.start(command, [w.target])}
        old = links[name]
        links[name] = Envelope(old.type, old.payload).sign(*(
            Key() for _ in old.signatures))
        return a.dispatch(command, links["run"], w.target, proof=[*links.values()])
    spoilt.__name__ = f"{name}_by_a_stranger"


for link in ("enrol", "init", "opened", "command", "run"):
    by_a_stranger(link)


@refused("administrator")
def a_command_by_a_runner(w):
    who = w.authority.invited("runner@example.org")
    return made(w, anew(evil(w), who.key, by=who.by), more=who.chain)


@refused("confirm")
def a_command_by_an_administrator_whom_nobody_confirmed(w):
    who = w.authority.invited("admin@example.org", "administrator")
    return made(w, anew(evil(w), who.key, by=who.by), more=who.chain)


@refused("has no assignment")
def by_a_runner_to_whom_nobody_gave_it(w):
    who = w.authority.invited("runner@example.org")
    key, opened = w.authority.signed_in(who)
    return with_session(w, opened, key, more=who.chain)


def assigned(w, command, who, key=None, by=None, **fields):
    a = w.authority
    return Envelope.of("assignment.add", {
        **a.request(by or a.admin.by), "user": who.user,
        "command": command.fields["command"], **fields}, key or a.admin.key)


@refused("has no assignment")
def by_a_runner_who_gave_it_to_himself(w):
    who, command = w.authority.invited("runner@example.org"), evil(w)
    key, opened = w.authority.signed_in(who)
    given = assigned(w, command, who, who.key, who.by)
    return with_session(w, opened, key, command, [*who.chain, given])


@refused("has no assignment")
def by_a_runner_whose_time_for_it_is_over(w):
    who, command = w.authority.invited("runner@example.org"), evil(w)
    key, opened = w.authority.signed_in(who)
    given = assigned(w, command, who, until=moment(now_ms() - HOUR))
    return with_session(w, opened, key, command, [*who.chain, given])


@refused("has no assignment")
def by_a_runner_with_another_one_s_assignment(w):
    who, other = (w.authority.invited(f"{n}@example.org") for n in ("runner", "other"))
    command = evil(w)
    key, opened = w.authority.signed_in(who)
    return with_session(w, opened, key, command, [
        *who.chain, *other.chain, assigned(w, command, other)])


@refused("has no assignment")
def by_a_runner_with_an_assignment_for_another_version(w):
    who, command = w.authority.invited("runner@example.org"), evil(w)
    key, opened = w.authority.signed_in(who)
    return with_session(w, opened, key, command, [
        *who.chain, assigned(w, command, who, pin=2)])


@refused("session")
def in_a_session_that_its_own_key_signed_alone(w):
    a, key = w.authority, Key()
    opened = anew(a.opened, key, key, key=b64(key.public), box=b64(key.box))
    return with_session(w, opened, key)


@refused("session")
def with_an_own_key_where_a_session_s_belongs(w):
    a, command = w.authority, evil(w)
    return made(w, command, anew(a.start(command, [w.target]), a.admin.key, by=a.admin.by))


@refused("root")
def under_an_authorizer_of_an_administrator_s(w):
    return by_authorizer(w, w.authority.admin.key, by=w.authority.admin.by)


def by_authorizer(w, signer, **fields):
    """Under a new authorizer's key, as this signer enrols it."""
    key, enrol = enrolled(w, signer, **fields)
    return made(w, instead={"enrol": enrol}, key=key, by=enrol.hash)


def enrolled(w, signer, **fields):
    key = Key()
    return key, anew(w.authority.enrol, signer, **{
        "id": uuid7(), "key": b64(key.public), "box": b64(key.box), **fields})


# A link that is over

@refused("session")
def in_a_session_that_was_over(w):
    a, key = w.authority, Key()
    opened = anew(a.opened, a.admin.key, key, key=b64(key.public), box=b64(key.box),
                  issued=moment(now_ms() - 2 * HOUR), until=moment(now_ms() - HOUR))
    return with_session(w, opened, key)


@refused("open for too long")
def in_a_session_for_a_week(w):
    a, key = w.authority, Key()
    opened = anew(a.opened, a.admin.key, key, key=b64(key.public), box=b64(key.box),
                  until=moment(now_ms() + 7 * DAY))
    return with_session(w, opened, key)


@refused("session")
def before_its_session_was_opened(w):
    a = w.authority
    return with_session(w, a.opened, a.session, issued=moment(now_ms() - HOUR))


@refused("has ended")
def under_an_authorizer_whose_time_is_over(w):
    return by_authorizer(w, w.authority.root.key, issued=moment(now_ms() - 2 * DAY),
                         until=moment(now_ms() - DAY))


@refused("180 days")
def under_an_authorizer_for_a_year(w):
    return by_authorizer(w, w.authority.root.key, until=moment(now_ms() + 365 * DAY))


@refused("not as authorizer")
def under_an_executor_s_enrolment(w):
    one = w.executors[0].enrol
    return made(w, instead={"enrol": one}, by=one.hash)


# Another root's

@refused("not pinned")
def all_of_another_root_s(w):
    other = Authority()
    command = other.save(f"#!/bin/sh\necho root >> {w.broken}\n", [w.target])
    return other.dispatch(command, other.start(command, [w.target]), w.target)


@refused("not pinned")
def under_another_root_s_authorizer(w):
    other = Authority()
    return made(w, instead={"enrol": other.enrol}, more=[other.root.init],
                key=other.authorizer, by=other.enrol.hash)


@refused("not pinned")
def a_command_of_another_root_s(w):
    other = Authority()
    command = anew(evil(w), other.admin.key, root=other.root.id, by=other.admin.by)
    return made(w, command, more=[other.root.init])


@refused("not pinned")
def a_session_of_another_root_s(w):
    other = Authority()
    return with_session(w, other.opened, other.session, more=[other.root.init],
                        root=other.root.id)


# Members that no type has, well signed by whom they should be

def with_a_member(name, value):
    def in_dispatch(w):
        return made(w, **{name: value})

    def in_run(w):
        command = evil(w)
        return made(w, command, w.authority.start(command, [w.target], **{name: value}))

    def in_command(w):
        return made(w, evil(w, **{name: value}))

    def in_session(w):
        a, key = w.authority, Key()
        opened = anew(a.opened, a.admin.key, key, key=b64(key.public), box=b64(key.box),
                      **{name: value})
        return with_session(w, opened, key)

    def in_enrolment(w):
        return by_authorizer(w, w.authority.root.key, **{name: value})

    def in_parameter(w):
        return made(w, evil(w, parameters=[{"name": "n", "type": "string", name: value}]))

    for forge in (in_dispatch, in_run, in_command, in_session, in_enrolment, in_parameter):
        forge.__name__ = f"{name}_{forge.__name__}"
        refused(name)(forge)


for member, given in (("uid", 0), ("env", {"LD_PRELOAD": "/tmp/x.so"}), ("cwd", "/")):
    with_a_member(member, given)


# Names that mean something elsewhere

def with_a_parameter(name):
    @refused("name")
    def named(w):
        return made(w, evil(w, parameters=[{"name": name, "type": "string",
                                            "default": "x"}]))
    named.__name__ = f"a_parameter_{name}"


for text in ("LD_PRELOAD", "BASH_ENV", "PATH", "IFS", "x=y", "a\nLD_PRELOAD"):
    with_a_parameter(text)
