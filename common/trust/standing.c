/* standing.c: see standing.h. */
#include <string.h>

#include "model/schedule.h"
#include "trust/standing_private.h"

WORDS(standing_words, "suspended", "removed", "known by another key or role");

/* What was said of one person; the last word counts. */
struct about {
    struct id user;
    bool removed;
    bool suspended;
    struct hash naming;      /* the entry that names their key; zero: none */
    struct hash reinvite;    /* the newest one; zero: none, or followed since */
    struct list kept;        /* struct hash: at the last end of a naming */
    struct list kept_paused; /* likewise, while they are suspended */
    UT_hash_handle hh;
};

/* What was taken away, and by which entry at last. */
struct mark_key {
    enum {
        MARK_COMMAND = 1,
        MARK_SERVICE,
        MARK_ASSIGNMENT,
        MARK_SCHEDULE
    } what;
    unsigned char b[32];
};

struct mark {
    struct mark_key key;
    int64_t seq;
    UT_hash_handle hh;
};

struct standing *standing_new(const struct hash *init)
{
    struct standing *standing = must_calloc(1, sizeof(*standing));

    *(struct hash *)list_grow(&standing->heads, sizeof(*init)) = *init;
    return standing;
}

void standing_free(struct standing *standing)
{
    struct about *about;
    struct about *next;
    struct mark *mark;
    struct mark *following;

    if (standing == NULL) {
        return;
    }
    HASH_ITER (hh, standing->people, about, next) {
        HASH_DEL(standing->people, about);
        free(about->kept.items);
        free(about->kept_paused.items);
        free(about);
    }
    HASH_ITER (hh, standing->marks, mark, following) {
        HASH_DEL(standing->marks, mark);
        free(mark);
    }
    standing_free_places(standing);
    standing_free_groups(standing);
    free(standing->heads.items);
    free(standing);
}

int64_t standing_seq(const struct standing *standing)
{
    return (int64_t)standing->heads.n - 1;
}

const struct hash *standing_head(const struct standing *standing)
{
    return standing_head_at(standing, standing_seq(standing));
}

const struct hash *standing_head_at(const struct standing *standing,
                                    int64_t seq)
{
    return seq < 0 || seq > standing_seq(standing)
               ? NULL
               : &list_at(&standing->heads, struct hash, seq);
}

bool standing_is_entry(enum event_kind kind)
{
    return event_types[kind].table->base == &log_entry_table;
}

bool standing_holds(const struct standing *standing, int64_t seq,
                    const struct hash *hash)
{
    const struct hash *head = standing_head_at(standing, seq);

    return head != NULL && hash_equal(head, hash);
}

/* People */

static struct about *find(const struct standing *standing,
                          const struct id *user)
{
    struct about *about = NULL;

    HASH_FIND(hh, standing->people, user->b, sizeof(user->b), about);
    return about;
}

static struct about *about_of(struct standing *standing, const struct id *user)
{
    struct about *about = find(standing, user);

    if (about == NULL) {
        about = must_calloc(1, sizeof(*about));
        about->user = *user;
        HASH_ADD(hh, standing->people, user.b, sizeof(about->user.b), about);
    }
    return about;
}

static void replace(struct list *kept, const struct list *by)
{
    free(kept->items);
    *kept = (struct list){0};
    for (size_t i = 0; i < by->n; i++) {
        *(struct hash *)list_grow(kept, sizeof(struct hash)) =
            list_at(by, struct hash, i);
    }
}

static void suspend(struct standing *standing, const struct event *entry)
{
    const struct user_standing *said = entry->payload;
    struct about *about = about_of(standing, &said->user);

    about->suspended = true;
    replace(&about->kept_paused, &said->entry.keep);
}

static void resume(struct standing *standing, const struct event *entry)
{
    const struct user_standing *said = entry->payload;

    about_of(standing, &said->user)->suspended = false;
}

