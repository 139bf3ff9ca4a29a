#include "unsupported_ops.h"

#include "tensorflow/core/framework/node_def_util.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace mask2cad {
namespace {

bool IsSupported(tensorflow::NodeDef node) {
  const tensorflow::OpRegistrationData* op = nullptr;
  if (!tensorflow::OpRegistry::Global()->LookUp(node.op(), &op).ok()) {
    return false;
  }
  // A SavedModel leaves default attributes out; kernels are chosen by them.
  tensorflow::AddDefaultsToNodeDef(op->op_def, &node);
  return tensorflow::KernelDefAvailable(tensorflow::DEVICE_CPU, node);
}

}  // namespace

std::set<std::string> UnsupportedOps(const tensorflow::MetaGraphDef& model) {
  std::set<std::string> functions, unsupported;
  for (const auto& function : model.graph_def().library().function()) {
    functions.insert(function.signature().name());
  }
  const auto check = [&](const auto& nodes) {
    for (const tensorflow::NodeDef& node : nodes) {
      if (!functions.count(node.op()) && !IsSupported(node)) {
        unsupported.insert(node.op());
      }
    }
  };
  check(model.graph_def().node());
  for (const auto& function : model.graph_def().library().function()) {
    check(function.node_def());
  }
  return unsupported;
}

}  // namespace mask2cad
