/* permitted.c: see permitted.h. */
#include "consumer/executor/permitted.h"

#include <string.h>
#include <sysexits.h>

#define ENV "/usr/bin/env"

/* Users */

static const struct account *account_named(const struct permitted *permitted,
                                           const char *name)
{
    for (size_t i = 0; i < permitted->accounts.n; i++) {
        const struct account *one =
            &list_at(&permitted->accounts, struct account, i);
        if (strcmp(one->name, name) == 0) {
            return one;
        }
    }
    return NULL;
}

static int add_account(struct permitted *permitted, const char *name,
                       struct err *err)
{
    struct account account = {0};

    if (account_named(permitted, name) != NULL) {
        return 0;
    }
    if (!permitted->root) {
        const char *self =
            list_at(&permitted->accounts, struct account, 0).name;
        return err_exit(err, EX_CONFIG,
                        "%.80s: this executor runs as %s, and works for that "
                        "user alone: start it as root for others",
                        name, self);
    }
    if (account_find(name, &account, err) != 0) {
        return -1;
    }
    *(struct account *)list_grow(&permitted->accounts, sizeof(account)) =
        account;
    return 0;
}

static int read_accounts(const struct config *config,
                         struct permitted *permitted, struct err *err)
{
    struct list names = config_files(config, "run_as", "allow");
    const char *standard = config_text(config, "run_as", "default");
    int done = 0;

    if (!permitted->root) {
        account_self(list_grow(&permitted->accounts, sizeof(struct account)));
    }
    for (size_t i = 0; done == 0 && i < names.n; i++) {
        done = add_account(permitted, list_at(&names, char *, i), err);
    }
    texts_done(&names);
    if (done != 0) {
        return err_wrap(err, "[run_as] allow");
    }
    if (standard == NULL) {
        permitted->standard =
            permitted->root ? NULL : permitted->accounts.items;
        return 0;
    }
    permitted->standard = account_named(permitted, standard);
    return permitted->standard != NULL
               ? 0
               : err_exit(err, EX_CONFIG,
                          "[run_as] default: %.80s is not in [run_as] allow",
                          standard);
}

int permitted_account(const struct permitted *permitted, const char *run_as,
                      const struct account **ret_account, struct err *err)
{
    const struct account *found =
        run_as == NULL ? permitted->standard : account_named(permitted, run_as);

    if (found != NULL) {
        *ret_account = found;
        return 0;
    }
    return run_as == NULL
               ? err_set(err, ERR_REJECT,
                         "the command says no run_as, and this host has no "
                         "[run_as] default")
               : err_set(err, ERR_REJECT,
                         "run_as = %.80s is not allowed on this host", run_as);
}

/* Interpreters */

static int read_interpreters(const struct config *config,
                             struct permitted *permitted, struct err *err)
{
    struct list *all = &permitted->interpreters;

    *all = config_files(config, "interpreters", "allow");
    for (size_t i = 0; i < all->n; i++) {
        const char *path = list_at(all, char *, i);
        if (path[0] != '/' || strpbrk(path, " \t") != NULL) {
            return err_exit(err, EX_CONFIG,
                            "[interpreters] allow: '%.80s' is not an absolute "
                            "path, such as /bin/sh",
                            path);
        }
        if (strcmp(path, ENV) == 0) {
            return err_exit(err, EX_CONFIG,
                            "[interpreters] allow: " ENV " would let anything "
                            "in; '#!" ENV " NAME' finds what else is allowed");
        }
    }
    return 0;
}

static const char *called(const struct permitted *permitted, const char *name)
{
    for (size_t i = 0; i < permitted->interpreters.n; i++) {
        const char *path = list_at(&permitted->interpreters, char *, i);
        if (strcmp(strrchr(path, '/') + 1, name) == 0) {
            return path;
        }
    }
    return NULL;
}

static const char *spelt(const struct permitted *permitted, const char *path)
{
    for (size_t i = 0; i < permitted->interpreters.n; i++) {
        const char *one = list_at(&permitted->interpreters, char *, i);
        if (strcmp(one, path) == 0) {
            return one;
        }
    }
    return NULL;
}

/* "#!", blanks, a path, blanks, the rest as one argument: as the kernel reads
 * it (fs/binfmt_script.c). The path's length in `line`; 0: none. */
static size_t first_line(const struct buf *script, char line[static 256],
                         const char **ret_path, const char **ret_argument)
{
    const char *text = buf_text(script);
    const char *end = memchr(text, '\n', script->len);
    size_t len = end == NULL ? script->len : (size_t)(end - text);

    if (len < 3 || len > 255 || memcmp(text, "#!", 2) != 0) {
        return 0;
    }
    memcpy(line, text + 2, len - 2);
    for (len -= 2; len > 0 && strchr(" \t", line[len - 1]) != NULL; len--) {
    }
    line[len] = '\0';
    *ret_path = line + strspn(line, " \t");
    len = strcspn(*ret_path, " \t");
    *ret_argument = *ret_path + len + strspn(*ret_path + len, " \t");
    line[(size_t)(*ret_path - line) + len] = '\0';
    return len;
}

int permitted_interpreter(const struct permitted *permitted,
                          const struct buf *script,
                          struct interpreter *ret_interpreter, struct err *err)
{
    char line[256];
    const char *path = "";
    const char *argument = "";

    if (first_line(script, line, &path, &argument) == 0) {
        return err_set(err, ERR_REJECT, "the first line names no interpreter");
    }
    bool by_name = strcmp(path, ENV) == 0;
    *ret_interpreter = (struct interpreter){
        .path = by_name ? called(permitted, argument) : spelt(permitted, path)};
    if (ret_interpreter->path == NULL) {
        return err_set(err, ERR_REJECT,
                       "the interpreter '%.80s' is not allowed on this host",
                       by_name ? argument : path);
    }
    if (!by_name) {
        (void)stpncpy(ret_interpreter->argument, argument, 255);
    }
    return 0;
}

int permitted_read(const struct config *config, struct permitted *ret_permitted,
                   struct err *err)
{
    struct permitted permitted = {.root = geteuid() == 0};

    if (read_accounts(config, &permitted, err) != 0 ||
        read_interpreters(config, &permitted, err) != 0) {
        permitted_done(&permitted);
        return -1;
    }
    *ret_permitted = permitted;
    return 0;
}

void permitted_done(struct permitted *permitted)
{
    for (size_t i = 0; i < permitted->accounts.n; i++) {
        account_done(&list_at(&permitted->accounts, struct account, i));
    }
    free(permitted->accounts.items);
    texts_done(&permitted->interpreters);
    *permitted = (struct permitted){0};
}
