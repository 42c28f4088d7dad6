/* host.c: see host.h. */
#include "consumer/executor/host.h"

#include <string.h>
#include <sysexits.h>

const struct config_key host_keys[10] = {
    {.section = "executor",
     .key = "target",
     .kind = CONFIG_NAME,
     .required = true,
     .help = "the target whose commands run here"},
    {.section = "executor",
     .key = "state",
     .kind = CONFIG_TEXT,
     .required = true,
     .help = "directory of the ledger, on a local disk"},
    {.section = "executor",
     .key = "user",
     .kind = CONFIG_TEXT,
     .help = "started as root: who its Kafka-facing half is, which needs none "
             "of root's rights"},
    {.section = "run_as",
     .key = "allow",
     .kind = CONFIG_FILES,
     .live = true,
     .help = "the users of this host that commands may run as"},
    {.section = "run_as",
     .key = "default",
     .kind = CONFIG_TEXT,
     .live = true,
     .help = "which of them where a command says none"},
    {.section = "interpreters",
     .key = "allow",
     .kind = CONFIG_FILES,
     .fallback = "/bin/sh, /usr/bin/sh, /bin/dash, /usr/bin/dash, /bin/bash, "
                 "/usr/bin/bash, /usr/bin/python3, /usr/bin/perl, "
                 "/usr/bin/awk, /usr/bin/gawk, /usr/bin/ruby, /usr/bin/node, "
                 "/usr/bin/php",
     .live = true,
     .help = "what the first line of a script may name"},
    {.section = "executor",
     .key = "slots",
     .kind = CONFIG_INT,
     .fallback = "4",
     .min = 1,
     .max = 256,
     .live = true,
     .help = "executions at the same time"},
    {.section = "executor",
     .key = "heartbeat",
     .kind = CONFIG_DURATION,
     .fallback = "5s",
     .min = 1,
     .max = 60,
     .live = true,
     .help = "how often it says hello"},
    {.section = "executor",
     .key = "drain",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .max = 86400,
     .live = true,
     .help = "how long what runs may go on after SIGTERM, before it is ended"},
    {.section = "executor",
     .key = "disk_wait",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .min = 1,
     .max = 86400,
     .live = true,
     .help = "how long what has ended waits for a full disk, before the rest "
             "of its output is given up"},
};

void host_done(struct host *host)
{
    permitted_done(&host->permitted);
    account_done(&host->user);
}

const struct account *host_half(const struct host *host)
{
    return host->user.uid == 0 ? NULL : &host->user;
}

char *host_children(const struct host *host)
{
    return must_printf("%s/children", host->state);
}

/* As root there is no half that stays root unless that is said. */
static int read_user(const struct config *config, struct host *host,
                     struct err *err)
{
    const char *name = config_text(config, "executor", "user");
    struct account self;

    if (host->permitted.root) {
        return name != NULL
                   ? account_find(name, &host->user, err)
                   : err_exit(err, EX_CONFIG,
                              "started as root: say who its Kafka-facing half "
                              "shall be, a user that nothing else runs as");
    }
    account_self(&self);
    int same = name == NULL || strcmp(name, self.name) == 0;
    if (!same) {
        (void)err_exit(err, EX_CONFIG,
                       "%.80s: it was started as %s, and can be nobody else",
                       name, self.name);
    }
    account_done(&self);
    return same ? 0 : -1;
}

int host_read(const struct config *config, struct host *ret_host,
              struct err *err)
{
    struct host host = {.state = config_text(config, "executor", "state")};

    if (permitted_read(config, &host.permitted, err) != 0 ||
        (read_user(config, &host, err) != 0 &&
         err_wrap(err, "[executor] user") != 0)) {
        host_done(&host);
        return -1;
    }
    host.permitted.slots = config_int(config, "executor", "slots");
    *ret_host = host;
    return 0;
}
