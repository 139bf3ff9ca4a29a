#include "detector.h"

#include <algorithm>
#include <map>
#include <utility>

#include "bad_input.h"
#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/cc/saved_model/reader.h"
#include "unsupported_ops.h"

namespace mask2cad {
namespace {

constexpr char kServe[] = "serve";  // the tag; its header is not in the wheel
const std::map<std::string, tensorflow::DataType> kOutputs = {
    {"num_detections", tensorflow::DT_INT32},
    {"intrinsics", tensorflow::DT_FLOAT},
    {"detection_boxes", tensorflow::DT_FLOAT},
    {"detection_classes", tensorflow::DT_INT32},
    {"detection_scores", tensorflow::DT_FLOAT},
    {"detection_cad_ids", tensorflow::DT_STRING},
    {"detection_cad_scores", tensorflow::DT_FLOAT},
    {"detection_rotations", tensorflow::DT_FLOAT},
    {"detection_centers", tensorflow::DT_FLOAT}};

// The message's first line; the others tell where in the graph. Of a check in
// the graph, "assertion failed: [...]", what it says.
std::string Summary(const tensorflow::Status& status) {
  const std::string text(status.message());
  const std::string line = text.substr(0, text.find('\n'));
  const std::string check = "assertion failed: [";
  const size_t end = line.rfind(']');
  if (line.rfind(check, 0) != 0 || end == std::string::npos) return line;
  return line.substr(check.size(), end - check.size());
}

template <size_t n>
std::array<float, n> Row(const tensorflow::Tensor& tensor, int64_t row) {
  const float* first = tensor.flat<float>().data() + row * n;
  std::array<float, n> values;
  std::copy(first, first + n, values.begin());
  return values;
}

// The outputs of a batch by name.
using Outputs = std::map<std::string, tensorflow::Tensor>;

Detection ReadDetection(const Outputs& outputs, int64_t row) {
  const auto ids = outputs.at("detection_cad_ids").flat<tensorflow::tstring>();
  const auto scores = outputs.at("detection_cad_scores").flat<float>();
  const int64_t top_k = outputs.at("detection_cad_ids").dim_size(2);
  Detection found;
  found.box = Row<4>(outputs.at("detection_boxes"), row);
  found.class_id = outputs.at("detection_classes").flat<int32_t>()(row);
  found.score = outputs.at("detection_scores").flat<float>()(row);
  for (int64_t i = row * top_k; i < (row + 1) * top_k; ++i) {
    found.cad_ids.emplace_back(ids(i));
    found.cad_scores.push_back(scores(i));
  }
  found.rotation = Row<4>(outputs.at("detection_rotations"), row);
  found.center = Row<2>(outputs.at("detection_centers"), row);
  return found;
}

std::vector<Answer> ReadAnswers(const Outputs& outputs) {
  const int64_t batch = outputs.at("num_detections").dim_size(0);
  const int64_t slots = outputs.at("detection_scores").dim_size(1);
  std::vector<Answer> answers(batch);
  for (int64_t b = 0; b < batch; ++b) {
    answers[b].intrinsics = Row<4>(outputs.at("intrinsics"), b);
    const int count = outputs.at("num_detections").flat<int32_t>()(b);
    for (int i = 0; i < count; ++i) {
      answers[b].detections.push_back(ReadDetection(outputs, b * slots + i));
    }
  }
  return answers;
}

}  // namespace

class Detector::Model {
 public:
  explicit Model(const std::string& folder) : folder_(folder) {
    if (!tensorflow::MaybeSavedModelDirectory(folder)) {
      throw BadInput("No saved_model.pb in '" + folder +
                     "'. Write one: python -m mask2cad_tf.export --help");
    }
    CheckOps();
    const tensorflow::Status status =
        tensorflow::LoadSavedModel({}, {}, folder, {kServe}, &bundle_);
    if (!status.ok()) ThrowUnloadable(status);
  }

