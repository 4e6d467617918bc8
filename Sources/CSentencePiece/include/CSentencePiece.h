#ifndef CSENTENCEPIECE_H
#define CSENTENCEPIECE_H

#include <stddef.h>
#include <stdint.h>

/// A narrow C face of the C++ library SentencePiece (Kudo and Richardson 2018, arXiv 1808.06226).
///
/// Nothing here throws or ends the process: a call that fails says so by its result and, where it has an
/// `error` buffer, leaves one zero-terminated line there. Text is UTF-8 with an explicit length.

#ifdef __cplusplus
extern "C" {
#endif

/// A model that is only read: calls from several threads at once are fine.
typedef struct SPModel SPModel;

/// Learns a model from sentences that lie one after the other in `text`; sentence i ends at `ends[i]`.
/// `options` are SentencePiece's own, parted by spaces, as in `vocab_size=8000 model_type=bpe`.
/// On success the serialized `.model` is at `*model`, to be given back with `sp_release`, and the result is 0.
int sp_train(const char *options, const char *text, const size_t *ends, size_t count, uint8_t **model, size_t *length,
    char *error, size_t error_capacity);
void sp_release(uint8_t *model);

/// Reads a serialized `.model`; null when it is none.
SPModel *sp_open(const uint8_t *model, size_t length, char *error, size_t error_capacity);
void sp_close(SPModel *model);

int32_t sp_count(const SPModel *model);
float sp_score(const SPModel *model, int32_t id);
/// The piece as it is stored, with U+2581 for a space; valid while the model lives, not zero-terminated.
const char *sp_piece(const SPModel *model, int32_t id, size_t *length);

/// Writes at most `capacity` ids and returns how many there are in all, or -1 on failure.
ptrdiff_t sp_encode(const SPModel *model, const char *text, size_t length, int32_t *ids, size_t capacity);
/// Writes at most `capacity` bytes of plain text and returns how many there are in all, or -1 on failure.
ptrdiff_t sp_decode(const SPModel *model, const int32_t *ids, size_t count, char *text, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
