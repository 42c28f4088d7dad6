"""home.py: the one directory in which a development stack keeps everything.

In: ERRAND_HOME. Out: paths, ports, the lock. What always holds: a directory is
used only if it was empty or bears the marker, and removed only if it bears it;
files appear whole (written beside, then renamed).
"""
import fcntl
import os
import pathlib
import random
import shutil
import socket

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MARKER = ".errand-stack"
SUBDIRECTORIES = ("conf", "keys", "log", "mail", "profiles", "run", "state")
PORTS = ("kafka", "controller", "mail")
# Below the kernel's ephemeral ports: no outgoing connection takes one of these
# while the stack is down.
PORT_RANGE = (20000, 32000)


class Trouble(Exception):
    """Something that a person has to mend; its text says what and how."""


def write(path, text, mode=0o644):
    """Puts text into a file, all of it or nothing; True where that was news."""
    data = text.encode()
    if path.exists() and path.read_bytes() == data:
        return False
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode),
              "wb") as file:
        file.write(data)
    new.rename(path)
    return True


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Home:
    def __init__(self, path):
        self.path = pathlib.Path(os.path.abspath(path))

    def __truediv__(self, name):
        return self.path / name

    def exists(self):
        return (self / MARKER).exists()

    def make(self):
        """The directory with its marker; refuses somebody else's."""
        if self.exists():
            return
        if self.path.is_dir() and any(self.path.iterdir()):
            raise Trouble(f"{self.path} holds something else than a stack: name"
                          " an empty or a new directory, ERRAND_HOME=…")
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        write(self / MARKER, "A development stack of Errand, made by `make up`:"
              " `make reset` removes this directory.\n")

    def prepare(self):
        self.make()
        for name in SUBDIRECTORIES:
            (self / name).mkdir(mode=0o700, exist_ok=True)

    def need(self):
        if not self.exists():
            raise Trouble(f"there is no stack in {self.path}: `make up` makes"
                          " one, ERRAND_HOME says where")

    def lock(self):
        """Held until the process ends: one up, down or reset at a time."""
        file = open(self / MARKER, "rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another up, down or reset to end", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def ports(self):
        """{name: port}, chosen the first time and kept."""
        path, kept = self / "ports", {}
        if path.exists():
            kept = dict(line.split() for line in path.read_text().splitlines())
        ports = {name: int(port) for name, port in kept.items()}
        while missing := [name for name in PORTS if name not in ports]:
            port = random.randint(*PORT_RANGE)
            if is_free(port) and port not in ports.values():
                ports[missing[0]] = port
        write(path, "".join(f"{n} {p}\n" for n, p in ports.items()))
        return ports

    def remove(self):
        """Only what bears the marker; that goes last."""
        self.need()
        for entry in self.path.iterdir():
            if entry.name != MARKER:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        (self / MARKER).unlink()
        self.path.rmdir()
