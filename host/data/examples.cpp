#include "host/data/examples.h"

#include <filesystem>
#include <string_view>

#include "host/data/example_readers.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

FileFormat format_by_name(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".csv")) return FileFormat::csv;
  if (path.ends_with(".tsv") || path.ends_with(".tab")) return FileFormat::tsv;
  if (path.ends_with(".jsonl") || path.ends_with(".ndjson") || path.ends_with(".json")) {
    return FileFormat::json_lines;
  }
  return FileFormat::automatic;
}

FileFormat format_by_content(std::string_view begin) {
  const std::string_view line = begin.substr(0, begin.find('\n'));
  if (line.starts_with('{')) return FileFormat::json_lines;
  return line.find('\t') != std::string_view::npos ? FileFormat::tsv : FileFormat::csv;
}

}  // namespace

std::string ExampleSet::location(std::size_t i) const {
  const Example& example = examples[i];
  return files[static_cast<std::size_t>(example.file)] + ":" + std::to_string(example.line);
}

std::string ExampleSet::bad_row_summary() const {
  if (bad_rows == 0) return "";
  const std::size_t rows = examples.size() + static_cast<std::size_t>(bad_rows);
  std::string summary = std::to_string(bad_rows) + " of " + std::to_string(rows) +
                        (rows == 1 ? " row" : " rows") + " left out:";
  for (const std::string& report : bad_reports) summary += "\n  " + report;
  if (static_cast<std::size_t>(bad_rows) > bad_reports.size()) summary += "\n  ...";
  return summary;
}

ExampleSet read_examples(const std::string& path, const ReadOptions& options) {
  ExampleSink sink(options);
  FileFormat format = options.format;
  std::error_code ignored;
  if (format == FileFormat::automatic && std::filesystem::is_directory(path, ignored)) {
    format = FileFormat::folder;
  }
  if (format == FileFormat::folder) {
    read_text_folder(path, sink);
    return sink.finish(path);
  }
  auto source = std::make_unique<ByteSource>(path);
  const std::string name = source->name();
  sink.begin_file(name);
  if (source->peek().empty()) {
    throw Error::usage(name + ": the file is empty; expected labelled texts");
  }
  if (format == FileFormat::automatic) format = format_by_name(path);
  if (format == FileFormat::automatic) format = format_by_content(source->peek());
  if (format == FileFormat::json_lines) {
    read_json_lines(std::move(source), sink);
  } else {
    read_delimited(std::move(source), format == FileFormat::tsv ? '\t' : ',', sink);
  }
  return sink.finish(name);
}

}  // namespace sluice
