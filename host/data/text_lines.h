// An input read line by line as it comes, from a file or a pipe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// Reads a file or standard input line by line. Waits for no more than the line that is asked for:
/// what a pipe or a terminal has given is taken at once.
class TextLines {
 public:
  /// Standard input for "" and "-". Errors: usage when there is no such file, when it is a folder,
  /// empty or unreadable.
  explicit TextLines(const std::string& file);
  ~TextLines();
  TextLines(const TextLines&) = delete;
  TextLines& operator=(const TextLines&) = delete;

  /// The file, or "standard input".
  const std::string& name() const { return name_; }
  bool from_file() const { return from_file_; }
  bool from_terminal() const;

  /// The next line without its LF; false at the end. Bytes behind the last LF are a line. Errors:
  /// runtime when the system cannot read.
  bool next(std::string& line);

  /// The beginning of the input: what has been read, and of the rest up to `limit` bytes what is
  /// there without waiting; waits only where nothing has been read at all. Until forget_beginning()
  /// all that is read is kept.
  std::string_view beginning(std::size_t limit);
  /// Whether nothing comes behind what has been read.
  bool ended() const { return ended_; }
  void forget_beginning();

 private:
  bool read_more();          // waits; false at the end
  bool is_readable() const;  // without waiting

  std::string name_;
  bool from_file_;
  int descriptor_ = -1;
  bool ended_ = false, keep_ = true;
  std::string bytes_;
  std::size_t at_ = 0;  // of the next line in bytes_
};

}  // namespace sluice
