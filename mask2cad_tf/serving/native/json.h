// Answers as JSON.

#ifndef MASK2CAD_TF_SERVING_NATIVE_JSON_H_
#define MASK2CAD_TF_SERVING_NATIVE_JSON_H_

#include <string>

#include "detector.h"

namespace mask2cad {

// One object on one line, named as the SavedModel's outputs:
//   {"image": path, "intrinsics": [fx, fy, cx, cy], "num_detections": n,
//    "detection_boxes": n x [ymin, xmin, ymax, xmax], ...}
std::string ToJson(const std::string& path, const Answer& answer);

}  // namespace mask2cad

#endif  // MASK2CAD_TF_SERVING_NATIVE_JSON_H_
