/* result.c: see result.h. */
#include "model/result.h"

WORDS(stream_words, "stdout", "stderr");
WORDS(outcome_words, "succeeded", "failed", "timed_out", "cancelled", "expired",
      "interrupted", "lost");

static const struct field result_fields[] = {
    {"execution", FIELD_ID, .at = offsetof(struct result, execution)},
    {"incarnation", FIELD_ID, .optional = true,
     .at = offsetof(struct result, incarnation)},
    {"number", FIELD_INT, .at = offsetof(struct result, number)},
    {"previous", FIELD_HASH, .at = offsetof(struct result, previous)},
};

static const struct table result_table = {.name = "result",
                                          .base = &head_table,
                                          TABLE(result_fields),
                                          .size = sizeof(struct result)};

static const struct field started_fields[] = {
    {"claim", FIELD_INT, .at = offsetof(struct execution_started, claim)},
};

const struct table execution_started_table = {
    .name = "execution.started",
    .base = &result_table,
    TABLE(started_fields),
    .size = sizeof(struct execution_started),
    .open = true};

static const struct field chunk_fields[] = {
    {"stream", FIELD_WORD, .words = &stream_words,
     .at = offsetof(struct chunk, stream)},
    {"data", FIELD_BYTES, .max = CHUNK_MAX, .at = offsetof(struct chunk, data)},
};

const struct table chunk_table = {.name = "chunk",
                                  TABLE(chunk_fields),
                                  .size = sizeof(struct chunk),
                                  .open = true};

static const struct field chunk_item = {
    .name = "chunk", .kind = FIELD_TABLE, .table = &chunk_table};

static const struct field output_fields[] = {
    {"stream", FIELD_WORD, .words = &stream_words,
     .at = offsetof(struct execution_output, chunk.stream)},
    {"data", FIELD_BYTES, .max = CHUNK_MAX,
     .at = offsetof(struct execution_output, chunk.data)},
};

const struct table execution_output_table = {
    .name = "execution.output",
    .base = &result_table,
    TABLE(output_fields),
    .size = sizeof(struct execution_output),
    .open = true};

static const struct field usage_fields[] = {
    {"wall", FIELD_INT, .at = offsetof(struct usage, wall)},
    {"user", FIELD_INT, .at = offsetof(struct usage, user)},
    {"system", FIELD_INT, .at = offsetof(struct usage, sys)},
    {"memory", FIELD_INT, .at = offsetof(struct usage, memory)},
    {"read", FIELD_INT, .at = offsetof(struct usage, read)},
    {"written", FIELD_INT, .at = offsetof(struct usage, written)},
};

const struct table usage_table = {.name = "usage",
                                  TABLE(usage_fields),
                                  .size = sizeof(struct usage),
                                  .open = true};

static const struct field finished_fields[] = {
    {"claim", FIELD_INT, .at = offsetof(struct execution_finished, claim)},
    {"outcome", FIELD_WORD, .words = &outcome_words,
     .at = offsetof(struct execution_finished, outcome)},
    {"started", FIELD_BOOL, .at = offsetof(struct execution_finished, started)},
    {"exit", FIELD_INT, .max = 255,
     .at = offsetof(struct execution_finished, exit)},
    {"signal", FIELD_INT, .max = 64,
     .at = offsetof(struct execution_finished, signal)},
    {"core", FIELD_BOOL, .optional = true,
     .at = offsetof(struct execution_finished, core)},
    {"usage", FIELD_TABLE, .optional = true, .table = &usage_table,
     .at = offsetof(struct execution_finished, usage)},
    {"chunks", FIELD_INT, .at = offsetof(struct execution_finished, chunks)},
    {"dropped", FIELD_INT, .at = offsetof(struct execution_finished, dropped)},
    {"reason", FIELD_TEXT, .optional = true, .max = 1000,
     .at = offsetof(struct execution_finished, reason)},
    {"output", FIELD_LIST, .optional = true, .item = &chunk_item, .max = 8,
     .at = offsetof(struct execution_finished, output)},
};

const struct table execution_finished_table = {
    .name = "execution.finished",
    .base = &result_table,
    TABLE(finished_fields),
    .size = sizeof(struct execution_finished),
    .open = true};

static const struct field hello_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct executor_hello, name)},
    {"target", FIELD_NAME, .at = offsetof(struct executor_hello, target)},
    {"incarnation", FIELD_ID,
     .at = offsetof(struct executor_hello, incarnation)},
    {"slots", FIELD_INT, .max = 10000,
     .at = offsetof(struct executor_hello, slots)},
    {"version", FIELD_TEXT, .max = 64,
     .at = offsetof(struct executor_hello, version)},
    {"running", FIELD_LIST, .item = &id_item, .max = 10000,
     .at = offsetof(struct executor_hello, running)},
};

const struct table executor_hello_table = {.name = "executor.hello",
                                           .base = &head_table,
                                           TABLE(hello_fields),
                                           .size =
                                               sizeof(struct executor_hello),
                                           .open = true};
