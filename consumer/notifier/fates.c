/*
 * fates.c: what became of a mail, told on errand.events and read from there;
 * see notifier.h. The key is that of the record that asked for the mail: so its
 * fate stands behind it, in the same partition.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consumer/notifier/notifier.h"

/* Tags of records whose delivery is waited for: the first bytes of the mail's
 * id, which is a hash. 0: of a delay. */
static uint64_t tag_of(const struct id *mail)
{
    uint64_t tag;

    memcpy(&tag, mail->b, sizeof(tag));
    return tag | 1;
}

static struct id derived_id(const struct id *mail, const char *type)
{
    static const char what[] = "errand.event";
    struct part parts[] = {{what, sizeof(what) - 1},
                           {mail->b, sizeof(mail->b)},
                           {type, strlen(type)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

static int send_fate(const struct notifier *notifier, const struct mail *mail,
                     enum event_kind kind, uint64_t tag, struct err *err)
{
    const struct daemon *daemon = notifier->daemon;
    _cleanup_free_ char *source = must_printf("notifier/%s", daemon->name);
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_record_ struct record record = {0};
    struct mail_fate fate = {
        .head = head_new(&daemon->root, &daemon->by, clock_now()),
        .mail = mail->id,
        .about = mail->about,
        .letter = (int)mail->letter,
        .user = mail->user,
        .email = mail->to,
        .reason = mail->reason[0] == '\0' ? NULL : (char *)mail->reason,
        .tries = mail->tries,
        .envelopes = daemon->enrolment};

    fate.head.id = derived_id(&mail->id, event_types[kind].type);
    return event_sign(kind, &fate, daemon->keys, NULL, &envelope, err) != 0 ||
                   event_to_record(&envelope, source, EVENTS_TOPIC,
                                   PARTITION_BY_KEY, mail->key, &record,
                                   err) != 0
               ? -1
               : kafka_writer_send(daemon->writer, &record, tag, err);
}

static void log_fate(const struct notifier *notifier, const struct mail *mail,
                     const char *fate)
{
    log_info(&notifier->daemon->log, "mail", L_TEXT("fate", fate),
             L_TEXT("letter", word_text(&letter_words, (int)mail->letter)),
             L_ID("mail", &mail->id), L_ID("user", &mail->user),
             L_INT("tries", mail->tries),
             L_TEXT("because", mail->reason[0] == '\0' ? NULL : mail->reason));
}

int fate_delayed(struct notifier *notifier, const struct mail *mail,
                 struct err *err)
{
    log_fate(notifier, mail, "delayed");
    return send_fate(notifier, mail, EVENT_MAIL_DELAYED, 0, err);
}

int fates_tell(struct notifier *notifier, struct err *err)
{
    struct mail *mail;

    for (size_t i = 0; (mail = outbox_at(notifier->outbox, i)) != NULL; i++) {
        if (mail->state != MAIL_DECIDED) {
            continue;
        }
        enum event_kind kind =
            mail->fate == FATE_SENT ? EVENT_MAIL_SENT : EVENT_MAIL_REFUSED;
        if (send_fate(notifier, mail, kind, tag_of(&mail->id), err) != 0) {
            return -1;
        }
        log_fate(notifier, mail, word_text(&fate_words, (int)mail->fate));
        mail->state = MAIL_TOLD;
    }
    return 0;
}

void fate_delivered(void *arg, uint64_t tag, const struct err *err)
{
    struct daemon *daemon = arg;
    struct notifier *notifier = daemon->state;
    struct mail *mail;

    if (notifier == NULL || tag == 0) {
        return;
    }
    for (size_t i = 0; (mail = outbox_at(notifier->outbox, i)) != NULL; i++) {
        if (tag_of(&mail->id) != tag || mail->state != MAIL_TOLD) {
            continue;
        }
        if (err == NULL) {
            outbox_done(notifier->outbox, &mail->id);
        } else {
            log_error(&daemon->log, "a mail's fate was not taken", L_ERR(err));
            mail->state = MAIL_DECIDED;
        }
        return;
    }
}

/* A mail that goes at this very moment is not called back. */
int fate_read(struct notifier *notifier, const struct event *event,
              int64_t moment, struct err *err)
{
    const struct mail_fate *fate = event->payload;
    _cleanup_proof_ struct proof *proof =
        proof_new(&notifier->daemon->roots, NULL, NULL);

    if (proof_add_all(proof, &fate->envelopes, err) != 0 ||
        proof_said(proof, event, SERVICE_NOTIFIER, moment, err) != 0) {
        return -1;
    }
    if (event->kind != EVENT_MAIL_DELAYED &&
        !road_takes(&notifier->roads, &fate->mail)) {
        outbox_done(notifier->outbox, &fate->mail);
    }
    return 0;
}
