#!/usr/bin/python3
"""attempt.py: comes before each attack. What comes true is written to a witness
outside of the system; how much was tried is printed, so that nothing can be left
out unseen."""
import ctypes
import os
import signal
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
tried = 0


def given(name):
    return os.environ[f"ERRAND_PARAM_{name.upper()}"]


def call(number, *arguments):
    """A system call; OSError where it is refused."""
    got = LIBC.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    if got < 0:
        raise OSError(ctypes.get_errno(), "")
    return got


def attempt(what, act, *arguments):
    global tried
    tried += 1
    try:
        act(*arguments)
    except (OSError, ValueError):
        return
    with open(given("broken"), "a") as witness:
        witness.write(what + "\n")


