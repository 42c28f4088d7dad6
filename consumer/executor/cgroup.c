/* cgroup.c: see cgroup.h; Documentation/admin-guide/cgroup-v2.rst. */
#include "consumer/executor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

/* Where the hierarchy is mounted: "… MOUNTPOINT OPTIONS … - cgroup2 …". */
static char *mount_point(void)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *line = NULL;
    char *found = NULL;
    size_t size = 0;

    while (mounts && found == NULL && getline(&line, &size, mounts) > 0) {
        char root[2];
        char path[256];
        if (strstr(line, " - cgroup2 ") != NULL &&
            sscanf(line, "%*s %*s %*s %1s %255s", root, path) == 2) {
            found = must_strdup(path);
        }
    }
    if (mounts != NULL) {
        (void)fclose(mounts);
    }
    return found;
}

/* Our own group's path in it: the line that begins with "0::". */
static char *own_path(void)
{
    FILE *groups = fopen("/proc/self/cgroup", "re");
    _cleanup_free_ char *line = NULL;
    char *found = NULL;
    size_t size = 0;

    while (groups && found == NULL && getline(&line, &size, groups) > 0) {
        if (strncmp(line, "0::", 3) == 0) {
            line[strcspn(line, "\n")] = '\0';
            found = must_strdup(line + 3);
        }
    }
    if (groups != NULL) {
        (void)fclose(groups);
    }
    return found;
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

char *cgroup_base(void)
{
    _cleanup_free_ char *mounted = mount_point();
    _cleanup_free_ char *path = own_path();

    if (mounted == NULL || path == NULL) {
        return NULL;
    }
    char *base =
        must_printf("%s%s", mounted, strcmp(path, "/") == 0 ? "" : path);
    if (!groups_can_be_killed(base)) {
        free(base);
        return NULL;
    }
    return base;
}

static char *group_path(const char *base, const struct id *execution)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return must_printf("%s/errand-%s", base, id);
}

static bool put(int group, const char *file, const char *text)
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
    return put(group, "cgroup.procs", "0");
}

void cgroup_kill(int group)
{
    if (group >= 0) {
        (void)put(group, "cgroup.kill", "1");
    }
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
    return rmdir(path) == 0;
}
