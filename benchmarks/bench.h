// The folder's public face: what `dactyl bench` and `dactyl profile` measure with.
#pragma once

#include "benchmarks/ladder/chart.h"
#include "benchmarks/ladder/ladder.h"
#include "benchmarks/layer_work.h"
#include "benchmarks/loading.h"
#include "benchmarks/model_work.h"
#include "benchmarks/operation_cases.h"
#include "benchmarks/roofs.h"
#include "benchmarks/statistics.h"
#include "benchmarks/timing.h"
#include "benchmarks/ways_tried.h"
