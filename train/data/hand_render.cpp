// Draws a hand over a picture.
#include "train/data/hand_render.h"

#include <tuple>

#include "train/data/hand_field.h"

namespace dactyl::hand {
namespace {

constexpr int tile = 8;
constexpr float beyond = 50;  // depth of what shows no hand

struct Sample {
  Vec colour;
  float depth = beyond;
  std::int32_t bone = -1;
};

class Painter {
 public:
  Painter(const Scene& scene, Canvas& canvas)
      : scene_(scene), canvas_(canvas), all_(scene.bones), samples_(canvas.pixels.size()) {}

  void paint();

 private:
  void paint_tile(int top, int left);
  void compose_tile(int top, int left);
  bool select(int top, int left);
  void approach(float x, float y);
  VecLanes rays(const float (&columns)[4], const float (&rows)[4]) const;
  Lanes start(int y, int x) const { return Lanes{} + start_[2 * (y >= tile / 2) + (x >= tile / 2)]; }
  std::array<Sample, 4> cast(const VecLanes& ray, Lanes t) const;
  void march(const VecLanes& ray, Lanes& t, Bits& hit) const;
  bool on_border(int row, int column) const;
  Sample& at(int row, int column) { return samples_[index(row, column)]; }
  const Sample& at(int row, int column) const { return samples_[index(row, column)]; }
  std::size_t index(int row, int column) const { return static_cast<std::size_t>(row * canvas_.width + column); }

