/* tellings.c: see tellings.h. */
#include "consumer/authorizer/tellings.h"

#include "base/clock.h"

static const char note_text[] =
    "INSERT INTO tellings (run_id, mail, outcome, told_to, command_id,"
    " decided_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

static int note_one(const struct authorizer *authorizer,
                    const struct id *command, const struct run_end *end,
                    const char *to, struct err *err)
{
    struct id mail = notice_id(end, to);

    return PG(authorizer->daemon->postgres, note_text, NULL, err,
              P_ID(&end->run), P_ID(&mail),
              P_TEXT(word_text(&outcome_words, end->outcome)), P_TEXT(to),
              P_ID(command), P_TIME(clock_now()));
}

static int note_all(const struct authorizer *authorizer,
                    const struct id *command, const struct command_save *save,
                    const struct run_end *end, struct err *err)
{
    int none = 1;

    for (size_t i = 0; i < save->notify.n; i++) {
        const struct notify *one = &list_at(&save->notify, struct notify, i);
        if (!run_end_concerns(end, one)) {
            continue;
        }
        if (note_one(authorizer, command, end, one->to, err) != 0) {
            return -1;
        }
        none = 0;
    }
    return none;
}

int tellings_note(const struct authorizer *authorizer, const struct id *command,
                  const struct command_save *save, const struct run_end *end,
                  struct err *err)
{
    struct postgres *postgres = authorizer->daemon->postgres;

    if (postgres_begin(postgres, err) != 0) {
        return -1;
    }
    int none = note_all(authorizer, command, save, end, err);
    if (none < 0) {
        postgres_rollback(postgres);
        return -1;
    }
    return postgres_commit(postgres, err) != 0 ? -1 : none;
}
