"""postgres.py: the stack's own PostgreSQL: no port, one Unix socket.

Who may enter the directory of the socket may be anybody in this database
(`trust`): it is 0700 and its owner's. The truth of Errand is here, so fsync
stays on; all else is small.
"""
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys

from home import Trouble

INSIDE = pathlib.Path(__file__).with_name("inside.py")
BIN = ("/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin")
PORT = 5432       # only the socket's name
SOCKET_MAX = 90   # bytes of its directory; the kernel takes 107 for all
DATABASE = "errand"
SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
}


def program(name):
    for directory in BIN:
        if os.access(f"{directory}/{name}", os.X_OK):
            return f"{directory}/{name}"
    found = shutil.which(name)
    if found is None:
        raise Trouble(f"PostgreSQL 15's {name} is not there: `make deps`")
    return found


def socket_directory(home):
    """The directory of the socket; a short one elsewhere where a path is long."""
    inside = home / "pg"
    if len(os.fsencode(inside)) <= SOCKET_MAX:
        return inside
    name = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
    return pathlib.Path(f"/tmp/errand-{os.geteuid()}-{name}")


def own(directory):
    """A private directory; root's belongs to somebody else, if that is to be
    had."""
    directory.mkdir(mode=0o700, exist_ok=True)
    owner = directory.lstat().st_uid
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise Trouble(f"{directory} belongs to somebody else (uid {owner})")
        return
    if owner != 0 or any(directory.iterdir()):
        return
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
            os.chown(directory, user.pw_uid, user.pw_gid)
            return
        except (KeyError, OSError):
            continue


def inside(home, *argv):
    return [sys.executable, str(INSIDE), str(home / "pg"), *argv]


def prepare(home):
    """The cluster, made once: a half-made one is made anew."""
    directory = home / "pg"
    own(directory)
    if (directory / "data/PG_VERSION").exists():
        return
    shutil.rmtree(directory / "data.new", ignore_errors=True)
    done = subprocess.run(
        inside(home, program("initdb"), "-D", "{}/data.new", "-U", SUPERUSER,
               "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
               "--no-sync", "--no-instructions"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}, cwd="/")
    if done.returncode != 0:
        raise Trouble(f"initdb failed: {done.stderr.strip()}")
    (directory / "data.new").rename(directory / "data")


def spec(home):
    sockets = socket_directory(home)
    if sockets != home / "pg":
        own(sockets)
        if os.geteuid() == 0 and (home / "pg").stat().st_uid == 0:
            os.chown(sockets, 0, 0)
        where = str(sockets)
    else:
        where = "{}"
    settings = {**SETTINGS, "unix_socket_directories": where}
    return {"argv": inside(home, program("postgres"), "-D", "{}/data",
                           *(part for key, value in settings.items()
                             for part in ("-c", f"{key}={value}"))),
            "signal": signal.SIGINT, "patience": 15, "order": 1}


def forget(home):
    """Removes what is not in the home: the short directory, if there is one."""
    sockets = socket_directory(home)
    if sockets != home / "pg":
        shutil.rmtree(sockets, ignore_errors=True)


def is_ready(home, pid):
    """The server's own word, as pg_ctl reads it."""
    try:
        lines = (home / "pg/data/postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and \
        lines[7].strip() == "ready"


def conninfo(home, user, database=DATABASE):
    host = str(socket_directory(home)).replace("\\", r"\\").replace("'", r"\'")
    return f"host='{host}' port={PORT} dbname={database} user={user}"


def psql(home, sql, database=DATABASE):
    done = subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d",
         conninfo(home, SUPERUSER, database), "-c", sql],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def make_database(home):
    if psql(home, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'",
            "postgres") != "1":
        psql(home, f"CREATE DATABASE {DATABASE}", "postgres")
