/* letter.c: see letter.h. */
#include "consumer/notifier/letter.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consumer/notifier/mime.h"
#include "trust/sealed.h"

#define ROOM \
    16384 /* more than any letter: so no secret is left behind by growing */
#define COLUMNS 72

/* What stands in a letter, in order. */
struct piece {
    bool block; /* lines as they are; else a paragraph */
    struct buf text;
};

struct body {
    struct list pieces;
    bool failed;
};

_printf_(2, 3) static void say(struct body *body, const char *fmt, ...)
{
    struct piece *piece = list_grow(&body->pieces, sizeof(*piece));
    char text[2000];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    body->failed |= buf_adds(&piece->text, text) != 0;
}

static void body_done(struct body *body)
{
    for (size_t i = 0; i < body->pieces.n; i++) {
        sealed_wipe(&list_at(&body->pieces, struct piece, i).text);
    }
    free(body->pieces.items);
}

/* Roles in plain words: who is told need not know ours. */
static const char *role_in_words(int role)
{
    static const char *const words[] = {
        [ROLE_NONE] = "somebody",
        [ROLE_ADMINISTRATOR] = "an administrator: you prepare commands, and "
                               "say who may run them",
        [ROLE_RUNNER] = "a runner: you may run the commands that are assigned "
                        "to you, and see their results",
        [ROLE_RUNNER_BILLING] = "a runner with billing: you may run the "
                                "commands that are assigned to you, and keep "
                                "payment cards",
    };

    return words[role];
}

/* "2026-11-29 03:40 UTC" */
static void moment_text(int64_t moment, char text[static TIME_TEXT])
{
    time_format(moment, text);
    text[10] = ' ';
    (void)snprintf(text + 16, TIME_TEXT - 16, " UTC");
}

static void add_block(struct body *body, const struct news *news,
                      const struct sender *sender)
{
    struct piece *piece = list_grow(&body->pieces, sizeof(*piece));
    struct ticket ticket = {.half = id_of_hash(&news->root),
                            .root = news->root};

    memcpy(ticket.seed, news->seed, INVITATION_SEED);
    (void)snprintf(ticket.brokers, sizeof(ticket.brokers), "%s",
                   sender->brokers);
    piece->block = true;
    body->failed |= buf_reserve(&piece->text, INVITATION_TEXT_MAX) != 0 ||
                    invitation_block(&ticket, &piece->text) != 0;
    invitation_wipe(&ticket);
}

static void invitation(struct body *body, const struct news *news,
                       const struct sender *sender)
{
    char until[TIME_TEXT];

    moment_text(news->until, until);
    say(body, "Hello%s%s,", news->name == NULL ? "" : " ",
        news->name == NULL ? "" : news->name);
    say(body, "%s invites you (%s) to Errand as %s.", news->inviter,
        news->email, role_in_words(news->role));
    say(body, "What to do: open a terminal on a machine that has Errand's "
              "program submit, and type");
    struct piece *command = list_grow(&body->pieces, sizeof(*command));
    command->block = true;
    body->failed |= buf_adds(&command->text, "submit verify\n") != 0;
    say(body, "When it asks for the verification code, paste all of this, from "
              "the first line to the last. It is yours alone: give it to "
              "nobody.");
    add_block(body, news, sender);
    say(body,
        "Then you choose a password, and you are in. This can be done "
        "once, until %s.",
        until);
    if (news->role == ROLE_ADMINISTRATOR) {
        say(body,
            "After that %s, or another administrator, confirms you: you "
            "will be shown six words to read to them.",
            news->inviter);
    }
    say(body,
        "If you did not expect this, do nothing: nobody can act in your "
        "name unless you follow it. If you wonder, ask %s, but not by "
        "answering this mail.",
        news->inviter);
}

static void followed(struct body *body, const struct news *news,
                     const struct sender *sender)
{
    (void)sender;
    say(body, "Hello,");
    say(body,
        "%s%s%s%s has followed your invitation to Errand and has a key of "
        "their own now.",
        news->email, news->name == NULL ? "" : " (",
        news->name == NULL ? "" : news->name, news->name == NULL ? "" : ")");
    if (news->words != NULL) {
        say(body, "They were invited as an administrator, and have no right "
                  "until an administrator confirms them. The six words of "
                  "their key are:");
        struct piece *piece = list_grow(&body->pieces, sizeof(*piece));
        piece->block = true;
        body->failed |= buf_addf(&piece->text, "%s\n", news->words) != 0;
        say(body,
            "Have them read their words to you, face to face or by "
            "telephone. If they are the same as what `submit user "
            "confirm %s` shows you, confirm; if not, somebody else "
            "followed the invitation.",
            news->email);
    }
    say(body, "If that can't have been them, somebody else has read their "
              "mail: take back what they may do.");
}

static void reused(struct body *body, const struct news *news,
                   const struct sender *sender)
{
    (void)sender;
    say(body, "Hello,");
    say(body,
        "the code of your invitation of %s to Errand was used a second time, "
        "after it had been followed. The second use was refused.",
        news->email);
    say(body, "Either they tried twice, or somebody else has the code too. Ask "
              "them whether it was they who followed it the first time. If it "
              "was not, take back what they may do.");
    say(body, "You are told this once, however often it is tried.");
}

static void reused_own(struct body *body, const struct news *news,
                       const struct sender *sender)
{
    (void)sender;
    say(body, "Hello%s%s,", news->name == NULL ? "" : " ",
        news->name == NULL ? "" : news->name);
    say(body, "the code of your invitation to Errand was used a second time, "
              "after it had been followed. The second use was refused.");
    say(body,
        "If you tried twice, all is well: `submit whoami` says who you are. If "
        "you did not, somebody else has the code; if you never followed it at "
        "all, somebody else did so in your name. Tell %s at once, but not by "
        "answering this mail.",
        news->inviter);
    say(body, "You are told this once, however often it is tried.");
}

