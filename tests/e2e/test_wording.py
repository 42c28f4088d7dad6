"""What submit said when it failed, in all tests of this session: one line, in words
that somebody understands who only wants their report.

Runs after all other tests, over what overheard.py heard. Programs (-o json), who
founds an installation or enrols daemons, and who checks its audit log are told in
their own words.
"""
import re

import pytest

import overheard

pytestmark = pytest.mark.last

LONGEST = 400
JARGON = re.compile(
    r"(?<![./\w-])(envelopes?|dsse|payloads?|proofs?|proven|retry|reject|fatal|hash(es)?|sha|"
    r"ed25519|base64|uuid\w*|json|offsets?|partitions?|topics?|"
    r"sqlstate|errno|null|librdkafka|libpq|postgres\w*)\b(?!\.\w)", re.I)
OF_DAEMONS = {"init", "service", "target", "root"}
OF_THE_LOG = ["audit", "verify"]
# They name every fault that they find, a line each.
OF_MANY_LINES = (OF_THE_LOG, ["billing", "export"])
# How a command ended on its targets, or that it goes on, is no error of submit's.
OUTCOME = re.compile(r"; run [0-9a-f]{12}$|^detached; the run goes on", re.M)
# Six words that a key is read by may be any.
SIX_WORDS = re.compile(r"^\S+'s key:( [a-z]+){6}$", re.M)
# For whoever set up the broker, or looks after a profile's own files.
EXCEPTIONS = ("schema/topics.def", "enrolment.json", "root.pub", "key.json")


def failures():
    """(words, the lines that were said), of each kind once."""
    found = {}
    for words, status, said in overheard.runs:
        plain = not {"json", "jsonl"} & set(words)
        if (status or 0) > 0 and plain and said and not OUTCOME.search(said):
            text = re.sub(r"[0-9a-f-]{12,}|\d+", "N", said)
            found.setdefault((words[0] if words else "", text), (words, said))
    return list(found.values())


def test_a_failure_is_told_in_one_line():
    wrong = []
    for words, said in failures():
        lines = [line for line in said.splitlines()
                 if line.startswith("submit: ")]
        enough = len(lines) >= 1 if words[:2] in OF_MANY_LINES else len(lines) == 1
        if not enough or max(map(len, lines)) > LONGEST:
            wrong.append(f"{words}: {said!r}")
    assert not wrong, "\n".join(wrong)


def test_a_failure_is_told_without_jargon():
    wrong = []
    for words, said in failures():
        found = JARGON.search(SIX_WORDS.sub("", said))
        if found and words[0] not in OF_DAEMONS and \
                words[:2] != OF_THE_LOG and \
                not any(part in said for part in EXCEPTIONS):
            wrong.append(f"{found[0]}: {words}: {said!r}")
    assert not wrong, "\n".join(wrong)
