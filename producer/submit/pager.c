/* pager.c: see pager.h. As git does it: by a shell, with LESS=FRX. */
#include "producer/submit/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NO_SUCH_PROGRAM 127 /* as shells say it */

static const char *program(void)
{
    const char *named = getenv("PAGER");

    return named == NULL ? "less" : named;
}

static bool fits(size_t lines)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
           lines < size.ws_row;
}

/* In the child: nothing here returns. */
static _Noreturn void become(const char *pager, int in)
{
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    if (dup2(in, STDIN_FILENO) == STDIN_FILENO) {
        (void)execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
    }
    _exit(NO_SUCH_PROGRAM);
}

bool pager_open(struct pager *pager, size_t lines)
{
    const char *name = program();
    int ends[2];

    if (name[0] == '\0' || strcmp(name, "cat") == 0 || fits(lines) ||
        pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    (void)fflush(stdout);
    (void)setenv("LESS", "FRX", 0);
    pid_t pid = fork();
    if (pid == 0) {
        become(name, ends[0]);
    }
    (void)close(ends[0]);
    FILE *out = pid < 0 ? NULL : fdopen(ends[1], "we");
    if (out == NULL) {
        (void)close(ends[1]);
        return false;
    }
    *pager = (struct pager){out, pid, signal(SIGINT, SIG_IGN)};
    return true;
}

bool pager_close(struct pager *pager)
{
    int status = 0;

    (void)fclose(pager->out);
    while (waitpid(pager->pid, &status, 0) < 0 && errno == EINTR) {
    }
    (void)signal(SIGINT, pager->interrupt);
    return !WIFEXITED(status) || WEXITSTATUS(status) != NO_SUCH_PROGRAM;
}
