// The light a hand is seen in.
#include "train/data/hand_light.h"

namespace dactyl::hand {
namespace {

float wrapped(float cosine_to_light, float wrap) {
  const float x = maximum(cosine_to_light + wrap, 0) / (1 + wrap);
  return x * (0.35f + 0.65f * x);
}

float power32(float x) {
  for (int i = 0; i < 5; ++i) x *= x;
  return x;
}

}  // namespace

Light make_light(Dice& dice) {
  Light light;
  const float azimuth = dice.uniform(0, 360), tilt = dice.uniform(18, 68);  // from the viewer's axis
  light.direction = {sine(tilt) * cosine(azimuth), sine(tilt) * sine(azimuth) * 0.6f + 0.35f, cosine(tilt)};
  light.direction = normalized(light.direction);
  const float warm = dice.around(0, 0.22f), fill = dice.around(0, 0.15f), share = dice.uniform(0.22f, 0.55f);
  const float strength = dice.uniform(0.85f, 1.3f);
  light.key = Vec{1 + warm, 1, 1 - 1.2f * warm} * (strength * (1.25f - share));
  light.sky = Vec{1 + fill, 1, 1 - fill} * (strength * (share + 0.14f));
  light.ground = Vec{1.05f, 0.95f, 0.85f} * (strength * share * dice.uniform(0.4f, 0.9f));
  light.width = dice.uniform(0.08f, 0.4f);
  light.level = strength;
  return light;
}

Vec shade(const Light& light, const Material& material, const Vec& normal, const Vec& eye, const Exposure& exposure) {
  const float facing = dot(normal, light.direction), v = exposure.visibility, ao = exposure.openness;
  const Vec diffuse = Vec{wrapped(facing, 0.38f), wrapped(facing, 0.20f), wrapped(facing, 0.14f)} *
                      Vec{0.10f + 0.90f * v, 0.03f + 0.97f * v, 0.02f + 0.98f * v} * (0.35f + 0.65f * ao);
  const Vec ambient = mix(light.ground, light.sky, 0.5f + 0.4f * normal.y + 0.1f * normal.z);
  const Vec open{mix(ao * ao, 1.0f, 0.10f), ao * ao, ao * ao};  // folds glow red
  const Vec half = normalized(light.direction + eye);
  const float gleam = material.gloss * (0.4f * power32(maximum(dot(normal, half), 0)) * v);
  const float edge = 1 - maximum(dot(normal, eye), 0), rim = 0.5f * material.gloss * edge * edge * edge * ao;
  return material.albedo * (light.key * diffuse + ambient * open) + light.key * gleam + light.sky * rim;
}

}  // namespace dactyl::hand
