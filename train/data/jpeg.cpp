// JPEG bytes to pixels: by libjpeg-turbo where the build has it, by stb_image otherwise.
#include <stb_image.h>

#include <cstring>
#include <memory>

#include "train/data/coded.h"
#ifdef DACTYL_JPEG
#include <csetjmp>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>
#endif

namespace dactyl {
namespace {

std::size_t size_of(const JpegFacts& facts, int channels) {
  return static_cast<std::size_t>(facts.height) * static_cast<std::size_t>(facts.width) *
         static_cast<std::size_t>(channels);
}

#ifdef DACTYL_JPEG
// libjpeg reports through callbacks; both errors and warnings about the data leave it by longjmp.
struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape{};
  char text[JMSG_LENGTH_MAX] = {};

  Decoder() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = [](j_common_ptr cinfo) { leave(cinfo); };
    errors.emit_message = [](j_common_ptr cinfo, int level) {
      const bool about_pixels = cinfo->err->msg_code != JWRN_ADOBE_XFORM && cinfo->err->msg_code != JWRN_BOGUS_ICC;
      if (level < 0 && about_pixels) leave(cinfo);
    };
    info.client_data = this;
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  [[noreturn]] static void leave(j_common_ptr cinfo) {
    auto* self = static_cast<Decoder*>(cinfo->client_data);
    cinfo->err->format_message(cinfo, self->text);
    std::longjmp(self->escape, 1);
  }

  // `body` makes C calls only: a jump out of it runs no destructors.
  template <class Body>
  void guarded(const Body& body) {
    if (setjmp(escape)) fail(Exit::data, "JPEG is damaged: {}", {text});
    body();
  }

  void read_header(Bytes bytes) {
    guarded([&] {
      jpeg_create_decompress(&info);
      jpeg_mem_src(&info, bytes.data(), bytes.size());
      jpeg_read_header(&info, TRUE);
    });
  }

  // Every code is read and judged, of the picture hardly anything made: an eighth of its size, one row at a time.
  void read_through() {
    std::vector<std::uint8_t> row(3 * static_cast<std::size_t>(info.image_width));
    info.scale_num = 1;
    info.scale_denom = 8;
    info.out_color_space = info.jpeg_color_space;
    info.do_fancy_upsampling = FALSE;
    guarded([&] {
      jpeg_start_decompress(&info);
      JSAMPROW to = row.data();
      while (info.output_scanline < info.output_height) jpeg_read_scanlines(&info, &to, 1);
      jpeg_finish_decompress(&info);
    });
  }

  void read_rows(std::uint8_t* to, std::size_t row_bytes) {
    guarded([&] {
      jpeg_start_decompress(&info);
      while (info.output_scanline < info.output_height) {
        JSAMPROW row = to + info.output_scanline * row_bytes;
        jpeg_read_scanlines(&info, &row, 1);
      }
      jpeg_finish_decompress(&info);
    });
  }
};

// Ink to light: (255 − c)·(255 − k) / 255. Adobe's programs store 255 − c.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, bool inverted, std::vector<std::uint8_t>& rgb) {
  const int flip = inverted ? 0 : 255;
  for (std::size_t i = 0; i < cmyk.size() / 4; ++i) {
    const int white = cmyk[4 * i + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<std::uint8_t>(((cmyk[4 * i + c] ^ flip) * white + 127) / 255);
  }
}

Image decode_frame(Bytes bytes, const JpegFacts& facts) {
  Image image{facts.height, facts.width, std::vector<std::uint8_t>(size_of(facts, 3))};
  Decoder decoder;
  decoder.read_header(bytes);
  const bool ink = facts.components == 4;
  decoder.info.out_color_space = ink ? JCS_CMYK : JCS_RGB;
  if (!ink) {
    decoder.read_rows(image.rgb.data(), size_of(facts, 3) / static_cast<std::size_t>(facts.height));
    return image;
  }
  std::vector<std::uint8_t> cmyk(size_of(facts, 4));
  decoder.read_rows(cmyk.data(), cmyk.size() / static_cast<std::size_t>(facts.height));
  cmyk_to_rgb(cmyk, facts.adobe, image.rgb);
  return image;
}

// Colours as libjpeg understands the file's markers.
std::optional<JpegLayout> usual_layout(jpeg_decompress_struct& info, const JpegFacts& facts) {
  constexpr i64 most_pixels = i64{1} << 26;  // rows narrowed are counted in 32 bits
  if (i64{facts.height} * facts.width > most_pixels || jpeg_has_multiple_scans(&info)) return {};
  const auto factors = [&](int c, int across, int down) {
    return info.comp_info[c].h_samp_factor == across && info.comp_info[c].v_samp_factor == down;
  };
  JpegLayout layout{facts.height, facts.width, 1, 1, info.num_components == 1, facts.orientation};
  if (layout.grey)
    return info.jpeg_color_space == JCS_GRAYSCALE && factors(0, 1, 1) ? std::optional(layout) : std::nullopt;
  if (info.num_components != 3 || info.jpeg_color_space != JCS_YCbCr || !factors(1, 1, 1) || !factors(2, 1, 1))
    return {};
  for (const auto& [across, down] : {std::pair{1, 1}, {2, 1}, {2, 2}})
    if (factors(0, layout.across = across, layout.down = down)) return layout;
  return {};
}
#else
Image decode_frame(Bytes bytes, const JpegFacts& facts) {
  check(Exit::data, facts.components < 4 || facts.adobe,
        "JPEG: four colours without Adobe's marker are unsupported here");
  int width = 0, height = 0, components = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &components, 3),
      stbi_image_free);
  check(Exit::data, pixels && width == facts.width && height == facts.height, "JPEG is damaged: {}",
        pixels ? "two sizes" : stbi_failure_reason());
  return {height, width, std::vector<std::uint8_t>(pixels.get(), pixels.get() + size_of(facts, 3))};
}
#endif

}  // namespace

std::optional<JpegLayout> layout_for_device([[maybe_unused]] Bytes jpeg, [[maybe_unused]] const JpegFacts& facts,
                                            [[maybe_unused]] bool whole) {
#ifdef DACTYL_JPEG
  try {
    Decoder decoder;
    decoder.read_header(jpeg);
    const auto layout = usual_layout(decoder.info, facts);
    if (layout && !whole) decoder.read_through();
    return layout;
  } catch (const Error&) {
    // the host finds the same, and names it
  }
#endif
  return {};
}

Image decode_jpeg(Bytes bytes, const ImageLimits& limits) {
  const JpegFacts facts = examine_jpeg(bytes, limits);
  return oriented(decode_frame(bytes, facts), facts.orientation);
}

}  // namespace dactyl
