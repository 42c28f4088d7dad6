/* reuse.c: see reuse.h. */
#include "consumer/authorizer/reuse.h"

static int take(struct asking *asking, struct rows *rows_taken)
{
    _cleanup_rows_ struct rows *rows = rows_taken;

    if (rows_n(rows) == 1) {
        asking->decision.reuse = (struct reuse){
            .user = row_id(rows, 0, "id"),
            .invite = row_hash(rows, 0, "invite_hash"),
        };
    }
    return 0;
}

int reuse_note(struct asking *asking, const struct id *user, struct err *err)
{
    const struct head *head = asking->request->payload;
    struct rows *rows = NULL;

    if (asking->decision.stored) { /* a read that was answered before */
        return 0;
    }
    return PG(asking->daemon->postgres,
              "UPDATE users SET reused_by = $2 WHERE id = $1 "
              "AND reused_by IS NULL RETURNING id, invite_hash",
              &rows, err, P_ID(user), P_ID(&head->id)) != 0
               ? -1
               : take(asking, rows);
}

int reuse_recall(struct asking *asking, struct err *err)
{
    const struct head *head = asking->request->payload;
    struct rows *rows = NULL;

    return PG(asking->daemon->postgres,
              "SELECT id, invite_hash FROM users WHERE reused_by = $1", &rows,
              err, P_ID(&head->id)) != 0
               ? -1
               : take(asking, rows);
}
