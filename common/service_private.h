/*
 * service_private.h: what service.c and service_setup.c share. Only they
 * include it.
 */
#pragma once

#include "service.h"

struct options {
    const char *config;
    bool check;
    bool make_key;
    bool check_host;
};

/* Reads the command line; usage, --help and --version end the process. */
void options_read(const struct service *service, int argc, char **argv,
                  struct options *ret_options);

/* Reads the configuration into the daemon: its values, name and log. -1: status
 * 78, as for the next two. */
int daemon_configure(struct daemon *daemon, const char *path, struct err *err);

/* Reads what the configuration names: pins, key, enrolment; and checks that
 * they fit each other, this name and this kind of daemon. */
int daemon_identify(struct daemon *daemon, struct err *err);

/* Makes the key file unless it is there; the line that its owner is enrolled
 * by, the caller's to free. */
char *daemon_make_key(struct daemon *daemon, struct err *err);

/* Releases what these made. */
void daemon_unconfigure(struct daemon *daemon);
