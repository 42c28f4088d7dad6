# reach.py: a child that wants at the executor: its processes (`pids`: both halves,
# and another user's child), its files, its groups of the kernel's; and at more
# rights than it was given. Its keeper is its parent. Who is the `same` user may
# signal them.
import resource

SIGNALS = [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
           signal.SIGCONT, signal.SIGCHLD, signal.SIGRTMIN, signal.SIGRTMIN + 1, 0]
ATTACH, SEIZE = 16, 0x4206  # of ptrace()
PTRACE, MOVE_PAGES, KCMP, GETFD = 101, 279, 312, 438


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def copy_memory(number, pid):
    here = ctypes.create_string_buffer(64)
    own = Piece(ctypes.addressof(here), 64)
    call(number, pid, ctypes.addressof(own), 1, ctypes.addressof(own), 1, 0)


def seen(path, mode="rb"):
    with open(path, mode) as file:
        file.read(64)


def written(path, text="1"):
    with open(path, "r+") as file:
        file.write(text)


def signalled(pid):
    handle = os.pidfd_open(pid)
    for s in SIGNALS:
        attempt(f"kill {s} {pid}", os.kill, pid, s)
        attempt(f"pidfd {s} {pid}", signal.pidfd_send_signal, handle, s)
    os.close(handle)
    attempt(f"kill group of {pid}", os.kill, -os.getpgid(pid), signal.SIGKILL)
    attempt(f"prlimit {pid}", resource.prlimit, pid, resource.RLIMIT_NOFILE, (3, 3))
    attempt(f"renice {pid}", os.setpriority, os.PRIO_PROCESS, pid, 19)
    attempt(f"affinity {pid}", os.sched_setaffinity, pid, {0})


def entered(pid):
    proc = f"/proc/{pid}"
    handle = os.pidfd_open(pid)
    for fd in range(40):
        attempt(f"pidfd_getfd {fd} of {pid}", call, GETFD, handle, fd, 0)
    os.close(handle)
    attempt(f"ptrace attach {pid}", call, PTRACE, ATTACH, pid, 0, 0)
    attempt(f"ptrace seize {pid}", call, PTRACE, SEIZE, pid, 0, 0)
    attempt(f"process_vm_readv {pid}", copy_memory, 310, pid)
    attempt(f"process_vm_writev {pid}", copy_memory, 311, pid)
    for name in ("mem", "environ", "maps", "auxv", "io", "personality"):
        attempt(f"read {name} of {pid}", seen, f"{proc}/{name}")
    for name in ("exe", "cwd", "root", *(f"fd/{n}" for n in range(8)), "ns/pid"):
        attempt(f"follow {name} of {pid}", os.readlink, f"{proc}/{name}")
    for n in range(40):
        attempt(f"open fd {n} of {pid}", seen, f"{proc}/fd/{n}")
    for name in ("fd", "fdinfo", "map_files", "cwd/.", "root/root"):
        attempt(f"list {name} of {pid}", os.listdir, f"{proc}/{name}")
    for name in ("mem", "oom_score_adj", "comm", "coredump_filter", "clear_refs"):
        attempt(f"write {name} of {pid}", written, f"{proc}/{name}")
    attempt(f"kcmp {pid}", call, KCMP, os.getpid(), pid, 1, 0, 0)
    attempt(f"move_pages {pid}", call, MOVE_PAGES, pid, 0, 0, 0, 0, 0)


def at_file(path):
    attempt(f"read {path}", seen, path)
    attempt(f"write {path}", written, path)
    attempt(f"truncate {path}", os.truncate, path, 0)
    attempt(f"chmod {path}", os.chmod, path, 0o777)
    attempt(f"remove {path}", os.unlink, path)
    attempt(f"move {path}", os.rename, path, path + ".x")
    attempt(f"link {path}", os.link, path, "linked")


def at_directory(path):
    attempt(f"list {path}", os.listdir, path)
    attempt(f"make in {path}", os.mkdir, path + "/made")
    attempt(f"link in {path}", os.symlink, "/etc", path + "/made")
    attempt(f"chmod {path}", os.chmod, path, 0o777)
    attempt(f"move {path}", os.rename, path, path + ".x")
    attempt(f"give {path}", os.chown, path, os.getuid(), os.getgid())


def at_groups():
    for line in open("/proc/self/cgroup").read().splitlines():
        number, controllers, path = line.split(":", 2)
        base = "/sys/fs/cgroup/" + (controllers.removeprefix("name=") or "unified")
        for group in {base, base + path, os.path.dirname(base + path)}:
            for name in ("cgroup.procs", "cgroup.kill", "tasks", "cgroup.freeze"):
                attempt(f"write {group}/{name}", written, f"{group}/{name}", "0")
            attempt(f"make in {group}", os.mkdir, f"{group}/errand-attack")


def at_rights():
    attempt("setuid", os.setresuid, 0, 0, 0)
    attempt("setgid", os.setresgid, 0, 0, 0)
    attempt("setgroups", os.setgroups, [0])
    attempt("chroot", os.chroot, ".")
    attempt("mknod", os.mknod, "memory", 0o20666, os.makedev(1, 1))
    attempt("mount", call, 165, 0, 0, 0, 0, 0)
    attempt("limits", resource.setrlimit, resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    attempt("clock", time.clock_settime, time.CLOCK_REALTIME, time.time())


def at_own_descriptors():
    """0, 1, 2, and the script that it runs: sealed."""
    extra = [fd for fd in os.listdir("/proc/self/fd")
             if int(fd) > 3 and os.path.exists(f"/proc/self/fd/{fd}")]
    if extra:
        attempt(f"inherited {extra}", int)
    attempt("write to its script", os.write, 3, b"#!/bin/sh\n")
    attempt("shorten its script", os.ftruncate, 3, 0)
    attempt("open its script", written, "/proc/self/fd/3")
    attempt("write to its input", os.write, 0, b"x")
    attempt("read its output", os.read, 1, 1)


def in_a_namespace_of_its_own():
    """Where it is root, and yet nobody outside."""
    pid = os.fork()
    if pid == 0:
        try:
            call(272, 0x10000000 | 0x20000)  # unshare: NEWUSER | NEWNS
        except OSError:
            os._exit(0)
        for target in pids:
            attempt(f"kill {target} as root of a namespace", os.kill, target, 9)
            attempt(f"ptrace {target} as root of a namespace", call, PTRACE, SEIZE, target,
                    0, 0)
        os._exit(0)
    os.waitpid(pid, 0)


pids = [*map(int, given("pids").split()), os.getppid()]
at_own_descriptors()
for one in pids:
    entered(one)
    if given("same") == "no":
        signalled(one)
for one in given("files").split():
    at_file(one)
for one in given("directories").split():
    at_directory(one)
at_groups()
at_rights()
if given("same") == "no":
    in_a_namespace_of_its_own()
    try:
        os.kill(-1, signal.SIGSTOP)
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
print("tried", tried)
