/*
 * follow.c: see follow.h.
 *
 * Executors tell live what happens to whoever asked for the run; where nothing
 * comes for five seconds the record is asked (run.show), so that outcomes that
 * no executor tells, and replies that were lost, are learned as well. Output
 * that is missing is fetched from the record, which may be some moments behind.
 * Anybody else (watch) has the record alone, and looks at it again and again.
 */
#include "producer/submit/follow.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/clock.h"
#include "model/read.h"
#include "producer/submit/ended.h"
#include "producer/submit/recorded.h"
#include "producer/submit/shown.h"
#include "producer/submit/summary.h"
#include "producer/submit/track.h"
#include "producer/submit/waits.h"

#define QUIET 5000      /* ms without news, after which the record is asked */
#define LATE 2000       /* ms after which it says what has not begun */
#define FETCH_AGAIN 200 /* ms between looks for output that is missing */
#define FETCH_MAX 10000 /* ms after which it is said to be missing */
#define LOOK_FIRST 100  /* ms between looks at the record while it grows, … */
#define LOOK_MOST 5000  /* … and at most, doubled each time that it did not */

struct follow {
    struct submit *submit;
    const struct run_row *run;
    struct tracks tracks;
    char id[ID_TEXT];
    char shown[RUN_SHORT];
    int interrupt_fd;
    int64_t since; /* clock_steady() of the beginning */
    bool late;     /* what had not begun after a while is told */
    int64_t heard; /* clock_steady() of the last news */
    int64_t fetched;
    bool recorded;   /* nobody tells us live */
    int64_t lacking; /* approvals, as they were told last */
    int64_t asked;   /* clock_steady() of the last look at the record … */
    int interval;    /* … and ms before the next one */
};

static sigset_t interrupt_set(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    return set;
}

