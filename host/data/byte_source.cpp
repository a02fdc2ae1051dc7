#include "host/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kernels/base/error.h"

namespace sluice {
namespace {
constexpr std::size_t buffer_bytes = std::size_t{64} << 10;
}

/// Gzip's members one after the other.
class ByteSource::Inflater {
 public:
  explicit Inflater(const std::string& name) : name_(name), buffer_(buffer_bytes, '\0') {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) {
      throw Error::runtime(name + ": zlib cannot start: out of memory");
    }
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// `refill()` gives more compressed bytes, empty at the end.
  template <class Refill>
  std::string_view read(Refill&& refill) {
    for (;;) {
      if (stream_.avail_in == 0) {
        const std::string_view raw = refill();
        if (raw.empty()) {
          if (inside_member_) throw damaged("it ends too early");
          return {};
        }
        give(raw);
      }
      if (!inside_member_ && inflateReset(&stream_) != Z_OK) throw damaged("zlib cannot go on");
      inside_member_ = true;
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        inside_member_ = false;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw damaged(stream_.msg != nullptr ? stream_.msg : "zlib gives up");
      }
      const std::size_t size = buffer_.size() - stream_.avail_out;
      if (size > 0) return {buffer_.data(), size};
    }
  }

  void give(std::string_view raw) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
    stream_.avail_in = static_cast<uInt>(raw.size());
  }

 private:
  Error damaged(const std::string& what) const {
    return Error::usage(name_ + ": damaged gzip file: " + what + "; fetch or compress it again");
  }

  const std::string& name_;
  std::string buffer_;
  z_stream stream_{};
  bool inside_member_ = true;
};

ByteSource::ByteSource(const std::string& path)
    : name_(path == "-" ? "standard input" : path), raw_(buffer_bytes, '\0') {
  if (path == "-") {
    descriptor_ = STDIN_FILENO;
    return;
  }
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    throw Error::usage(path + ": cannot open the file: " + std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(descriptor_);
    throw Error::usage(path + ": expected a file, got a folder");
  }
}

ByteSource::~ByteSource() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

std::string_view ByteSource::read_raw(std::size_t at_least) {
  std::size_t size = 0;
  do {
    const ssize_t got = ::read(descriptor_, raw_.data() + size, raw_.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::runtime(name_ + ": cannot read: " + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  } while (size < at_least);
  return {raw_.data(), size};
}

std::string_view ByteSource::read_decoded() {
  if (inflater_ == nullptr) return read_raw(1);
  return inflater_->read([this] { return read_raw(1); });
}

std::string_view ByteSource::start() {
  started_ = true;
  constexpr std::size_t longest_mark = 3;
  std::string_view bytes = read_raw(1);
  if (!bytes.empty() && bytes.size() < longest_mark &&
      (bytes[0] == '\x1F' || static_cast<unsigned char>(bytes[0]) >= 0x80)) {
    const std::string begin(bytes);
    const std::size_t more = read_raw(longest_mark - begin.size()).size();
    raw_.insert(0, begin);
    bytes = {raw_.data(), begin.size() + more};
  }
  if (bytes.starts_with("\x1F\x8B")) {
    inflater_ = std::make_unique<Inflater>(name_);
    inflater_->give(bytes);
    bytes = read_decoded();
  }
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    throw Error::usage(name_ + ": expected UTF-8, got UTF-16; convert it with iconv");
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    bytes.remove_prefix(longest_mark);
    if (bytes.empty()) bytes = read_decoded();
  }
  return bytes;
}

std::string_view ByteSource::read() {
  if (!peeked_.empty()) return std::exchange(peeked_, {});
  return started_ ? read_decoded() : start();
}

std::string_view ByteSource::peek() {
  if (peeked_.empty()) peeked_ = read();
  return peeked_;
}

bool LineReader::next(std::string& line) {
  line.clear();
  bool any = false;
  for (;;) {
    if (pending_.empty()) pending_ = source_->read();
    if (pending_.empty()) {
      if (!any) return false;
      break;
    }
    any = true;
    const std::size_t end = pending_.find('\n');
    const std::string_view part = pending_.substr(0, end);
    if (line.size() + part.size() > max_line_bytes_) {
      throw Error::usage(name() + ":" + std::to_string(line_number_ + 1) +
                         ": the line is longer than " + std::to_string(max_line_bytes_) +
                         " bytes; split it or raise the limit");
    }
    line.append(part);
    pending_.remove_prefix(end == std::string_view::npos ? pending_.size() : end + 1);
    if (end != std::string_view::npos) break;
  }
  if (line.ends_with('\r')) line.pop_back();
  ++line_number_;
  return true;
}

}  // namespace sluice
