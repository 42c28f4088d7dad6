/* leftovers.c: see leftovers.h. */
#include "consumer/executor/leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/child.h"

#define ENVIRON_MAX (1U << 20) /* of a process that we look at */
#define AGAIN 10               /* ms */
#define PATIENCE 10000         /* ms, for each execution's; and its directory */

/* What it was started with; nothing, of one that has ended. Any thread tells:
 * the first may be gone, and the others not. */
static void read_environment(const char *pid, struct buf *ret_environment)
{
    _cleanup_free_ char *tasks = must_printf("/proc/%s/task", pid);
    DIR *all = opendir(tasks);

    for (struct dirent *d; all != NULL && ret_environment->len == 0 &&
                           (d = readdir(all)) != NULL;) {
        _cleanup_free_ char *path =
            must_printf("%s/%s/environ", tasks, d->d_name);
        struct err ignored = {0};
        if (isdigit((unsigned char)d->d_name[0])) {
            (void)file_read(path, ENVIRON_MAX, ret_environment, &ignored);
        }
    }
    if (all != NULL) {
        (void)closedir(all);
    }
}

/* True where a process's environment holds the execution's id. */
static bool bears(const char *pid, const char *variable)
{
    _cleanup_buf_ struct buf environment = {0};

    read_environment(pid, &environment);
    return environment.len > 0 && memmem(environment.data, environment.len,
                                         variable, strlen(variable)) != NULL;
}

size_t leftovers_sweep(const char *cgroups, const struct id *execution)
{
    char id[ID_TEXT];
    DIR *proc = opendir("/proc");
    size_t found = cgroup_end(cgroups, execution) ? 0 : 1;

    id_format(execution, id);
    _cleanup_free_ char *variable = must_printf("ERRAND_EXECUTION_ID=%s", id);
    for (struct dirent *d; proc != NULL && (d = readdir(proc)) != NULL;) {
        if (isdigit((unsigned char)d->d_name[0]) &&
            bears(d->d_name, variable)) {
            (void)kill((pid_t)strtol(d->d_name, NULL, 10), SIGKILL);
            found++;
        }
    }
    if (proc != NULL) {
        (void)closedir(proc);
    }
    return found;
}

static int end_one(const char *directory, const char *cgroups,
                   const struct id *execution, struct err *err)
{
    int64_t until = clock_steady() + PATIENCE;
    char id[ID_TEXT];

    while (leftovers_sweep(cgroups, execution) > 0) {
        if (clock_steady() > until) {
            id_format(execution, id);
            return err_set(err, ERR_FATAL,
                           "what an earlier life left of execution %s can't "
                           "be ended: look for ERRAND_EXECUTION_ID=%s in "
                           "/proc/*/environ",
                           id, id);
        }
        (void)poll(NULL, 0, AGAIN);
    }
    child_clean(directory, cgroups, execution, PATIENCE);
    return 0;
}

int leftovers_end(const char *directory, const char *cgroups, struct err *err)
{
    DIR *all = opendir(directory);
    int done = 0;

    if (all == NULL) {
        return err_set(err, ERR_FATAL, "%s: %s", directory, strerror(errno));
    }
    for (struct dirent *d; done == 0 && (d = readdir(all)) != NULL;) {
        struct id execution;
        if (id_parse(d->d_name, &execution) == 0) {
            done = end_one(directory, cgroups, &execution, err);
        }
    }
    (void)closedir(all);
    return done;
}
