/* confine.c: see confine.h. */
#include "consumer/executor/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOOKS_FOR_LEAKS true
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define LOOKS_FOR_LEAKS true
#endif
#ifndef LOOKS_FOR_LEAKS
#define LOOKS_FOR_LEAKS false /* a test build's: by ptrace(), from a clone */
#endif

int confine_memory(struct err *err)
{
    /* A byte: with none a core would still feed a program (core(5)), and the
     * children's limit could not be set above. */
    struct rlimit none = {1, 1};

    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0
               ? 0
               : err_set(err, ERR_FATAL, "no core dumps: %s", strerror(errno));
}

/* Capabilities */

/* So that no program that this process could start has any, either. Where
 * that is not ours to do, there was nothing to drop. */
static void drop_bounding(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        (void)prctl(PR_CAPBSET_DROP, cap);
    }
}

static int drop_capabilities(struct err *err)
{
    struct __user_cap_header_struct head = {.version =
                                                _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capset, &head, data) != 0 ||
        syscall(SYS_capget, &head, data) != 0) {
        return err_set(err, ERR_FATAL, "capabilities: %s", strerror(errno));
    }
    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        if (data[i].effective != 0 || data[i].permitted != 0) {
            return err_set(err, ERR_FATAL, "capabilities: some are left");
        }
    }
    return 0;
}

/* The filter */

/* What this half never does. By name: a call that this libseccomp, or this
 * machine, does not know is none to refuse. */
static const char *const refused[] = {
    /* other programs */
    "execve", "execveat", "fork", "vfork",
    /* other processes */
    "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "kill",
    "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_getfd",
    "pidfd_send_signal", "perf_event_open", "move_pages", "migrate_pages",
    /* other users */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
    "setfsuid", "setfsgid", "setgroups", "capset", "personality",
    /* another view of the system */
    "unshare", "setns", "chroot", "pivot_root", "mount", "umount", "umount2",
    "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd", "acct",
    "open_by_handle_at", "name_to_handle_at", "mknod", "mknodat",
    /* the kernel's own insides */
    "bpf", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "keyctl", "add_key", "request_key", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
    "syslog", "iopl", "ioperm", "modify_ldt", "vmsplice", "nfsservctl",
    "lookup_dcookie", "fanotify_init",
    /* the machine's clock and name */
    "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime",
    "adjtimex", "stime", "sethostname", "setdomainname", "vhangup"};

static int refuse(scmp_filter_ctx filter, const char *name)
{
    int call = seccomp_syscall_resolve_name(name);

    return call == __NR_SCMP_ERROR
               ? 0
               : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
}

/* Threads may be made, and processes not. clone3() keeps its flags where no
 * filter sees them: the C library takes clone() where that is not there. */
static int refuse_processes(scmp_filter_ctx filter)
{
    if (LOOKS_FOR_LEAKS) {
        return 0;
    }
    int done =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    if (done == 0) {
        done = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
                                SCMP_SYS(clone3), 0);
    }
    return done != 0 ? done : refuse(filter, "ptrace");
}

/* An argument that the kernel takes 32 bits of, whatever stands above them. */
static int refuse_where(scmp_filter_ctx filter, const char *name, unsigned arg,
                        uint32_t value)
{
    return seccomp_rule_add(
        filter, SCMP_ACT_ERRNO(EPERM), seccomp_syscall_resolve_name(name), 1,
        SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value));
}

/* To others: a masker is of the same user. Its own threads it may signal, which
 * is how the C library aborts. There are other ways to a signal: who gets one
 * for a descriptor, and which (F_SETSIG), and a limit that ends a process. */
static int refuse_signals(scmp_filter_ctx filter)
{
    static const struct {
        const char *call;
        uint32_t command;
    } others[] = {
        {"fcntl", F_SETOWN},  {"fcntl", F_SETOWN_EX},
        {"fcntl", F_SETSIG},  {"ioctl", FIOSETOWN},
        {"ioctl", SIOCSPGRP}, {"ioctl", TIOCSTI}, /* as if it were typed */
        {"ioctl", TIOCLINUX}};
    int done =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
                         SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));

    if (done == 0) {
        done =
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64),
                             1, SCMP_A0(SCMP_CMP_NE, 0, 0));
    }
    for (size_t i = 0; done == 0 && i < ARRAY_SIZE(others); i++) {
        done = refuse_where(filter, others[i].call, 1, others[i].command);
    }
    return done;
}

/* Other sockets than those to a broker, a name server and a log. */
static int refuse_sockets(scmp_filter_ctx filter)
{
    static const int others[] = {AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH,
                                 AF_CAN,    AF_KEY, AF_TIPC,  AF_XDP};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        int done = refuse_where(filter, "socket", 0, (uint32_t)others[i]);
        if (done != 0) {
            return done;
        }
    }
    return 0;
}

static int load_filter(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int done = filter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; done == 0 && i < ARRAY_SIZE(refused); i++) {
        done = refuse(filter, refused[i]);
    }
    done = done == 0 ? refuse_processes(filter) : done;
    done = done == 0 ? refuse_signals(filter) : done;
    done = done == 0 ? refuse_sockets(filter) : done;
    done = done == 0 ? seccomp_load(filter) : done;
    if (filter != NULL) {
        seccomp_release(filter);
    }
    return done == 0 ? 0
                     : err_set(err, ERR_FATAL, "the seccomp filter: %s",
                               strerror(-done));
}

bool confine_has_filters(void)
{
    return prctl(PR_GET_SECCOMP) >= 0;
}

int confine_self(const struct account *account, struct err *err)
{
    drop_bounding();
    const char *wrong = account == NULL ? NULL : account_become(account);

    if (wrong != NULL) {
        return err_set(err, ERR_FATAL, "become user %s: %s: %s", account->name,
                       wrong, strerror(errno));
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return err_set(err, ERR_FATAL, "no new privileges: %s",
                       strerror(errno));
    }
    return drop_capabilities(err) != 0 || load_filter(err) != 0 ||
                   confine_memory(err) != 0
               ? -1
               : 0;
}
