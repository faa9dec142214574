// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected): the checksum in our checkpoints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace dactyl {

// Of `bytes` bytes, continuing `before` (0 at the start). Uses the processor's instruction where there is one.
std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t before = 0);
// The same number from a table, on any processor.
std::uint32_t crc32c_by_table(const void* data, std::size_t bytes, std::uint32_t before = 0);
std::string hex8(std::uint32_t);  // eight lower-case hexadecimal digits

}  // namespace dactyl
