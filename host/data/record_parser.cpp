#include "host/data/record_parser.h"

#include <utility>

#include "host/data/conll_records.h"
#include "host/data/example_readers.h"
#include "host/data/json_records.h"
#include "kernels/base/error.h"

namespace sluice {

std::unique_ptr<RecordParser> make_record_parser(FileFormat format, const ReadOptions& options) {
  if (format == FileFormat::json_lines) return make_json_records(options);
  require(format == FileFormat::conll,
          std::string("records of lines: expected jsonl or conll, got ") + name_of(format));
  return make_conll_records(options);
}

void read_records(std::unique_ptr<ByteSource> source, FileFormat format, ExampleSink& sink) {
  const std::unique_ptr<RecordParser> parser = make_record_parser(format, sink.options());
  LineReader reader(std::move(source), sink.options().max_record_bytes);
  ExampleRecord record;
  for (std::string line; reader.next(line);) {
    if (parser->take(line, reader.line_number(), record)) sink.accept(std::move(record));
  }
  if (parser->finish(record)) sink.accept(std::move(record));
}

}  // namespace sluice
