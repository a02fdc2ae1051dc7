#include "host/checkpoint/model_file.h"

#include <cstring>

#include "host/json/json_fields.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr const char* format_name = "sluice-model-1";

JsonFields fields_of(TokenizerOptions& tokenizer, EncodeOptions& encode) {
  return {json_field("fold_case", tokenizer.fold_case),
          json_field("strip_html_breaks", tokenizer.strip_html_breaks),
          json_field("keep_punctuation", tokenizer.keep_punctuation),
          json_field("max_length", encode.max_length),
          json_field("truncation", encode.truncation, name_of, truncation_from_name),
          json_field("padding", encode.padding, name_of, padding_from_name)};
}

std::string text_to_json(TokenizerOptions tokenizer, EncodeOptions encode) {
  return write_fields(fields_of(tokenizer, encode)).dump();
}

const Task* task_of(const std::string& name, const std::string& where) {
  try {
    return &task_from_name(name);
  } catch (const Error& error) {
    throw Error::runtime(where + ": " + error.what() +
                         "; it was written by another version of Sluice");
  }
}

}  // namespace

std::map<std::string, std::string> to_metadata(const ModelDescription& description) {
  std::map<std::string, std::string> metadata = description.notes;
  metadata["format"] = format_name;
  metadata["task"] = description.task->name();
  metadata["model"] = description.model.to_json();
  metadata["labels"] = Json(description.labels).dump();
  metadata["vocabulary"] = description.vocabulary_fingerprint;
  metadata["text"] = text_to_json(description.tokenizer, description.encode);
  return metadata;
}

ModelDescription description_from_metadata(const SafetensorsFile& file) {
  ModelDescription description;
  if (file.metadata("format") != format_name) {
    throw Error::runtime(file.name() + ": format '" + file.metadata("format") + "', expected '" +
                         format_name + "'; it was written by another version of Sluice");
  }
  if (const auto task = file.metadata().find("task"); task != file.metadata().end()) {
    description.task = task_of(task->second, file.name());
  }
  description.model = ModelConfig::from_json(file.metadata("model"), file.name());
  description.vocabulary_fingerprint = file.metadata("vocabulary");
  read_fields(file.metadata("text"), fields_of(description.tokenizer, description.encode),
              file.name(), "the description of its texts");
  try {
    description.labels = Json::parse(file.metadata("labels")).get<std::vector<std::string>>();
  } catch (const JsonError& error) {
    throw Error::runtime(file.name() + ": its description cannot be read: " + error.what());
  }
  if (static_cast<int>(description.labels.size()) != description.model.classes) {
    throw Error::runtime(file.name() + ": it has " + std::to_string(description.labels.size()) +
                         " labels for " + std::to_string(description.model.classes) + " classes");
  }
  for (const auto& [key, value] : file.metadata()) {
    if (key != "format" && key != "task" && key != "model" && key != "labels" &&
        key != "vocabulary" && key != "text" && key != "checksum") {
      description.notes[key] = value;
    }
  }
  return description;
}

std::vector<TensorToWrite> tensors_to_write(const ParameterLayout& layout,
                                            const std::vector<float>& values,
                                            const std::string& prefix) {
  std::vector<TensorToWrite> tensors;
  for (const ParameterView& view : layout.views) {
    tensors.push_back({prefix + view.name, "F32", view.shape, values.data() + view.offset});
  }
  return tensors;
}

std::vector<float> read_tensors(const SafetensorsFile& file, const ParameterLayout& layout,
                                const std::string& prefix) {
  for (const ParameterView& view : layout.views) {
    file.tensor(prefix + view.name, "F32", view.shape);  // before memory is taken for it
  }
  std::vector<float> values(static_cast<std::size_t>(layout.size), 0.0f);
  for (const ParameterView& view : layout.views) {
    const std::string_view bytes = file.tensor(prefix + view.name, "F32", view.shape).bytes;
    std::memcpy(values.data() + view.offset, bytes.data(), bytes.size());
  }
  return values;
}

void save_model(const std::filesystem::path& path, const ModelDescription& description,
                const std::vector<float>& parameters) {
  write_safetensors(path, tensors_to_write(description.layout(), parameters),
                    to_metadata(description));
}

LoadedModel load_model(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  file.verify_checksum();
  LoadedModel loaded;
  loaded.description = description_from_metadata(file);
  loaded.parameters = read_tensors(file, loaded.description.layout());
  return loaded;
}

}  // namespace sluice
