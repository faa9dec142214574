// Markdown and HTML side by side.
#include "apps/page.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "weights/weights.h"

namespace dactyl {
namespace {

// Names and labels are anything; neither language may take them for its own words.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : one_line(text)) switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  return safe;
}

std::string marked(const std::string& text) {
  std::string safe;
  for (const char c : one_line(text)) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) safe += '\\';
    safe += c;
  }
  return safe;
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : digits[group >> (18 - 6 * i) & 63];
  }
  return text;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr const char* style =
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.2em .6em;text-align:left}"
    "th{background:#f3f3f3}pre{background:#f6f6f6;padding:.8em;overflow:auto}"
    "img{max-width:100%;display:block}figure{margin:1em 0}figcaption{color:#555}";

}  // namespace

Page::Page(const std::string& title)
    : title_(title), markdown_("# " + marked(title) + "\n"), html_("<h1>" + escaped(title) + "</h1>\n") {}

void Page::heading(const std::string& text) {
  markdown_ += "\n## " + marked(text) + "\n";
  html_ += "<h2>" + escaped(text) + "</h2>\n";
}

void Page::paragraph(const std::string& text) {
  markdown_ += "\n" + marked(text) + "\n";
  html_ += "<p>" + escaped(text) + "</p>\n";
}

void Page::list(const std::vector<std::string>& items) {
  markdown_ += "\n";
  html_ += "<ul>\n";
  for (const std::string& item : items) {
    markdown_ += "- " + marked(item) + "\n";
    html_ += "<li>" + escaped(item) + "</li>\n";
  }
  html_ += "</ul>\n";
}

void Page::table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  const auto row = [&](const std::vector<std::string>& cells, const std::string& tag) {
    markdown_ += "|";
    html_ += "<tr>";
    for (const std::string& cell : cells) {
      markdown_ += " " + marked(cell) + " |";
      html_ += "<" + tag + ">" + escaped(cell) + "</" + tag + ">";
    }
    markdown_ += "\n";
    html_ += "</tr>\n";
  };
  markdown_ += "\n";
  html_ += "<table>\n";
  row(head, "th");
  markdown_ += "|";
  for (std::size_t i = 0; i < head.size(); ++i) markdown_ += "---|";
  markdown_ += "\n";
  for (const auto& cells : rows) row(cells, "td");
  html_ += "</table>\n";
}

void Page::verbatim(const std::string& text) {
  markdown_ += "\n```\n" + text + "```\n";
  html_ += "<pre>";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    html_ += escaped(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  html_ += "</pre>\n";
}

void Page::picture(const std::string& folder, const std::string& file, const std::string& caption) {
  const std::string path = folder + "/" + file;
  if (!std::filesystem::exists(path)) return;
  markdown_ += "\n![" + marked(caption) + "](" + file + ")\n";
  html_ += "<figure><img alt=\"" + escaped(caption) + "\" src=\"data:image/png;base64," + base64(bytes_of(path)) +
           "\"><figcaption>" + escaped(caption) + "</figcaption></figure>\n";
}

void Page::write(const std::string& folder) const {
  write_atomically(folder + "/page.md", markdown_);
  write_atomically(folder + "/page.html", "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>" +
                                              escaped(title_) + "</title><style>" + style + "</style>\n" + html_ +
                                              "</html>\n");
}

}  // namespace dactyl
