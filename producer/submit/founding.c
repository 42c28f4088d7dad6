/* founding.c: see founding.h. */
#include "producer/submit/founding.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"

#define CONFIG_MAX 65536

char *new_password(const char *question, const char *file, const char *instead,
                   const struct password_rules *rules, struct err *err)
{
    if (file == NULL) {
        return prompt_new_password(question, instead, rules, err);
    }
    _cleanup_secret_ char *secret = secret_from_file(file, err);
    if (secret == NULL) {
        return NULL;
    }
    if (password_check(secret, rules, err) != 0) {
        (void)err_wrap(err, "%s", file);
        return NULL;
    }
    return take_ptr(secret);
}

int name_check(const char *name, struct err *err)
{
    return name_is_good(name)
               ? 0
               : err_exit(err, EXIT_DATA,
                          "'%.80s' is no name: at most 63 of a-z, 0-9 and '-', "
                          "a letter or digit first",
                          name);
}

int key_line_check(const char *line, struct key32 *ret_key,
                   struct key32 *ret_box, struct err *err)
{
    if (key_line_read(line, ret_key, ret_box, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    return 0;
}

int authorizer_sign(const struct key_pair *root, struct service_enrol *enrol,
                    struct envelope *ret_envelope, struct err *err)
{
    struct hash id = key_id(&root->key);
    int64_t now = clock_now();

    enrol->request = (struct request){.head = head_new(&id, &id, now)};
    enrol->until = now + AUTHORIZER_LIFE;
    return event_sign(EVENT_SERVICE_ENROL, enrol, root, NULL, ret_envelope,
                      err);
}

/* The lines of a config that is there, then ours; brokers (NULL: none) only
 * where none of those lines names any. */
static int add_to_config(const char *path, const char *brokers, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (file_read(path, CONFIG_MAX, &text, err) != 0 ||
        buf_adds(&text, "\n[root]\nkeys = root.pub\n") != 0) {
        return -1;
    }
    if (brokers != NULL && strstr(buf_text(&text), "[kafka]") == NULL &&
        buf_addf(&text, "\n[kafka]\nbootstrap.servers = %s\n", brokers) != 0) {
        return err_set(err, ERR_RETRY, "out of memory");
    }
    return file_write(path, text.data, text.len, 0644, true, err);
}

int member_write(const struct member *member, struct files *files,
                 struct err *err)
{
    _cleanup_free_ char *root = must_printf("%s/root.pub", member->directory);
    _cleanup_free_ char *key = must_printf("%s/key.json", member->directory);
    _cleanup_free_ char *enrolment =
        must_printf("%s/enrolment.json", member->directory);

    const struct envelope *first =
        &list_at(member->enrolment, struct envelope, 0);
    struct list rest = {.items = (void *)(first + 1),
                        .n = member->enrolment->n - 1};

    if (directory_make(member->directory, err) != 0 ||
        files_envelopes(files, enrolment, first, &rest, err) != 0 ||
        (!file_exists(root) &&
         files_root(files, root, member->root, err) != 0)) {
        return -1;
    }
    return file_exists(key)
               ? 0
               : files_key(files, key, member->keys, member->password, err);
}

/* The lines of a config that is there, then ours. */
int member_config(const struct member *member, struct files *files,
                  struct err *err)
{
    _cleanup_free_ char *path = must_printf("%s/config", member->directory);
    bool told = member->brokers != NULL && member->brokers[0] != '\0';
    const char *brokers = told ? member->brokers : getenv("ERRAND_BROKERS");
    bool named = brokers != NULL && brokers[0] != '\0';
    _cleanup_buf_ struct buf text = {0};

    if (file_exists(path)) {
        return add_to_config(path, told ? brokers : NULL, err);
    }
    (void)buf_adds(&text, "# What submit needs to know; see `submit help`.\n"
                          "[root]\nkeys = root.pub\n\n[kafka]\n");
    (void)buf_addf(&text, "%sbootstrap.servers = %s\n", named ? "" : "# ",
                   named ? brokers : "HOST:PORT");
    return files_text(files, path, buf_text(&text), 0644, err);
}
