/* letter.c: see letter.h. */
#include "consumer/notifier/letter.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consumer/notifier/body.h"

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
    struct buf *block = body_block(body);
    struct ticket ticket = {.half = id_of_hash(&news->root),
                            .root = news->root};

    memcpy(ticket.seed, news->seed, INVITATION_SEED);
    (void)snprintf(ticket.brokers, sizeof(ticket.brokers), "%s",
                   sender->brokers);
    body->failed |= buf_reserve(block, INVITATION_TEXT_MAX) != 0 ||
                    invitation_block(&ticket, block) != 0;
    invitation_wipe(&ticket);
}

static void invitation(struct body *body, const struct news *news,
                       const struct sender *sender)
{
    char until[TIME_TEXT];

    moment_text(news->until, until);
    body_say(body, "Hello%s%s,", news->name == NULL ? "" : " ",
             news->name == NULL ? "" : news->name);
    body_say(body, "%s invites you (%s) to Errand as %s.", news->inviter,
             news->email, role_in_words(news->role));
    body_say(body, "What to do: open a terminal on a machine that has Errand's "
                   "program submit, and type");
    body->failed |= buf_adds(body_block(body), "submit verify\n") != 0;
    body_say(body,
             "When it asks for the verification code, paste all of this, from "
             "the first line to the last. It is yours alone: give it to "
             "nobody.");
    add_block(body, news, sender);
    body_say(body,
             "Then you choose a password, and you are in. This can be done "
             "once, until %s.",
             until);
    if (news->role == ROLE_ADMINISTRATOR) {
        body_say(body,
                 "After that %s, or another administrator, confirms you: you "
                 "will be shown six words to read to them.",
                 news->inviter);
    }
    body_say(body,
             "If you did not expect this, do nothing: nobody can act in your "
             "name unless you follow it. If you wonder, ask %s, but not by "
             "answering this mail.",
             news->inviter);
}

static void followed(struct body *body, const struct news *news,
                     const struct sender *sender)
{
    (void)sender;
    body_say(body, "Hello,");
    body_say(body,
             "%s%s%s%s has followed your invitation to Errand and has a key of "
             "their own now.",
             news->email, news->name == NULL ? "" : " (",
             news->name == NULL ? "" : news->name,
             news->name == NULL ? "" : ")");
    if (news->words != NULL) {
        body_say(body,
                 "They were invited as an administrator, and have no right "
                 "until an administrator confirms them. The six words of "
                 "their key are:");
        body->failed |= buf_addf(body_block(body), "%s\n", news->words) != 0;
        body_say(body,
                 "Have them read their words to you, face to face or by "
                 "telephone. If they are the same as what `submit user "
                 "confirm %s` shows you, confirm; if not, somebody else "
                 "followed the invitation.",
                 news->email);
    }
    body_say(body, "If that can't have been them, somebody else has read their "
                   "mail: take back what they may do.");
}

static void reused(struct body *body, const struct news *news,
                   const struct sender *sender)
{
    (void)sender;
    body_say(body, "Hello,");
    body_say(
        body,
        "the code of your invitation of %s to Errand was used a second time, "
        "after it had been followed. The second use was refused.",
        news->email);
    body_say(body,
             "Either they tried twice, or somebody else has the code too. Ask "
             "them whether it was they who followed it the first time. If it "
             "was not, take back what they may do.");
    body_say(body, "You are told this once, however often it is tried.");
}

static void reused_own(struct body *body, const struct news *news,
                       const struct sender *sender)
{
    (void)sender;
    body_say(body, "Hello%s%s,", news->name == NULL ? "" : " ",
             news->name == NULL ? "" : news->name);
    body_say(body,
             "the code of your invitation to Errand was used a second time, "
             "after it had been followed. The second use was refused.");
    body_say(
        body,
        "If you tried twice, all is well: `submit whoami` says who you are. If "
        "you did not, somebody else has the code; if you never followed it at "
        "all, somebody else did so in your name. Tell %s at once, but not by "
        "answering this mail.",
        news->inviter);
    body_say(body, "You are told this once, however often it is tried.");
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

int letter_make(const struct news *news, enum letter letter,
                const struct sender *sender, struct buf *out)
{
    const struct letter_row *row = row_of(letter);
    bool invitee = row->to == TO_INVITEE;
    _cleanup_body_ struct body body = {.failed = false};
    struct heading heading = {.from = sender->from,
                              .to = invitee ? news->email : news->inviter,
                              .to_name = invitee ? news->name : NULL,
                              .subject = row->subject,
                              .date = news->issued,
                              .id = mail_id(&news->about, letter)};

    row->write(&body, news, sender);
    return body_mail(&body, &heading, out);
}
