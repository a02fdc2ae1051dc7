// What makes a row a good one.
#pragma once

#include <string>

#include "host/data/examples.h"
#include "host/data/record_parser.h"

namespace sluice {

/// What is wrong with a record by the rules of read_examples(), for people; empty if it is good.
/// Takes the white space around its labels away.
std::string find_problem(ExampleRecord& record, const ReadOptions& options);

/// What examples with such targets are, for people: "labelled texts".
const char* name_of_wanted(TargetKind targets);

}  // namespace sluice
