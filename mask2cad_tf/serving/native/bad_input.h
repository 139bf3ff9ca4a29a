// What is the user's to mend: one line on stderr, exit status 2.

#ifndef MASK2CAD_TF_SERVING_NATIVE_BAD_INPUT_H_
#define MASK2CAD_TF_SERVING_NATIVE_BAD_INPUT_H_

#include <stdexcept>

namespace mask2cad {

class BadInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mask2cad

#endif  // MASK2CAD_TF_SERVING_NATIVE_BAD_INPUT_H_
