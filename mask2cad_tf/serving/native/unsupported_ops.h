// What a graph asks for and the linked TensorFlow does not have.

#ifndef MASK2CAD_TF_SERVING_NATIVE_UNSUPPORTED_OPS_H_
#define MASK2CAD_TF_SERVING_NATIVE_UNSUPPORTED_OPS_H_

#include <set>
#include <string>

#include "tensorflow/core/protobuf/meta_graph.pb.h"

namespace mask2cad {

// Ops of graph and functions that are not registered, or lack a CPU kernel.
//
// LoadSavedModel looks at the graph alone, but what Python writes is nearly
// all in functions: there an unknown op would only fail the first request.
std::set<std::string> UnsupportedOps(const tensorflow::MetaGraphDef& model);

}  // namespace mask2cad

#endif  // MASK2CAD_TF_SERVING_NATIVE_UNSUPPORTED_OPS_H_
