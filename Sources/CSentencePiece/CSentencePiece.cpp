#include "CSentencePiece.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct SPModel {
    sentencepiece::SentencePieceProcessor processor;
    std::vector<std::string> pieces;
};

namespace {

void report(char *error, size_t capacity, const char *message) {
    if (error == nullptr || capacity == 0) return;
    std::strncpy(error, message, capacity - 1);
    error[capacity - 1] = '\0';
}

/// Hands the caller's sentences to the trainer one by one, without a second copy of the corpus.
class Sentences : public sentencepiece::SentenceIterator {
  public:
    Sentences(const char *text, const size_t *ends, size_t count) : text_(text), ends_(ends), count_(count) { load(); }
    bool done() const override { return index_ >= count_; }
    void Next() override {
        ++index_;
        load();
    }
    const std::string &value() const override { return value_; }
    sentencepiece::util::Status status() const override { return sentencepiece::util::Status(); }

  private:
    void load() {
        if (done()) return;
        const size_t start = index_ == 0 ? 0 : ends_[index_ - 1];
        value_.assign(text_ + start, ends_[index_] - start);
    }

    const char *text_;
    const size_t *ends_;
    size_t count_;
    size_t index_ = 0;
    std::string value_;
};

/// `key=value` pairs parted by spaces. As a dictionary they are not echoed to stderr by the trainer.
std::unordered_map<std::string, std::string> dictionary(const char *options) {
    std::unordered_map<std::string, std::string> result;
    std::istringstream stream(options);
    for (std::string option; stream >> option;) {
        const size_t equals = option.find('=');
        if (equals != std::string::npos) result[option.substr(0, equals)] = option.substr(equals + 1);
    }
    return result;
}

/// The one place where C++ exceptions stop.
template <typename Result, typename Body>
Result guarded(Result failure, char *error, size_t capacity, Body body) {
    try {
        return body();
    } catch (const std::exception &exception) {
        report(error, capacity, exception.what());
    } catch (...) {
        report(error, capacity, "unknown C++ exception");
    }
    return failure;
}

} // namespace

int sp_train(const char *options, const char *text, const size_t *ends, size_t count, uint8_t **model, size_t *length,
    char *error, size_t error_capacity) {
    return guarded(-1, error, error_capacity, [&] {
        Sentences sentences(text, ends, count);
        std::string serialized;
        const auto status = sentencepiece::SentencePieceTrainer::Train(dictionary(options), &sentences, &serialized);
        if (!status.ok() || serialized.empty()) {
            report(error, error_capacity, status.ok() ? "empty model" : status.message());
            return -1;
        }
        *model = static_cast<uint8_t *>(std::malloc(serialized.size()));
        if (*model == nullptr) {
            report(error, error_capacity, "out of memory");
            return -1;
        }
        std::memcpy(*model, serialized.data(), serialized.size());
        *length = serialized.size();
        return 0;
    });
}

void sp_release(uint8_t *model) { std::free(model); }

SPModel *sp_open(const uint8_t *model, size_t length, char *error, size_t error_capacity) {
    return guarded<SPModel *>(nullptr, error, error_capacity, [&]() -> SPModel * {
        auto opened = std::make_unique<SPModel>();
        const auto status = opened->processor.LoadFromSerializedProto({reinterpret_cast<const char *>(model), length});
        if (!status.ok()) {
            report(error, error_capacity, status.message());
            return nullptr;
        }
        for (int id = 0; id < opened->processor.GetPieceSize(); ++id)
            opened->pieces.push_back(opened->processor.IdToPiece(id));
        return opened.release();
    });
}

void sp_close(SPModel *model) { delete model; }

int32_t sp_count(const SPModel *model) { return static_cast<int32_t>(model->pieces.size()); }

float sp_score(const SPModel *model, int32_t id) {
    return id >= 0 && id < sp_count(model) ? model->processor.GetScore(id) : 0;
}

const char *sp_piece(const SPModel *model, int32_t id, size_t *length) {
    if (id < 0 || id >= sp_count(model)) return nullptr;
    *length = model->pieces[id].size();
    return model->pieces[id].data();
}

ptrdiff_t sp_encode(const SPModel *model, const char *text, size_t length, int32_t *ids, size_t capacity) {
    return guarded<ptrdiff_t>(-1, nullptr, 0, [&]() -> ptrdiff_t {
        std::vector<int> found;
        if (!model->processor.Encode(std::string_view(text, length), &found).ok()) return -1;
        std::copy_n(found.begin(), std::min(found.size(), capacity), ids);
        return static_cast<ptrdiff_t>(found.size());
    });
}

ptrdiff_t sp_decode(const SPModel *model, const int32_t *ids, size_t count, char *text, size_t capacity) {
    return guarded<ptrdiff_t>(-1, nullptr, 0, [&]() -> ptrdiff_t {
        // An id outside the model would end the process inside SentencePiece.
        for (size_t i = 0; i < count; ++i)
            if (ids[i] < 0 || ids[i] >= sp_count(model)) return -1;
        std::string decoded;
        if (!model->processor.Decode(std::vector<int>(ids, ids + count), &decoded).ok()) return -1;
        if (capacity > 0) std::memcpy(text, decoded.data(), std::min(decoded.size(), capacity));
        return static_cast<ptrdiff_t>(decoded.size());
    });
}
