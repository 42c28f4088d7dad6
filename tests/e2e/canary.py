"""canary.py: the secrets of a whole test session, and where they must not be (P9).

In: whatever makes a secret keeps it here: client.py its keys, terminal.py what is
typed unseen, overheard.py what submit's runs are given and print. Out: a scan of
every place that others can read, in any form that a slip would put them there. A
secret is never told: a hit says its kind, its form and the place.

sieve.c looks for all forms of all of them at once; it reads them from a file that
is in memory only.
"""
import base64
import os
import pathlib
import subprocess
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
SIEVE = TOP / os.environ.get("ERRAND_BIN", "build/plain") / "tests/sieve"

SHORTEST = 12  # bytes of a pattern: less is found by chance
LONGEST = 24
EVERY = 0.1    # seconds between two looks at the processes

kept = {}  # secret -> kind


def keep(kind, secret):
    """Remembers a secret (text or bytes); returns it."""
    data = secret.encode() if isinstance(secret, str) else bytes(secret)
    if len(data) >= SHORTEST:
        kept.setdefault(data, kind)
    return secret


def give_away(secret):
    """A test shows this one on purpose, where a person did."""
    kept.pop(secret.encode(), None)


# Forms

def aligned(secret, offset):
    """What base64 makes of a secret that begins at that offset, whatever stands
    before and behind it."""
    text = base64.b64encode(b"\0" * offset + secret)
    return text[-(-offset * 8 // 6):(offset + len(secret)) * 8 // 6]


def forms(secret):
    """{name: bytes} of all that would show it."""
    small = base64.b32encode(secret).rstrip(b"=").lower()
    return {"as it is": secret,
            "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode(),
            **{f"base64 at {n}": aligned(secret, n) for n in range(3)},
            "base32": small.upper(), "base32, small": small}


def wrapped(secret):
    """The same inside a payload, as an envelope at rest holds it: in base64."""
    return {f"{name}, in an envelope at {n}": aligned(data, n)
            for name, data in forms(secret).items() if name not in (
                "as it is", "HEX", "base32")  # that is base64 itself, or rare
            for n in range(3)}


def patterns(secrets):
    """{pattern: (kind, form)}: as much of each form as is found by no chance."""
    return {data[:LONGEST]: (kind, form) for secret, kind in secrets.items()
            for form, data in {**forms(secret), **wrapped(secret)}.items()
            if len(data) >= SHORTEST}


def in_hex(wanted):
    """For bytes that are written in hex, as pg_dump does."""
    return {pattern.hex().encode(): what for pattern, what in wanted.items()}


# The search

class Search:
    """Looks for patterns in files and in streams."""

    def __init__(self, wanted):
        self.what = list(wanted.values())
        self.file = os.memfd_create("patterns")
        with open(self.file, "w", encoding="ascii", closefd=False) as file:
            file.writelines(pattern.hex() + "\n" for pattern in wanted)

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        os.close(self.file)

    def sieve(self, *files, **options):
        return subprocess.Popen([SIEVE, f"/proc/self/fd/{self.file}", *files],
                                stdout=subprocess.PIPE, pass_fds=[self.file],
                                **options)

    def known(self, sieve):
        found = {self.what[int(n)] for n in sieve.stdout.read().split()}
        assert sieve.wait() == 0
        return found

    def in_files(self, paths):
        """What is in these; one that goes away meanwhile is no error."""
        found, paths = set(), list(paths)
        for at in range(0, len(paths), 1000):
            with self.sieve(*paths[at:at + 1000]) as sieve:
                found |= self.known(sieve)
        return found

    def in_stream(self, chunks):
        """What is in these bytes, one piece after the other."""
        with self.sieve(stdin=subprocess.PIPE) as sieve:
            for chunk in chunks:
                sieve.stdin.write(chunk)
            sieve.stdin.close()
            return self.known(sieve)


# Processes

def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def below(pid):
    """The processes that descend from one, and itself."""
    yield pid
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:  # it ended
        return
    for task in tasks:
        for child in read(f"/proc/{pid}/task/{task}/children").split():
            yield from below(int(child))


def but_its_own(environment):
    """Of a script's own environment, what is not for it alone: its parameters are."""
    if b"\0ERRAND_EXECUTION_ID=" not in environment:
        return environment
    return b"\0".join(variable for variable in environment.split(b"\0")
                      if not variable.startswith(b"ERRAND_PARAM_"))


class Watch:
    """Command lines and environments of all processes that are ours: below pytest
    and below the stack's supervisor. Those that Python starts are seen at once."""

    def __init__(self, supervisor):
        self.supervisor = supervisor  # its pid's file
        self.seen = set()
        self.ended = threading.Event()
        self.failed = None
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def start(self):
        sys.addaudithook(self.on_audit)
        self.thread.start()

    def on_audit(self, event, arguments):
        if event == "subprocess.Popen" and not self.ended.is_set():
            _, argv, _, environment = arguments
            argv = argv if isinstance(argv, (list, tuple)) else [argv]
            self.seen.add(b"\0".join(map(os.fsencode, argv)))
            for name, value in (environment or {}).items():
                self.seen.add(os.fsencode(name) + b"=" + os.fsencode(value))

    def go_on(self):
        try:
            while not self.ended.wait(EVERY):
                self.look()
        except Exception as error:  # told where it ends, or nobody would know
            self.failed = error

    def look(self):
        for root in (str(os.getpid()).encode(), read(self.supervisor)):
            for pid in below(int(root)) if root.strip().isdigit() else ():
                self.seen.add(read(f"/proc/{pid}/cmdline"))
                self.seen.add(but_its_own(read(f"/proc/{pid}/environ")))

    def stop(self):
        self.ended.set()
        self.thread.join()
        assert self.failed is None, f"the processes were not watched: {self.failed!r}"
