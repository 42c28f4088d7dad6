/* kin.c: see kin.h. */
#include "consumer/executor/kin.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>

#include "base/file.h"

#define PASSES_MAX 50
#define CHILDREN_MAX (1U << 20) /* bytes of one list of pids */

static void read_list(const char *path, struct list *ret_pids)
{
    _cleanup_buf_ struct buf text = {0};
    struct err gone = {0};

    if (file_read(path, CHILDREN_MAX, &text, &gone) != 0 || text.len == 0) {
        return;
    }
    char *end = NULL;
    for (const char *at = buf_text(&text); *at != '\0';
         at = end + (*end == ' ')) {
        long pid = strtol(at, &end, 10);
        if (end == at) {
            return;
        }
        *(pid_t *)list_grow(ret_pids, sizeof(pid_t)) = (pid_t)pid;
    }
}

void kin_children(pid_t pid, struct list *ret_pids)
{
    _cleanup_free_ char *tasks = must_printf("/proc/%d/task", (int)pid);
    DIR *directory = opendir(tasks);

    for (struct dirent *d; directory && (d = readdir(directory)) != NULL;) {
        if (isdigit((unsigned char)d->d_name[0])) {
            _cleanup_free_ char *path =
                must_printf("%s/%s/children", tasks, d->d_name);
            read_list(path, ret_pids);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

/* Everything below, each stopped before its own children are looked up. */
static void stop_all(pid_t pid, struct list *ret_pids)
{
    kin_children(pid, ret_pids);
    for (size_t i = 0; i < ret_pids->n; i++) {
        pid_t one = list_at(ret_pids, pid_t, i);
        (void)kill(one, SIGSTOP);
        kin_children(one, ret_pids);
    }
}

void kin_end(pid_t pid)
{
    size_t before = 0;

    for (int pass = 0; pass < PASSES_MAX; pass++) {
        struct list pids = {0};
        stop_all(pid, &pids);
        bool done = pids.n == before || pass == PASSES_MAX - 1;
        for (size_t i = 0; done && i < pids.n; i++) {
            (void)kill(list_at(&pids, pid_t, i), SIGKILL);
        }
        before = pids.n;
        free(pids.items);
        if (done) {
            return;
        }
    }
}
