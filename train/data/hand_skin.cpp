// What a person's skin, nails and sleeve look like: colour, mottling, creases.
#include "train/data/hand_skin.h"

namespace dactyl::hand {
namespace {

float lattice(int x, int y, int z, std::uint32_t seed) {
  std::uint32_t h = seed ^ (static_cast<std::uint32_t>(x) * 0x8da6b343u) ^
                    (static_cast<std::uint32_t>(y) * 0xd8163841u) ^ (static_cast<std::uint32_t>(z) * 0xcb1ab31fu);
  h = (h ^ (h >> 15)) * 0x2c1b3c6du;
  h = (h ^ (h >> 12)) * 0x297a2d39u;
  return static_cast<float>((h ^ (h >> 15)) >> 8) * 0x1p-23f - 1;
}

int floor_of(float x) {
  const int i = static_cast<int>(x);
  return x < static_cast<float>(i) ? i - 1 : i;
}

// A dark line where `x` is 0, `width` to either side.
float line(float x, float width) { return smooth(1 - absolute(x) / width); }

// The three great lines of the palm, as parabolas over the hand's x and y.
float palm_lines(const Vec& p) {
  const float life = p.x - (0.06f + 1.25f * (p.y - 0.36f) * (p.y - 0.36f));
  const float head = p.y - (0.60f + 0.30f * p.x - 0.25f * p.x * p.x);
  const float heart = p.y - (0.70f + 0.10f * p.x + 0.75f * (p.x + 0.12f) * (p.x + 0.12f));
  const float a = line(life, 0.022f) * smooth((p.y - 0.05f) * 8) * smooth((0.76f - p.y) * 10);
  const float b = line(head, 0.016f) * smooth((p.x + 0.28f) * 7) * smooth((0.34f - p.x) * 12);
  const float c = line(heart, 0.018f) * smooth((p.x + 0.44f) * 12) * smooth((0.17f - p.x) * 8);
  return maximum(maximum(a, b), c);
}

// Flexion creases inside, wrinkles of the knuckle outside; q in the bone's frame, from its joint.
float finger_lines(const Bone& bone, const Vec& q, float palmar) {
  const bool first = bone.part == Part::proximal;
  const float joint = first ? 0.17f : 0.0f, bow = q.y - joint + 0.8f * q.x * q.x;
  const float inside = maximum(line(bow, 0.014f), 0.6f * line(bow - 0.035f, 0.012f)) * smooth(palmar * 2);
  if (first || bone.part == Part::palm) return inside;
  const float arch = 1.6f * q.x * q.x, wide = bone.part == Part::intermediate ? 1.0f : 0.6f;
  const float outside = line(q.y + arch, 0.012f) + line(q.y - 0.03f - arch, 0.011f) + line(q.y + 0.035f + arch, 0.011f);
  return inside + 0.55f * wide * outside * smooth(-palmar * 2) * smooth(1.3f - absolute(q.x) * 14);
}

// Nail: a rounded rectangle on the back of the last bone. u along, v across, both ±1 at its border.
struct Nail {
  float inside, rim, tip;
};
Nail nail(const Bone& bone, const Vec& q, float palmar) {
  const float size = length(bone.b - bone.a), half = 0.30f * size + 0.45f * bone.rb,
              middle = 0.62f * size + 0.42f * bone.rb;
  const float u = (q.y - middle) / half, v = q.x / (0.74f * bone.rb), u2 = u * u, v2 = v * v;
  const float e = root(root(u2 * u2 + v2 * v2)), on = smooth(-palmar * 6 - 0.6f);
  return {smooth((1 - e) * 9) * on, line(e - 1.02f, 0.16f) * on, smooth((u - 0.62f) * 9)};
}

// Which side of the hand a normal looks to: 1 palm .. -1 back. The palm and the ball of the thumb share the hand's
// axes; along the thumb's first bone they turn into its own.
float inner_side(const Bone& bone, const Frame& hand, const Vec& q, const Vec& normal) {
  const float palm = dot(hand.z, normal), own = dot(bone.frame.z, normal);
  if (bone.group == Group::body) return palm;
  if (bone.group != Group::thumb || bone.part != Part::proximal) return own;
  return mix(palm, own, smooth(1.6f * q.y / length(bone.b - bone.a)));
}

Vec tone(float melanin) {
  constexpr Vec stops[5] = {{0.80f, 0.55f, 0.44f},
                            {0.66f, 0.39f, 0.26f},
                            {0.45f, 0.225f, 0.125f},
                            {0.22f, 0.098f, 0.055f},
                            {0.085f, 0.038f, 0.026f}};
  const float x = clamp01(melanin) * 3.999f;
  const int i = static_cast<int>(x);
  return mix(stops[i], stops[i + 1], x - static_cast<float>(i));
}

}  // namespace

float value_noise(const Vec& p, std::uint32_t seed) {
  const int x = floor_of(p.x), y = floor_of(p.y), z = floor_of(p.z);
  const float u = smooth(p.x - static_cast<float>(x)), v = smooth(p.y - static_cast<float>(y));
  const float w = smooth(p.z - static_cast<float>(z));
  const auto row = [&](int dy, int dz) {
    return mix(lattice(x, y + dy, z + dz, seed), lattice(x + 1, y + dy, z + dz, seed), u);
  };
  return mix(mix(row(0, 0), row(1, 0), v), mix(row(0, 1), row(1, 1), v), w);
}

Skin make_skin(float melanin, Dice& dice) {
  Skin skin;
  const Vec hue{1 + dice.around(0.01f, 0.06f), 1 + dice.around(0, 0.04f), 1 + dice.around(-0.04f, 0.08f)};
  skin.back = tone(melanin) * hue;
  const Vec pale = Vec{0.74f, 0.45f, 0.34f} * hue;  // palms keep little melanin
  skin.palm = mix(skin.back, pale, 0.15f + 0.28f * smooth(melanin));
  skin.nail = mix(skin.palm, Vec{0.78f, 0.52f, 0.46f}, 0.45f);
  skin.mottling = dice.uniform(0.03f, 0.10f);
  skin.creases = dice.uniform(0.5f, 1.1f);
  skin.gloss = dice.uniform(0.05f, 0.16f);
  skin.texture = static_cast<std::uint32_t>(dice.next());
  return skin;
}

Material material(const Skin& skin, const Bone& bone, const Frame& hand, const Vec& point, const Vec& normal) {
  const Vec q = local(bone.frame, point - bone.a);
  if (bone.part == Part::cloth) return {skin.cloth * (1 + 0.10f * value_noise(q * 14.0f, skin.texture)), 0.01f};
  const float palmar = inner_side(bone, hand, q, normal);
  Vec albedo = mix(skin.back, skin.palm, smooth(0.5f + 0.9f * palmar));
  const std::uint32_t own = skin.texture + static_cast<std::uint32_t>(bone.group) * 977u;
  const float coarse = value_noise(local(hand, point) * 6.0f, skin.texture), fine = value_noise(q * 34.0f, own);
  albedo = albedo * (1 + skin.mottling * (0.7f * coarse + 0.5f * fine));
  float blood = 0.35f * coarse, lines = 0, gloss = skin.gloss;
  if (bone.part == Part::palm || bone.part == Part::forearm) {
    const Vec p = local(hand, point);
    const float inner = dot(hand.z, normal);
    if (inner > 0 && bone.group == Group::body && bone.part == Part::palm) lines = palm_lines(p) * smooth(inner * 1.6f);
    blood += bone.part == Part::palm ? 0.5f * smooth((p.y - 0.35f) * 2) : -0.3f;
    const float wrist = line(p.y + 0.01f - 0.12f * p.x * p.x, 0.014f) + 0.7f * line(p.y + 0.05f, 0.012f);
    lines = maximum(lines, 0.35f * wrist * smooth(inner * 2));
  } else {
    lines = finger_lines(bone, q, palmar);
    const float size = length(bone.b - bone.a),
                joint = (line(maximum(q.y, 0), 0.14f) + line(maximum(size - q.y, 0), 0.14f)) * smooth(-palmar * 2),
                pad = bone.part == Part::distal ? smooth(palmar + 0.6f) : 0;
    blood += 0.9f * joint + 0.9f * pad;
  }
  albedo = albedo * mix(Vec{1, 1, 1}, Vec{1.02f, 0.86f, 0.84f}, blood);
  albedo = albedo * mix(Vec{1, 1, 1}, Vec{0.62f, 0.46f, 0.42f}, clamp01(lines * skin.creases));
  if (bone.part == Part::distal) {
    const Nail n = nail(bone, q, palmar);
    const Vec plate = mix(skin.nail, Vec{0.84f, 0.74f, 0.66f}, 0.7f * n.tip);
    albedo = mix(albedo, plate, n.inside) * (1 - 0.22f * n.rim);
    gloss = mix(gloss, 0.35f, n.inside);
  }
  return {albedo, gloss};
}

}  // namespace dactyl::hand
