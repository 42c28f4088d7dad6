# outlive.py: a child that ends well, and leaves as many behind as it can, in every
# way to get away that there is. Each tells its pid in `pids` and that it lives in
# `beats`. At the end as many as its limit allows only make more of each other.
import threading

CLONE, UNSHARE, EXIT, PRCTL, PTRACE = 56, 272, 60, 157, 101
PARENT, NEWUSER, NEWPID, SUBREAPER, TRACEME = 0x8000, 0x10000000, 0x20000000, 36, 0


def tell(pid):
    with open(given("pids"), "a") as file:
        file.write(f"{pid}\n")


def beat(until=None):
    for s in range(1, 65):
        try:
            signal.signal(s, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        with open(given("beats"), "a") as file:
            file.write("x")
        time.sleep(0.05)


def beats(told=True):
    if told:
        tell(os.getpid())
    beat()


def doubly():
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        beats()
    os._exit(0)


def without_a_trace():
    """No environment, nothing open, elsewhere: a shell that nothing tells of us."""
    os.setsid()
    script = f"""trap '' TERM HUP INT; echo $$ >> {given('pids')}
while :; do echo -n x >> {given('beats')}; read -t 0.1 x <> /proc/self/fd/9; done"""
    os.chdir("/")
    read, write = os.pipe()
    os.dup2(read, 9)
    os.dup2(write, 8)
    os.closerange(0, 3)
    os.execve("/bin/bash", ["[kworker]", "-c", script], {})


def below_a_reaper_of_its_own():
    LIBC.prctl(SUBREAPER, 1, 0, 0, 0)
    if os.fork() == 0:
        if os.fork() == 0:
            beats()
        os._exit(0)
    beats()


def beside_its_parent():
    if call(CLONE, PARENT | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        beats()
    os._exit(0)


def traced():
    if os.fork() == 0:
        call(PTRACE, TRACEME, 0, 0, 0)
        beats()
    beats()


def stopped():
    tell(os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
    beat()


def by_a_thread_whose_leader_is_gone():
    tell(os.getpid())
    thread = threading.Thread(target=beat)
    thread.start()
    call(EXIT, 0)


def in_a_namespace():
    call(UNSHARE, NEWUSER | NEWPID)
    pid = os.fork()
    if pid == 0:
        beats(told=False)
    tell(pid)
    beat()


def bomb():
    """Its limit of processes is what bounds it; a child looks once a while."""
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    for s in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(s, signal.SIG_IGN)
    while True:
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            time.sleep(0.02)


WAYS = [doubly, without_a_trace, below_a_reaper_of_its_own, beside_its_parent, traced,
        stopped, by_a_thread_whose_leader_is_gone, in_a_namespace]
for way in WAYS:
    if os.fork() == 0:
        try:
            way()
        finally:
            os._exit(1)


def told():
    try:
        return len(open(given("pids")).read().split())
    except FileNotFoundError:
        return 0


while told() < int(given("many")):
    time.sleep(0.01)
if os.fork() == 0:
    bomb()
time.sleep(0.3)
print("told", told())
