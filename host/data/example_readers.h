// One reader for each format of examples; read_examples() chooses among them.
#pragma once

#include <memory>
#include <string>

#include "host/data/byte_source.h"
#include "host/data/example_sink.h"

namespace sluice {

/// RFC 4180 with `delimiter` between the fields and a header line.
void read_delimited(std::unique_ptr<ByteSource> source, char delimiter, ExampleSink& sink);

/// The records of lines: json_lines or conll.
void read_records(std::unique_ptr<ByteSource> source, FileFormat format, ExampleSink& sink);

/// path/<label>/*.txt and *.txt.gz, or path/<split>/<label>/...; labels and files in the order of
/// their bytes.
void read_text_folder(const std::string& path, ExampleSink& sink);

}  // namespace sluice
