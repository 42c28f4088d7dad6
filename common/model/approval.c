/* approval.c: see approval.h. */
#include "model/approval.h"

#include <stdlib.h>
#include <string.h>

#include "model/run.h"

static const struct field approval_fields[] = {
    {"count", FIELD_INT, .min = 1, .max = APPROVALS_MAX,
     .at = offsetof(struct approval, count)},
    {"group", FIELD_NAME, .optional = true,
     .at = offsetof(struct approval, group)},
    {"within", FIELD_INT, .min = 1, .max = APPROVE_WITHIN_MAX,
     .at = offsetof(struct approval, within)},
};

const struct table approval_table = {
    .name = "approve", TABLE(approval_fields), .size = sizeof(struct approval)};

static const struct field vote_fields[] = {
    {"run", FIELD_HASH, .at = offsetof(struct vote, run)},
    {"command", FIELD_HASH, .at = offsetof(struct vote, command)},
    {"targets", FIELD_LIST, .item = &name_item, .max = RUN_TARGETS_MAX,
     .at = offsetof(struct vote, targets)},
    {"comment", FIELD_TEXT, .optional = true, .max = COMMENT_MAX,
     .at = offsetof(struct vote, comment)},
};

const struct table vote_table = {.name = "vote",
                                 .base = &request_table,
                                 TABLE(vote_fields),
                                 .size = sizeof(struct vote)};

static const char form[] = "N of GROUP, or any administrator";

/* The number, and what follows it and blanks; NULL: there is none. */
static const char *read_count(const char *text, int64_t *ret_count)
{
    static const char any[] = "any";
    size_t len = strcspn(text, " \t");
    char *end = NULL;

    *ret_count = 1;
    if (len == strlen(any) && strncmp(text, any, len) == 0) {
        return text + len + strspn(text + len, " \t");
    }
    if (text[0] < '1' || text[0] > '9') {
        return NULL;
    }
    *ret_count = strtoll(text, &end, 10);
    return end == text + len ? end + strspn(end, " \t") : NULL;
}

/* The group's name; "": administrators; NULL: neither. */
static const char *read_group(const char *text)
{
    static const char of[] = "of";
    size_t len = strcspn(text, " \t");

    if (strcmp(text, "administrator") == 0 ||
        strcmp(text, "administrators") == 0) {
        return "";
    }
    if (len != strlen(of) || strncmp(text, of, len) != 0) {
        return NULL;
    }
    const char *name = text + len + strspn(text + len, " \t");
    return name_is_good(name) ? name : NULL;
}

int approval_parse(const char *text, struct approval *approval, struct err *err)
{
    int64_t count;
    const char *rest = read_count(text, &count);
    const char *group = rest == NULL ? NULL : read_group(rest);

    if (group == NULL) {
        return err_set(err, ERR_REJECT, "'%.60s' is not %s", text, form);
    }
    if (count > APPROVALS_MAX) {
        return err_set(err, ERR_REJECT, "at most %d can be asked for",
                       APPROVALS_MAX);
    }
    approval->count = count;
    approval->group = group[0] == '\0' ? NULL : must_strdup(group);
    if (approval->within == 0) {
        approval->within = APPROVE_WITHIN_DEFAULT;
    }
    return 0;
}

char *approval_text(const struct approval *approval)
{
    if (approval->count == 0) {
        return NULL;
    }
    if (approval->group != NULL) {
        return must_printf("%lld of %s", (long long)approval->count,
                           approval->group);
    }
    return approval->count == 1
               ? must_strdup("any administrator")
               : must_printf("%lld administrators", (long long)approval->count);
}

int approval_check(const struct approval *approval, struct err *err)
{
    return approval->count > 0 || approval->within == 0
               ? 0
               : err_set(err, ERR_REJECT,
                         "approve_within says how long a run waits for its "
                         "approval: approve says whose");
}
