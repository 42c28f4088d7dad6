/*
 * cmd_service_end.c: service revoke: what a daemon says is not believed any
 * more.
 *
 * An enrolment ends, not a name: while a daemon's key is changed, two of one
 * name are in force. Which enrolments there are, and which is the newest, is
 * what was signed (enrolled.h).
 */
#include <string.h>

#include "base/clock.h"
#include "model/log_entry.h"
#include "producer/submit/enrolled.h"

static const struct enrolled *at(const struct list *chosen, size_t i)
{
    return &list_at(chosen, struct enrolled, i);
}

/* The begin of the hash, as service list shows it. */
static bool is_enrolment(const struct enrolled *enrolled, const char *begin)
{
    char text[HASH_TEXT];

    hash_format(&enrolled->row->hash, text);
    return begin == NULL || strncmp(text, begin, strlen(begin)) == 0;
}

static int keep_chosen(const struct submit *submit, struct list *chosen,
                       struct err *err)
{
    const char *begin = flag_value(submit, "enrolment");
    size_t n = 0;

    for (size_t i = 0; i < chosen->n; i++) {
        if (is_enrolment(at(chosen, i), begin)) {
            list_at(chosen, struct enrolled, n++) = *at(chosen, i);
        }
    }
    chosen->n = n;
    return n > 0 ? 0
                 : err_exit(err, EXIT_NOT_FOUND,
                            "no such daemon is enrolled as %.63s: submit "
                            "service list",
                            submit->args[0]);
}

static int check_one_kind(const struct list *chosen, struct err *err)
{
    const struct service_enrol *first = at(chosen, 0)->enrol;

    for (size_t i = 1; i < chosen->n; i++) {
        const struct service_enrol *other = at(chosen, i)->enrol;
        if (other->kind != first->kind) {
            return err_exit(
                err, EXIT_USAGE, "there is %s %s and %s %s: --kind says which",
                word_text(&service_kind_words, first->kind), first->name,
                word_text(&service_kind_words, other->kind), other->name);
        }
    }
    return 0;
}

/* All but the newest, which must do the work then. */
static int drop_newest(struct list *chosen, struct err *err)
{
    const struct enrolled newest = *at(chosen, 0);

    if (chosen->n == 1) {
        return err_exit(err, EXIT_DATA,
                        "%s has no older enrolment: --all ends its only one",
                        newest.enrol->name);
    }
    if (newest.row->state != SERVICE_IN_FORCE) {
        return err_exit(err, EXIT_DATA,
                        "the newest enrolment of %s is not in force: submit "
                        "service list",
                        newest.enrol->name);
    }
    chosen->n--;
    memmove(chosen->items, &list_at(chosen, struct enrolled, 1),
            chosen->n * sizeof(newest));
    return 0;
}

static int choose(const struct submit *submit, struct list *chosen,
                  struct err *err)
{
    if (keep_chosen(submit, chosen, err) != 0 ||
        check_one_kind(chosen, err) != 0) {
        return -1;
    }
    if (flag_given(submit, "older")) {
        return drop_newest(chosen, err);
    }
    return chosen->n == 1 || flag_given(submit, "all")
               ? 0
               : err_exit(err, EXIT_USAGE,
                          "%s has %zu enrolments: --older ends all but the "
                          "newest, --all all, --enrolment HASH one (submit "
                          "service list)",
                          submit->args[0], chosen->n);
}

static int sure(const struct submit *submit, const struct list *chosen,
                struct err *err)
{
    const struct service_enrol *enrol = at(chosen, 0)->enrol;
    const char *kind = word_text(&service_kind_words, enrol->kind);
    _cleanup_free_ char *enrolled = time_text(enrol->request.head.issued);
    _cleanup_free_ char *question =
        chosen->n == 1
            ? must_printf("Revoke the enrolment of %s %s, made at %s?", kind,
                          enrol->name, enrolled)
            : must_printf("Revoke %zu enrolments of %s %s?", chosen->n, kind,
                          enrol->name);

    if (flag_given(submit, "yes")) {
        return 0;
    }
    int yes = prompt_yes(question, "--yes", err);
    if (yes < 0) {
        return -1;
    }
    return yes ? 0 : err_exit(err, EXIT_DATA, "nothing was revoked");
}

static int revoke_one(struct submit *submit, const struct enrolled *enrolled,
                      struct err *err)
{
    const struct service_enrol *enrol = enrolled->enrol;
    struct service_revoke payload = {.service = enrolled->row->hash};
    _cleanup_free_ char *moment = time_text(enrol->request.head.issued);

    if (submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_SERVICE_REVOKE,
                                      .payload = &payload},
                   err) != 0) {
        return -1;
    }
    say("%s %s, enrolled at %s, is revoked: what it says counts no more.",
        word_text(&service_kind_words, enrol->kind), enrol->name, moment);
    return 0;
}

static int read_kind(const struct submit *submit, int *ret_kind,
                     struct err *err)
{
    const char *word = flag_value(submit, "kind");

    *ret_kind = word == NULL ? 0 : word_value(&service_kind_words, word);
    return word == NULL || *ret_kind != 0
               ? 0
               : err_exit(err, EXIT_USAGE, "'%.60s' is no kind of daemon",
                          word);
}

int cmd_service_revoke(struct submit *submit, struct err *err)
{
    _cleanup_enrolments_ struct enrolments found = {0};
    int kind;

    if (read_kind(submit, &kind, err) != 0 ||
        enrolments_ask(submit, kind, submit->args[0], &found, err) != 0 ||
        choose(submit, &found.list, err) != 0 ||
        sure(submit, &found.list, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < found.list.n; i++) {
        if (revoke_one(submit, at(&found.list, i), err) != 0) {
            return -1;
        }
    }
    return 0;
}
