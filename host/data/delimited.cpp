// CSV and TSV by RFC 4180: a field may be quoted, and then hold delimiters, line breaks and,
// doubled, quotes. Beyond it: LF alone ends a line, and a quote inside an unquoted field is itself.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "host/data/example_columns.h"
#include "host/data/example_readers.h"
#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

struct Record {
  std::vector<std::string> fields;
  std::int64_t line = 0;  // where it begins
  std::string problem;    // empty for a good one
};

class RecordReader {
 public:
  RecordReader(std::unique_ptr<ByteSource> source, char delimiter, std::size_t max_bytes)
      : source_(std::move(source)), delimiter_(delimiter), max_bytes_(max_bytes) {}

  const std::string& name() const { return source_->name(); }

  /// Skips blank lines; false at the end. `record`'s strings are reused.
  bool next(Record& record) {
    do {
      if (!refill()) return false;
      record.problem.clear();
      record.line = line_;
      bytes_ = 0;
      read_record(record);
    } while (record.fields.size() == 1 && record.fields[0].empty() && bytes_ <= 2);
    return true;
  }

 private:
  /// False at the end of the file.
  bool refill() {
    if (pending_.empty()) pending_ = source_->read();
    return !pending_.empty();
  }

  void take(std::size_t count) {
    pending_.remove_prefix(count);
    bytes_ += count;
  }

  void read_record(Record& record) {
    std::size_t count = 0;
    bool more = true;
    while (more) {
      if (count == record.fields.size()) record.fields.emplace_back();
      std::string& field = record.fields[count++];
      field.clear();
      if (refill() && pending_.front() == '"') read_quoted(record, field);
      more = read_plain(record, field);
    }
    record.fields.resize(count);
  }

  /// Up to and with the closing quote, which must end the field.
  void read_quoted(Record& record, std::string& field) {
    const std::int64_t opened = line_;
    take(1);
    for (;;) {
      if (!refill()) {
        throw Error::usage(name() + ":" + std::to_string(opened) +
                           ": a quoted field opens here and is never closed; double the quotes "
                           "inside a quoted field");
      }
      const std::size_t close = pending_.find('"');
      const std::string_view part = pending_.substr(0, close);
      line_ += std::count(part.begin(), part.end(), '\n');
      append(record, field, part);
      take(part.size());
      if (close == std::string_view::npos) continue;
      take(1);
      if (!refill() || pending_.front() != '"') break;
      field += '"';
      take(1);
    }
    if (refill() && pending_.front() != delimiter_ && pending_.front() != '\n' &&
        pending_.front() != '\r') {
      record.problem = "text after the closing quote of a field; double the quotes inside it";
    }
  }

  /// Up to and with the delimiter (true) or the line's end (false).
  bool read_plain(Record& record, std::string& field) {
    const std::size_t quoted_size = field.size();
    while (refill()) {
      std::size_t end = 0;
      while (end < pending_.size() && pending_[end] != delimiter_ && pending_[end] != '\n') ++end;
      append(record, field, pending_.substr(0, end));
      if (end == pending_.size()) {
        take(end);
        continue;
      }
      const bool delimiter = pending_[end] == delimiter_;
      take(end + 1);
      if (delimiter) return true;
      ++line_;
      break;
    }
    if (field.size() > quoted_size && field.back() == '\r') field.pop_back();
    return false;
  }

  void append(const Record& record, std::string& field, std::string_view part) {
    if (bytes_ + part.size() > max_bytes_) {
      throw Error::usage(name() + ":" + std::to_string(record.line) +
                         ": the record that begins here is longer than " +
                         std::to_string(max_bytes_) +
                         " bytes; is a quote never closed? Else split it or raise the limit");
    }
    field.append(part);
  }

  std::unique_ptr<ByteSource> source_;
  char delimiter_;
  std::size_t max_bytes_;
  std::string_view pending_;
  std::size_t bytes_ = 0;  // of this record
  std::int64_t line_ = 1;
};

void check_column(int column, const char* role, const std::string& wanted, const Record& header,
                  const std::string& name) {
  if (column >= 0) return;
  std::string columns;
  for (const std::string& field : header.fields) {
    columns += (columns.empty() ? "" : ", ") + quote(field, 40);
  }
  const std::string where = name + ":" + std::to_string(header.line) + ": ";
  if (column == ExampleColumns::ambiguous) {
    throw Error::usage(where + "the " + role + " column " + quote(wanted) +
                       " comes twice in the header: " + columns);
  }
  throw Error::usage(where + "no " + role + " column " + quote(wanted) +
                     " in the header, which has " + columns +
                     "; add a header line or name the column");
}

}  // namespace

void read_delimited(std::unique_ptr<ByteSource> source, char delimiter, ExampleSink& sink) {
  const ReadOptions& options = sink.options();
  RecordReader reader(std::move(source), delimiter, options.max_record_bytes);
  Record header;
  if (!reader.next(header)) {
    throw Error::usage(reader.name() + ":1: expected a header line, got blank lines only");
  }
  const ExampleColumns columns = find_example_columns(header.fields, options);
  check_column(columns.label, "label", options.label_column, header, reader.name());
  check_column(columns.text, "text", options.text_column, header, reader.name());
  const auto label = static_cast<std::size_t>(columns.label);
  const auto text = static_cast<std::size_t>(columns.text);

  Record record;
  while (reader.next(record)) {
    if (!record.problem.empty()) {
      sink.reject(record.line, record.problem);
    } else if (record.fields.size() != header.fields.size()) {
      sink.reject(record.line, "expected " + std::to_string(header.fields.size()) +
                                   " fields as in the header, got " +
                                   std::to_string(record.fields.size()));
    } else {
      sink.accept(record.line, std::move(record.fields[text]), record.fields[label]);
    }
  }
}

}  // namespace sluice
