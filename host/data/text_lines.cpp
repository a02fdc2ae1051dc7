#include "host/data/text_lines.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kernels/base/error.h"

namespace sluice {
namespace {
constexpr std::size_t read_bytes = std::size_t{64} << 10;
}

TextLines::TextLines(const std::string& file)
    : name_(file), from_file_(!file.empty() && file != "-") {
  if (!from_file_) {
    name_ = "standard input";
    descriptor_ = STDIN_FILENO;
    return;
  }
  std::error_code failed;
  const auto status = std::filesystem::status(file, failed);
  require(std::filesystem::exists(status), file + ": no such file");
  require(!std::filesystem::is_directory(status),
          file + ": is a folder, expected a file with one text a line");
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  require(descriptor_ >= 0, "cannot read " + file + ": " + std::strerror(errno));
  const bool any = read_more();
  if (!any) {
    ::close(descriptor_);
    throw Error::usage(file + ": the file is empty, expected one text a line");
  }
}

TextLines::~TextLines() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

bool TextLines::from_terminal() const { return ::isatty(descriptor_) == 1; }

bool TextLines::next(std::string& line) {
  std::size_t searched = at_, end = 0;
  while ((end = bytes_.find('\n', searched)) == std::string::npos) {
    if (!keep_ && at_ > 0) {
      bytes_.erase(0, at_);
      at_ = 0;
    }
    searched = bytes_.size();
    if (read_more()) continue;
    if (at_ == bytes_.size()) return false;
    end = bytes_.size();
    break;
  }
  line.assign(bytes_, at_, end - at_);
  at_ = std::min(end + 1, bytes_.size());
  return true;
}

std::string_view TextLines::beginning(std::size_t limit) {
  if (bytes_.empty()) read_more();
  while (bytes_.size() < limit && is_readable() && read_more()) {
  }
  return bytes_;
}

void TextLines::forget_beginning() { keep_ = false; }

bool TextLines::read_more() {
  const std::size_t before = bytes_.size();
  while (!ended_ && bytes_.size() == before) {
    bytes_.resize(before + read_bytes);
    const ssize_t got = ::read(descriptor_, bytes_.data() + before, read_bytes);
    const int reason = errno;
    bytes_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) ended_ = true;
    if (got >= 0 || reason == EINTR) continue;
    if (reason != EAGAIN)
      throw Error::runtime("cannot read " + name_ + ": " + std::strerror(reason));
    pollfd input = {descriptor_, POLLIN, 0};  // whoever shares it has told it not to wait
    ::poll(&input, 1, -1);
  }
  return bytes_.size() > before;
}

bool TextLines::is_readable() const {
  pollfd input = {descriptor_, POLLIN, 0};
  return !ended_ && ::poll(&input, 1, 0) == 1;
}

}  // namespace sluice