/* Every envelope that named them before has had its time. */
static struct about *name_anew(struct standing *standing, const struct id *user,
                               const struct log_entry *entry)
{
    struct about *about = about_of(standing, user);

    about->naming = (struct hash){0};
    about->reinvite = (struct hash){0};
    replace(&about->kept, &entry->keep);
    return about;
}

static void remove_person(struct standing *standing, const struct event *entry)
{
    const struct user_standing *said = entry->payload;

    name_anew(standing, &said->user, &said->entry)->removed = true;
}

static void change_role(struct standing *standing, const struct event *entry)
{
    const struct user_role *said = entry->payload;

    name_anew(standing, &said->user, &said->entry)->naming = entry->hash;
}

static void reinvite(struct standing *standing, const struct event *entry)
{
    const struct user_reinvite *said = entry->payload;

    name_anew(standing, &said->user, &said->entry)->reinvite = entry->hash;
}

static void rotate(struct standing *standing, const struct event *entry)
{
    const struct key_rotate *said = entry->payload;

    name_anew(standing, &said->user, &said->entry)->naming = entry->hash;
}

/* Things */

static struct mark *find_mark(const struct standing *standing,
                              const struct mark_key *key)
{
    struct mark *mark = NULL;

    HASH_FIND(hh, standing->marks, key, sizeof(*key), mark);
    return mark;
}

static void set_mark(struct standing *standing, const struct mark_key *key,
                     int64_t seq)
{
    struct mark *mark = find_mark(standing, key);

    if (mark == NULL) {
        mark = must_calloc(1, sizeof(*mark));
        mark->key = *key;
        HASH_ADD(hh, standing->marks, key, sizeof(mark->key), mark);
    }
    mark->seq = seq;
}

static struct mark_key command_key(const struct id *command)
{
    struct mark_key key = {.what = MARK_COMMAND};

    memcpy(key.b, command->b, sizeof(command->b));
    return key;
}

static struct mark_key schedule_key(const struct id *schedule)
{
    struct mark_key key = {.what = MARK_SCHEDULE};

    memcpy(key.b, schedule->b, sizeof(schedule->b));
    return key;
}

static struct mark_key service_key(const struct hash *service)
{
    struct mark_key key = {.what = MARK_SERVICE};

    memcpy(key.b, service->b, sizeof(service->b));
    return key;
}

static struct mark_key assignment_key(const struct id *user,
                                      const struct id *command)
{
    struct mark_key key = {.what = MARK_ASSIGNMENT};

    memcpy(key.b, user->b, sizeof(user->b));
    memcpy(key.b + sizeof(user->b), command->b, sizeof(command->b));
    return key;
}

static void retire_command(struct standing *standing, const struct event *entry)
{
    const struct command_retire *said = entry->payload;
    struct mark_key key = command_key(&said->command);

    set_mark(standing, &key, said->entry.seq);
}

static void remove_schedule(struct standing *standing,
                            const struct event *entry)
{
    const struct schedule_remove *said = entry->payload;
    struct mark_key key = schedule_key(&said->schedule);

    set_mark(standing, &key, said->entry.seq);
}

static void revoke_service(struct standing *standing, const struct event *entry)
{
    const struct service_revoke *said = entry->payload;
    struct mark_key key = service_key(&said->service);

    set_mark(standing, &key, said->entry.seq);
}

static void remove_assignment(struct standing *standing,
                              const struct event *entry)
{
    const struct assignment_remove *said = entry->payload;
    struct mark_key key = assignment_key(&said->user, &said->command);

    set_mark(standing, &key, said->entry.seq);
}

static const struct effect {
    enum event_kind kind;
    void (*apply)(struct standing *standing, const struct event *entry);
} effects[] = {
    {EVENT_USER_SUSPEND, suspend},
    {EVENT_USER_RESUME, resume},
    {EVENT_USER_REMOVE, remove_person},
    {EVENT_USER_ROLE, change_role},
    {EVENT_USER_REINVITE, reinvite},
    {EVENT_KEY_ROTATE, rotate},
    {EVENT_ASSIGNMENT_REMOVE, remove_assignment},
    {EVENT_COMMAND_RETIRE, retire_command},
    {EVENT_SCHEDULE_REMOVE, remove_schedule},
    {EVENT_SERVICE_REVOKE, revoke_service},
    {EVENT_TARGET_SET, standing_set_target},
    {EVENT_GROUP_SET, standing_set_group},
};

