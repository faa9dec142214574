// The weight files' public face.
#pragma once

#include "weights/checkpoint.h"
#include "weights/inflate.h"
#include "weights/load.h"
#include "weights/passport.h"
#include "weights/text.h"
