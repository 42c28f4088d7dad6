/*
 * halves.c: the two halves of an executor, from one process.
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
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/check_host.h"
#include "consumer/executor/confine.h"
#include "consumer/executor/executor.h"
#include "consumer/executor/leftovers.h"
#include "consumer/executor/link.h"
#include "consumer/executor/spawner.h"
#include "consumer/executor/state_lock.h"

static void host_done(struct host *host)
{
    permitted_done(&host->permitted);
    account_done(&host->user);
}

/* Whom the Kafka-facing half becomes; NULL: it stays who it is. */
static const struct account *half(const struct host *host)
{
    return host->user.uid == 0 ? NULL : &host->user;
}

/* As root there is no half that stays root unless that is said. */
static int read_user(const struct config *config, struct host *host,
                     struct err *err)
{
    const char *name = config_text(config, "executor", "user");
    struct account self;

    if (host->permitted.root) {
        return name != NULL
                   ? account_find(name, &host->user, err)
                   : err_exit(err, EX_CONFIG,
                              "started as root: say who its Kafka-facing half "
                              "shall be, a user that nothing else runs as");
    }
    account_self(&self);
    int same = name == NULL || strcmp(name, self.name) == 0;
    if (!same) {
        (void)err_exit(err, EX_CONFIG,
                       "%.80s: it was started as %s, and can be nobody else",
                       name, self.name);
    }
    account_done(&self);
    return same ? 0 : -1;
}

static int read_host(const struct config *config, struct host *ret_host,
                     struct err *err)
{
    struct host host = {.state = config_text(config, "executor", "state")};

    if (permitted_read(config, &host.permitted, err) != 0 ||
        (read_user(config, &host, err) != 0 &&
         err_wrap(err, "[executor] user") != 0)) {
        host_done(&host);
        return -1;
    }
    host.permitted.slots = config_int(config, "executor", "slots");
    *ret_host = host;
    return 0;
}

int halves_check(struct daemon *daemon, struct err *err)
{
    struct host host;

    if (read_host(&daemon->config, &host, err) != 0) {
        return -1;
    }
    host_done(&host);
    return 0;
}

int halves_tell(struct daemon *daemon, struct err *err)
{
    struct host host;

    if (read_host(&daemon->config, &host, err) != 0) {
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

/* All of it is good, or permitted stays as it is. */
static int reread(const struct daemon *daemon, struct permitted *permitted,
                  struct buf *ret_text, struct err *err)
{
    struct config config;
    struct host host;

    if (daemon_config_again(daemon, ret_text, &config, err) != 0) {
        return -1;
    }
    int failed = read_host(&config, &host, err);
    config_done(&config);
    if (failed) {
        return -1;
    }
    if (ret_text->len > LINK_RELOADED_MAX) {
        host_done(&host);
        return err_set(err, ERR_REJECT, "over 64 KiB: read at a start alone");
    }
    permitted_done(permitted);
    *permitted = host.permitted;
    account_done(&host.user); /* who the halves are stays */
    return 0;
}

/* Runs in the spawner, with its own eyes: the other half may not be able to
 * read the file, and is told what of it is its own. */
static struct link_message reload(void *arg, struct permitted *permitted)
{
    struct link_message answer =
        link_message_of(LINK_RELOADED, &(struct id){0});
    struct err err = {0};

    if (reread(arg, permitted, &answer.body, &err) != 0) {
        answer.head.kind = LINK_KEPT;
        buf_clear(&answer.body);
        (void)buf_adds(&answer.body, err.text);
    }
    return answer;
}

static int make_spawner(struct executor *executor, struct host *host,
                        const char *children, struct err *err)
{
    _cleanup_free_ char *log = must_printf("%s/revocations", host->state);
    _cleanup_free_ char *started = must_printf("%s/started", host->state);
    _cleanup_free_ char *versions = must_printf("%s/versions", host->state);
    _cleanup_free_ char *cgroups = cgroup_base();
    int ends[2];
    pid_t pid = 0;

    if (leftovers_end(children, cgroups, err) != 0 ||
        link_pair(ends, err) != 0) {
        return -1;
    }
    struct spawner_plan plan = {.roots = &executor->daemon->roots,
                                .target = executor->target,
                                .directory = children,
                                .cgroups = cgroups,
                                .permitted = &host->permitted,
                                .reload = reload,
                                .reload_arg = executor->daemon,
                                .in_flight = CLAIM_TO_START,
                                .user = half(host),
                                .enrolment = &executor->daemon->enrolment,
                                .by = executor->daemon->by,
                                .keys = executor->daemon->keys,
                                .log = log,
                                .started = started,
                                .versions = versions,
                                .link = ends[1]};
    executor->link = ends[0];
    if (revocation_beginning(&executor->daemon->enrolment, &plan.init, err) !=
        0) {
        return err_exit(err, EX_CONFIG, "[service] enrolment: %s", err->text);
    }
    executor->standing = standing_new(&plan.init);
    executor->stands_at = -1;
    if (spawner_start(&plan, ends[0], &pid, err) != 0) {
        return -1;
    }
    key_pair_forget_box(executor->daemon->keys);
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
    _cleanup_free_ char *children = must_printf("%s/children", host->state);

    executor->own = must_printf("%s/kafka", host->state);
    executor->spool = must_printf("%s/spool", executor->own);
    if (drop_groups(host, err) != 0 ||
        make_directories(host, executor, children, err) != 0) {
        return -1;
    }
    executor->lock = state_lock(host->state, err);
    return executor->lock < 0 || confine_memory(err) != 0 ||
                   make_spawner(executor, host, children, err) != 0 ||
                   confine_self(half(host), err) != 0
               ? -1
               : 0;
}

int halves_make(struct executor *executor, struct err *err)
{
    struct daemon *daemon = executor->daemon;
    struct host host;

    if (read_host(&daemon->config, &host, err) != 0) {
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
