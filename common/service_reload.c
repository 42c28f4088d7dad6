/*
 * service_reload.c: a configuration that is read again while its daemon runs;
 * see service.h.
 *
 * A faulty file is refused whole. Of a good one counts what its key's row says
 * may change (config_key.live); whoever changed something else is told by name
 * that it waits for the next start.
 */
#include <string.h>

#include "service_private.h"

static int parse(const struct daemon *daemon, const struct buf *text,
                 struct config *ret_config, struct err *err)
{
    struct list keys = service_keys(daemon->service);
    _cleanup_buf_ struct buf copy = {0};
    struct config config;
    int level;

    if (buf_add(&copy, text->data, text->len) != 0) {
        abort(); /* a MiB at most */
    }
    int failed = config_parse(daemon->config.path, &copy, keys.items, keys.n,
                              &config, err);
    free(keys.items);
    if (failed) {
        return -1;
    }
    if (log_level_read(&config, &level, err) != 0) {
        config_done(&config);
        return -1;
    }
    *ret_config = config;
    return 0;
}

int daemon_config_again(const struct daemon *daemon, struct buf *ret_text,
                        struct config *ret_config, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (config_load(daemon->config.path, &text, err) != 0 ||
        parse(daemon, &text, ret_config, err) != 0) {
        return -1;
    }
    *ret_text = text;
    text = (struct buf){0};
    return 0;
}

static bool differs(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one != other
                                        : strcmp(one, other) != 0;
}

static void add_name(struct buf *names, const char *section, const char *key)
{
    (void)buf_addf(names, "%s[%s] %s", names->len == 0 ? "" : ", ", section,
                   key);
}

static bool key_differs(const struct daemon *daemon,
                        const struct config *config,
                        const struct config_key *key)
{
    return differs(config_text(&daemon->config, key->section, key->key),
                   config_text(config, key->section, key->key));
}

/* Of [kafka] nothing may change: its clients are made of it. Those of `some`
 * that are not so in `others`; where both have a key, it is named once. */
static void add_kafka(struct buf *names, const struct list *some,
                      const struct list *others, bool lacking)
{
    for (size_t i = 0; i < some->n; i++) {
        const struct pair *pair = &list_at(some, struct pair, i);
        const char *other = pairs_get(others, pair->name);
        if (lacking ? other == NULL : differs(pair->value, other)) {
            add_name(names, "kafka", pair->name);
        }
    }
}

static void take(struct daemon *daemon, const struct config *config,
                 struct buf *taken, struct buf *kept)
{
    struct list keys = service_keys(daemon->service);

    for (size_t i = 0; i < keys.n; i++) {
        const struct config_key *key = &list_at(&keys, struct config_key, i);
        if (key_differs(daemon, config, key)) {
            add_name(key->live ? taken : kept, key->section, key->key);
        }
        if (key->live) {
            config_take(&daemon->config, config, key->section, key->key);
        }
    }
    add_kafka(kept, &config->kafka, &daemon->config.kafka, false);
    add_kafka(kept, &daemon->config.kafka, &config->kafka, true);
    free(keys.items);
}

int daemon_config_take(struct daemon *daemon, const struct buf *text,
                       struct err *err)
{
    _cleanup_buf_ struct buf taken = {0};
    _cleanup_buf_ struct buf kept = {0};
    struct config config;

    if (parse(daemon, text, &config, err) != 0) {
        return -1;
    }
    take(daemon, &config, &taken, &kept);
    config_done(&config);
    (void)log_level_read(&daemon->config, &daemon->log.level, err);
    log_info(&daemon->log, "configuration read again",
             L_TEXT("changed", taken.len == 0 ? "nothing" : buf_text(&taken)));
    if (kept.len > 0) {
        log_warning(&daemon->log,
                    "changed in the file, and in force from the next start on",
                    L_TEXT("keys", buf_text(&kept)));
    }
    return 0;
}
