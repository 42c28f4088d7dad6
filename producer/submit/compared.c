/* compared.c: see compared.h. */
#include "producer/submit/compared.h"

#include <stddef.h>

#define FINGERPRINT 16 /* bytes of the key's id that are shown */

struct compared {
    char *email;
    char *words;
    char *fingerprint;
};

static const struct field compared_fields[] = {
    {"email", FIELD_TEXT, .at = offsetof(struct compared, email)},
    {"words", FIELD_TEXT, .at = offsetof(struct compared, words)},
    {"fingerprint", FIELD_TEXT, .at = offsetof(struct compared, fingerprint)},
};

static const struct table compared_table = {
    .name = "key", TABLE(compared_fields), .size = sizeof(struct compared)};

static char *fingerprint(const struct key32 *key)
{
    struct hash id = key_id(key);
    char hex[HASH_TEXT];
    struct buf text = {0};

    hash_format(&id, hex);
    for (size_t i = 0; i < 2 * FINGERPRINT; i += 4) {
        if (buf_addf(&text, "%s%.4s", i == 0 ? "" : " ", hex + i) != 0) {
            abort();
        }
    }
    return buf_take(&text);
}

int key_print(const struct submit *submit, const char *email,
              const struct key32 *key, struct err *err)
{
    const struct noun noun = {.table = &compared_table};
    int format = submit->print.format;

    if (format != FORMAT_JSON && format != FORMAT_JSONL) {
        return 0;
    }
    struct compared compared = {.email = must_strdup(email),
                                .words = key_words(key),
                                .fingerprint = fingerprint(key)};
    int done = print_row(&submit->print, &noun, &compared, err);
    table_done(&compared_table, &compared);
    return done;
}

int key_compare(const struct submit *submit, const struct person *person,
                struct err *err)
{
    _cleanup_free_ char *words = key_words(&person->key);
    _cleanup_free_ char *question = must_printf(
        "Does %s read the same six words to you, not by mail?", person->email);

    say("%s's key: %s", person->email, words);
    return flag_given(submit, "yes")
               ? 1
               : prompt_yes(question, "compare the six words, then --yes", err);
}
