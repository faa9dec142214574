// The engine's public face, in reading order.
#pragma once

#include "engine/check.h"
#include "engine/context.h"
#include "engine/device.h"
#include "engine/dtype.h"
#include "engine/fork.h"
#include "engine/graph.h"
#include "engine/parameters.h"
#include "engine/random.h"
#include "engine/shape.h"
#include "engine/stamp.h"
#include "engine/storage.h"
#include "engine/tape.h"
#include "engine/tensor.h"
#include "engine/trace.h"