  // Status of a run; fills `outputs` when it is ok.
  tensorflow::Status Run(const std::vector<Photo>& photos,
                         const std::vector<Intrinsics>& cameras,
                         Outputs* outputs) const {
    const int64_t batch = photos.size();
    tensorflow::Tensor bytes(tensorflow::DT_STRING, {batch});
    tensorflow::Tensor intrinsics(tensorflow::DT_FLOAT, {batch, 4});
    for (int64_t b = 0; b < batch; ++b) {
      bytes.flat<tensorflow::tstring>()(b) = photos[b].bytes;
      for (size_t i = 0; i < 4 && !cameras.empty(); ++i) {
        intrinsics.matrix<float>()(b, i) = cameras[b][i];
      }
    }
    Outputs inputs = {{"image_bytes", bytes}};
    if (!cameras.empty()) inputs["intrinsics"] = intrinsics;
    return Call(cameras.empty() ? "serving_default" : "serve_with_intrinsics",
                inputs, outputs);
  }

 private:
  void CheckOps() const {
    tensorflow::MetaGraphDef graph;
    const tensorflow::Status status =
        tensorflow::ReadMetaGraphDefFromSavedModel(folder_, {kServe}, &graph);
    if (!status.ok()) ThrowUnloadable(status);
    std::string names;
    for (const std::string& op : UnsupportedOps(graph)) {
      names += (names.empty() ? "" : ", ") + op;
    }
    if (!names.empty()) {
      throw BadInput("The SavedModel '" + folder_ +
                     "' has ops that this TensorFlow lacks: " + names);
    }
  }

  [[noreturn]] void ThrowUnloadable(const tensorflow::Status& status) const {
    throw BadInput("Cannot load the SavedModel '" + folder_ +
                   "': " + Summary(status));
  }

  tensorflow::Status Call(const std::string& signature_name,
                          const Outputs& inputs, Outputs* outputs) const {
    const auto signature = bundle_.GetSignatures().find(signature_name);
    if (signature == bundle_.GetSignatures().end()) {
      throw BadInput("The SavedModel '" + folder_ + "' has no signature " +
                     signature_name + ": is it of mask2cad_tf.export?");
    }
    std::vector<std::pair<std::string, tensorflow::Tensor>> feeds;
    for (const auto& [name, tensor] : inputs) {
      feeds.emplace_back(
          Name(signature->second.inputs(), name, tensor.dtype()), tensor);
    }
    std::vector<std::string> fetches;
    for (const auto& [name, type] : kOutputs) {
      fetches.push_back(Name(signature->second.outputs(), name, type));
    }
    std::vector<tensorflow::Tensor> fetched;
    const tensorflow::Status status =
        bundle_.GetSession()->Run(feeds, fetches, {}, &fetched);
    if (!status.ok()) return status;
    auto next = fetched.begin();
    for (const auto& [name, type] : kOutputs) (*outputs)[name] = *next++;
    return status;
  }

  // The graph's name of a tensor of the signature.
  template <class Infos>
  std::string Name(const Infos& infos, const std::string& name,
                   tensorflow::DataType type) const {
    const auto info = infos.find(name);
    if (info == infos.end() || info->second.dtype() != type) {
      throw BadInput("The SavedModel '" + folder_ + "' has no " +
                     tensorflow::DataTypeString(type) + " tensor " + name +
                     ": is it of mask2cad_tf.export?");
    }
    return info->second.name();
  }

  std::string folder_;
  tensorflow::SavedModelBundle bundle_;
};

Detector::Detector(const std::string& folder)
    : model_(std::make_unique<Model>(folder)) {}

Detector::~Detector() = default;

std::vector<Answer> Detector::Detect(
    const std::vector<Photo>& photos,
    const std::vector<Intrinsics>& cameras) const {
  Outputs outputs;
  const tensorflow::Status status = model_->Run(photos, cameras, &outputs);
  if (status.ok()) return ReadAnswers(outputs);
  // The batch fails as a whole: which photo is it?
  for (const Photo& photo : photos) {
    const tensorflow::Status alone = model_->Run({photo}, {}, &outputs);
    if (!alone.ok()) {
      throw BadInput("Cannot use the photo '" + photo.path +
                     "': " + Summary(alone));
    }
  }
  throw BadInput("Cannot run these photos together: " + Summary(status));
}

}  // namespace mask2cad
