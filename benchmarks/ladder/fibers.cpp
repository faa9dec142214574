// Fibers by ucontext: each has a stack, and hands back control where it waits.
#include "benchmarks/ladder/fibers.h"

#include <ucontext.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <exception>
#include <vector>

#include "engine/check.h"

namespace dactyl::ladder {
namespace {

constexpr std::size_t stack_bytes = 64 * 1024, board_bytes = 32 * 64;

struct Barrier {
  int size = 0, arrived = 0, generation = 0;
};

struct Copy {
  void* to;
  const void* from;
  std::size_t bytes;
  void operator()() const { from ? std::memcpy(to, from, bytes) : std::memset(to, 0, bytes); }
};

struct Fiber {
  ucontext_t context;
  std::unique_ptr<std::byte[]> stack;
  bool done = false, second_board = false;
  const Barrier* waits = nullptr;
  int seen = 0;  // the barrier's generation when it began to wait
  std::deque<std::vector<Copy>> copies{{}};

  bool ready() const { return !done && (!waits || waits->generation != seen); }
};

std::size_t at(int index) { return static_cast<std::size_t>(index); }

thread_local Fibers* starting = nullptr;  // makecontext hands over int alone

}  // namespace

struct Fibers::State {
  Body body;
  ucontext_t outside;
  std::vector<Fiber> fibers;
  Barrier all;
  std::vector<Barrier> warps;
  std::vector<std::byte> boards;
  std::unique_ptr<std::byte[]> memory;
  std::exception_ptr failure;

  void wait(Barrier& barrier, int index) {
    Fiber& me = fibers[at(index)];
    if (++barrier.arrived == barrier.size) {
      barrier.arrived = 0;
      ++barrier.generation;
      return;
    }
    me.waits = &barrier;
    me.seen = barrier.generation;
    swapcontext(&me.context, &outside);
    me.waits = nullptr;
  }

  static void begin(int index) {
    Fibers& team = *starting;
    State& s = *team.state_;
    try {
      s.body(index, team, s.memory.get());
    } catch (...) {
      s.failure = std::current_exception();
    }
    s.fibers[at(index)].done = true;
  }
};

Fibers::Fibers(int threads, std::size_t bytes, const Body& body) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.body = body;
  s.fibers = std::vector<Fiber>(at(threads));
  s.all.size = threads;
  s.warps.resize(at((threads + 31) / 32));
  for (int i = 0; i < threads; ++i) ++s.warps[at(i / 32)].size;
  s.boards.resize(s.warps.size() * 2 * board_bytes);
  s.memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
  std::memset(s.memory.get(), 0xff, bytes);
}

Fibers::~Fibers() = default;

void Fibers::run(bool backwards) {
  State& s = *state_;
  const int threads = s.all.size;
  for (int i = 0; i < threads; ++i) {
    Fiber& f = s.fibers[at(i)];
    f.stack = std::make_unique_for_overwrite<std::byte[]>(stack_bytes);
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.get();
    f.context.uc_stack.ss_size = stack_bytes;
    f.context.uc_link = &s.outside;
    makecontext(&f.context, reinterpret_cast<void (*)()>(&State::begin), 1, i);
  }
  for (int left = threads; left > 0;) {
    bool moved = false;
    for (int turn = 0; turn < threads; ++turn) {
      Fiber& f = s.fibers[at(backwards ? threads - 1 - turn : turn)];
      if (!f.ready()) continue;
      starting = this;
      swapcontext(&s.outside, &f.context);
      moved = true;
      left -= f.done;
      if (s.failure) std::rethrow_exception(s.failure);
    }
    check(moved, "ladder: {} of {} threads wait at a barrier that the others do not reach; a GPU would hang", left,
          threads);
  }
}

void Fibers::wait(int index) { state_->wait(state_->all, index); }
void Fibers::wait_warp(int index) { state_->wait(state_->warps[at(index / 32)], index); }
std::byte* Fibers::next_board(int index) {
  bool& second = state_->fibers[at(index)].second_board;
  second = !second;
  return state_->boards.data() + (at(index / 32) * 2 + second) * board_bytes;
}

void Fibers::copy_later(int index, void* to, const void* from, std::size_t bytes) {
  state_->fibers[at(index)].copies.back().push_back({to, from, bytes});
}

void Fibers::commit_copies(int index) { state_->fibers[at(index)].copies.emplace_back(); }

void Fibers::wait_copies(int index, int pending) {
  auto& groups = state_->fibers[at(index)].copies;  // the last one is still open
  for (; static_cast<int>(groups.size()) - 1 > pending; groups.pop_front())
    for (const Copy& copy : groups.front()) copy();
}

void run_fibers(int threads, std::size_t bytes, const Fibers::Body& body) {
  static std::atomic<bool> backwards = false;
  Fibers(threads, bytes, body).run(backwards.exchange(!backwards));
}

}  // namespace dactyl::ladder
