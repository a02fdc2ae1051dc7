#include "host/data/examples.h"

#include <filesystem>

#include "host/data/example_readers.h"
#include "host/data/example_rules.h"
#include "host/data/file_format.h"
#include "kernels/base/error.h"

namespace sluice {

const char* name_of(InputKind input) {
  return input == InputKind::text ? "text" : input == InputKind::tokens ? "tokens" : "frames";
}

const char* name_of(FileFormat format) {
  switch (format) {
    case FileFormat::automatic: return "auto";
    case FileFormat::csv: return "csv";
    case FileFormat::tsv: return "tsv";
    case FileFormat::json_lines: return "jsonl";
    case FileFormat::folder: return "folder";
    case FileFormat::conll: return "conll";
  }
  return "";
}

FileFormat format_from_name(const std::string& name) {
  for (const FileFormat format : {FileFormat::automatic, FileFormat::csv, FileFormat::tsv,
                                  FileFormat::json_lines, FileFormat::folder, FileFormat::conll}) {
    if (name == name_of(format)) return format;
  }
  throw Error::usage("format must be auto, csv, tsv, jsonl, folder or conll, got '" + name + "'");
}

std::size_t ExampleSet::steps(std::size_t i) const {
  return width > 0 ? examples[i].frames.size() / static_cast<std::size_t>(width)
                   : examples[i].tokens.size();
}

std::string ExampleSet::location(std::size_t i) const {
  const Example& example = examples[i];
  if (files.empty()) return "example " + std::to_string(i + 1);
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
  if (format != FileFormat::automatic) check_format(format, path, options.targets);
  if (format == FileFormat::folder) {
    read_text_folder(path, sink);
    return sink.finish(path);
  }
  auto source = std::make_unique<ByteSource>(path);
  const std::string name = source->name();
  sink.begin_file(name);
  if (source->peek().empty()) {
    throw Error::usage(name + ": the file is empty; expected " + name_of_wanted(options.targets));
  }
  if (format == FileFormat::automatic) format = find_format(path, source->peek(), options.targets);
  if (format == FileFormat::csv || format == FileFormat::tsv) {
    read_delimited(std::move(source), format == FileFormat::tsv ? '\t' : ',', sink);
  } else {
    read_records(std::move(source), format, sink);
  }
  return sink.finish(name);
}

}  // namespace sluice
