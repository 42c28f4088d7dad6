/* enrolled.c: see enrolled.h. */
#include "producer/submit/enrolled.h"

#include <string.h>

int services_ask(struct submit *submit, int kind,
                 struct services_answer *ret_answer, struct err *err)
{
    struct service_list list = {.kind = kind};

    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_SERVICE_LIST,
                                         .payload = &list,
                                         .answer = &services_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

void enrolments_done(struct enrolments *enrolments)
{
    table_done(&services_answer_table, &enrolments->answer);
    proof_free(enrolments->proof);
    free(enrolments->list.items);
}

static int by_moment(const void *a, const void *b)
{
    int64_t x = ((const struct enrolled *)a)->enrol->request.head.issued;
    int64_t y = ((const struct enrolled *)b)->enrol->request.head.issued;

    return (x < y) - (x > y);
}

/* How it stands now is the row's word; that it was made is the signatures'. */
static void take(struct enrolments *enrolments, const struct service_row *row)
{
    const struct service_enrol *enrol = NULL;
    struct err why = {0};

    if (proof_service(enrolments->proof, &row->hash,
                      (enum service_kind)row->kind, NULL, 0, &enrol,
                      &why) != 0 ||
        strcmp(enrol->name, row->name) != 0) {
        say("submit: passed over: what was told of %s can't be trusted",
            row->name);
        return;
    }
    struct enrolled *to = list_grow(&enrolments->list, sizeof(*to));
    *to = (struct enrolled){row, enrol};
}

int enrolments_ask(struct submit *submit, int kind, const char *name,
                   struct enrolments *ret_enrolments, struct err *err)
{
    struct services_answer *answer = &ret_enrolments->answer;

    ret_enrolments->proof = proof_new(&submit->profile->roots, NULL, NULL);
    if (services_ask(submit, kind, answer, err) != 0) {
        return -1;
    }
    if (proof_add_all(ret_enrolments->proof, &answer->envelopes, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    for (size_t i = 0; i < answer->services.n; i++) {
        const struct service_row *row =
            &list_at(&answer->services, struct service_row, i);
        if (strcmp(row->name, name) == 0) {
            take(ret_enrolments, row);
        }
    }
    if (ret_enrolments->list.n > 1) {
        qsort(ret_enrolments->list.items, ret_enrolments->list.n,
              sizeof(struct enrolled), by_moment);
    }
    return 0;
}
