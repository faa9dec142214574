// A thread's working place: device, streams, library handles, memory pool.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "engine/storage.h"

struct CUstream_st;
struct CUevent_st;
struct cudnnContext;
struct cublasLtContext;

namespace dactyl {

class Fork;

// A point in a stream's work that another stream or the host can wait for. Does nothing on the CPU.
class Event {
 public:
  Event() = default;
  explicit Event(CUevent_st* handle);
  void synchronize() const;
  bool done() const;
  CUevent_st* handle() const { return handle_.get(); }

 private:
  std::shared_ptr<CUevent_st> handle_;
};

// An ordered queue of GPU work. On the CPU everything happens at once and all of this does nothing.
class Stream {
 public:
  explicit Stream(Device device);
  void wait(const Event& event);
  Event record();
  void synchronize();
  CUstream_st* handle() const { return handle_.get(); }

 private:
  std::shared_ptr<CUstream_st> handle_;
};

// Which arithmetic 32-bit convolutions and matrix products may use on the GPU.
enum class Math { fp32, tf32 };

class Context {
 public:
  explicit Context(Device device);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  static Context& current();            // the innermost Use of this thread, else a CPU context of its own
  static Context* find(Device device);  // this thread's context for a device: the innermost Use of it, or null

  Device device() const { return device_; }
  Stream& compute() { return lane_->compute; }
  Stream& copy() { return copy_; }
  const std::shared_ptr<Pool>& pool() const { return pool_; }
  cudnnContext* cudnn();    // created on first use; work goes to the compute stream
  cublasLtContext* blas();  // likewise

  Math math = Math::fp32;
  bool strict = false;        // synchronise after every operation, so that a failing kernel is named
  bool check_finite = false;  // every operation's result is searched for NaN and Inf; the error names it
  bool deterministic = true;  // only plans that give the same bits every time
  bool shapes_only = false;   // convolutions and matrix products leave zeros: for a net's table
  bool recompute = false;     // keep less for the way back: what is quickly computed again is (engine/tape.h: Saved)
  bool side_by_side = true;   // captured branches of a block may run at the same time (engine/fork.h)

 private:
  friend class Graph;
  friend class Fork;
  // A stream, and what work on it must not share with work beside it.
  struct Lane {
    explicit Lane(Device device) : compute(device) {}
    ~Lane();
    Stream compute;
    cudnnContext* cudnn = nullptr;
    bool left = false;  // work was queued that the usual lane has not waited for
  };
  void enter(std::size_t lane, const Event& after, const std::function<void()>& work);
  void meet();  // the usual lane waits for the others
  Device device_;
  std::shared_ptr<Pool> pool_;
  std::deque<Lane> lanes_;  // the first is the usual one
  Lane* lane_;              // in use
  Fork* fork_ = nullptr;    // whose branches are apart
  Stream copy_;
  cublasLtContext* blas_ = nullptr;
};

// Makes a device this thread's current one for a block: Use gpu(Device::cuda(0)); restores the old one at its end.
// A context given is kept by its owner, with its pool and streams, and may be used again by the same thread.
class Use {
 public:
  explicit Use(Device device);
  explicit Use(std::shared_ptr<Context> context);
  ~Use();
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  Context& context() { return *context_; }

 private:
  std::shared_ptr<Context> context_;
  Context* outer_;
};

}  // namespace dactyl
