/* rpc_told.c: what a connection knows, and is told, of the world; see rpc.h. */
#include "rpc_private.h"

void rpc_seen(const struct rpc *rpc, int64_t *ret_seq, struct hash *ret_head)
{
    *ret_seq = rpc->seq;
    *ret_head = rpc->log;
}

void rpc_set_wait(struct rpc *rpc, int64_t ms)
{
    rpc->wait = ms;
}

void rpc_set_seen(struct rpc *rpc, int64_t seq, const struct hash *head)
{
    rpc->seq = seq;
    rpc->log = *head;
}

void rpc_learn_root(struct rpc *rpc, const struct id *half)
{
    rpc->learning = true;
    rpc->half = *half;
}

const struct key32 *rpc_root(const struct rpc *rpc)
{
    return rpc->learning || rpc->roots.keys.n == 0
               ? NULL
               : &list_at(&rpc->roots.keys, struct key32, 0);
}

void rpc_set_standing(struct rpc *rpc, const struct standing *standing)
{
    rpc->standing = standing;
}

const struct hash *rpc_speaks(const struct rpc *rpc)
{
    return &rpc->call.by;
}

bool rpc_sign_in(const struct rpc *rpc)
{
    return rpc->call.whole && rpc->call.sign_in;
}

int rpc_status(const struct rpc *rpc)
{
    return rpc->call.whole ? rpc->call.status : REPLY_NONE;
}

const char *rpc_text(const struct rpc *rpc)
{
    return rpc->call.text;
}

void rpc_on_late(struct rpc *rpc, void (*late)(void *arg, const char *what),
                 void *arg)
{
    rpc->late = late;
    rpc->arg = arg;
}
