/*
 * spawner_main.c: errand-spawner: the half of an executor that makes children.
 *
 * errand-executor starts it, as who that was started as, with one end of their
 * link as standard input. It reads the configuration, pins, key and enrolment
 * itself, ends what an earlier life left, and serves the link: spawner.c. When
 * it can't, it says so on standard error, and the link closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/confine.h"
#include "consumer/executor/host.h"
#include "consumer/executor/leftovers.h"
#include "consumer/executor/link.h"
#include "consumer/executor/spawner.h"
#include "consumer/executor/state_lock.h"
#include "trust/revocation.h"

/* All of it is good, or permitted stays as it is. */
static int reread(const struct daemon *daemon, struct permitted *permitted,
                  struct buf *ret_text, struct err *err)
{
    struct config config;
    struct host host;

    if (daemon_config_again(daemon, ret_text, &config, err) != 0) {
        return -1;
    }
    int failed = host_read(&config, &host, err);
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

/* The other half may not be able to read the file, and is told what of it is
 * its own. */
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

/* Its own descriptors: standard input is nothing, for whatever it makes. */
static int take_link(struct err *err)
{
    struct stat about;

    if (fstat(SPAWNER_LINK, &about) != 0 || !S_ISSOCK(about.st_mode) ||
        fcntl(SPAWNER_LOCK, F_SETFD, FD_CLOEXEC) != 0) {
        return err_exit(err, EX_USAGE,
                        "started by hand: errand-executor starts it");
    }
    _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int link = fcntl(SPAWNER_LINK, F_DUPFD_CLOEXEC, SPAWNER_FDS);
    return link >= 0 && null >= 0 && dup2(null, STDIN_FILENO) >= 0
               ? link
               : err_set(err, ERR_FATAL, "its link: %s", strerror(errno));
}

static _Noreturn void serve(struct daemon *daemon, struct host *host, int link)
{
    _cleanup_free_ char *children = host_children(host);
    _cleanup_free_ char *log = must_printf("%s/revocations", host->state);
    _cleanup_free_ char *started = must_printf("%s/started", host->state);
    _cleanup_free_ char *versions = must_printf("%s/versions", host->state);
    _cleanup_free_ char *cgroups = cgroup_base();
    struct spawner_plan plan = {
        .roots = &daemon->roots,
        .target = config_text(&daemon->config, "executor", "target"),
        .directory = children,
        .cgroups = cgroups,
        .permitted = &host->permitted,
        .reload = reload,
        .reload_arg = daemon,
        .in_flight = CLAIM_TO_START,
        .user = host_half(host),
        .enrolment = &daemon->enrolment,
        .by = daemon->by,
        .keys = daemon->keys,
        .log = log,
        .started = started,
        .versions = versions,
        .link = link};
    struct err err = {0};

    if (leftovers_end(children, cgroups, &err) != 0 ||
        revocation_beginning(&daemon->enrolment, &plan.init, &err) != 0) {
        spawner_fail(&err);
    }
    spawner_serve(&plan);
}

static const struct service service = {.name = "errand-spawner",
                                       .kind = SERVICE_EXECUTOR,
                                       .keys = host_keys,
                                       .n_keys = ARRAY_SIZE(host_keys)};

int main(int argc, char **argv)
{
    static struct daemon daemon = {.service = &service};
    static struct host host;
    struct err err = {0};

    file_fill_standard();
    fields_leave_no_trace(); /* of the keys' file, and of what is opened */
    (void)umask(077);
    if (sodium_init() < 0) {
        abort();
    }
    if (argc != 2) {
        (void)fprintf(stderr, "%s: errand-executor starts it\n", service.name);
        return EX_USAGE;
    }
    int link = take_link(&err);
    if (link < 0 || confine_memory(&err) != 0 ||
        daemon_read(&daemon, argv[1], &err) != 0 ||
        host_read(&daemon.config, &host, &err) != 0 ||
        state_lock_check(host.state, SPAWNER_LOCK, &err) != 0) {
        spawner_fail(&err);
    }
    serve(&daemon, &host, link);
}
