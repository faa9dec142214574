// A source by which a test does something in the middle of a run.
#pragma once

#include <atomic>
#include <functional>

#include "tests/train/tiny.h"

namespace dactyl::tiny {

// Does something when a picture is asked for the n-th time.
class Eventful : public Colours {
 public:
  Eventful(i64 samples, std::function<void(i64 n)> event) : Colours(samples), event_(std::move(event)) {}
  Image image(i64 i) const override {
    event_(++asked_);
    return Colours::image(i);
  }

 private:
  std::function<void(i64)> event_;
  mutable std::atomic<i64> asked_{0};
};

}  // namespace dactyl::tiny