  const Scene& scene_;
  Canvas& canvas_;
  Field all_, near_, wide_;  // all bones; those a ray of this tile can hit; those that can darken its surface
  float nearest_ = 0, farthest_ = 0, far_ = 0;  // depths between which lies what this tile shows; end of its rays
  Lanes start_{};                               // where the rays of its four quarters begin
  std::vector<Sample> samples_;
};

VecLanes Painter::rays(const float (&columns)[4], const float (&rows)[4]) const {
  const Camera& c = scene_.camera;
  VecLanes ray{};
  for (int i = 0; i < 4; ++i) {
    ray.x[i] = (columns[i] - c.column) / c.scale;
    ray.y[i] = (c.row - rows[i]) / c.scale;
    ray.z[i] = -1;
  }
  return normalized(ray);
}

// Chooses the bones a tile needs. False if it shows none.
bool Painter::select(int top, int left) {
  const Camera& c = scene_.camera;
  const float half = 0.5f * tile, radius = 1.5f * half / c.scale;
  const float x = static_cast<float>(left) + half, y = static_cast<float>(top) + half;
  const float u = (x - c.column) / c.scale, v = (c.row - y) / c.scale;
  near_.select(all_, c.eye, u, v, radius, 0.06f);
  if (near_.empty()) return false;
  std::tie(nearest_, farthest_) = near_.depths(c.eye);
  approach(x, y);
  const bool reached = (start_[0] < far_) | (start_[1] < far_) | (start_[2] < far_) | (start_[3] < far_);
  if (reached) wide_.select(all_, c.eye, u, v, radius, 0.22f);
  return reached;
}

// How far the rays of each quarter of a tile can go together before one of them may touch the hand.
void Painter::approach(float x, float y) {
  constexpr float q = 0.25f * tile;
  const VecLanes ray = rays({x - q, x + q, x - q, x + q}, {y - q, y - q, y + q, y + q});
  const float spread = 1.45f * q / scene_.camera.scale;
  far_ = farthest_ * 1.2f;
  start_ = (0.03f - nearest_) / ray.z;  // where bones melt together the skin is thicker
  for (int step = 0; step < 24; ++step) {
    const Lanes clear = near_.distance(ray * start_ + scene_.camera.eye) - start_ * spread;
    const Bits go = (clear > 0.01f) & (start_ < far_);
    if (!(go[0] | go[1] | go[2] | go[3])) break;
    start_ = go ? start_ + clear : start_;
  }
}

// Sphere tracing. The shortest step grows from a pixel on, or rays along a silhouette would creep forever.
void Painter::march(const VecLanes& ray, Lanes& t, Bits& hit) const {
  const float pixel = 1 / scene_.camera.scale;
  for (int step = 0; step < 56; ++step) {
    const Lanes d = near_.distance(ray * t + scene_.camera.eye);
    hit = d < 0.3f * pixel * t;
    const Bits done = hit | (t > far_);
    if (done[0] & done[1] & done[2] & done[3]) break;
    const float least = pixel * (0.7f + 0.1f * static_cast<float>(step));
    t = done ? t : t + maximum(d, t * least);
  }
}

std::array<Sample, 4> Painter::cast(const VecLanes& ray, Lanes t) const {
  Bits hit;
  march(ray, t, hit);
  std::array<Sample, 4> samples;
  if (!(hit[0] | hit[1] | hit[2] | hit[3])) return samples;
  const VecLanes p = ray * t + scene_.camera.eye, n = near_.normal(p);
  const Bits bone = near_.bone_at(p);
  Bits group{};
  for (int i = 0; i < 4; ++i) group[i] = static_cast<int>(scene_.bones[static_cast<std::size_t>(bone[i])].group);
  const Lanes visible = all_.visibility(p, scene_.light.direction, scene_.light.width, group);
  const Lanes open = wide_.openness(p, n);
  for (int i = 0; i < 4; ++i) {
    if (!hit[i]) continue;
    const Vec point = lane(p, i), normal = normalized(lane(n, i));
    const Material skin =
        material(scene_.skin, scene_.bones[static_cast<std::size_t>(bone[i])], scene_.hand, point, normal);
    const Vec colour = shade(scene_.light, skin, normal, lane(ray, i) * -1.0f, {visible[i], open[i]});
    samples[static_cast<std::size_t>(i)] = {colour, t[i], bone[i]};
  }
  return samples;
}

void Painter::paint_tile(int top, int left) {
  if (!select(top, left)) return;
  for (int y = top; y < top + tile && y < canvas_.height; y += 2) {
    for (int x = left; x < left + tile && x < canvas_.width; x += 2) {
      const float fx = static_cast<float>(x) + 0.5f, fy = static_cast<float>(y) + 0.5f;
      const auto quad = cast(rays({fx, fx + 1, fx, fx + 1}, {fy, fy, fy + 1, fy + 1}), start(y - top, x - left));
      for (int i = 0; i < 4; ++i) {
        const int row = y + i / 2, column = x + i % 2;
        if (row < canvas_.height && column < canvas_.width) at(row, column) = quad[static_cast<std::size_t>(i)];
      }
    }
  }
}

// Where a neighbour shows another finger, another depth or no hand, one ray cannot speak for the pixel.
bool Painter::on_border(int row, int column) const {
  const Sample& here = at(row, column);
  const auto differs = [&](int r, int c) {
    if (r < 0 || c < 0 || r >= canvas_.height || c >= canvas_.width) return false;
    const Sample& there = at(r, c);
    if ((here.bone < 0) != (there.bone < 0)) return true;
    return absolute(here.depth - there.depth) * scene_.camera.scale > 2.5f * here.depth;
  };
  return differs(row - 1, column) || differs(row + 1, column) || differs(row, column - 1) || differs(row, column + 1);
}

void Painter::compose_tile(int top, int left) {
  bool selected = false;
  for (int y = top; y < top + tile && y < canvas_.height; ++y) {
    for (int x = left; x < left + tile && x < canvas_.width; ++x) {
      if (!on_border(y, x)) {
        if (at(y, x).bone >= 0) canvas_.pixels[index(y, x)] = at(y, x).colour;
        continue;
      }
      if (!selected && !select(top, left)) return;
      selected = true;
      const float fx = static_cast<float>(x), fy = static_cast<float>(y);
      const auto four = cast(rays({fx + 0.375f, fx + 0.875f, fx + 0.125f, fx + 0.625f},
                                  {fy + 0.125f, fy + 0.375f, fy + 0.625f, fy + 0.875f}),
                             start(y - top, x - left));
      const Vec behind = canvas_.pixels[index(y, x)];
      Vec sum;
      for (const Sample& s : four) sum = sum + (s.bone < 0 ? behind : s.colour);
      canvas_.pixels[index(y, x)] = sum * 0.25f;
    }
  }
}

void Painter::paint() {
  for (int y = 0; y < canvas_.height; y += tile) {
    for (int x = 0; x < canvas_.width; x += tile) paint_tile(y, x);
  }
  for (int y = 0; y < canvas_.height; y += tile) {
    for (int x = 0; x < canvas_.width; x += tile) compose_tile(y, x);
  }
}

}  // namespace

Camera frame_hand(const Skeleton& bones, int height, int width, float distance, float fill, float x, float y) {
  float left = 1e3f, right = -1e3f, bottom = 1e3f, top = -1e3f;
  for (const Bone& bone : bones) {
    if (bone.part == Part::forearm || bone.part == Part::cloth) continue;
    for (const auto& [p, r] : {std::pair{bone.a, bone.ra}, {bone.b, bone.rb}}) {
      const float near = distance / (distance - p.z);
      left = minimum(left, (p.x - r) * near), right = maximum(right, (p.x + r) * near);
      bottom = minimum(bottom, (p.y - r) * near), top = maximum(top, (p.y + r) * near);
    }
  }
  const float w = static_cast<float>(width), h = static_cast<float>(height);
  const float zoom = fill * minimum(w, h) / maximum(right - left, top - bottom);  // pixels per unit at z = 0
  const float slack_x = 0.5f * maximum(w - zoom * (right - left), 0),
              slack_y = 0.5f * maximum(h - zoom * (top - bottom), 0);
  const float column = 0.5f * w + x * slack_x - zoom * 0.5f * (left + right);
  const float row = 0.5f * h + y * slack_y + zoom * 0.5f * (bottom + top);
  return {{0, 0, distance}, column, row, zoom * distance};
}

void draw_hand(const Scene& scene, Canvas& canvas) { Painter(scene, canvas).paint(); }

}  // namespace dactyl::hand
