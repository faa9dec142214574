// A report as Markdown and as one HTML file that needs nothing beside it, made in one go.
#pragma once

#include <string>
#include <vector>

namespace dactyl {

class Page {
 public:
  explicit Page(const std::string& title);
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void list(const std::vector<std::string>& items);
  void table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);
  void verbatim(const std::string& text);
  // A PNG below the page's folder: Markdown links it, HTML holds it. Nothing where there is no such file.
  void picture(const std::string& folder, const std::string& file, const std::string& caption);
  void write(const std::string& folder) const;  // page.md and page.html

 private:
  std::string title_, markdown_, html_;
};

}  // namespace dactyl
