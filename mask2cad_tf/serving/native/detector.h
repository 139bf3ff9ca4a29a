// A SavedModel of mask2cad_tf.export: photos in, CADs and poses out.
//
// No header of TensorFlow is needed to use it.

#ifndef MASK2CAD_TF_SERVING_NATIVE_DETECTOR_H_
#define MASK2CAD_TF_SERVING_NATIVE_DETECTOR_H_

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace mask2cad {

// (fx, fy, cx, cy), pixels of the photo as stored.
using Intrinsics = std::array<float, 4>;

struct Photo {
  std::string path;  // names the photo in errors
  std::string bytes;  // JPEG or PNG
};

// An object, in the photo's pixels.
struct Detection {
  std::array<float, 4> box;  // (ymin, xmin, ymax, xmax)
  int class_id;  // 1 + place in the model's class names
  float score;
  std::vector<std::string> cad_ids;  // best first; '' past the class's CADs
  std::vector<float> cad_scores;  // cosine similarities of the CADs
  std::array<float, 4> rotation;  // (w, x, y, z), CAD to camera
  std::array<float, 2> center;  // (x, y) of the CAD's projected origin
};

struct Answer {
  Intrinsics intrinsics;  // as used
  std::vector<Detection> detections;  // highest score first
};

class Detector {
 public:
  // Loads a SavedModel; throws BadInput when it is missing, damaged, of
  // another program or has an op that this runtime lacks.
  explicit Detector(const std::string& folder);
  ~Detector();

  // Runs all photos as one batch.
  //
  // Without cameras a phone's is assumed; else there is one for each photo.
  // Throws BadInput that names a photo which cannot be decoded.
  std::vector<Answer> Detect(const std::vector<Photo>& photos,
                             const std::vector<Intrinsics>& cameras) const;

 private:
  class Model;  // keeps TensorFlow's headers out of this one
  std::unique_ptr<Model> model_;
};

}  // namespace mask2cad

#endif  // MASK2CAD_TF_SERVING_NATIVE_DETECTOR_H_
