/* cgroup.c: see cgroup.h; Documentation/admin-guide/cgroup-v2.rst. */
#include "consumer/executor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define OWN "/errand-executor" /* the group that we move to */
#define PROCS_MAX 65536        /* bytes */
#define DEPTH 16               /* descriptors, to remove what is in a group */

static const char *const controllers[] = {"memory", "pids"};

/* The first line that holds a word; the caller's. NULL: none does. */
static char *line_with(const char *file, const char *word)
{
    FILE *lines = fopen(file, "re");
    _cleanup_free_ char *line = NULL;
    char *found = NULL;
    size_t size = 0;

    while (lines != NULL && found == NULL && getline(&line, &size, lines) > 0) {
        line[strcspn(line, "\n")] = '\0';
        found = strstr(line, word) != NULL ? must_strdup(line) : NULL;
    }
    if (lines != NULL) {
        (void)fclose(lines);
    }
    return found;
}

/* Where our own group is: the hierarchy's mount ("… ROOT MOUNTPOINT OPTIONS …
 * - cgroup2 …"), and our path below its root. Where we have moved, the one
 * above is meant. NULL: there is no cgroup v2. */
static char *own_group(void)
{
    _cleanup_free_ char *mount =
        line_with("/proc/self/mountinfo", " - cgroup2 ");
    _cleanup_free_ char *line = line_with("/proc/self/cgroup", "0::/");
    char root[256];
    char at[256];

    if (mount == NULL || line == NULL ||
        sscanf(mount, "%*s %*s %*s %255s %255s", root, at) != 2) {
        return NULL;
    }
    const char *path = line + strlen("0::");
    size_t skipped = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(path, root, skipped) != 0) {
        return NULL;
    }
    path += skipped;
    size_t len = strcmp(path, "/") == 0 ? 0 : strlen(path);
    if (len >= strlen(OWN) && strcmp(path + len - strlen(OWN), OWN) == 0) {
        len -= strlen(OWN);
    }
    return must_printf("%s%.*s", at, (int)len, path);
}

static bool groups_can_be_killed(const char *base)
{
    _cleanup_free_ char *probe =
        must_printf("%s/errand-probe-%d", base, getpid());
    _cleanup_free_ char *killer = must_printf("%s/cgroup.kill", probe);

    if (mkdir(probe, 0700) != 0) {
        return false;
    }
    bool can = access(killer, W_OK) == 0;
    return rmdir(probe) == 0 && can;
}

/* Not the root, which is everybody's; and nobody else is in it. */
static bool is_ours_alone(const char *base)
{
    _cleanup_free_ char *type = must_printf("%s/cgroup.type", base);
    _cleanup_free_ char *procs = must_printf("%s/cgroup.procs", base);
    _cleanup_buf_ struct buf text = {0};
    _cleanup_free_ char *self = must_printf("%d\n", getpid());
    struct err ignored = {0};

    return access(type, F_OK) == 0 &&
           file_read(procs, PROCS_MAX, &text, &ignored) == 0 &&
           strcmp(buf_text(&text), self) == 0;
}

static void move_down(const char *base)
{
    _cleanup_free_ char *own = must_printf("%s" OWN, base);

    if (mkdir(own, 0755) != 0 && errno != EEXIST) {
        return;
    }
    _cleanup_close_ int below = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)cgroup_join(below);
}

/* Where something of it fails, there is one limit less: cgroup_lacks(). */
static void turn_on(const char *base)
{
    _cleanup_close_ int group = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        _cleanup_free_ char *more = must_printf("+%s", controllers[i]);
        (void)cgroup_put(group, "cgroup.subtree_control", more);
    }
}

char *cgroup_base(void)
{
    _cleanup_free_ char *base = own_group();

    if (base == NULL || !groups_can_be_killed(base)) {
        return NULL;
    }
    if (is_ours_alone(base)) {
        move_down(base);
        turn_on(base);
    }
    return take_ptr(base);
}

static bool lists(const char *base, const char *file, const char *controller)
{
    _cleanup_free_ char *path = must_printf("%s/%s", base, file);
    _cleanup_free_ char *line = line_with(path, controller);

    return line != NULL;
}

const char *cgroup_lacks(const char *base, const char *controller)
{
    if (base == NULL) {
        return "no cgroup v2 that it may make groups in";
    }
    if (lists(base, "cgroup.subtree_control", controller)) {
        return NULL;
    }
    return lists(base, "cgroup.controllers", controller)
               ? "others are in its group, too"
               : "its group has no such controller (it is cgroup v1's, or was "
                 "not delegated)";
}

static char *group_path(const char *base, const struct id *execution)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return must_printf("%s/errand-%s", base, id);
}

bool cgroup_put(int group, const char *file, const char *text)
{
    _cleanup_close_ int fd = openat(group, file, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

int cgroup_make(const char *base, const struct id *execution)
{
    if (base == NULL) {
        return -1;
    }
    _cleanup_free_ char *path = group_path(base, execution);
    return mkdir(path, 0700) != 0 && errno != EEXIST
               ? -1
               : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool cgroup_join(int group)
{
    return cgroup_put(group, "cgroup.procs", "0");
}

void cgroup_kill(int group)
{
    if (group >= 0) {
        (void)cgroup_put(group, "cgroup.kill", "1");
    }
}

static int remove_group(const char *path, const struct stat *about, int kind,
                        struct FTW *at)
{
    (void)about;
    (void)at;
    return kind == FTW_DP ? rmdir(path) : 0;
}

bool cgroup_end(const char *base, const struct id *execution)
{
    if (base == NULL) {
        return true;
    }
    _cleanup_free_ char *path = group_path(base, execution);
    if (rmdir(path) == 0 || errno == ENOENT) {
        return true;
    }
    _cleanup_close_ int group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cgroup_kill(group);
    return nftw(path, remove_group, DEPTH, FTW_DEPTH | FTW_PHYS) == 0;
}
