/*
 * replies.c: see replies.h.
 *
 * The first part carries the own enrolment and its chain, so that the asker can
 * check the signature up to the root that they pinned.
 */
#include "consumer/authorizer/replies.h"

const struct reply_to *reply_address(const struct event *request)
{
    return &((const struct request *)request->payload)->reply;
}

static int to_record(const struct asking *asking,
                     const struct envelope *envelope, struct record *ret_record,
                     struct err *err)
{
    const struct reply_to *to = reply_address(asking->request);
    const struct head *head = asking->request->payload;
    _cleanup_buf_ struct buf json = {0};
    _cleanup_buf_ struct buf value = {0};
    struct sealed_reply sealed = {0};
    char key[ID_TEXT];

    int failed = envelope_encode(envelope, &json, err) != 0 ||
                 box_seal(&to->box, json.data, json.len, &sealed.box) != 0 ||
                 table_encode(&sealed_reply_table, &sealed, &value, err) != 0;
    buf_done(&sealed.box);
    if (failed) {
        return err_set(err, ERR_REJECT,
                       "the reply can't be sealed: is the box "
                       "key one?");
    }
    id_format(&head->id, key);
    struct record record = {.topic = must_strdup("errand.replies"),
                            .partition = to->partition,
                            .value = value};
    value = (struct buf){0};
    (void)buf_adds(&record.key, key);
    record_header_add(&record, "content-type", "application/json");
    *ret_record = record;
    return 0;
}

static int add_part(const struct asking *asking, struct reply *reply,
                    struct list *out, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    _cleanup_envelope_ struct envelope envelope = {0};
    struct record record;

    reply->head = head_new(&daemon->root, &daemon->by, asking->now);
    if (event_sign(EVENT_REPLY, reply, daemon->keys, NULL, &envelope, err) ||
        to_record(asking, &envelope, &record, err) != 0) {
        return -1;
    }
    *(struct record *)list_grow(out, sizeof(record)) = record;
    return 0;
}

int replies_make(const struct asking *asking, struct list *out, struct err *err)
{
    const struct decision *decision = &asking->decision;
    const struct head *head = asking->request->payload;
    size_t at = 0;
    struct reply reply = {.to = head->id,
                          .request = asking->request->hash,
                          .seq = standing_seq(asking_standing(asking)),
                          .log = *standing_head(asking_standing(asking)),
                          .status = decision->status,
                          .text = decision->text,
                          .sign_in = decision->sign_in,
                          .proof = asking->daemon->enrolment};

    if (asking->request->kind == EVENT_INVITATION_SHOW) {
        reply.root_key =
            *roots_find(&asking->daemon->roots, &asking->daemon->root);
    }
    (void)chains_end(asking->chains, asking->record->partition, &reply.audit);
    do {
        size_t left = decision->body.len - at;
        size_t n = left < REPLY_PART_MAX ? left : REPLY_PART_MAX;
        reply.last = n == left;
        reply.body = (struct buf){.data = decision->body.data + at, .len = n};
        if (add_part(asking, &reply, out, err) != 0) {
            return -1;
        }
        at += n;
        reply.part++;
        reply.text = NULL;
        reply.proof = (struct list){0};
        reply.audit = (struct checkpoint){0};
    } while (at < decision->body.len);
    return 0;
}
