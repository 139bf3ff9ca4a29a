// Photos in, one JSON object a photo out; no Python.

#include <google/protobuf/stubs/logging.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "bad_input.h"
#include "detector.h"
#include "json.h"

namespace mask2cad {
namespace {

constexpr char kName[] = "mask2cad_native";
constexpr char kUsage[] =
    R"(Runs photos through a SavedModel of mask2cad_tf.export, without Python.

Usage: mask2cad_native --model=DIR [--intrinsics=fx,fy,cx,cy] PHOTO...

The photos (JPEG or PNG) are one batch. Prints a JSON object for each, on a line
of its own, with the SavedModel's outputs: num_detections, detection_boxes
(ymin, xmin, ymax, xmax; pixels), detection_classes, detection_scores,
detection_cad_ids, detection_cad_scores, detection_rotations (w, x, y, z),
detection_centers (x, y), intrinsics.

  --model=DIR        what mask2cad_tf.export wrote
  --intrinsics=...   pixels; once for all photos, or once for each, in their
                     order. Default: a phone's camera

Exit status 2 and one line on bad input.
)";

struct Arguments {
  std::string model;
  std::vector<Intrinsics> cameras;
  std::vector<std::string> photos;
};

Intrinsics ParseIntrinsics(const std::string& text) {
  std::istringstream stream(text);
  std::vector<float> values;
  for (std::string word; std::getline(stream, word, ',');) {
    char* end = nullptr;
    values.push_back(std::strtof(word.c_str(), &end));
    if (word.empty() || *end || !std::isfinite(values.back())) values.clear();
  }
  if (values.size() != 4 || values[0] <= 0 || values[1] <= 0) {
    throw BadInput("--intrinsics=" + text +
                   ": four numbers fx,fy,cx,cy are needed, fx and fy above 0");
  }
  return {values[0], values[1], values[2], values[3]};
}

Arguments Parse(int argc, char** argv) {
  const std::string model = "--model=", intrinsics = "--intrinsics=";
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind(model, 0) == 0) {
      arguments.model = word.substr(model.size());
    } else if (word.rfind(intrinsics, 0) == 0) {
      arguments.cameras.push_back(
          ParseIntrinsics(word.substr(intrinsics.size())));
    } else if (word.rfind("--", 0) == 0) {
      throw BadInput("Unknown flag " + word + "; see --help");
    } else {
      arguments.photos.push_back(word);
    }
  }
  if (arguments.model.empty()) throw BadInput("--model missing; see --help");
  if (arguments.photos.empty()) throw BadInput("No photo given; see --help");
  if (arguments.cameras.size() == 1) {
    arguments.cameras.resize(arguments.photos.size(), arguments.cameras[0]);
  }
  if (!arguments.cameras.empty() &&
      arguments.cameras.size() != arguments.photos.size()) {
    throw BadInput(std::to_string(arguments.cameras.size()) +
                   " --intrinsics for " +
                   std::to_string(arguments.photos.size()) +
                   " photos: give it once, or once for each photo");
  }
  return arguments;
}

Photo Read(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    throw BadInput("No photo at '" + path + "'");
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw BadInput("Cannot read the photo '" + path + "'");
  return {path, bytes};
}

void Run(const Arguments& arguments) {
  std::vector<Photo> photos;  // before the model, which takes seconds
  for (const std::string& path : arguments.photos) {
    photos.push_back(Read(path));
  }
  const Detector detector(arguments.model);
  const auto answers = detector.Detect(photos, arguments.cameras);
  for (size_t i = 0; i < photos.size(); ++i) {
    std::cout << ToJson(photos[i].path, answers[i]) << '\n';
  }
}

}  // namespace
}  // namespace mask2cad

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--help") {
    std::cout << mask2cad::kUsage;
    return 0;
  }
  // A damaged SavedModel is one line, not protobuf's view of it as well.
  google::protobuf::SetLogHandler(nullptr);
  try {
    mask2cad::Run(mask2cad::Parse(argc, argv));
  } catch (const mask2cad::BadInput& error) {
    std::cerr << mask2cad::kName << ": " << error.what() << std::endl;
    return 2;
  }
}
