// Labelled texts, lists of tokens or frames, and reading them from files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// What examples hold; all of a set hold the same.
enum class InputKind {
  text,    ///< to be split into tokens
  tokens,  ///< in a list
  frames,  ///< numbers, F for each step
};
enum class TargetKind {
  none,  ///< to be predicted
  row,   ///< one label an example
  step,  ///< one for each token or frame
};

const char* name_of(InputKind input);  ///< text, tokens, frames

/// Of text, tokens and frames one is filled, of label and labels one or none.
struct Example {
  std::string text;       ///< UTF-8, as the file has it
  std::string label;      ///< without surrounding white space; an integer or any other string
  std::int32_t file = 0;  ///< index into ExampleSet::files
  std::int64_t line = 0;  ///< where the record begins, from 1
  std::vector<std::string> tokens = {};  ///< UTF-8, as the file has them
  std::vector<std::string> labels = {};  ///< of the steps, written as `label`
  std::vector<float> frames = {};        ///< [steps, ExampleSet::width]
};

/// What a reader found.
struct ExampleSet {
  InputKind input = InputKind::text;
  TargetKind targets = TargetKind::row;
  std::int32_t width = 0;  ///< F of frames
  std::vector<Example> examples;
  std::vector<std::string> files;        ///< the paths read; none of examples that a program made
  std::int64_t bad_rows = 0;             ///< rows left out
  std::vector<std::string> bad_reports;  ///< "file:line: reason" of the first few

  /// Tokens or frames of example i; 0 of a text.
  std::size_t steps(std::size_t i) const;
  /// "file:line" of example i, or which one it is where there are no files.
  std::string location(std::size_t i) const;
  /// For people: how many rows were left out and why the first were; empty if none.
  std::string bad_row_summary() const;
};

enum class FileFormat {
  automatic,  ///< by the name (.csv, .tsv, .tab, .jsonl, .ndjson, .json, .conll, .bio, .iob, .iob2,
              ///< each also with .gz), a folder is one of text files; another name is judged by its
              ///< first line. With targets of steps a .tsv is columns, and so is what is no JSON
  csv,        ///< RFC 4180 with a header line
  tsv,        ///< the same with tabs
  json_lines,  ///< one object a line
  folder,      ///< DIR/<label>/*.txt, as in aclImdb/train/{pos,neg}; DIR/unsup is left out
  conll,       ///< a line for each token, its columns separated by blanks or tabs: the token is the
               ///< first, its label the last; a blank line ends the sentence; -DOCSTART- lines are
               ///< left out
};

const char* name_of(FileFormat format);  ///< auto, csv, tsv, jsonl, folder, conll
/// Errors: usage, naming the choices.
FileFormat format_from_name(const std::string& name);

struct ReadOptions {
  FileFormat format = FileFormat::automatic;
  TargetKind targets = TargetKind::row;  ///< what must have a label
  std::string label_column = "label";
  std::string text_column = "text";
  // A default name that the file lacks gives way to the first of these it has, in any case:
  // label, sentiment, class, category, target, polarity; text, review, sentence, content, body, and
  // in JSON tokens, words, frames. With targets of steps, or none, a list comes before a text, and
  // the labels are labels, tags, ner_tags, pos_tags, label.
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
/// too long; an empty list, an empty token, a token or a label of a step with a control character
/// in it; lists of tokens and labels whose lengths differ; a frame of another width than those
/// before, or with a number that is not finite as a float32; rows of another kind than the first
/// good one. Blank lines are skipped. A UTF-8 byte-order mark is ignored; lines may end in CR LF.
///
/// Errors, all of kind usage and with file and line: `path` missing, unreadable, empty or without
/// one good row, or of a format without such targets; no header, a column missing or named twice;
/// an unclosed quote; a record longer than the limit; damaged gzip; UTF-16; with `strict`, the
/// first bad row. Runtime: a read fails.
ExampleSet read_examples(const std::string& path, const ReadOptions& options = {});

}  // namespace sluice
