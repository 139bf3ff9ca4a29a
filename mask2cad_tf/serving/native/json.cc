#include "json.h"

#include <cmath>
#include <cstdio>

namespace mask2cad {
namespace {

std::string Value(int number) { return std::to_string(number); }

std::string Value(float number) {
  if (!std::isfinite(number)) return "null";  // JSON has no NaN
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", number);  // exact for a float
  return text;
}

std::string Value(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < ' ') {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", c);
      quoted += escaped;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// A list, of `field` of every item where one is given.
template <class Items>
std::string Value(const Items& items) {
  std::string list;
  for (const auto& item : items) {
    list += (list.empty() ? "" : ", ") + Value(item);
  }
  return "[" + list + "]";
}

template <class Field>
std::string Column(const std::string& name, const Answer& answer,
                   Field Detection::*field) {
  std::vector<Field> column;
  for (const Detection& found : answer.detections) {
    column.push_back(found.*field);
  }
  return ", \"detection_" + name + "\": " + Value(column);
}

}  // namespace

std::string ToJson(const std::string& path, const Answer& answer) {
  return "{\"image\": " + Value(path) +
         ", \"intrinsics\": " + Value(answer.intrinsics) +
         ", \"num_detections\": " +
         std::to_string(answer.detections.size()) +
         Column("boxes", answer, &Detection::box) +
         Column("classes", answer, &Detection::class_id) +
         Column("scores", answer, &Detection::score) +
         Column("cad_ids", answer, &Detection::cad_ids) +
         Column("cad_scores", answer, &Detection::cad_scores) +
         Column("rotations", answer, &Detection::rotation) +
         Column("centers", answer, &Detection::center) + "}";
}

}  // namespace mask2cad
