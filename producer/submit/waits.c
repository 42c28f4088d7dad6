/* waits.c: see waits.h. */
#include "producer/submit/waits.h"

#include <string.h>

#include "model/read.h"
#include "producer/submit/heard.h"
#include "producer/submit/shown.h"

char *waits_text(const struct run_pending *pending)
{
    return must_printf("waits for %lld approval%s (%s)",
                       (long long)pending->lacking,
                       pending->lacking == 1 ? "" : "s", pending->whose);
}

void waits_tell(const struct run_row *run)
{
    char shown[RUN_SHORT];

    if (run->pending.lacking == 0) {
        return;
    }
    _cleanup_free_ char *waits = waits_text(&run->pending);
    _cleanup_free_ char *until = time_text(run->pending.until);
    run_short(&run->run, shown);
    say("run %s of %s %s until %s: they see it in submit pending", shown,
        run->command, waits, until);
}

void voted_on_done(struct voted_on *on)
{
    table_done(&pending_answer_table, &on->answer);
    event_free(on->run);
    event_free(on->save);
    *on = (struct voted_on){0};
}

static int ask(struct submit *submit, char *name,
               struct pending_answer *ret_answer, struct err *err)
{
    struct run_named named = {.run = name};

    if (strlen(name) >= ID_TEXT) {
        return err_exit(err, EXIT_DATA,
                        "a run is named by its id, or by an ending of it of at "
                        "least 4 digits");
    }
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_PENDING_SHOW,
                                         .payload = &named,
                                         .answer = &pending_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

/* The envelope of that hash, which is its own word for what it is. */
static struct event *find(const struct list *envelopes, const struct hash *hash,
                          enum event_kind kind, struct err *err)
{
    for (size_t i = 0; i < envelopes->n; i++) {
        const struct envelope *one = &list_at(envelopes, struct envelope, i);
        struct hash own = envelope_hash(one);
        if (hash_equal(&own, hash)) {
            struct envelope copy = envelope_dup(one);
            _cleanup_event_ struct event *event = event_new_take(&copy, err);
            if (event != NULL && event->kind == kind) {
                return take_ptr(event);
            }
        }
    }
    (void)err_set(err, ERR_REJECT, "its %s did not come",
                  event_types[kind].verb);
    return NULL;
}

/* It is the run that was named, by what it says itself. */
static int check_named(const struct run_start *run, const char *name,
                       struct err *err)
{
    char id[ID_TEXT];
    size_t len = strlen(name);

    id_format(&run->request.head.id, id);
    return len <= strlen(id) && strcmp(id + strlen(id) - len, name) == 0
               ? 0
               : err_set(err, ERR_REJECT, "it is run %s", id);
}

static int check_chain(struct submit *submit, struct voted_on *on,
                       struct err *err)
{
    const struct run_start *run = on->run->payload;
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct order order;

    proof_set_standing(proof, heard_standing(submit));
    if (proof_add_all(proof, &on->answer.envelopes, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < run->targets.n; i++) {
        if (proof_asked(proof, &on->run->hash, &on->save->hash,
                        list_at(&run->targets, char *, i), &order, err) != 0) {
            return -1;
        }
    }
    if (run->targets.n == 0) {
        return err_set(err, ERR_REJECT, "it names no target");
    }
    on->asker = order.asker;
    return 0;
}

static int read_on(struct submit *submit, const char *name, struct voted_on *on,
                   struct err *err)
{
    const struct pending_answer *answer = &on->answer;

    on->run = find(&answer->envelopes, &answer->run, EVENT_RUN_START, err);
    on->save = on->run == NULL ? NULL
                               : find(&answer->envelopes, &answer->command,
                                      EVENT_COMMAND_SAVE, err);
    return on->save == NULL || check_named(on->run->payload, name, err) != 0
               ? -1
               : check_chain(submit, on, err);
}

int voted_on_find(struct submit *submit, char *name, struct voted_on *ret_on,
                  struct err *err)
{
    struct voted_on on = {0};