enum to { TO_INVITEE, TO_INVITER };

static const struct letter_row {
    enum event_kind kind;
    enum letter letter;
    enum to to;
    const char *subject; /* fixed: nothing of anybody's stands in it */
    void (*write)(struct body *body, const struct news *news,
                  const struct sender *sender);
} letters[] = {
    {EVENT_USER_INVITED, LETTER_INVITATION, TO_INVITEE,
     "Your invitation to Errand", invitation},
    {EVENT_USER_REINVITED, LETTER_INVITATION, TO_INVITEE,
     "Your invitation to Errand", invitation},
    {EVENT_USER_VERIFIED, LETTER_FOLLOWED, TO_INVITER,
     "Errand: your invitation was followed", followed},
    {EVENT_INVITATION_REUSED, LETTER_REUSED, TO_INVITER,
     "Errand: an invitation's code was used again", reused},
    {EVENT_INVITATION_REUSED, LETTER_REUSED_OWN, TO_INVITEE,
     "Errand: your invitation's code was used again", reused_own},
};

static const struct letter_row *row_of(enum letter letter)
{
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        if (letters[i].letter == letter) {
            return &letters[i];
        }
    }
    abort();
}

enum letter letter_of(enum event_kind kind, size_t i)
{
    for (size_t at = 0; at < ARRAY_SIZE(letters); at++) {
        if (letters[at].kind == kind && i-- == 0) {
            return letters[at].letter;
        }
    }
    return LETTER_NONE;
}

const char *letter_to(const struct news *news, enum letter letter)
{
    return row_of(letter)->to == TO_INVITEE ? news->email : news->inviter;
}

int64_t letter_until(const struct news *news, enum letter letter)
{
    return letter == LETTER_INVITATION ? news->until
                                       : news->issued + INVITATION_LIFE;
}

/* A paragraph in lines of at most so many columns, broken at blanks. */
static int add_wrapped(struct buf *out, const char *text)
{
    size_t column = 0;
    int failed = 0;

    while (*text != '\0' && !failed) {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > COLUMNS) {
            failed |= buf_adds(out, "\n");
            column = 0;
        }
        failed |=
            buf_addf(out, "%s%.*s", column > 0 ? " " : "", (int)word, text);
        column += word + (column > 0);
        text += word + strspn(text + word, " ");
    }
    return failed || buf_adds(out, "\n");
}

static int as_text(const struct body *body, struct buf *out)
{
    int failed = 0;

    for (size_t i = 0; i < body->pieces.n; i++) {
        const struct piece *piece = &list_at(&body->pieces, struct piece, i);
        const char *text = buf_text(&piece->text);
        failed |= i > 0 ? buf_adds(out, "\n") : 0;
        failed |= piece->block ? buf_adds(out, text) : add_wrapped(out, text);
    }
    return failed;
}

static int as_html(const struct body *body, struct buf *out)
{
    int failed = buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\"><body>\n");

    for (size_t i = 0; i < body->pieces.n; i++) {
        const struct piece *piece = &list_at(&body->pieces, struct piece, i);
        const char *tag = piece->block ? "pre" : "p";
        failed |= buf_addf(out, "<%s>", tag) ||
                  html_escaped(out, buf_text(&piece->text)) ||
                  buf_addf(out, "</%s>\n", tag);
    }
    return failed || buf_adds(out, "</body></html>\n");
}

static int add_part(struct buf *out, const char *boundary, const char *type,
                    const struct body *body,
                    int (*render)(const struct body *, struct buf *))
{
    _cleanup_sealed_ struct buf text = {0};

    return buf_reserve(&text, ROOM) != 0 || render(body, &text) ||
           buf_addf(out,
                    "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                    boundary, type) ||
           mime_quoted(out, buf_text(&text)) || buf_adds(out, "\r\n");
}

static int add_headers(struct buf *out, const struct news *news,
                       const struct letter_row *row,
                       const struct sender *sender, const char *id)
{
    bool invitee = row->to == TO_INVITEE;

    return mime_address(out, "From", "Errand", sender->from) ||
           mime_address(out, "To", invitee ? news->name : NULL,
                        invitee ? news->email : news->inviter) ||
           buf_addf(out, "Subject: %s\r\n", row->subject) ||
           mime_date(out, news->issued) ||
           buf_addf(out, "Message-ID: <%s@%s>\r\n", id,
                    strchr(sender->from, '@') + 1) ||
           buf_adds(out, "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n");
}

int letter_make(const struct news *news, enum letter letter,
                const struct sender *sender, struct buf *out)
{
    const struct letter_row *row = row_of(letter);
    struct id mail = mail_id(&news->about, letter);
    _cleanup_(body_done) struct body body = {.failed = false};
    char id[ID_TEXT];
    char boundary[ID_TEXT + 2];

    id_format(&mail, id);
    (void)snprintf(boundary, sizeof(boundary), "=_%s", id);
    row->write(&body, news, sender);
    int failed = buf_reserve(out, 2 * ROOM) ||
                 add_headers(out, news, row, sender, id) ||
                 buf_addf(out,
                          "Content-Type: multipart/alternative;\r\n"
                          " boundary=\"%s\"\r\n\r\n",
                          boundary) ||
                 add_part(out, boundary, "text/plain", &body, as_text) ||
                 add_part(out, boundary, "text/html", &body, as_html) ||
                 buf_addf(out, "--%s--\r\n", boundary);
    return failed != 0 || body.failed ? -1 : 0;
}
