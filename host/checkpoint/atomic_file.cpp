#include "host/checkpoint/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "kernels/base/error.h"

namespace sluice {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what, int reason) {
  throw Error::runtime("cannot write " + path.string() + ": " + what + ": " +
                       std::strerror(reason) + "; what was saved before is unchanged");
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int number() const { return number_; }
  /// close() can report a write that failed late.
  bool close() {
    const int number = number_;
    number_ = -1;
    return ::close(number) == 0;
  }

 private:
  int number_;
};

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void replace_file(const std::filesystem::path& path, const std::vector<std::string_view>& parts) {
  std::filesystem::path folder = path.parent_path();
  if (folder.empty()) folder = ".";
  std::string temporary = (folder / ".").string();
  temporary.append(path.filename().string()).append(".XXXXXX");
  FileDescriptor file(::mkstemp(temporary.data()));
  if (file.number() < 0) fail(path, "creating a temporary file beside it", errno);

  const auto give_up = [&](const char* what) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    fail(path, what, reason);
  };
  for (const std::string_view part : parts) {
    if (!write_all(file.number(), part)) give_up("writing");
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(file.number(), 0666 & ~mask) != 0) give_up("setting its mode");
  if (::fsync(file.number()) != 0) give_up("flushing to the disk");
  if (!file.close()) give_up("closing");
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up("renaming");

  // A file system that cannot flush a folder says EINVAL.
  FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.number() < 0 || (::fsync(directory.number()) != 0 && errno != EINVAL)) {
    throw Error::runtime("wrote " + path.string() +
                         " but could not flush its folder: " + std::strerror(errno));
  }
}

}  // namespace sluice
