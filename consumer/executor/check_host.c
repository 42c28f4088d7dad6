/* check_host.c: see check_host.h. */
#include "consumer/executor/check_host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "consumer/executor/cgroup.h"
#include "consumer/executor/confine.h"

enum here { THERE, LACKS, KNOW }; /* KNOW: neither good nor bad */

static void say(enum here here, const char *what, const char *fmt, ...)
    _printf_(3, 4);

static void say(enum here here, const char *what, const char *fmt, ...)
{
    static const char *const words[] = {"yes", "NO", "-"};
    va_list args;

    (void)printf("%-4s %-22s ", words[here], what);
    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
    (void)putchar('\n');
}

static void say_users(const struct host *host)
{
    const struct permitted *permitted = &host->permitted;

    if (permitted->root) {
        say(host->user.uid == 0 ? LACKS : THERE, "Kafka-facing half", "%s%s",
            host->user.name,
            host->user.uid == 0
                ? ", with all that is root's: name another [executor] user"
                : ", without privileges");
    } else {
        say(KNOW, "Kafka-facing half",
            "the user that started it, as is all else here: a child could "
            "kill it");
    }
    for (size_t i = 0; i < permitted->accounts.n; i++) {
        const struct account *one =
            &list_at(&permitted->accounts, struct account, i);
        say(one->uid == 0 ? KNOW : THERE, "runs commands as",
            "%s (uid %u, gid %u, %d groups)%s%s", one->name, one->uid, one->gid,
            one->n_groups,
            one == permitted->standard ? ", where a command says nobody" : "",
            permitted->root && one->uid == host->user.uid
                ? ", who is the Kafka-facing half: a child could kill it"
                : "");
    }
    if (permitted->standard == NULL) {
        say(KNOW, "runs commands as",
            "nobody where a command says no run_as: [run_as] default");
    }
}

static void say_interpreters(const struct permitted *permitted)
{
    for (size_t i = 0; i < permitted->interpreters.n; i++) {
        const char *path = list_at(&permitted->interpreters, char *, i);
        struct stat about;
        bool there = stat(path, &about) == 0 && access(path, X_OK) == 0;
        bool open = there && (about.st_mode & (S_IWGRP | S_IWOTH)) != 0;
        say(!there ? KNOW
            : open ? LACKS
                   : THERE,
            "interpreter", "%s%s", path,
            !there ? ", which is not there"
            : open ? ", which others than its owner may change"
                   : "");
    }
}

static bool has_openat2(void)
{
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_XDEV};
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

    cleanup_close(&fd);
    return fd >= 0 || errno == EXDEV;
}

static void say_kernel(void)
{
    _cleanup_free_ char *base = cgroup_base();
    _cleanup_free_ char *children =
        must_printf("/proc/self/task/%d/children", getpid());

    if (base != NULL) {
        say(THERE, "ends a whole tree", "at once: cgroup.kill, in %s", base);
    } else {
        say(LACKS, "ends a whole tree",
            "at once: there is no cgroup v2 that it may make groups in "
            "(systemd: Delegate=yes). A keeper does it, process by process");
    }
    say(access(children, R_OK) == 0 ? THERE : LACKS, "finds what got away",
        "by the kernel's lists of children (CONFIG_PROC_CHILDREN)");
    say(confine_has_filters() ? THERE : LACKS, "seccomp filter",
        "around the Kafka-facing half (CONFIG_SECCOMP_FILTER)");
    say(has_openat2() ? THERE : LACKS, "follows no mount",
        "when it removes what was a child's (openat2, Linux 5.6)");
    say(KNOW, "limits",
        "cpu and memory count for each process, processes for all of a user");
}

/* Each directory above it, as far as they are there: may others go through? */
static void say_way(const char *state)
{
    _cleanup_free_ char *path = must_strdup(state);
    struct stat about;

    for (char *slash; (slash = strrchr(path, '/')) != NULL && slash != path;) {
        *slash = '\0';
        if (stat(path, &about) == 0 && (about.st_mode & S_IXOTH) == 0) {
            say(LACKS, "way to the state",
                "%s is closed to others, and so is what is below it", path);
            return;
        }
    }
    say(THERE, "way to the state", "%s can be reached by others", state);
}

static void say_state(const struct host *host)
{
    struct statvfs about;
    bool there = statvfs(host->state, &about) == 0;

    if (!there) {
        say(KNOW, "state", "%s: %s", host->state, strerror(errno));
    } else if ((about.f_flag & ST_NOEXEC) != 0) {
        say(KNOW, "state",
            "%s is mounted noexec: scripts run, programs among a command's "
            "files don't",
            host->state);
    }
    if (host->permitted.root) {
        say_way(host->state);
    }
}

void check_host(const struct host *host)
{
    say(KNOW, "started as", "%s",
        host->permitted.root ? "root: for those users that are allowed"
                             : "an ordinary user: for that one alone");
    say_users(host);
    say_interpreters(&host->permitted);
    say_kernel();
    say_state(host);
}
