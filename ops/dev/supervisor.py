"""supervisor.py: keeps a stack's processes alive, and ends them.

In: run/NAME.spec (JSON: argv, env, order, signal, patience), written by `up`;
HUP says that they changed (and ends a back-off). Out: log/NAME.log, run/NAME.pid, run/NAME.state.
What died is started again: at once if it had lived for a while, else with a
back-off up to 5 s. A spec that changed means another process in its place. TERM
ends all, the highest order first, and forgets the specs.

Processes are held by pidfd, so a supervisor takes over what one before it, that
was killed, has left running; a pid alone never decides, its start time does too.
"""
import fcntl
import json
import math
import os
import pathlib
import selectors
import signal
import subprocess
import time

from home import write

LIVED = 5.0  # seconds: who died later than that is started again at once
LONGEST_BACK_OFF = 5.0
LOG_MAX = 32 << 20


def start_time(pid):
    """When a process started, in ticks since boot; None: there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def dump(spec):
    return json.dumps(spec, indent=1, sort_keys=True) + "\n"


def read_state(home, name):
    try:
        return json.loads((home / f"run/{name}.state").read_text())
    except (OSError, ValueError):
        return {}


def running(home, name):
    """The pid of a process of this stack that is alive, or None."""
    state = read_state(home, name)
    pid = state.get("pid")
    return pid if pid and start_time(pid) == state["start"] else None


def ended(wait_status):
    code = os.waitstatus_to_exitcode(wait_status)
    return f"signal {-code}" if code < 0 else f"status {code}"


class Process:
    """One row of the stack: what shall run, and what does."""

    def __init__(self, home, name):
        self.home, self.name = home, name
        self.spec = None      # what shall run
        self.runs = None      # the spec of what does run
        self.pidfd = None
        self.child = None
        self.failures = 0
        self.due = 0.0        # when to start it, where it does not run
        self.since = 0.0
        self.kill_at = None   # while it is asked to end
        self.adopt()

    def adopt(self):
        state = read_state(self.home, self.name)
        if running(self.home, self.name):
            try:
                self.pidfd = os.pidfd_open(state["pid"])
            except ProcessLookupError:
                return
            self.runs = state["spec"]

    def start(self):
        spec = self.spec
        log = self.home / f"log/{self.name}.log"
        if log.exists() and log.stat().st_size > LOG_MAX:
            log.rename(log.with_suffix(".log.1"))
        with open(log, "ab") as output:
            offset = output.tell()
            try:
                self.child = subprocess.Popen(
                    spec["argv"], env=spec["env"], cwd=self.home.path,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    start_new_session=True)
            except OSError as error:
                output.write(f"supervisor: {error}\n".encode())
                self.failed(f"could not be started: {error}", offset)
                return
        self.pidfd = os.pidfd_open(self.child.pid)
        self.runs, self.since, self.kill_at = spec, time.monotonic(), None
        write(self.home / f"run/{self.name}.pid", f"{self.child.pid}\n")
        self.note(pid=self.child.pid, start=start_time(self.child.pid),
                  log=offset, spec=spec, failures=self.failures)

    def note(self, **state):
        write(self.home / f"run/{self.name}.state", json.dumps(state))

    def failed(self, how, offset=None):
        """Says how it ended, and when it is started again."""
        lived = time.monotonic() - self.since
        self.failures = 1 if lived > LIVED else self.failures + 1
        pause = 0.05 * 2 ** (self.failures - 1) if self.failures > 1 else 0.0
        self.due = time.monotonic() + min(pause, LONGEST_BACK_OFF)
        if offset is None:
            offset = read_state(self.home, self.name).get("log", 0)
        self.note(pid=None, log=offset, failures=self.failures, ended=how)

    def reap(self):
        """It has ended: by our wish, or not."""
        how = "a status that only its parent heard"
        if self.child is not None:
            _, wait_status = os.waitpid(self.child.pid, 0)
            self.child.returncode, how = wait_status, ended(wait_status)
        os.close(self.pidfd)
        wished = self.kill_at is not None
        self.pidfd = self.child = self.runs = self.kill_at = None
        (self.home / f"run/{self.name}.pid").unlink(missing_ok=True)
        if wished:
            self.note(pid=None, ended=how, failures=0)
            self.due = self.failures = 0
        else:
            self.failed(how)
            if how == f"status {os.EX_CONFIG}":
                self.due = math.inf  # until somebody says so: `up`

    def signal(self, number):
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            pass

    def end(self):
        if self.pidfd is not None and self.kill_at is None:
            self.signal(self.runs["signal"])
            self.kill_at = time.monotonic() + self.runs["patience"]


class Supervisor:
    def __init__(self, home):
        self.home, self.processes = home, {}
        self.ending = False
        for path in sorted((home / "run").glob("*.state")):
            self.process(path.stem)

    def process(self, name):
        if name not in self.processes:
            self.processes[name] = Process(self.home, name)
        return self.processes[name]

    def read_specs(self):
        there = {}
        for path in sorted((self.home / "run").glob("*.spec")):
            try:
                there[path.stem] = json.loads(path.read_text())
            except FileNotFoundError:
                continue
        for name in there:
            self.process(name)
        for name, process in self.processes.items():
            process.spec = there.get(name)
            if process.pidfd is None:
                process.due = process.failures = 0

    def forget_specs(self):
        for path in (self.home / "run").glob("*.spec"):
            path.unlink()
        for process in self.processes.values():
            process.spec = None

    def step(self):
        """What is due now; returns the seconds until something else is."""
        now, next_due = time.monotonic(), 60.0
        alive = [p for p in self.processes.values() if p.pidfd is not None]
        top = max((p.runs["order"] for p in alive), default=0)
        for process in self.processes.values():
            if process.pidfd is None and process.spec is not None:
                if process.due <= now:
                    process.start()
                next_due = min(next_due, max(process.due - now, 0.0))
            elif process.kill_at is not None:
                if process.kill_at <= now:
                    process.signal(signal.SIGKILL)
                    process.kill_at = now + 5.0
                next_due = min(next_due, process.kill_at - now)
            elif process.pidfd is not None and process.runs != process.spec:
                if not self.ending or process.runs["order"] == top:
                    process.end()
                    next_due = 0.0
        return next_due

    def turn(self, wakeup=None):
        """Acts, then waits for an end, a signal, or what is due next."""
        timeout = self.step()
        with selectors.DefaultSelector() as selector:
            if wakeup is not None:
                selector.register(wakeup, selectors.EVENT_READ)
            for process in self.processes.values():
                if process.pidfd is not None:
                    selector.register(process.pidfd, selectors.EVENT_READ,
                                      process)
            for key, _ in selector.select(timeout):
                if key.data is not None:
                    key.data.reap()
        return [p for p in self.processes.values() if p.pidfd is not None]

    def end_all(self):
        self.ending = True
        self.forget_specs()
        while any(p.pidfd is not None for p in self.processes.values()):
            self.turn()


def lock(home):
    """The supervisor's own lock, or None where another one has it."""
    file = open(home / "run/supervisor.pid", "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def serve(home):
    """The background process: from `up` to `down`."""
    held = lock(home)
    if held is None:
        return
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    held.truncate(0)
    held.write(f"{os.getpid()}\n")
    held.flush()
    supervisor = Supervisor(home)
    supervisor.read_specs()
    while True:
        supervisor.turn(reader)
        try:
            came = set(os.read(reader, 4096))
        except BlockingIOError:
            continue
        if came & {signal.SIGTERM, signal.SIGINT}:
            break
        supervisor.read_specs()
    supervisor.end_all()
    held.truncate(0)
