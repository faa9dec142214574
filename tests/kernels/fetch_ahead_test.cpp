// Fetching ahead changes nothing, up to the last byte and beyond the cache.
#include "kernels/fetch_ahead.h"

#include "tests/check_op.h"

namespace dactyl {
namespace {

TEST(FetchAhead, changes_nothing) {
  on_each_device([] {
    for (const i64 count : {1, 63, 64, 65, 4096, 20'000'001}) {
      const Tensor w = Tensor::full({count}, 0.5, DType::bf16);
      fetch_ahead(w);
      const Tensor host = w.to(Device::cpu());
      EXPECT_EQ(float(host.data<bf16>()[0]), 0.5f);
      EXPECT_EQ(float(host.data<bf16>()[count - 1]), 0.5f);
    }
  });
}

TEST(FetchAhead, refuses_slices) {
  const Tensor wide({4, 8}, DType::f32, Device::cpu());
  try {
    fetch_ahead(wide.slice(0, 4));
    FAIL() << "a slice is no run of bytes";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("fetch_ahead: w (4, 4) is a slice of a wider tensor"), 0u) << error.what();
  }
}

}  // namespace
}  // namespace dactyl
