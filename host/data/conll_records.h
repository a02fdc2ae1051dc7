// The column form of the CoNLL tasks.
#pragma once

#include <memory>

#include "host/data/record_parser.h"

namespace sluice {

/// As make_record_parser().
std::unique_ptr<RecordParser> make_conll_records(const ReadOptions& options);

}  // namespace sluice
