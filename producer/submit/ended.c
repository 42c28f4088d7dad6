/* ended.c: see ended.h. */
#include "producer/submit/ended.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "producer/submit/profile.h"
#include "producer/submit/recorded.h"

#define TOLD "told"
#define SETTLE_MAX 5000 /* ms to wait for the record */
#define LOOK 50         /* ms between looks */

/* Written over, as every id is as long: to cut the file first costs
 * milliseconds. */
void ended_remember(const struct submit *submit, const char *run)
{
    _cleanup_free_ char *path = profile_path(submit->profile, TOLD);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0) {
        (void)!write(fd, run, strlen(run));
    }
}

/* -1: nothing was told. */
static int told_read(const struct submit *submit, struct id *ret_run)
{
    _cleanup_free_ char *path = profile_path(submit->profile, TOLD);
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};

    return file_read(path, ID_TEXT, &text, &ignored) == 0
               ? id_parse(buf_text(&text), ret_run)
               : -1;
}

bool run_was_told(const struct submit *submit, const struct id *run)
{
    struct id told;

    return told_read(submit, &told) == 0 && id_equal(&told, run);
}

void ended_settle(struct submit *submit)
{
    int64_t end = clock_steady() + SETTLE_MAX;
    bool over = false;
    char text[ID_TEXT];
    struct id run;

    if (told_read(submit, &run) != 0) {
        return;
    }
    id_format(&run, text);
    while (!over && clock_steady() < end) {
        struct run_answer answer = {0};
        struct err ignored = {0};
        if (run_ask(submit, text, &answer, &ignored) != 0) {
            return; /* theirs no more */
        }
        over = answer.run.outcome != OUTCOME_NONE;
        table_done(&run_answer_table, &answer);
        (void)poll(NULL, 0, over ? 0 : LOOK);
    }
}
