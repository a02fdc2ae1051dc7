// One reader for each format of examples; read_examples() chooses among them.
#pragma once

#include <memory>
#include <string>

#include "host/data/byte_source.h"
#include "host/data/example_sink.h"

namespace sluice {

/// RFC 4180 with `delimiter` between the fields and a header line.
void read_delimited(std::unique_ptr<ByteSource> source, char delimiter, ExampleSink& sink);

/// One JSON object a line: the text a string, the label a string, an integer or a boolean.
void read_json_lines(std::unique_ptr<ByteSource> source, ExampleSink& sink);

/// path/<label>/*.txt and *.txt.gz, or path/<split>/<label>/...; labels and files in the order of
/// their bytes.
void read_text_folder(const std::string& path, ExampleSink& sink);

}  // namespace sluice