static int check_place(const struct standing *standing,
                       const struct event *entry, struct err *err)
{
    const struct log_entry *place = entry->payload;
    int64_t seq = standing_seq(standing);

    if (place->seq > seq + 1) {
        return err_set(err, ERR_RETRY,
                       "entry %lld of the revocation log, and %lld is missing",
                       (long long)place->seq, (long long)seq + 1);
    }
    if (place->seq <= seq) {
        return standing_holds(standing, place->seq, &entry->hash)
                   ? 1
                   : err_set(err, ERR_REJECT,
                             "the revocation log forks: there is another entry "
                             "%lld",
                             (long long)place->seq);
    }
    return hash_equal(&place->prev, standing_head(standing))
               ? 0
               : err_set(err, ERR_REJECT,
                         "the revocation log forks: entry %lld follows another "
                         "one than is known here",
                         (long long)place->seq);
}

int standing_add(struct standing *standing, const struct event *entry,
                 struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(effects); i++) {
        if (effects[i].kind != entry->kind) {
            continue;
        }
        int placed = check_place(standing, entry, err);
        if (placed == 0) {
            effects[i].apply(standing, entry);
            *(struct hash *)list_grow(&standing->heads, sizeof(entry->hash)) =
                entry->hash;
        }
        return placed;
    }
    return err_set(err, ERR_REJECT, "a %s is no entry of the revocation log",
                   entry->envelope.type);
}

/* Verdicts */

enum standing_word standing_of(const struct standing *standing,
                               const struct id *user, const struct hash *naming,
                               const struct hash *invite)
{
    const struct about *about = find(standing, user);

    if (about == NULL) {
        return STANDS;
    }
    if (about->removed) {
        return STANDS_NOT_REMOVED;
    }
    bool named = !hash_is_zero(&about->naming);
    bool invited = !hash_is_zero(&about->reinvite);
    bool current = named ? hash_equal(naming, &about->naming)
                   : invited
                       ? invite != NULL && hash_equal(invite, &about->reinvite)
                       : true;
    if (!current) {
        return STANDS_NOT_REPLACED;
    }
    return about->suspended ? STANDS_NOT_SUSPENDED : STANDS;
}

static bool holds(const struct list *hashes, const struct hash *hash)
{
    for (size_t i = 0; i < hashes->n; i++) {
        if (hash_equal(&list_at(hashes, struct hash, i), hash)) {
            return true;
        }
    }
    return false;
}

/* While they are suspended, only what that entry keeps goes on; of what an
 * earlier naming signed, what its end kept, too. */
bool standing_keeps(const struct standing *standing, const struct id *user,
                    const struct hash *envelope)
{
    const struct about *about = find(standing, user);

    return about != NULL &&
           holds(about->suspended && !about->removed ? &about->kept_paused
                                                     : &about->kept,
                 envelope);
}

bool standing_command_retired(const struct standing *standing,
                              const struct id *command)
{
    struct mark_key key = command_key(command);

    return find_mark(standing, &key) != NULL;
}

bool standing_service_revoked(const struct standing *standing,
                              const struct hash *service)
{
    struct mark_key key = service_key(service);

    return find_mark(standing, &key) != NULL;
}

bool standing_assigned(const struct standing *standing, const struct id *user,
                       const struct id *command, int64_t seq)
{
    struct mark_key key = assignment_key(user, command);
    const struct mark *mark = find_mark(standing, &key);

    return mark == NULL || seq >= mark->seq;
}

bool standing_scheduled(const struct standing *standing,
                        const struct id *schedule, int64_t seq)
{
    struct mark_key key = schedule_key(schedule);
    const struct mark *mark = find_mark(standing, &key);

    return mark == NULL || seq >= mark->seq;
}
