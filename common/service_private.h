/*
 * service_private.h: what service.c, service_setup.c, service_dead.c,
 * service_signals.c and service_reload.c share. Only they include it.
 */
#pragma once

#include <stdatomic.h>

#include "service.h"

/* What they asked for: descriptors that are readable once that is so. */
struct signals {
    int came;           /* signalfd */
    int ending;         /* a first signal came, */
    int hurried;        /* and it can't go on with what it has */
    int reload;         /* HUP came */
    int ending_ms;      /* from `hurried` to the end at any price */
    atomic_llong drain; /* ms between the first two */
    bool watched;
};

/* Before the first thread; and from the second on they are noticed: not earlier
 * where start forks, so that it does so with a single thread. */
int signals_block(struct signals *signals, const struct service *service,
                  struct err *err);
int signals_watch(struct signals *signals, struct err *err);

/* It ends without a signal, and that may hang, too: the end at any price comes
 * as long after this as after `hurried`. */
void signals_give_up(struct signals *signals);

struct options {
    const char *config;
    bool check;
    bool make_key;
    bool check_host;
};

/* Reads the command line; usage, --help and --version end the process. */
void options_read(const struct service *service, int argc, char **argv,
                  struct options *ret_options);

/* All keys that its configuration may have: struct config_key, the caller's. */
struct list service_keys(const struct service *service);

int log_level_read(const struct config *config, int *ret_level,
                   struct err *err);

/* Reads the configuration into the daemon: its values, name and log. -1: status
 * 78, as for the next two. */
int daemon_configure(struct daemon *daemon, const char *path, struct err *err);

/* Reads what the configuration names: pins, key, enrolment; and checks that
 * they fit each other, this name and this kind of daemon. */
int daemon_identify(struct daemon *daemon, struct err *err);

/* Makes the key file unless it is there; the line that its owner is enrolled
 * by, the caller's to free. */
char *daemon_make_key(struct daemon *daemon, struct err *err);

/* "TOPIC [PARTITION] at OFFSET"; the caller's to free. */
char *record_place(const struct record *record);

/* Releases what these made. */
void daemon_unconfigure(struct daemon *daemon);
