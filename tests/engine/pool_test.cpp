// Where blocks lie: holes that join, an arena that grows at its end, a pool that holds little more than is in use.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/engine.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

TEST(Holes, give_the_tightest_that_has_room) {
  Holes holes;
  holes.give(0, 100);
  holes.give(200, 30);
  holes.give(300, 30);
  EXPECT_EQ(holes.take(20), 200u);
  EXPECT_EQ(holes.take(30), 300u);
  EXPECT_EQ(holes.take(10), 220u);
  EXPECT_EQ(holes.take(101), std::nullopt);
  EXPECT_EQ(holes.take(100), 0u);
  EXPECT_EQ(holes.take(1), std::nullopt);
}

TEST(Holes, become_one_with_either_neighbour) {
  Holes holes;
  holes.give(0, 10);
  holes.give(20, 10);
  EXPECT_EQ(holes.take(30), std::nullopt);
  holes.give(10, 10);
  EXPECT_EQ(holes.before(30), 30u);
  EXPECT_EQ(holes.before(29), 0u);
  holes.cut(30, 12);
  EXPECT_EQ(holes.take(19), std::nullopt);
  EXPECT_EQ(holes.take(18), 0u);
}

void use(Device device, void* block, std::size_t bytes, int value) {
  const std::vector<unsigned char> pattern(bytes, static_cast<unsigned char>(value));
  copy_bytes(block, device, pattern.data(), Device::cpu(), bytes);
  Context::current().compute().synchronize();
}

bool holds(Device device, const void* block, std::size_t bytes, int value) {
  std::vector<unsigned char> found(bytes);
  copy_bytes(found.data(), Device::cpu(), block, device, bytes);
  Context::current().compute().synchronize();
  return std::all_of(found.begin(), found.end(), [&](unsigned char b) { return b == value; });
}

TEST(Pool, serves_one_size_from_what_others_left) {
  on_each_device([] {
    Pool pool(Context::current().device());
    std::vector<void*> blocks;
    for (int i = 0; i < 4; ++i) blocks.push_back(pool.take(mib));
    const i64 held = pool.held();
    EXPECT_EQ(held, i64(4 * mib));
    for (void* block : blocks) pool.give(block, mib);
    void* large = pool.take(3 * mib);
    EXPECT_EQ(large, blocks.front());
    void* small = pool.take(mib);
    EXPECT_EQ(small, blocks.back());
    EXPECT_EQ(pool.held(), held);
    use(pool.device(), large, 3 * mib, 5);
    use(pool.device(), small, mib, 7);
    EXPECT_TRUE(holds(pool.device(), large, 3 * mib, 5));
    pool.give(large, 3 * mib);
    pool.give(small, mib);
  });
}

TEST(Pool, keeps_what_is_given_while_it_holds) {
  Pool pool(Device::cpu());
  void* block = pool.take(mib);
  pool.hold(true);
  pool.give(block, mib);
  void* other = pool.take(mib);
  EXPECT_NE(other, block);
  pool.hold(false);
  EXPECT_EQ(pool.take(mib), block);
  pool.give(block, mib);
  pool.give(other, mib);
}

TEST(Pool, returns_what_is_free_at_its_end) {
  on_each_device([] {
    Pool pool(Context::current().device());
    void* stays = pool.take(3 * mib);
    void* goes = pool.take(64 * mib);
    pool.trim();
    EXPECT_EQ(pool.held(), i64(68 * mib));
    pool.give(goes, 64 * mib);
    pool.trim();
    EXPECT_EQ(pool.held(), i64(4 * mib));
    goes = pool.take(8 * mib);
    use(pool.device(), goes, 8 * mib, 3);
    EXPECT_TRUE(holds(pool.device(), goes, 8 * mib, 3));
    pool.give(goes, 8 * mib);
    pool.give(stays, 3 * mib);
    pool.trim();
    EXPECT_EQ(pool.held(), 0);
  });
}

// Blocks of all sizes come and go; each keeps its own bytes.
TEST(Pool, blocks_do_not_meet) {
  on_each_device([] {
    struct Block {
      void* at;
      std::size_t bytes;
      int value;
    };
    Pool pool(Context::current().device());
    std::vector<Block> blocks;
    Sequence random(5);
    for (int turn = 0; turn < 400; ++turn) {
      if (blocks.size() > 20 || (!blocks.empty() && random.uniform() < 0.4)) {
        const auto i = static_cast<std::size_t>(random.uniform() * static_cast<double>(blocks.size()));
        ASSERT_TRUE(holds(pool.device(), blocks[i].at, blocks[i].bytes, blocks[i].value)) << turn;
        pool.give(blocks[i].at, blocks[i].bytes);
        blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
      }
      const auto bytes = 1 + static_cast<std::size_t>(random.uniform() * 300'000);
      blocks.push_back({pool.take(bytes), bytes, turn % 251});
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back().at) % 512, 0u);
      use(pool.device(), blocks.back().at, bytes, turn % 251);
    }
    for (const Block& block : blocks) pool.give(block.at, block.bytes);
    EXPECT_EQ(pool.in_use(), 0);
    pool.trim();
    EXPECT_EQ(pool.held(), 0);
  });
}

// Also after a block was given back and a part of it taken again. The sanitizer's build alone can tell.
TEST(PoolDeathTest, reading_behind_a_block_is_seen) {
#ifdef __SANITIZE_ADDRESS__
  Pool pool(Device::cpu());
  pool.give(pool.take(mib), mib);
  auto* block = static_cast<volatile char*>(pool.take(1000));
  block[999] = 1;
  EXPECT_DEATH(block[1000] = 1, "use-after-poison");
  pool.give(const_cast<char*>(block), 1000);
#else
  GTEST_SKIP() << "needs a build with DACTYL_SANITIZE";
#endif
}

TEST(Pool, refuses_more_than_there_is_and_goes_on) {
  on_each_device([] {
    Pool pool(Context::current().device());
    EXPECT_THROW(pool.take(std::size_t{1} << 45), Error);
    void* block = pool.take(mib);
    EXPECT_EQ(pool.in_use(), i64(mib));
    pool.give(block, mib);
  });
}

}  // namespace
}  // namespace dactyl
