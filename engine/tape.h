// Records how results were made, and walks the record backwards to spread gradients.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/fork.h"
#include "engine/tensor.h"
#include "engine/trace.h"

namespace dactyl {

// Where a gradient gathers. Holds no activations.
struct Slot {
  Tensor grad;  // undefined until the first contribution; a packed parameter keeps its place in the flat buffer
  std::vector<Tensor> more;       // contributions that are not added yet
  bool filled = false;            // whether grad holds contributions of this backward pass
  bool owned = false;             // whether grad may be added into (false: it is another operation's tensor)
  bool offered = false;           // a derivative may have added to grad: a contribution that is grad is in it already
  std::function<Tensor()> place;  // asked once, before the first contribution: where to gather, or undefined: anywhere
  std::function<void(const Tensor&)> again;  // computes the numbers once more, the same bits: see Saved
  int pending = 0;                           // uses on the tape whose contribution has not arrived
  bool leaf = false;                         // made by watch(), not by an operation
};

using Grads = std::vector<Tensor>;  // one per input; an undefined tensor means none
using Backward =
    std::function<Grads(const Tensor& dy)>;      // dy may be a pitched slice: use dy.dense() unless you handle it
using Ready = std::function<void(const Slot&)>;  // told when the gradient of a leaf is complete

// While one is alive, this thread's operations are recorded. Not nestable. A node holds no tensors but those its
// closure captured, so the memory of a step is exactly what the derivatives name.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Seeds the loss (one number) with 1 and walks to the leaves, freeing each closure as it goes. Call once.
  void backward(const Tensor& loss, const Ready& ready = {});
  std::size_t size() const { return nodes_.size(); }

  static Tape* current();

 private:
  struct Node {
    const char* name;
    std::vector<std::shared_ptr<Slot>> inputs;
    std::shared_ptr<Slot> output;
    Backward backward;
    std::string where;  // Range::path() of the operation, for error texts; kept under Context::check_finite
    Operation traced;   // what a trace calls it; kept while tracing
    Branch branch;      // of a Fork that it was recorded in
  };
  void walk_back();      // over the last node
  void walk_branches();  // over the last nodes, as long as they are of one Fork
  void complete();       // tells of the leaves that have all their gradient

  std::vector<Node> nodes_;
  std::vector<std::shared_ptr<Slot>> completed_;
  Ready ready_;
  friend Tensor record(const char*, const std::vector<Tensor>&, Tensor, Backward);
};

// Every operation ends with this. Gives y a slot and keeps the closure if a tape is alive and some input is watched;
// otherwise only checks the result (Context::strict, check_finite) and returns y.
Tensor record(const char* name, const std::vector<Tensor>& inputs, Tensor y, Backward backward);

// Where a derivative may write the gradient of an input with this slot: the place of a packed parameter if this is its
// first contribution, else a new tensor. What is written in place need not be copied there.
Tensor place_of_gradient(const std::shared_ptr<Slot>& slot, const Shape& shape, DType type, Device device);

// The gradient that has gathered in a filled slot: what waits is added first.
Tensor gradient_of(Slot& slot);

// What a derivative may add the gradient of an input with this slot to, instead of returning a new one: the dense sum
// of all that has arrived, if nobody else reads it. Undefined: there is none. If the derivative returns this tensor,
// its contribution is in it; if it returns another one, that is added as usual, and this one must be as it was. Only
// asked outside of branches, before the derivative forks: what comes from branches side by side must not be added to.
Tensor sum_to_add_to(const std::shared_ptr<Slot>& slot, const Shape& shape, DType type, Device device);

// What a derivative will read of an input: the tensor, or under Context::recompute, where its numbers can be computed
// again from what is kept anyway, only how.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& x);
  Tensor numbers() const;  // dense where they are computed again; undefined if nothing was saved

 private:
  Tensor x_;
  std::function<void(const Tensor&)> again_;
  Shape shape_;
  DType type_ = DType::f32;
  Device device_;
};

// Whether record would keep a closure for these inputs: lets an operation skip saving what only backward needs.
bool recording(const std::vector<Tensor>& inputs);

}  // namespace dactyl
