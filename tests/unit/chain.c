/* chain.c: see chain.h. */
#include "chain.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

#define HOUR 3600000LL

static void text(char **to, const char *value)
{
    *to = must_strdup(value);
}

static struct hash sign(struct chain *c, enum event_kind kind, void *payload,
                        const struct hash *by, const struct key_pair *first,
                        const struct key_pair *second)
{
    struct head *head = payload;
    struct envelope envelope;
    struct err err = {0};

    if (hash_is_zero(&head->root)) {
        head->root = c->root_hash;
    }
    if (hash_is_zero(&head->by)) {
        head->by = *by;
    }
    if (id_is_zero(&head->id)) {
        head->id = id_new(c->now);
    }
    if (head->issued == 0) {
        head->issued = c->now;
    }
    int done = event_sign(kind, payload, first, second, &envelope, &err);
    assert(done == 0);
    (void)done;
    struct hash hash = envelope_hash(&envelope);
    envelopes_add(&c->envelopes, &envelope);
    envelope_done(&envelope);
    return hash;
}

void chain_init(struct chain *c)
{
    static const unsigned char seed[16] = "an invitation!!";

    *c = (struct chain){.root = key_pair_new(),
                        .admin = key_pair_new(),
                        .invitation = key_pair_from_invitation(seed),
                        .runner = key_pair_new(),
                        .session = key_pair_new(),
                        .authorizer = key_pair_new(),
                        .executor = key_pair_new(),
                        .now = clock_now()};
    *(struct key32 *)list_grow(&c->roots.keys, sizeof(struct key32)) =
        c->root->key;
    c->root_hash = key_id(&c->root->key);
    text(&c->init.email, "admin@example.org");
    c->init.key = c->admin->key;
    c->init.user = user_id(&c->root_hash, &c->admin->key);

    c->enrol.kind = SERVICE_AUTHORIZER;
    text(&c->enrol.name, "authorizer-1");
    c->enrol.key = c->authorizer->key;
    c->enrol.box = c->authorizer->box;
    c->enrol.until = c->now + AUTHORIZER_LIFE;
    c->host.kind = SERVICE_EXECUTOR;
    text(&c->host.name, "web-1-a");
    text(&c->host.target, "web-1");
    c->host.key = c->executor->key;
    c->host.box = c->executor->box;

    c->invite.user = user_id(&c->root_hash, &c->invitation->key);
    c->invite.invitation = c->invitation->key;
    text(&c->invite.email, "runner@example.org");
    c->invite.role = ROLE_RUNNER;
    c->invite.until = c->now + HOUR;
    c->verify.user = c->invite.user;
    c->verify.key = c->runner->key;
    c->verify.generation = 1;
    c->open.key = c->session->key;
    c->open.box = c->session->box;
    c->open.until = c->now + HOUR;

    c->save.command = id_new(c->now);
    text(&c->save.name, "disk-report");
    c->save.version = 1;
    (void)buf_adds(&c->save.script, "#!/bin/sh\ntrue\n");
    texts_add(&c->save.targets, "web-1");
    c->save.timeout = 60;
    c->save.wait = 60;
    struct parameter *dir =
        list_grow(&c->save.parameters, sizeof(struct parameter));
    text(&dir->name, "dir");
    dir->type = PARAMETER_PATH;

    c->add.user = c->invite.user;
    c->add.command = c->save.command;
    c->run.command = c->save.command;
    pairs_add(&c->run.arguments, "dir", "/var");
    texts_add(&c->run.targets, "web-1");
    c->run.deadline = c->now + 60000;
    text(&c->dispatch.target, "web-1");
    c->dispatch.attempt = 1;
    c->dispatch.expires = c->now + 50000;

    /* What the log begins with is known before anything else is signed. */
    c->init.head = head_new(&c->root_hash, &c->root_hash, c->now);
    c->init_hash =
        sign(c, EVENT_ROOT_INIT, &c->init, &c->root_hash, c->root, NULL);
    envelopes_done(&c->envelopes);
}

