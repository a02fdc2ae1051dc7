// Bytes of a file or of standard input, gunzipped where need be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// Reads forward only. Gzip (also of several members) is recognised by its first two bytes, not by
/// the name. What a pipe or terminal has written can be read at once: nothing waits for a full
/// buffer.
class ByteSource {
 public:
  /// "-" is standard input. Errors: usage when the file is missing, unreadable or a folder.
  explicit ByteSource(const std::string& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// The path, or "standard input".
  const std::string& name() const { return name_; }

  /// The next bytes, as many as are there; empty at the end. Valid until the next call. A UTF-8
  /// byte-order mark at the beginning is left out. Errors: usage for damaged or truncated gzip and
  /// for UTF-16; runtime when the system cannot read.
  std::string_view read();

  /// What read() will give next, without taking it.
  std::string_view peek();

 private:
  class Inflater;
  std::string_view start();
  std::string_view read_raw(std::size_t at_least);
  std::string_view read_decoded();

  std::string name_;
  int descriptor_ = -1;
  bool started_ = false;
  std::string raw_;  // buffer of read_raw()
  std::string_view peeked_;
  std::unique_ptr<Inflater> inflater_;  // null for plain text
};

/// Lines of a ByteSource, as `sluice predict` reads texts.
class LineReader {
 public:
  static constexpr std::size_t default_max_line_bytes = std::size_t{64} << 20;

  explicit LineReader(const std::string& path, std::size_t max_line_bytes = default_max_line_bytes)
      : LineReader(std::make_unique<ByteSource>(path), max_line_bytes) {}
  LineReader(std::unique_ptr<ByteSource> source, std::size_t max_line_bytes)
      : source_(std::move(source)), max_line_bytes_(max_line_bytes) {}

  const std::string& name() const { return source_->name(); }
  std::int64_t line_number() const { return line_number_; }  ///< of the line last given, from 1

  /// The next line without its LF or CR LF; false at the end. A last line without LF counts.
  /// Errors: usage with file and line past max_line_bytes; and as ByteSource::read().
  bool next(std::string& line);

 private:
  std::unique_ptr<ByteSource> source_;
  std::size_t max_line_bytes_;
  std::int64_t line_number_ = 0;
  std::string_view pending_;
};

}  // namespace sluice
