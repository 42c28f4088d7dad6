/*
 * stops_at.c: stops a program, as it is, at the very instant that a test names.
 *
 * A library to be preloaded. ERRAND_STOPS_AT names a file; while that is there,
 * with one line
 *     FUNCTION before|after PROCESS TEXT
 * the first call of FUNCTION (sendmsg, write, pwrite, fork) whose bytes hold
 * TEXT, in a process of that name, stops its whole process with SIGSTOP, before
 * the call or when it was done. The test sees it stand, takes the file away,
 * kills whom it wants to, and lets the rest go on.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REAL(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))
#define LINE 200

static bool read_line(const char *path, char line[static LINE])
{
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, LINE - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return n > 0;
}

static bool holds(const struct iovec *parts, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (memmem(parts[i].iov_base, parts[i].iov_len, text, strlen(text))) {
            return true;
        }
    }
    return n == 0;
}

static void maybe_stop(const char *function, const char *when,
                       const struct iovec *parts, size_t n)
{
    char line[LINE];
    char name[LINE];
    char begins[2 * LINE];

    if (!read_line(getenv("ERRAND_STOPS_AT"), line) ||
        !read_line("/proc/self/comm", name)) {
        return;
    }
    int length =
        snprintf(begins, sizeof(begins), "%s %s %s ", function, when, name);
    if (strncmp(line, begins, (size_t)length) == 0 &&
        holds(parts, n, line + length)) {
        (void)raise(SIGSTOP);
    }
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    maybe_stop("sendmsg", "before", message->msg_iov, message->msg_iovlen);
    ssize_t done = REAL(sendmsg)(fd, message, flags);
    maybe_stop("sendmsg", "after", message->msg_iov, message->msg_iovlen);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    const struct iovec part = {(void *)bytes, n};

    maybe_stop("write", "before", &part, 1);
    ssize_t done = REAL(write)(fd, bytes, n);
    maybe_stop("write", "after", &part, 1);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    const struct iovec part = {(void *)bytes, n};

    maybe_stop("pwrite", "before", &part, 1);
    ssize_t done = REAL(pwrite)(fd, bytes, n, at);
    maybe_stop("pwrite", "after", &part, 1);
    return done;
}

pid_t fork(void)
{
    maybe_stop("fork", "before", NULL, 0);
    pid_t pid = REAL(fork)();
    if (pid > 0) {
        maybe_stop("fork", "after", NULL, 0);
    }
    return pid;
}
