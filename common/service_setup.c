/*
 * service_setup.c: how a daemon learns who it is: command line, configuration,
 * pins, key, enrolment; see service.h. Everything here ends before the first
 * thread starts, and what is wrong is told to a person: status 78.
 */
#include <argp.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/parameter.h"
#include "service_private.h"
#include "trust/proof.h"

#define ENROLMENT_MAX (1 << 20)
#define CHECK_HOST 0x100 /* an option without a letter */

/* Options */

static const struct argp_option option_rows[] = {
    {"config", 'c', "FILE", 0, "Read the configuration from FILE", 0},
    {"check-config", 'k', NULL, 0,
     "Say what is wrong with it (status 78), or that it is good, and end", 0},
    {"make-key", 'm', NULL, 0,
     "Make the key file unless it is there, print the line to be enrolled by, "
     "and end",
     0},
    {"version", 'V', NULL, 0, "Print the version, and end", 0},
    /* last: not every daemon has it */
    {"check-host", CHECK_HOST, NULL, 0,
     "Print what this host has for it and what it lacks, and end", 0},
    {0},
};

static void print_version(const struct argp_state *state)
{
    (void)printf("%s %s\n", state->name, ERRAND_VERSION);
    exit(EX_OK);
}

static error_t on_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'c':
        options->config = arg;
        return 0;
    case 'k':
        options->check = true;
        return 0;
    case 'm':
        options->make_key = true;
        return 0;
    case CHECK_HOST:
        options->check_host = true;
        return 0;
    case 'V':
        print_version(state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if (options->config == NULL) {
            argp_error(state, "--config FILE is needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void options_read(const struct service *service, int argc, char **argv,
                  struct options *ret_options)
{
    _cleanup_free_ char *doc = must_printf(
        "%s, a daemon of Errand. It stays in the foreground and logs to its "
        "standard error.",
        service->name);
    struct argp_option rows[ARRAY_SIZE(option_rows)];
    const struct argp parser = {
        .options = rows, .parser = on_option, .doc = doc};

    memcpy(rows, option_rows, sizeof(rows));
    if (service->check_host == NULL) {
        rows[ARRAY_SIZE(rows) - 2] = (struct argp_option){0};
    }
    *ret_options = (struct options){0};
    (void)argp_parse(&parser, argc, argv, 0, NULL, ret_options);
}

/* Configuration */

enum when { ALWAYS, SIGNS, POSTGRES };

static const struct {
    enum when when;
    struct config_key key;
} common_keys[] = {
    {ALWAYS,
     {"service", "name", CONFIG_NAME, .required = true,
      .help = "what it was enrolled as"}},
    {ALWAYS,
     {"service", "ready", CONFIG_TEXT,
      .help = "a file that is there while it can serve"}},
    {SIGNS,
     {"service", "key", CONFIG_TEXT, .required = true,
      .help = "the file of its secret key; --make-key makes it"}},
    {SIGNS,
     {"service", "enrolment", CONFIG_TEXT, .required = true,
      .help = "the file that `submit init` or `submit service enrol` "
              "wrote"}},
    {ALWAYS,
     {"root", "keys", CONFIG_FILES, .required = true,
      .help = "the pinned roots: files like root.pub"}},
    {POSTGRES,
     {"postgres", "conninfo", CONFIG_TEXT, .required = true,
      .help = "how to reach the database, as libpq writes it"}},
    {ALWAYS,
     {"log", "level", CONFIG_TEXT, .fallback = "info", .live = true,
      .help = "debug, info, warning or error"}},
    {ALWAYS,
     {"kafka", "bootstrap.servers", CONFIG_TEXT, .required = true,
      .help = "HOST:PORT of a broker"}},
};

static bool signs(const struct service *service)
{
    return service->kind != SERVICE_RECORDER;
}

struct list service_keys(const struct service *service)
{
    struct list keys = {0};
    const bool wanted[] = {[ALWAYS] = true,
                           [SIGNS] = signs(service),
                           [POSTGRES] = service->postgres};

    for (size_t i = 0; i < ARRAY_SIZE(common_keys); i++) {
        if (wanted[common_keys[i].when]) {
            struct config_key *to = list_grow(&keys, sizeof(*to));
            *to = common_keys[i].key;
        }
    }
    for (size_t i = 0; i < service->n_keys; i++) {
        struct config_key *to = list_grow(&keys, sizeof(*to));
        *to = service->keys[i];
    }
    return keys;
}

int log_level_read(const struct config *config, int *ret_level, struct err *err)
{
    const char *text = config_text(config, "log", "level");
    int level = word_value(&log_level_words, text);

    if (level == LEVEL_NONE) {
        return err_exit(err, EX_CONFIG,
                        "%s: [log] level: '%.32s' is not "
                        "debug, info, warning or error",
                        config->path, text);
    }
    *ret_level = level;
    return 0;
}

int daemon_configure(struct daemon *daemon, const char *path, struct err *err)
{
    struct list keys = service_keys(daemon->service);
    int failed = config_read(path, keys.items, keys.n, &daemon->config, err);
    free(keys.items);
    if (failed) {
        return -1;
    }
    daemon->name = config_text(&daemon->config, "service", "name");
    pairs_add_all(&daemon->kafka, &daemon->config.kafka);
    daemon->log = (struct log){.service = daemon->name, .fd = STDERR_FILENO};
    return log_level_read(&daemon->config, &daemon->log.level, err);
}

void daemon_unconfigure(struct daemon *daemon)
{
    key_pair_free(daemon->keys);
    roots_done(&daemon->roots);
    envelopes_done(&daemon->enrolment);
    pairs_done(&daemon->kafka);
    config_done(&daemon->config);
}

/* Pins, key, enrolment */

static int read_roots(struct daemon *daemon, struct err *err)
{
    struct list files = config_files(&daemon->config, "root", "keys");
    int failed = roots_read(&files, &daemon->roots, err);

    texts_done(&files);
    return failed;
}

static int read_enrolment(struct daemon *daemon, const char *path,
                          struct err *err)
{
    _cleanup_buf_ struct buf json = {0};
    struct envelopes all;

    if (file_read(path, ENROLMENT_MAX, &json, err) != 0) {
        return -1;
    }
    if (table_decode(&envelopes_table, json.data, json.len, &all, err) != 0) {
        return err_wrap(err, "%s", path);
    }
    daemon->enrolment = all.list;
    return all.list.n > 0
               ? 0
               : err_set(err, ERR_REJECT, "%s: holds no envelope", path);
}

/* Its words: this file is not for this daemon, and what would be. */
static int check_enrolment(struct daemon *daemon, const char *path,
                           const struct service_enrol *own, struct err *err)
{
    const char *key = config_text(&daemon->config, "service", "key");

    if (strcmp(own->name, daemon->name) != 0) {
        return err_set(err, ERR_REJECT,
                       "%s enrols '%s', but [service] name "
                       "is '%s'",
                       path, own->name, daemon->name);
    }
    if (memcmp(own->key.b, daemon->keys->key.b, sizeof(own->key.b)) != 0 ||
        memcmp(own->box.b, daemon->keys->box.b, sizeof(own->box.b)) != 0) {
        return err_set(err, ERR_REJECT,
                       "%s enrols another key than the one "
                       "in %s: enrol again with the line that --make-key "
                       "prints",
                       path, key);
    }
    daemon->root = own->request.head.root;
    return 0;
}

static int prove_enrolment(struct daemon *daemon, const char *path,
                           struct err *err)
{
    _cleanup_proof_ struct proof *proof = proof_new(&daemon->roots, NULL, NULL);
    const struct service_enrol *own = NULL;

    daemon->by =
        envelope_hash(&list_at(&daemon->enrolment, struct envelope, 0));
    if (proof_add_all(proof, &daemon->enrolment, err) != 0 ||
        proof_service(proof, &daemon->by, daemon->service->kind, NULL,
                      clock_now(), &own, err) != 0) {
        return err_wrap(err, "%s does not enrol this daemon", path);
    }
    return check_enrolment(daemon, path, own, err);
}

static int identify(struct daemon *daemon, struct err *err)
{
    if (read_roots(daemon, err) != 0) {
        return -1;
    }
    if (!signs(daemon->service)) {
        return 0;
    }
    const char *key = config_text(&daemon->config, "service", "key");
    const char *path = config_text(&daemon->config, "service", "enrolment");
    if (!file_exists(key)) {
        return err_set(err, ERR_REJECT,
                       "%s: there is no key yet: make it with "
                       "--make-key, and have its line enrolled",
                       key);
    }
    if (key_file_read(key, NULL, &daemon->keys, err) != 0 ||
        read_enrolment(daemon, path, err) != 0) {
        return -1;
    }
    return prove_enrolment(daemon, path, err);
}

int daemon_identify(struct daemon *daemon, struct err *err)
{
    const struct service *service = daemon->service;

    if (identify(daemon, err) != 0 ||
        (service->check != NULL && service->check(daemon, err) != 0)) {
        err->status = err->status == EX_TEMPFAIL ? EX_TEMPFAIL : EX_CONFIG;
        return -1;
    }
    return 0;
}

int daemon_read(struct daemon *daemon, const char *config, struct err *err)
{
    return daemon_configure(daemon, config, err) != 0 ||
                   daemon_identify(daemon, err) != 0
               ? -1
               : 0;
}

int daemon_no_more(struct err *err)
{
    err->kind = ERR_FATAL;
    err->status = EX_CONFIG;
    return -1;
}

static int make_key_file(const char *path, struct err *err)
{
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();

    return key_file_write(path, pair, NULL, false, err);
}

char *daemon_make_key(struct daemon *daemon, struct err *err)
{
    const char *path = config_text(&daemon->config, "service", "key");

    if (path == NULL) {
        (void)err_exit(err, EX_CONFIG, "%s signs nothing: it has no key",
                       daemon->service->name);
        return NULL;
    }
    if ((!file_exists(path) && make_key_file(path, err) != 0) ||
        key_file_read(path, NULL, &daemon->keys, err) != 0) {
        return NULL;
    }
    return key_line_make(&daemon->keys->key, &daemon->keys->box);
}
