"""overheard.py: every run of submit that the tests wait for, whoever started it.

In: subprocess, whose Popen tells here how each submit ended. Out: `runs`, with
what was said to people; and the secrets that went in and out, for canary.py.
"""
import base64
import json
import os
import pathlib
import re
import subprocess

import canary

# In base32, five letters and a dash: an invitation's.
CODE = re.compile(r"\b[a-z2-7]{5}(?:-[a-z2-7]{5}){9,}(?:-[a-z2-7]{1,4})?\b")
SEED = 16  # bytes of a code that are the secret

runs = []  # (words, exit status, stderr)


def text_of(data):
    return data.decode(errors="replace") if isinstance(data, bytes) else data or ""


def keep_code(code):
    """An invitation's code, in the forms that a person may write it in."""
    small = code.replace("-", "").replace(" ", "").lower()
    for form in (code, small, small.upper()):
        canary.keep("invitation code", form)
    raw = base64.b32decode(small.upper() + "=" * (-len(small) % 8))
    canary.keep("invitation seed", raw[:SEED])


def keep_password(path):
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    canary.keep("password", lines[0] if lines else "")


def keep_seeds(path):
    """Of a key file that is not locked: a session's, a daemon's."""
    try:
        seeds = base64.b64decode(json.loads(pathlib.Path(path).read_text())["seeds"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    canary.keep("key", seeds[:32])
    canary.keep("key", seeds[32:])


def hear(words, environment, status, out, said):
    """A run of submit has ended."""
    runs.append((words, status, text_of(said)))
    for code in CODE.findall(text_of(out)):
        keep_code(code)
    for flag, value in zip(words, words[1:]):
        if flag.endswith("password-file"):
            keep_password(value)
    profile = pathlib.Path((environment or os.environ).get("ERRAND_PROFILE", "/"))
    keep_password(profile / "password")
    keep_seeds(profile / "session.json")


class Popen(subprocess.Popen):
    """What subprocess.run uses, too, once listen() was called."""

    def __init__(self, args, *more, env=None, **options):
        self.environment = env
        super().__init__(args, *more, env=env, **options)

    def communicate(self, *arguments, **options):
        out, said = super().communicate(*arguments, **options)
        if isinstance(self.args, list) and str(self.args[0]).endswith("/submit"):
            words = [os.fsdecode(w) for w in self.args[1:]]
            hear(words, self.environment, self.returncode, out, said)
        return out, said


def listen():
    subprocess.Popen = Popen
