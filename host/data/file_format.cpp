#include "host/data/file_format.h"

#include "host/data/foreign_format.h"
#include "host/text/ascii_words.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

FileFormat format_of_rows(std::string_view begin) {
  const std::string_view line = begin.substr(0, begin.find('\n'));
  if (line.starts_with('{')) return FileFormat::json_lines;
  return line.find('\t') != std::string_view::npos ? FileFormat::tsv : FileFormat::csv;
}

FileFormat format_of_steps(const std::string& path, std::string_view begin) {
  if (begins_object(begin)) return FileFormat::json_lines;
  const auto json = find_json(begin, begin.size() < telling_bytes);
  require(!json, path + ": looks like " + (json ? json->name : "") +
                     ", expected JSON lines (an object a line) or columns (a token a line)");
  return FileFormat::conll;
}

bool has(FileFormat format, TargetKind targets) {
  if (format == FileFormat::json_lines) return true;
  return (format == FileFormat::conll) == (targets != TargetKind::row);
}

}  // namespace

FileFormat format_by_name(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  const auto ends_with = [&](std::initializer_list<std::string_view> endings) {
    for (const std::string_view ending : endings) {
      if (path.ends_with(ending)) return true;
    }
    return false;
  };
  if (ends_with({".csv"})) return FileFormat::csv;
  if (ends_with({".tsv", ".tab"})) return FileFormat::tsv;
  if (ends_with({".jsonl", ".ndjson", ".json"})) return FileFormat::json_lines;
  if (ends_with({".conll", ".bio", ".iob", ".iob2"})) return FileFormat::conll;
  return FileFormat::automatic;
}

bool begins_object(std::string_view begin) {
  begin = trim_ascii(begin);
  if (!begin.starts_with('{')) return false;
  begin = trim_ascii(begin.substr(1));
  return begin.starts_with('"') || begin.starts_with('}');
}

FileFormat find_format(const std::string& path, std::string_view begin, TargetKind targets) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  require(!name.ends_with(".conllu"),
          path +
              ": CoNLL-U has more columns than a token and its label; choose two with\n"
              "  awk -F'\\t' '!/^#/ {print $2 \"\\t\" $4}'");
  FileFormat format = format_by_name(path);
  // Columns by tabs are often called so.
  if (format == FileFormat::tsv && targets != TargetKind::row) format = FileFormat::conll;
  if (format == FileFormat::automatic) {
    format = targets == TargetKind::row ? format_of_rows(begin) : format_of_steps(path, begin);
  }
  check_format(format, path, targets);
  return format;
}

void check_format(FileFormat format, const std::string& path, TargetKind targets) {
  if (has(format, targets)) return;
  throw Error::usage(path + ": " + name_of(format) +
                     (targets == TargetKind::row
                          ? " has a label for each token; expected one for each text, as csv, tsv, "
                            "jsonl and folder have it"
                          : " has no lists of tokens or frames; expected jsonl or conll"));
}

}  // namespace sluice
