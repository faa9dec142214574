// Compiled oneDNN primitives for convolutions, and their cache. Internal; included only where oneDNN is built in.
#pragma once

#include <array>

#include <dnnl.hpp>
#include "kernels/ops.h"

namespace dactyl::onednn {

using dnnl::memory;

// Primitives belong to one thread, so that no lock is held while one runs.
dnnl::engine& engine();
dnnl::stream& stream();

// One compiled primitive and the memory objects it is called with, whose addresses are set at each call.
struct Plan {
  dnnl::primitive primitive;
  memory::desc packed, plain;  // the filters as the primitive wants them and as we keep them
  std::size_t scratch = 0;
  memory x, w, y, bias, space, plain_w;

  // Binds bare memory objects to the descriptors of a primitive.
  template <class Descriptor>
  void bind(const Descriptor& d, const memory::desc& x_desc, const memory::desc& w_desc, const memory::desc& y_desc,
            const memory::desc& plain_desc) {
    packed = w_desc;
    plain = plain_desc;
    scratch = d.scratchpad_desc().get_size();
    x = memory(x_desc, engine(), nullptr);
    w = memory(w_desc, engine(), nullptr);
    y = memory(y_desc, engine(), nullptr);
    plain_w = memory(plain_desc, engine(), nullptr);
    space = memory(d.scratchpad_desc(), engine(), nullptr);
  }

  void run(std::initializer_list<dnnl_exec_arg_t> given) {
    std::array<dnnl_exec_arg_t, 5> arguments;
    std::copy(given.begin(), given.end(), arguments.begin());
    Tensor room;
    int count = static_cast<int>(given.size());
    if (scratch) {
      room = Tensor({static_cast<i64>(scratch)}, DType::u8, Device::cpu());
      space.set_data_handle(room.raw());
      arguments[static_cast<std::size_t>(count++)] = {DNNL_ARG_SCRATCHPAD, space.get()};
    }
    const auto status = dnnl_primitive_execute(primitive.get(), stream().get(), count, arguments.data());
    check(status == dnnl_success, "oneDNN: running a primitive failed with status {}", static_cast<int>(status));
  }
};

enum class Pass { forward, data, weights };

// The plan for these shapes, options and pass, built on first use in this thread. Of the options, the window, the
// groups, whether there is a bias, and relu count.
Plan& plan(Pass pass, const Shape& x, const Shape& w, const Shape& y, const ConvOptions& options);

}  // namespace dactyl::onednn
