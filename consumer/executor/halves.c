/*
 * halves.c: the two halves of an executor: this process becomes the
 * Kafka-facing one, once it has started the spawner.
 *
 * In the state directory each has its own place:
 *     lock         of this process and all that it makes
 *     children/    the children's private directories, and
 *     revocations  the spawner's copy of the revocation log,
 *     started      what it has started, and
 *     versions     the versions of commands that it saw: the spawner's
 *     kafka/       ledger, spool, position: the Kafka-facing half's
 * What the spawner uses nobody else can write to: the other half could be in
 * the hands of whoever wrote to a topic.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/check_host.h"
#include "consumer/executor/confine.h"
#include "consumer/executor/executor.h"
#include "consumer/executor/link.h"
#include "consumer/executor/spawner.h"
#include "consumer/executor/state_lock.h"

/* It is installed beside this program. */
static char *spawner_path(struct err *err)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0) {
        (void)err_set(err, ERR_FATAL, "/proc/self/exe: %s", strerror(errno));
        return NULL;
    }
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    return must_printf("%s/errand-spawner", self);
}

int halves_check(struct daemon *daemon, struct err *err)
{
    _cleanup_free_ char *path = spawner_path(err);
    struct host host;

    if (path == NULL || host_read(&daemon->config, &host, err) != 0) {
        return -1;
    }
    host_done(&host);
    return access(path, X_OK) == 0
               ? 0
               : err_exit(err, EX_CONFIG,
                          "%s: %s: it is installed beside errand-executor",
                          path, strerror(errno));
}

int halves_tell(struct daemon *daemon, struct err *err)
{
    struct host host;

    if (host_read(&daemon->config, &host, err) != 0) {
        return -1;
    }
    check_host(&host);
    host_done(&host);
    return 0;
}

/* Directories */