    if (ask(submit, name, &on.answer, err) != 0) {
        return -1;
    }
    if (heard_current(submit, err) == 0) {
        if (read_on(submit, name, &on, err) == 0) {
            *ret_on = on;
            return 0;
        }
        (void)err_wrap(err,
                       "what came for run %s is not proved up to the pinned "
                       "root, and not believed",
                       name);
        err->status = EXIT_DATA;
    }
    voted_on_done(&on);
    return -1;
}

/* As a person reads it */

struct shown {
    struct id run;
    char *command;
    char *description;
    int64_t version;
    char *script; /* its digest and length */
    struct list targets;
    struct list arguments;
    char *asked_by;
    int64_t asked;
    char *waits;
    int64_t until;
};

static const struct field shown_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct shown, run)},
    {"command", FIELD_NAME, .at = offsetof(struct shown, command)},
    {"description", FIELD_TEXT, .optional = true,
     .at = offsetof(struct shown, description)},
    {"version", FIELD_INT, .at = offsetof(struct shown, version)},
    {"script", FIELD_TEXT, .at = offsetof(struct shown, script)},
    {"targets", FIELD_LIST, .item = &name_item,
     .at = offsetof(struct shown, targets)},
    {"arguments", FIELD_PAIRS, .at = offsetof(struct shown, arguments)},
    {"asked_by", FIELD_TEXT, .at = offsetof(struct shown, asked_by)},
    {"asked", FIELD_TIME, .at = offsetof(struct shown, asked)},
    {"waits", FIELD_TEXT, .at = offsetof(struct shown, waits)},
    {"until", FIELD_TIME, .at = offsetof(struct shown, until)},
};

static const struct table shown_table = {
    .name = "pending run", TABLE(shown_fields), .size = sizeof(struct shown)};

static const struct column shown_columns[] = {
    {"run", COLUMN_ID, .at = offsetof(struct shown, run)},
    {"command", COLUMN_TEXT, .at = offsetof(struct shown, command)},
    {"description", COLUMN_TEXT, .at = offsetof(struct shown, description)},
    {"version", COLUMN_INT, .at = offsetof(struct shown, version)},
    {"script", COLUMN_TEXT, .at = offsetof(struct shown, script)},
    {"targets", COLUMN_TEXTS, .at = offsetof(struct shown, targets)},
    {"arguments", COLUMN_PAIRS, .at = offsetof(struct shown, arguments)},
    {"asked by", COLUMN_TEXT, .at = offsetof(struct shown, asked_by)},
    {"asked", COLUMN_TIME, .at = offsetof(struct shown, asked)},
    {"waits", COLUMN_TEXT, .at = offsetof(struct shown, waits)},
    {"until", COLUMN_TIME, .at = offsetof(struct shown, until)},
};

static char *digest_text(const struct command_save *save)
{
    struct hash hash = hash_of(save->script.data, save->script.len);
    char text[HASH_TEXT];

    hash_format(&hash, text);
    return save->files.n == 0
               ? must_printf("sha256 %s, %zu bytes", text, save->script.len)
               : must_printf("sha256 %s, %zu bytes, and %zu file%s", text,
                             save->script.len, save->files.n,
                             save->files.n == 1 ? "" : "s");
}

static struct shown shown_of(const struct voted_on *on)
{
    const struct run_start *run = on->run->payload;
    const struct command_save *save = on->save->payload;
    struct run_pending told = {.lacking = on->answer.pending.lacking,
                               .whose = approval_text(&save->approve)};
    struct shown shown = {
        .run = run->request.head.id,
        .command = must_strdup(save->name),
        .description =
            save->description == NULL ? NULL : must_strdup(save->description),
        .version = save->version,
        .script = digest_text(save),
        .asked_by = must_strdup(on->asker.email),
        .asked = run->request.head.issued,
        .waits = waits_text(&told),
        .until = run->request.head.issued + save->approve.within * 1000,
    };

    free(told.whose);
    for (size_t i = 0; i < run->targets.n; i++) {
        texts_add(&shown.targets, list_at(&run->targets, char *, i));
    }
    run_recorded(&save->parameters, run, &shown.arguments);
    return shown;
}

int voted_on_print(const struct submit *submit, const struct voted_on *on,
                   struct err *err)
{
    struct noun noun = {.table = &shown_table,
                        .columns = shown_columns,
                        .n = ARRAY_SIZE(shown_columns)};
    struct shown shown = shown_of(on);
    int done = print_row(&submit->print, &noun, &shown, err);

    table_done(&shown_table, &shown);
    return done;
}
