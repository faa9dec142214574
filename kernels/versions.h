// Functions compiled once per instruction set; the loader picks. Internal to the kernels' host loops.
#pragma once

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VERSIONS
#endif