/* There already is fine, if nobody else can write to it. */
static int make_directory(const char *path, mode_t mode, struct err *err)
{
    struct stat about;

    if (directory_make(path, err) != 0) {
        err->status = EX_CONFIG;
        return -1;
    }
    if (lstat(path, &about) != 0) {
        return err_exit(err, EX_CONFIG, "%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(about.st_mode) || about.st_uid != geteuid()) {
        return err_exit(err, EX_CONFIG,
                        "%s: not a directory of the user that this was "
                        "started as",
                        path);
    }
    return chmod(path, mode) == 0
               ? 0
               : err_exit(err, EX_CONFIG, "%s: %s", path, strerror(errno));
}

/* Through the state directory a child comes to its own; and this half to its
 * own, which is given to it by a name that only root can change. */
static int make_directories(const struct host *host,
                            const struct executor *executor,
                            const char *children, struct err *err)
{
    _cleanup_free_ char *older = must_printf("%s/ledger", host->state);
    const struct account *user = &host->user;

    if (file_exists(older)) {
        return err_exit(err, EX_CONFIG,
                        "%s is an older version's: move ledger, position and "
                        "spool into %s, which is to belong to [executor] user",
                        older, executor->own);
    }
    if (make_directory(host->state, 0711, err) != 0 ||
        make_directory(children, 0711, err) != 0) {
        return -1;
    }
    if (mkdir(executor->own, 0700) != 0 && errno != EEXIST) {
        return err_exit(err, EX_CONFIG, "%s: %s", executor->own,
                        strerror(errno));
    }
    return user->name == NULL ||
                   lchown(executor->own, user->uid, user->gid) == 0
               ? 0
               : err_exit(err, EX_CONFIG, "%s: %s", executor->own,
                          strerror(errno));
}

/* The spawner */

/* Runs in the process that becomes it. Nothing is inherited but these. */
static _Noreturn void become_spawner(const char *path, const char *config,
                                     int link, int lock)
{
    int high = fcntl(lock, F_DUPFD, SPAWNER_FDS);

    if (high < 0 || dup2(link, SPAWNER_LINK) < 0 ||
        dup2(high, SPAWNER_LOCK) < 0 || close_range(SPAWNER_FDS, ~0U, 0) != 0) {
        _exit(1);
    }
    (void)execl(path, "errand-spawner", config, NULL);
    dprintf(STDERR_FILENO, "level=error service=spawner msg=\"%s: %s\"\n", path,
            strerror(errno));
    _exit(1);
}

/* It has ended what an earlier life left, and can judge: nothing is claimed, or
 * told, before that. Why it could not it has said itself. */
static int await_spawner(int link, pid_t pid, struct err *err)
{
    _cleanup_message_ struct link_message message = {.out = -1, .err = -1};
    int got = link_receive(link, LINK_EXECUTOR, &message, err);
    int status = 0;

    if (got < 0) {
        return -1;
    }
    if (got == 0) {
        (void)waitpid(pid, &status, 0);
        return err_exit(err, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                        "errand-spawner did not start");
    }
    return message.head.kind == LINK_READY &&
                   strcmp(buf_text(&message.body), ERRAND_VERSION) == 0
               ? 0
               : err_exit(err, EX_CONFIG,
                          "errand-spawner is another version's: install it "
                          "with errand-executor");
}

static int start_spawner(struct executor *executor, const char *path,
                         struct err *err)
{
    int ends[2];

    if (link_pair(ends, err) != 0) {
        return -1;
    }
    executor->link = ends[0];
    free(cgroup_base()); /* it moves us, which it can while we are alone */
    pid_t pid = fork();
    if (pid == 0) {
        become_spawner(path, executor->daemon->config.path, ends[1],
                       executor->lock);
    }
    (void)close(ends[1]);
    return pid < 0 ? err_set(err, ERR_FATAL, "fork: %s", strerror(errno))
                   : await_spawner(executor->link, pid, err);
}

/* A program of its own, so that nothing that this half knows of its own memory
 * (where things are, what guards its stack) is true of the spawner's. */
static int make_spawner(struct executor *executor, struct err *err)
{
    struct daemon *daemon = executor->daemon;
    _cleanup_free_ char *path = spawner_path(err);
    struct hash init;

    if (path == NULL || start_spawner(executor, path, err) != 0) {
        return -1;
    }
    key_pair_forget_box(daemon->keys);
    if (revocation_beginning(&daemon->enrolment, &init, err) != 0) {
        return err_exit(err, EX_CONFIG, "[service] enrolment: %s", err->text);
    }
    executor->standing = standing_new(&init);
    executor->stands_at = -1;
    return 0;
}

/* Those of whoever started it: root needs none, and what it does by the rights
 * of others it is not to do by theirs as well. */
static int drop_groups(const struct host *host, struct err *err)
{
    return !host->permitted.root || setgroups(0, NULL) == 0
               ? 0
               : err_set(err, ERR_FATAL, "its groups: %s", strerror(errno));
}

static int make_halves(struct executor *executor, struct host *host,
                       struct err *err)
{
    _cleanup_free_ char *children = host_children(host);

    executor->own = must_printf("%s/kafka", host->state);
    executor->spool = must_printf("%s/spool", executor->own);
    if (drop_groups(host, err) != 0 ||
        make_directories(host, executor, children, err) != 0) {
        return -1;
    }
    executor->lock = state_lock(host->state, err);
    return executor->lock < 0 || confine_memory(err) != 0 ||
                   make_spawner(executor, err) != 0 ||
                   confine_self(host_half(host), err) != 0
               ? -1
               : 0;
}

int halves_make(struct executor *executor, struct err *err)
{
    struct daemon *daemon = executor->daemon;
    struct host host;

    if (host_read(&daemon->config, &host, err) != 0) {
        return -1;
    }
    if (host.user.name != NULL && host.user.uid == 0) {
        log_warning(&daemon->log,
                    "the Kafka-facing half is root: [executor] user");
    }
    int done = make_halves(executor, &host, err);
    host_done(&host);
    return done;
}
