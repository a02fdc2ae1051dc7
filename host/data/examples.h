// Labelled texts, and reading them from files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct Example {
  std::string text;       ///< UTF-8, as the file has it
  std::string label;      ///< without surrounding white space; an integer or any other string
  std::int32_t file = 0;  ///< index into ExampleSet::files
  std::int64_t line = 0;  ///< where the record begins, from 1
};

/// What a reader found.
struct ExampleSet {
  std::vector<Example> examples;
  std::vector<std::string> files;        ///< the paths read
  std::int64_t bad_rows = 0;             ///< rows left out
  std::vector<std::string> bad_reports;  ///< "file:line: reason" of the first few

  /// "file:line" of example i.
  std::string location(std::size_t i) const;
  /// For people: how many rows were left out and why the first were; empty if none.
  std::string bad_row_summary() const;
};

enum class FileFormat {
  automatic,   ///< by the name (.csv, .tsv, .tab, .jsonl, .ndjson, .json, each also with .gz), a
               ///< folder is one of text files; another name is judged by its first line
  csv,         ///< RFC 4180 with a header line
  tsv,         ///< the same with tabs
  json_lines,  ///< one object a line
  folder,      ///< DIR/<label>/*.txt, as in aclImdb/train/{pos,neg}; DIR/unsup is left out
};

struct ReadOptions {
  FileFormat format = FileFormat::automatic;
  std::string label_column = "label";
  std::string text_column = "text";
  // A default name that the file lacks gives way to the first of these it has, in any case:
  // label, sentiment, class, category, target, polarity; text, review, sentence, content, body.
  std::string split = "train";                        ///< of a folder that holds train/ and test/
  bool strict = false;                                ///< a bad row is an error
  int reported_rows = 5;                              ///< length of bad_reports
  std::size_t max_text_bytes = std::size_t{4} << 20;  ///< a longer text is a bad row: mostly
                                                      ///< rows that a stray quote made one
  std::size_t max_record_bytes = std::size_t{64} << 20;  ///< a longer record is an error
};

/// Reads a whole file or folder; gzip is recognised by its content.
///
/// A bad row is counted, reported and left out: wrong number of fields, text after a closing quote,
/// ill-formed UTF-8, invalid JSON or a missing key, an empty label, a text of white space only or
/// too long. Blank lines are skipped. A UTF-8 byte-order mark is ignored; lines may end in CR LF.
///
/// Errors, all of kind usage and with file and line: `path` missing, unreadable, empty or without
/// one good row; no header, a column missing or named twice; an unclosed quote; a record longer
/// than the limit; damaged gzip; UTF-16; with `strict`, the first bad row. Runtime: a read fails.
ExampleSet read_examples(const std::string& path, const ReadOptions& options = {});

}  // namespace sluice