static int interrupt_open(void)
{
    sigset_t set = interrupt_set();

    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* While something is asked Ctrl-C does what it did before there was a run to
 * follow. */
static void interrupts(bool take)
{
    sigset_t set = interrupt_set();

    (void)sigprocmask(take ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static bool interrupted(const struct follow *follow)
{
    struct signalfd_siginfo info;

    return read(follow->interrupt_fd, &info, sizeof(info)) == sizeof(info);
}

static void tell_silent(struct track *track)
{
    const struct execution_row *row = &track->row;

    if (track->told_silent || track_ended(track) || !row->silent ||
        row->state == EXECUTION_PLANNED) {
        return;
    }
    _cleanup_free_ char *until = time_text(row->expires);
    _cleanup_free_ char *heard = time_text(row->heard);
    track->told_silent = true;
    if (row->state == EXECUTION_WAITING) {
        say("%s is silent (last heard: %s): the run waits for it until %s",
            row->target, row->heard == 0 ? "never" : heard, until);
    } else {
        say("%s has fallen silent (last heard: %s): the run is %s, and its "
            "outcome not known yet",
            row->target, heard, word_text(&execution_state_words, row->state));
    }
}

/* Once: the executor may be busy, or has gone without being missed yet. */
static void tell_late(struct follow *follow)
{
    if (follow->late || clock_steady() - follow->since < LATE) {
        return;
    }
    follow->late = true;
    for (size_t i = 0; i < follow->tracks.n; i++) {
        const struct track *track = &follow->tracks.list[i];
        if (track->row.state == EXECUTION_WAITING && !track->told_silent) {
            _cleanup_free_ char *until = time_text(track->row.expires);
            say("%s has not begun yet: the run waits for it until %s",
                track->row.target, until);
        }
    }
}

/* That it waits for approval, and each time that somebody gave it. */
static void tell_waits(struct follow *follow, const struct run_row *run)
{
    if (run->pending.lacking != follow->lacking) {
        waits_tell(run);
    }
    follow->lacking = run->pending.lacking;
}

static void tell_outcome(const struct follow *follow,
                         const struct execution_row *row)
{
    const struct telling *telling = follow->submit->telling;

    if (telling != NULL) {
        telling->ended(telling->arg, row, follow->shown,
                       follow->tracks.targets);
        return;
    }
    _cleanup_free_ char *how = execution_text(row);
    say("%s on %s: %s; run %s", follow->run->command, row->target, how,
        follow->shown);
}

static void tell_attempt(const struct follow *follow, const struct track *track)
{
    const struct track *next = track_next(&follow->tracks, track);
    int64_t wait = next->row.due - track->row.finished;
    _cleanup_free_ char *how = execution_text(&track->row);
    char after[24];

    if (follow->submit->telling != NULL) {
        return; /* how it ends in the end is what is told there */
    }
    duration_format(wait < 1000 ? 1 : (wait + 500) / 1000, after,
                    sizeof(after));
    say("%s on %s: %s; tries again in %s (%lld of %lld)", follow->run->command,
        track->row.target, how, after, (long long)next->row.attempt,
        (long long)follow->tracks.attempts);
}

static int tell_end(struct follow *follow, struct track *track, struct err *err)
{
    if (spout_end(track->spout, err) != 0) {
        return -1;
    }
    if (track->have < track->wanted) {
        say("%lld of %lld pieces of %s's output are not there yet: "
            "submit output %s",
            (long long)(track->wanted - track->have), (long long)track->wanted,
            track->row.target, follow->shown);
    }
    if (track->followed) {
        tell_attempt(follow, track);
    } else {
        tell_outcome(follow, &track->row);
    }
    track->told = true;
    return 0;
}

static bool given_up(const struct track *track)
{
    return track->behind != 0 && clock_steady() - track->behind > FETCH_MAX;
}

/* Says what there is to say now. 1: all is said; 0: not yet. */
static int tell(struct follow *follow, struct err *err)
{
    int all = 1;

    tell_late(follow);
    for (size_t i = 0; i < follow->tracks.n; i++) {
        struct track *track = &follow->tracks.list[i];
        tell_silent(track);
        if (track->told) {
            continue;
        }
        if (track_held(&follow->tracks, track)) {
            all = 0;
        } else if (track_whole(track) ||
                   (track_ended(track) && given_up(track))) {
            if (tell_end(follow, track, err) != 0) {
                return -1;
            }
        } else {
            all = 0;
        }
    }
    return all;
}

/* Nothing can be learned now; the run knows nothing of it. */
static int goes_on(const struct follow *follow, struct err *err)
{
    if (err->status == EXIT_BROKER || err->status == 0) {
        err->status = EXIT_NO_ANSWER;
    }
    _cleanup_free_ char *why = must_strdup(err->text);
    return err_exit(err, err->status,
                    "the run goes on (submit result %s tells how)%s%s",
                    follow->shown, why[0] == '\0' ? "" : ": ", why);
}

/* Patience grows while nothing comes. */
static int more(const struct follow *follow)
{
    int twice = follow->interval == 0 ? LOOK_FIRST : 2 * follow->interval;

    return twice < LOOK_MOST ? twice : LOOK_MOST;
}

static int ask_record(struct follow *follow, struct err *err)
{
    struct run_answer answer = {0};

    interrupts(true);
    int done = run_ask(follow->submit, follow->id, &answer, err);
    interrupts(false);
    if (done != 0) {
        return goes_on(follow, err);
    }
    size_t had = follow->tracks.n;
    tracks_rows(&follow->tracks, &answer);
    tell_waits(follow, &answer.run);
    table_done(&run_answer_table, &answer);
    follow->heard = clock_steady();
    follow->asked = follow->heard;
    follow->interval = follow->tracks.n > had ? LOOK_FIRST : more(follow);
    return 0;
}

static int fetch_page(struct follow *follow, struct track *track,
                      bool *ret_more, struct err *err)
{
    struct run_output output = {.run = follow->id,
                                .execution = track->row.execution,
                                .after = track->have};
    struct output_answer answer = {0};

    interrupts(true);
    int asked = submit_ask(follow->submit,
                           &(struct question){.as = ASK_SESSION,
                                              .kind = EVENT_RUN_OUTPUT,
                                              .payload = &output,
                                              .answer = &output_answer_table,
                                              .ret_answer = &answer},
                           err);
    interrupts(false);
    if (asked != 0) {
        return goes_on(follow, err);
    }
    int64_t had = track->have;
    int done = track_pieces(track, &answer, err);
    *ret_more = answer.more && track->have > had; /* else there is a gap */
    table_done(&output_answer_table, &answer);
    return done;
}

/* What is known to be missing; or whatever there may be. */
static int fetch(struct follow *follow, bool any, struct err *err)
{
    for (size_t i = 0; i < follow->tracks.n; i++) {
        struct track *track = &follow->tracks.list[i];
        bool begun = track->row.state > EXECUTION_WAITING;
        bool more = ((any && begun) || track->behind != 0) && !track->told;
        while (more) {
            if (fetch_page(follow, track, &more, err) != 0) {
                return -1;
            }
            follow->fetched = clock_steady();
        }
    }
    return 0;
}

static int64_t count_pieces(const struct follow *follow)
{
    int64_t n = 0;

    for (size_t i = 0; i < follow->tracks.n; i++) {
        n += follow->tracks.list[i].have;
    }
    return n;
}

/* The next look at the record. 1: Ctrl-C. */
static int look_turn(struct follow *follow, struct err *err)
{
    struct pollfd wake = {.fd = follow->interrupt_fd, .events = POLLIN};
    int64_t had = count_pieces(follow);

    (void)poll(&wake, 1, follow->interval);
    if (interrupted(follow)) {
        return 1;
    }
    if (ask_record(follow, err) != 0 || fetch(follow, true, err) != 0) {
        return -1;
    }
    if (count_pieces(follow) > had) {
        follow->interval = LOOK_FIRST;
    }
    return 0;
}

/* Some attempt has ended, and what follows stands in the record alone. */
static bool is_held(const struct follow *follow)
{
    for (size_t i = 0; i < follow->tracks.n; i++) {
        const struct track *track = &follow->tracks.list[i];
        if (!track->told && track_held(&follow->tracks, track)) {
            return true;
        }
    }
    return false;
}

/* When the record is asked next, where nothing is heard before. */
static int64_t ask_at(const struct follow *follow)
{
    return is_held(follow) ? follow->asked + follow->interval
                           : follow->heard + QUIET;
}

static int next_wait(const struct follow *follow)
{
    int64_t left = ask_at(follow) - clock_steady();
    int64_t late = follow->since + LATE - clock_steady();

    if (!follow->late && late < left) {
        left = late;
    }
    for (size_t i = 0; i < follow->tracks.n; i++) {
        const struct track *track = &follow->tracks.list[i];
        if (track->behind != 0 && !track->told && left > FETCH_AGAIN) {
            left = FETCH_AGAIN;
        }
    }
    return left > 0 ? (int)left : 0;
}

/* Waits for news and takes them in. 1: Ctrl-C. */
static int follow_turn(struct follow *follow, struct err *err)
{
    _cleanup_event_ struct event *event = NULL;
    int nothing = rpc_next(submit_rpc(follow->submit), next_wait(follow),
                           follow->interrupt_fd, &event, err);

    if (nothing < 0) {
        return goes_on(follow, err);
    }
    if (interrupted(follow)) {
        return 1;
    }
    if (nothing == 0) {
        follow->heard = clock_steady();
        if (tracks_event(&follow->tracks, event, err) != 0) {
            return -1;
        }
    }
    if (clock_steady() >= ask_at(follow) && ask_record(follow, err) != 0) {
        return -1;
    }
    return clock_steady() - follow->fetched < FETCH_AGAIN
               ? 0
               : fetch(follow, false, err);
}

static int detach(const struct follow *follow)
{
    const struct telling *telling = follow->submit->telling;

    if (isatty(STDERR_FILENO)) { /* which shows ^C */
        (void)fputc('\n', stderr);
    }
    if (telling != NULL) {
        telling->detached(telling->arg);
    } else {
        say("detached; the run goes on. To see it: submit watch %s",
            follow->shown);
    }
    if (telling == NULL && !follow->recorded) {
        say("to end it: submit cancel %s", follow->shown);
    }
    return EXIT_NO_ANSWER;
}

static int outcome_status(const struct follow *follow)
{
    for (size_t i = 0; i < follow->tracks.n; i++) {
        const struct track *track = &follow->tracks.list[i];
        if (!track->followed && track->row.outcome != OUTCOME_SUCCEEDED) {
            return EXIT_OUTCOME;
        }
    }
    return 0;
}

/* Where there were several targets, all of them once more, at a glance. */
static int tell_all(const struct follow *follow, struct err *err)
{
    return follow->tracks.targets < 2 || follow->submit->telling != NULL
               ? 0
               : summary_print(&follow->tracks, err);
}

static int follow_all(struct follow *follow, struct err *err)
{
    for (;;) {
        int said = tell(follow, err);
        if (said < 0) {
            return -1;
        }
        if (said == 1) {
            ended_remember(follow->submit, follow->id);
            return tell_all(follow, err) != 0 ? -1 : outcome_status(follow);
        }
        int stop = follow->recorded ? look_turn(follow, err)
                                    : follow_turn(follow, err);
        if (stop != 0) {
            return stop < 0 ? -1 : detach(follow);
        }
    }
}

/* targets NULL: the run is our own, and its executors tell us live. */
static int follow_from(struct submit *submit, const struct run_answer *run,
                       const struct list *targets, struct err *err)
{
    struct follow follow = {.submit = submit,
                            .run = &run->run,
                            .recorded = targets != NULL,
                            .interrupt_fd = interrupt_open(),
                            .since = clock_steady(),
                            .heard = clock_steady()};

    id_format(&run->run.run, follow.id);
    run_short(&run->run.run, follow.shown);
    tracks_init(&follow.tracks, run, targets);
    tell_waits(&follow, &run->run);
    int done = follow_all(&follow, err);
    if (done < 0 && err->status == EXIT_OUTPUT) {
        (void)goes_on(&follow, err);
    }
    tracks_done(&follow.tracks);
    (void)close(follow.interrupt_fd);
    return done;
}

int follow_run(struct submit *submit, const struct run_answer *run,
               struct err *err)
{
    return follow_from(submit, run, NULL, err);
}

static void on_watch_interrupt(int signal)
{
    static const char text[] = "\nsubmit: stopped watching; the run goes on\n";

    (void)signal;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_NO_ANSWER);
}

int watch_run(struct submit *submit, const struct run_answer *run,
              const struct list *targets, struct err *err)
{
    struct sigaction action = {.sa_handler = on_watch_interrupt};

    if (submit->telling == NULL) {
        (void)sigaction(SIGINT, &action, NULL);
    }
    return follow_from(submit, run, targets, err);
}
