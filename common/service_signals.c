/*
 * service_signals.c: the signals of a daemon's life, taken by a thread of their
 * own; see service.h. A daemon that hangs is ended by it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "service_private.h"

#define HANGING_MS 5000 /* from a signal to the end at any price */

static void mark(int event)
{
    const uint64_t one = 1;

    (void)!write(event, &one, sizeof(one));
}

static bool is_marked(int event)
{
    struct pollfd marked = {.fd = event, .events = POLLIN};

    return poll(&marked, 1, 0) == 1;
}

/* Takes one; true: it is none that is only noted. */
static bool take_signal(const struct signals *signals)
{
    struct signalfd_siginfo info = {0};

    if (read(signals->came, &info, sizeof(info)) != sizeof(info)) {
        return false;
    }
    if (info.ssi_signo == SIGHUP) {
        mark(signals->reload);
        return false;
    }
    return true;
}

/* Until a signal comes, or so many ms have passed; -1: for ever. */
static void await_signal(const struct signals *signals, int64_t ms)
{
    struct pollfd came = {.fd = signals->came, .events = POLLIN};
    int64_t until = clock_steady() + ms;

    for (;;) {
        int64_t left = until - clock_steady();
        int got = poll(&came, 1, ms < 0 ? -1 : left < 0 ? 0 : (int)left);
        if (got == 0 || (got > 0 && take_signal(signals))) {
            return;
        }
    }
}

static void *watch(void *arg)
{
    struct signals *signals = arg;

    await_signal(signals, -1);
    mark(signals->ending);
    await_signal(signals, atomic_load(&signals->drain));
    mark(signals->hurried);
    await_signal(signals, signals->ending_ms);
    _exit(1);
}

int signals_block(struct signals *signals, const struct service *service,
                  struct err *err)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, service->reloads ? SIG_DFL : SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (service->reloads) {
        (void)sigaddset(&set, SIGHUP);
    }
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    signals->ending_ms =
        service->ending_ms > 0 ? service->ending_ms : HANGING_MS;
    signals->came = signalfd(-1, &set, SFD_CLOEXEC);
    signals->ending = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    signals->hurried = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    signals->reload = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return signals->came >= 0 && signals->ending >= 0 &&
                   signals->hurried >= 0 && signals->reload >= 0
               ? 0
               : err_set(err, ERR_FATAL, "signals: %s", strerror(errno));
}

int signals_watch(struct signals *signals, struct err *err)
{
    pthread_t thread;

    if (signals->watched) {
        return 0;
    }
    if (pthread_create(&thread, NULL, watch, signals) != 0) {
        return err_set(err, ERR_FATAL, "can't start a thread");
    }
    signals->watched = true;
    return 0;
}

static void *time_out(void *arg)
{
    const struct signals *signals = arg;

    (void)poll(NULL, 0, signals->ending_ms);
    _exit(1);
}

void signals_give_up(struct signals *signals)
{
    pthread_t thread;

    /* Without it the end is as good as it was. */
    if (pthread_create(&thread, NULL, time_out, signals) == 0) {
        (void)pthread_detach(thread);
    }
}

bool daemon_ending(const struct daemon *daemon)
{
    return is_marked(daemon->signals->ending);
}

int daemon_ending_fd(const struct daemon *daemon)
{
    return daemon->signals->ending;
}

void daemon_drain(struct daemon *daemon, int64_t ms)
{
    atomic_store(&daemon->signals->drain, ms);
}

bool daemon_hurried(const struct daemon *daemon)
{
    return is_marked(daemon->signals->hurried);
}

int daemon_hurried_fd(const struct daemon *daemon)
{
    return daemon->signals->hurried;
}

bool daemon_reload_asked(const struct daemon *daemon)
{
    uint64_t times = 0;

    return read(daemon->signals->reload, &times, sizeof(times)) ==
           sizeof(times);
}

int daemon_reload_fd(const struct daemon *daemon)
{
    return daemon->signals->reload;
}
