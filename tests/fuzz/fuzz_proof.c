/*
 * fuzz_proof.c: a dispatch with its proof, signed as it stands (forge.h), from
 * the record to the order that a child would be started by.
 *
 * In: a line `free` or `honest`, then a chain's lines. Entries of the
 * revocation log among them are added to it as far as they may be. `free`:
 * every key signs whatever comes. `honest`: lines 1 to 8 are given, and neither
 * the root's nor the administrator's key was stolen, but every other one, the
 * authorizer's too. What is allowed then is what they allowed: that command,
 * with a path, at that target, for that runner.
 */
#include <assert.h>
#include <string.h>

#include "forge.h"
#include "mutate.h"
#include "trust/revocation.h"

#define COMMAND "019f0000-0000-7000-8000-000000000001"
#define OTHER "019f0000-0000-7000-8000-000000000002"
#define HEAD "{\"root\":\"$r\",\"id\":\"$n\",\"issued\":\"$t\",\"by\":"
#define ROOT_HEAD HEAD "\"$r\","
#define ADMIN_HEAD                     \
    HEAD "\"$h1\",\"expires\":\"$l\"," \
         "\"reply\":{\"partition\":0,\"box\":\"$bA\"},"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char prologue[] =
    "R root.init " ROOT_HEAD
    "\"email\":\"a@example.org\",\"user\":\"$uA\",\"key\":\"$kA\"}\n"
    "R service.enrol " ROOT_HEAD "\"kind\":\"authorizer\",\"name\":\"z\","
    "\"key\":\"$kZ\",\"box\":\"$bZ\",\"until\":\"$l\"}\n"
    "A user.invite " ADMIN_HEAD "\"user\":\"$uI\",\"invitation\":\"$kI\","
    "\"email\":\"r@example.org\",\"role\":\"runner\",\"until\":\"$l\"}\n"
    "A command.save " ADMIN_HEAD "\"command\":\"" COMMAND "\","
    "\"name\":\"disk-report\",\"version\":1,\"script\":\"IyEvYmluL3NoCg==\","
    "\"parameters\":[{\"name\":\"dir\",\"type\":\"path\"}],"
    "\"targets\":[\"web-1\"],\"timeout\":60,\"wait\":60}\n"
    "A command.save " ADMIN_HEAD "\"command\":\"" OTHER "\","
    "\"name\":\"wipe\",\"version\":1,\"script\":\"IyEvYmluL3NoCg==\","
    "\"parameters\":[],\"targets\":[\"web-1\"],\"timeout\":60,\"wait\":60}\n"
    "A assignment.add " ADMIN_HEAD "\"user\":\"$uI\",\"command\":\"" COMMAND
    "\"}\n"
    "A target.set " ADMIN_HEAD "\"seq\":1,\"prev\":\"$h1\",\"name\":\"web-1\","
    "\"generation\":1,\"max_wait\":86400}\n"
    "A service.enrol " ADMIN_HEAD "\"kind\":\"scheduler\",\"name\":\"t\","
    "\"key\":\"$kT\",\"box\":\"$bT\"}\n";

/* What one line adds to the log, with the lines before it as its proof. */
static void enter(const struct forge *forge, size_t n,
                  struct standing *standing)
{
    const struct envelope *line = &list_at(&forge->lines, struct envelope, n);
    int kind = event_kind(line->type);
    struct envelope copy = {0};
    struct err ignored = {0};

    if (kind < 0 || !standing_is_entry((enum event_kind)kind)) {
        return;
    }
    copy = envelope_dup(line);
    _cleanup_event_ struct event *event = event_new_take(&copy, &ignored);
    if (event != NULL) {
        struct revocation entry = {.event = event, .proof = forge->lines};
        entry.proof.n = n;
        (void)revocation_admit(standing, &forge->roots, &entry, &ignored);
    }
}

/* The log, as far as the entries among the lines may be added to it. */
static struct standing *stand(const struct forge *forge)
{
    struct standing *standing = standing_new(&forge->hashes[0]);

