/*
 * cmd_service_end.c: service revoke: what a daemon says is not believed any
 * more.
 *
 * An enrolment ends, not a name: while a daemon's key is changed, two of one
 * name are in force. Which enrolment it is comes from the signed enrolment
 * itself, never from what the authorizer tells of it.
 */
#include <string.h>

#include "base/clock.h"
#include "model/log_entry.h"
#include "model/read.h"
#include "producer/submit/notifiers.h"

struct ending {
    struct services_answer answer;
    struct list chosen; /* struct service_row *: lent by the answer */
};

static void ending_done(struct ending *ending)
{
    table_done(&services_answer_table, &ending->answer);
    free(ending->chosen.items);
}

#define _cleanup_ending_ _cleanup_(ending_done)

static const struct service_row *row_at(const struct ending *ending, size_t i)
{
    return list_at(&ending->chosen, const struct service_row *, i);
}

/* The begin of the hash, as service list shows it. */
static bool is_enrolment(const struct service_row *row, const char *begin)
{
    char text[HASH_TEXT];

    hash_format(&row->hash, text);
    return begin == NULL || strncmp(text, begin, strlen(begin)) == 0;
}

static int choose_named(const struct submit *submit, struct ending *ending,
                        struct err *err)
{
    const char *word = flag_value(submit, "kind");
    const char *begin = flag_value(submit, "enrolment");
    int kind = word == NULL ? 0 : word_value(&service_kind_words, word);

    if (word != NULL && kind == 0) {
        return err_exit(err, EXIT_USAGE, "'%.60s' is no kind of daemon", word);
    }
    for (size_t i = 0; i < ending->answer.services.n; i++) {
        const struct service_row *row =
            &list_at(&ending->answer.services, struct service_row, i);
        if (strcmp(row->name, submit->args[0]) == 0 &&
            (kind == 0 || row->kind == kind) && is_enrolment(row, begin)) {
            *(const struct service_row **)list_grow(&ending->chosen,
                                                    sizeof(row)) = row;
        }
    }
    return ending->chosen.n > 0
               ? 0
               : err_exit(err, EXIT_NOT_FOUND,
                          "no such daemon is enrolled as %.63s: submit service "
                          "list",
                          submit->args[0]);
}

static int check_one_kind(const struct ending *ending, struct err *err)
{
    const struct service_row *first = row_at(ending, 0);

    for (size_t i = 1; i < ending->chosen.n; i++) {
        if (row_at(ending, i)->kind != first->kind) {
            return err_exit(
                err, EXIT_USAGE, "there is %s %s and %s %s: --kind says which",
                word_text(&service_kind_words, first->kind), first->name,
                word_text(&service_kind_words, row_at(ending, i)->kind),
                first->name);
        }
    }
    return 0;
}

/* The newest of a name comes first. */
static int choose(const struct submit *submit, struct ending *ending,
                  struct err *err)
{
    struct list *chosen = &ending->chosen;

    if (choose_named(submit, ending, err) != 0 ||
        check_one_kind(ending, err) != 0) {
        return -1;
    }
    if (flag_given(submit, "older")) {
        if (--chosen->n == 0) {
            return err_exit(err, EXIT_DATA,
                            "%s has no older enrolment: --all ends its only "
                            "one",
                            submit->args[0]);
        }
        const struct service_row **rows =
            (const struct service_row **)chosen->items;
        memmove(rows, rows + 1, chosen->n * sizeof(*rows));
    } else if (chosen->n > 1 && !flag_given(submit, "all")) {
        return err_exit(err, EXIT_USAGE,
                        "%s has %zu enrolments: --older ends all but the "
                        "newest, --all all, --enrolment HASH one (submit "
                        "service list)",
                        submit->args[0], chosen->n);
    }
    return 0;
}

/* The row says what the enrolment of its hash says. */
static int check_row(const struct ending *ending, const struct service_row *row,
                     struct err *err)
{
    const struct list *envelopes = &ending->answer.envelopes;

    for (size_t i = 0; i < envelopes->n; i++) {
        struct envelope copy =
            envelope_dup(&list_at(envelopes, struct envelope, i));
        struct err ignored = {0};
        _cleanup_event_ struct event *event = event_new_take(&copy, &ignored);
        if (event == NULL || event->kind != EVENT_SERVICE_ENROL ||
            !hash_equal(&event->hash, &row->hash)) {
            continue;
        }
        const struct service_enrol *enrol = event->payload;
        if (enrol->kind == row->kind && strcmp(enrol->name, row->name) == 0) {
            return 0;
        }
    }
    return err_exit(err, EXIT_DATA,
                    "what was told of %.63s can't be trusted: its enrolment "
                    "says otherwise",
                    row->name);
}

static int sure(const struct submit *submit, const struct ending *ending,
                struct err *err)
{
    const struct service_row *row = row_at(ending, 0);
    _cleanup_free_ char *enrolled = time_text(row->enrolled);
    _cleanup_free_ char *question =
        ending->chosen.n == 1
            ? must_printf("Revoke the enrolment of %s %s, made at %s?",
                          word_text(&service_kind_words, row->kind), row->name,
                          enrolled)
            : must_printf("Revoke %zu enrolments of %s %s?", ending->chosen.n,
                          word_text(&service_kind_words, row->kind), row->name);

    if (flag_given(submit, "yes")) {
        return 0;
    }
    int yes = prompt_yes(question, "--yes", err);
    if (yes < 0) {
        return -1;
    }
    return yes ? 0 : err_exit(err, EXIT_DATA, "nothing was revoked");
}

static int revoke_row(struct submit *submit, const struct service_row *row,
                      struct err *err)
{
    struct service_revoke payload = {.service = row->hash};

    return submit_ask(submit,
                      &(struct question){.as = ASK_OWN,
                                         .kind = EVENT_SERVICE_REVOKE,
                                         .payload = &payload},
                      err);
}

int cmd_service_revoke(struct submit *submit, struct err *err)
{
    _cleanup_ending_ struct ending ending = {0};

    if (services_ask(submit, 0, &ending.answer, err) != 0 ||
        choose(submit, &ending, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ending.chosen.n; i++) {
        if (check_row(&ending, row_at(&ending, i), err) != 0) {
            return -1;
        }
    }
    if (sure(submit, &ending, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ending.chosen.n; i++) {
        const struct service_row *row = row_at(&ending, i);
        _cleanup_free_ char *enrolled = time_text(row->enrolled);
        if (revoke_row(submit, row, err) != 0) {
            return -1;
        }
        say("%s %s, enrolled at %s, is revoked: what it says counts no more.",
            word_text(&service_kind_words, row->kind), row->name, enrolled);
    }
    return 0;
}
