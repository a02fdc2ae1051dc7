#include "host/network/precision.h"

#include "kernels/base/error.h"

namespace sluice {

void Precision::validate() const {
  require(
      data_type != DataType::float64,
      "dtype must be float32, bfloat16 or float16; float64 is for the engine's gradient checks");
  require(
      math == MatrixMath::ieee || data_type == DataType::float32,
      std::string("tf32 is a way to multiply float32 and does not go with ") + name_of(data_type));
}

DataType data_type_from_name(const std::string& name) {
  for (const DataType type : {DataType::float32, DataType::bfloat16, DataType::float16}) {
    if (name == name_of(type)) return type;
  }
  throw Error::usage("dtype must be float32, bfloat16 or float16, got '" + name + "'");
}

}  // namespace sluice