    for (size_t i = 0; i < forge->lines.n; i++) {
        enter(forge, i, standing);
    }
    return standing;
}

/* As an executor gets it. */
static struct event *arrive(const struct envelope *dispatch, struct err *err)
{
    _cleanup_record_ struct record record = {0};

    if (event_to_record(dispatch, "authorizer/z", "errand.dispatch.web-1.1", 0,
                        NULL, &record, err) != 0) {
        return NULL;
    }
    struct event *event = event_from_record(&record, err);
    struct hash sent = envelope_hash(dispatch);
    assert(event == NULL || hash_equal(&event->hash, &sent));
    return event;
}

static void check_allowed(const struct forge *forge, const struct event *event,
                          const struct order *order)
{
    const struct dispatch *dispatch = event->payload;
    struct hash root = key_id(&forge_key('R')->key);
    struct id runner = user_id(&root, &forge_key('I')->key);
    const char *dir = pairs_get(&order->run->arguments, "dir");

    assert(hash_equal(&order->command_hash, &forge->hashes[3]));
    assert(id_equal(&order->asker.user, &runner));
    assert(order->schedule == NULL && dispatch->attempt == 1);
    assert(texts_hold(&order->run->targets, "web-1"));
    assert(dir != NULL && dir[0] == '/' && order->run->arguments.n == 1);
    assert(dispatch->expires <= order->run->deadline);
}

/* By a proof of its own, and what others before it left remembered. */
static bool allows(const struct forge *forge, const struct standing *standing,
                   struct verified *remembered, bool honest, struct err *err)
{
    _cleanup_proof_ struct proof *proof = proof_new(&forge->roots, NULL, NULL);
    struct order order;
    _cleanup_event_ struct event *event = arrive(
        &list_at(&forge->lines, struct envelope, forge->lines.n - 1), err);

    proof_set_standing(proof, standing);
    proof_set_verified(proof, remembered);
    if (event == NULL ||
        proof_dispatch(proof, event, "web-1", FORGE_NOW, &order, err) != 0) {
        assert(err->text[0] != '\0' && err->kind != ERR_FATAL);
        return false;
    }
    if (honest) {
        check_allowed(forge, event, &order);
    }
    return true;
}

/* One of its envelopes has another signature. */
static void allow_spoiled(const struct forge *forge,
                          const struct standing *standing,
                          struct verified *remembered, size_t n)
{
    struct envelope *line = &list_at(&forge->lines, struct envelope, n);
    struct err ignored = {0};

    if (line->signatures.n > 0) {
        list_at(&line->signatures, struct signature, 0).b[5] ^= 1;
        (void)allows(forge, standing, remembered, false, &ignored);
        list_at(&line->signatures, struct signature, 0).b[5] ^= 1;
    }
}

/* Twice: what is remembered changes no verdict. */
static void judge(const struct forge *forge, bool honest)
{
    _cleanup_standing_ struct standing *standing = stand(forge);
    struct verified *remembered = verified_new();
    struct err first = {0};
    struct err second = {0};

    bool allowed = allows(forge, standing, remembered, honest, &first);
    allow_spoiled(forge, standing, remembered, forge->lines.n / 2);
    assert(allows(forge, standing, remembered, honest, &second) == allowed);
    assert(strcmp(first.text, second.text) == 0);
    verified_free(remembered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = strndup((const char *)data, size);
    char *rest = strchr(text, '\n');
    struct forge forge;

    if (rest == NULL) {
        return 0;
    }
    *rest++ = '\0';
    bool honest = strcmp(text, "honest") == 0;
    forge_init(&forge);
    if (honest) {
        forge_sign(&forge, prologue, NULL);
    }
    forge_sign(&forge, rest, honest ? "RA" : NULL);
    if (forge.lines.n > 0) {
        judge(&forge, honest);
    }
    forge_done(&forge);
    return 0;
}
