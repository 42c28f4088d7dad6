/* outbox.c: see outbox.h. */
#include "consumer/notifier/outbox.h"

#include <string.h>

#include "trust/sealed.h"

#define DONE_MAX 4096 /* ids that are remembered as done */

struct progress {
    int64_t partition;
    int64_t next; /* to be read */
    int64_t said; /* by outbox_progress() */
};

struct outbox {
    struct list mails; /* struct mail * */
    struct list parts; /* struct progress */
    struct id done[DONE_MAX];
    size_t n_done; /* all that there ever were */
};

struct outbox *outbox_new(void)
{
    return must_calloc(1, sizeof(struct outbox));
}

static void mail_done(struct mail *mail)
{
    free(mail->to);
    sealed_wipe(&mail->bytes);
    *mail = (struct mail){0};
}

static void remove_at(struct outbox *outbox, size_t i)
{
    struct list *mails = &outbox->mails;
    struct mail *mail = list_at(mails, struct mail *, i);

    mail_done(mail);
    free(mail);
    memmove(&list_at(mails, struct mail *, i),
            &list_at(mails, struct mail *, i + 1),
            (mails->n - i - 1) * sizeof(mail));
    mails->n--;
}

void outbox_forget(struct outbox *outbox)
{
    while (outbox->mails.n > 0) {
        remove_at(outbox, outbox->mails.n - 1);
    }
    free(outbox->mails.items);
    free(outbox->parts.items);
    outbox->mails = (struct list){0};
    outbox->parts = (struct list){0};
    outbox->n_done = 0;
}

void outbox_free(struct outbox *outbox)
{
    if (outbox != NULL) {
        outbox_forget(outbox);
        free(outbox);
    }
}

void outbox_read(struct outbox *outbox, int64_t partition, int64_t offset)
{
    for (size_t i = 0; i < outbox->parts.n; i++) {
        struct progress *part = &list_at(&outbox->parts, struct progress, i);
        if (part->partition == partition) {
            part->next = offset + 1;
            return;
        }
    }
    struct progress *part = list_grow(&outbox->parts, sizeof(*part));
    *part = (struct progress){
        .partition = partition, .next = offset + 1, .said = offset};
}

static bool is_done(const struct outbox *outbox, const struct id *id)
{
    size_t n = outbox->n_done < DONE_MAX ? outbox->n_done : DONE_MAX;

    for (size_t i = 0; i < n; i++) {
        if (id_equal(&outbox->done[i], id)) {
            return true;
        }
    }
    return false;
}

bool outbox_add_take(struct outbox *outbox, struct mail *mail)
{
    bool news =
        !is_done(outbox, &mail->id) && outbox_find(outbox, &mail->id) == NULL;

    if (!news) {
        mail_done(mail);
        return false;
    }
    struct mail *kept = must_calloc(1, sizeof(*kept));
    *kept = *mail;
    *mail = (struct mail){0};
    *(struct mail **)list_grow(&outbox->mails, sizeof(kept)) = kept;
    return true;
}

void outbox_done(struct outbox *outbox, const struct id *id)
{
    struct id kept = *id; /* it may be the mail's own */

    if (!is_done(outbox, &kept)) {
        outbox->done[outbox->n_done++ % DONE_MAX] = kept;
    }
    for (size_t i = 0; i < outbox->mails.n; i++) {
        if (id_equal(&outbox_at(outbox, i)->id, &kept)) {
            remove_at(outbox, i);
            return;
        }
    }
}

struct mail *outbox_at(const struct outbox *outbox, size_t i)
{
    return i < outbox->mails.n ? list_at(&outbox->mails, struct mail *, i)
                               : NULL;
}

struct mail *outbox_find(const struct outbox *outbox, const struct id *id)
{
    struct mail *mail;

    for (size_t i = 0; (mail = outbox_at(outbox, i)) != NULL; i++) {
        if (id_equal(&mail->id, id)) {
            return mail;
        }
    }
    return NULL;
}

struct mail *outbox_next(const struct outbox *outbox, outbox_may *may,
                         void *arg)
{
    struct mail *next = NULL;
    struct mail *mail;

    for (size_t i = 0; (mail = outbox_at(outbox, i)) != NULL; i++) {
        if (mail->state == MAIL_WAITS && may(arg, mail) &&
            (next == NULL || mail->due < next->due)) {
            next = mail;
        }
    }
    return next;
}

static int64_t done_through(const struct outbox *outbox,
                            const struct progress *part)
{
    int64_t next = part->next;
    struct mail *mail;

    for (size_t i = 0; (mail = outbox_at(outbox, i)) != NULL; i++) {
        if (mail->partition == part->partition && mail->offset < next) {
            next = mail->offset;
        }
    }
    return next;
}

bool outbox_progress(struct outbox *outbox, int64_t *ret_partition,
                     int64_t *ret_next)
{
    for (size_t i = 0; i < outbox->parts.n; i++) {
        struct progress *part = &list_at(&outbox->parts, struct progress, i);
        int64_t next = done_through(outbox, part);
        if (next > part->said) {
            part->said = next;
            *ret_partition = part->partition;
            *ret_next = next;
            return true;
        }
    }
    return false;
}

int64_t back_off_of(int64_t tries, int64_t first, int64_t most)
{
    int64_t wait = first;

    for (int64_t i = 1; i < tries && wait < most; i++) {
        wait *= 2;
    }
    return wait < most ? wait : most;
}