void chain_sign(struct chain *c)
{
    c->init_hash =
        sign(c, EVENT_ROOT_INIT, &c->init, &c->root_hash, c->root, NULL);
    c->enrol_hash =
        sign(c, EVENT_SERVICE_ENROL, &c->enrol, &c->root_hash, c->root, NULL);
    c->host_hash =
        sign(c, EVENT_SERVICE_ENROL, &c->host, &c->init_hash, c->admin, NULL);
    c->invite_hash =
        sign(c, EVENT_USER_INVITE, &c->invite, &c->init_hash, c->admin, NULL);
    c->verify.invite = c->invite_hash;
    c->verify_hash = sign(c, EVENT_USER_VERIFY, &c->verify, &c->invite_hash,
                          c->invitation, c->runner);
    c->open_hash = sign(c, EVENT_SESSION_OPEN, &c->open, &c->verify_hash,
                        c->runner, c->session);
    c->save_hash =
        sign(c, EVENT_COMMAND_SAVE, &c->save, &c->init_hash, c->admin, NULL);
    c->add_hash =
        sign(c, EVENT_ASSIGNMENT_ADD, &c->add, &c->init_hash, c->admin, NULL);
    c->run_hash =
        sign(c, EVENT_RUN_START, &c->run, &c->open_hash, c->session, NULL);
}

void chain_dispatch(struct chain *c)
{
    struct dispatch *d = &c->dispatch;
    struct list all = c->envelopes;

    if (hash_is_zero(&d->run)) {
        d->run = c->run_hash;
        d->command = c->save_hash;
    }
    if (hash_is_zero(&d->log)) {
        d->log = c->init_hash;
    }
    if (id_is_zero(&d->execution)) {
        d->execution = execution_id(&c->run.request.head.id, &d->run, d->target,
                                    d->attempt);
    }
    d->proof = all; /* lent */
    c->envelopes = (struct list){0};
    (void)sign(c, EVENT_DISPATCH, d, &c->enrol_hash, c->authorizer, NULL);
    c->signed_dispatch = list_at(&c->envelopes, struct envelope, 0);
    free(c->envelopes.items);
    c->envelopes = all;
    d->proof = (struct list){0};
}

void chain_done(struct chain *c)
{
    struct key_pair *keys[] = {c->root,    c->admin,   c->invitation,
                               c->runner,  c->session, c->authorizer,
                               c->executor};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        key_pair_free(keys[i]);
    }
    roots_done(&c->roots);
    table_done(&root_init_table, &c->init);
    table_done(&service_enrol_table, &c->enrol);
    table_done(&service_enrol_table, &c->host);
    table_done(&user_invite_table, &c->invite);
    table_done(&user_verify_table, &c->verify);
    table_done(&session_open_table, &c->open);
    table_done(&command_save_table, &c->save);
    table_done(&assignment_add_table, &c->add);
    table_done(&run_start_table, &c->run);
    table_done(&dispatch_table, &c->dispatch);
    envelopes_done(&c->envelopes);
    envelope_done(&c->signed_dispatch);
}

struct envelope *chain_find(struct list *envelopes, enum event_kind kind)
{
    for (size_t i = 0; i < envelopes->n; i++) {
        struct envelope *envelope = &list_at(envelopes, struct envelope, i);
        if (event_kind(envelope->type) == (int)kind) {
            return envelope;
        }
    }
    return NULL;
}

struct event *chain_entry(struct chain *c, struct standing *standing,
                          enum event_kind kind, void *payload)
{
    struct log_entry *entry = payload;
    struct envelope envelope;
    struct err err = {0};

    if (entry->seq == 0) {
        entry->seq = standing_seq(standing) + 1;
        entry->prev = *standing_head(standing);
    }
    entry->request.head = head_new(&c->root_hash, &c->init_hash, c->now);
    int done = event_sign(kind, payload, c->admin, NULL, &envelope, &err);
    assert(done == 0);
    (void)done;
    struct event *event = event_new_take(&envelope, &err);
    assert(event != NULL);
    return event;
}
