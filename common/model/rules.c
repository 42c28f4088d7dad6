/* rules.c: see rules.h. */
#include "model/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/session.h"
#include "model/user.h"

#define MINUTE 60
#define DAY (24 * 60 * MINUTE)
#define SESSION_TTL (SESSION_LIFE / 1000)
#define INVITATION_TTL (INVITATION_LIFE / 1000)

WORDS(mfa_rule_words, "optional", "required");

const struct rules rules_default = {.mfa = MFA_OPTIONAL,
                                    .password_min = PASSWORD_MIN,
                                    .session_ttl = SESSION_TTL,
                                    .invitation_ttl = INVITATION_TTL};

static const struct field rules_fields[] = {
    {"mfa", FIELD_WORD, .words = &mfa_rule_words,
     .at = offsetof(struct rules, mfa)},
    {"password_min", FIELD_INT, .min = PASSWORD_MIN, .max = PASSWORD_MIN_MAX,
     .at = offsetof(struct rules, password_min)},
    {"session_ttl", FIELD_INT, .min = MINUTE, .max = SESSION_TTL,
     .at = offsetof(struct rules, session_ttl)},
    {"invitation_ttl", FIELD_INT, .min = MINUTE, .max = INVITATION_TTL,
     .at = offsetof(struct rules, invitation_ttl)},
    {"keep", FIELD_INT, .optional = true, .min = KEEP_DAYS_MIN * DAY,
     .max = KEEP_DAYS_MAX * DAY, .at = offsetof(struct rules, keep)},
};

const struct table rules_table = {
    .name = "rules", TABLE(rules_fields), .size = sizeof(struct rules)};

static const struct field policy_set_fields[] = {
    {"version", FIELD_INT, .min = 1, .max = 1000000,
     .at = offsetof(struct policy_set, version)},
    {"previous", FIELD_HASH, .optional = true,
     .at = offsetof(struct policy_set, previous)},
    {"rules", FIELD_TABLE, .table = &rules_table,
     .at = offsetof(struct policy_set, rules)},
};

const struct table policy_set_table = {.name = "policy.set",
                                       .base = &request_table,
                                       TABLE(policy_set_fields),
                                       .size = sizeof(struct policy_set)};

/* By their names among people; in the order of rules_fields. */
static const char *const names[] = {"mfa", "password.min", "session.ttl",
                                    "invitation.ttl", "keep"};
static const char forever[] = "forever";

const char *rules_name(size_t i)
{
    return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

char *rules_value(const struct rules *rules, size_t i)
{
    const struct field *field = &rules_fields[i];
    const char *at = (const char *)rules + field->at;
    char text[24];

    if (field->kind == FIELD_WORD) {
        return must_strdup(
            word_text(field->words, *(const int *)(const void *)at));
    }
    int64_t number = *(const int64_t *)(const void *)at;
    if (field->at == offsetof(struct rules, password_min)) {
        return must_printf("%lld", (long long)number);
    }
    if (number == 0 && field->optional) {
        return must_strdup(forever);
    }
    duration_format(number, text, sizeof(text));
    return must_strdup(text);
}

static int read_number(const char *value, int64_t *ret_number, struct err *err)
{
    char *end;

    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') {
        return err_set(err, ERR_REJECT, "'%.60s' is no number", value);
    }
    *ret_number = number;
    return 0;
}

static int assign_word(struct rules *rules, const char *value, struct err *err)
{
    int word = word_value(&mfa_rule_words, value);

    if (word == MFA_RULE_NONE) {
        return err_set(err, ERR_REJECT,
                       "mfa is optional or required, not '%.60s'", value);
    }
    rules->mfa = word;
    return 0;
}

/* By its name in words: for ever. */
static bool is_forever(const struct field *field, const char *value)
{
    return field->optional && strcmp(value, forever) == 0;
}

static int assign_number(struct rules *rules, size_t i, const char *value,
                         struct err *err)
{
    const struct field *field = &rules_fields[i];
    bool plain = field->at == offsetof(struct rules, password_min);
    struct rules least = {.password_min = field->min,
                          .session_ttl = field->min,
                          .invitation_ttl = field->min,
                          .keep = field->min};
    struct rules most = {.password_min = field->max,
                         .session_ttl = field->max,
                         .invitation_ttl = field->max,
                         .keep = field->max};
    int64_t number = 0;

    if (is_forever(field, value)) {
        rules->keep = 0;
        return 0;
    }
    if ((plain ? read_number(value, &number, err)
               : duration_parse(value, &number, err)) != 0) {
        return err_wrap(err, "%s", names[i]);
    }
    if (number < field->min || number > field->max) {
        _cleanup_free_ char *low = rules_value(&least, i);
        _cleanup_free_ char *high = rules_value(&most, i);
        return err_set(err, ERR_REJECT, "%s is %s at least and %s at most",
                       names[i], low, high);
    }
    *(int64_t *)(void *)((char *)rules + field->at) = number;
    return 0;
}

int rules_assign(struct rules *rules, const char *name, const char *value,
                 struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return i == 0 ? assign_word(rules, value, err)
                          : assign_number(rules, i, value, err);
        }
    }
    return err_set(err, ERR_REJECT,
                   "there is no rule '%.60s': mfa, password.min, session.ttl, "
                   "invitation.ttl, keep",
                   name);
}
