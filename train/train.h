// The training folder's public face.
#pragma once

#include "train/data/augment.h"
#include "train/data/hands.h"
#include "train/data/image.h"
#include "train/data/loader.h"
#include "train/data/source.h"
#include "train/data/words.h"
#include "train/data/write_video.h"
#include "train/input_text.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/report.h"
#include "train/schedule.h"
#include "train/settings.h"
#include "train/statistics.h"
#include "train/trainer.h"
