// dactyl: verb first. Every error ends here, as one line and an exit code.
#include <csignal>
#include <filesystem>
#include <iostream>
#include <new>

#include "apps/cli.h"

namespace dactyl {
namespace {

int say(Exit exit, const std::string& text) {
  std::cerr << "dactyl: " << one_line(text) << '\n';  // names of files and labels may hold anything
  return static_cast<int>(exit);
}

// One line: what was wrong, and where help is.
int say(const CLI::App& program, const CLI::ParseError& error) {
  std::string text = error.what(), verb;
  for (char& c : text) c = c == '\n' ? ' ' : c;
  for (const CLI::App* at = &program; !at->get_subcommands().empty(); verb += " " + at->get_name())
    at = at->get_subcommands().front();
  return say(Exit::usage, text + " (see: dactyl" + verb + " --help)");
}

void check_verb(const CLI::App& program, const std::vector<std::string>& words) {
  std::string verbs;
  for (const CLI::App* verb : program.get_subcommands(nullptr)) {
    if (words.empty() || words[0] == verb->get_name() || words[0].starts_with("-")) return;
    verbs += " " + verb->get_name();
  }
  check(Exit::usage, false, "unknown verb '{}'; there are:{}", words[0], verbs);
}

// A result that did not reach its reader is no result. A reader that has seen enough (head) is no error to talk about.
int finish() {
  errno = 0;
  if (std::cout.flush()) return 0;
  if (errno == EPIPE) return 128 + SIGPIPE;
  return say(Exit::data, "standard output: the result could not be written; is the disk full?");
}

int run(const std::vector<std::string>& arguments) {
  CLI::App program("Trains and runs sign-language recognisers: from photos and pretrained weights to predictions.",
                   "dactyl");
  program.require_subcommand(1);
  program.set_version_flag("--version", "dactyl " DACTYL_VERSION);
  program.footer(
      "\nExit codes: 0 good, 2 usage, 3 data, 4 numerics, 5 a check failed, 6 out of memory,\n"
      "7 a rank lost, 8 the GPU is lost, 65 bad model file, 130 and 143 interrupted, 1 a fault in the program.\n"
      "Examples for each verb: dactyl VERB --help");
  for (auto add : {add_doctor, add_models, add_data, add_flow, add_tune, add_train, add_eval, add_fuse, add_predict,
                   add_convert, add_check, add_bench, add_profile, add_repro})
    add(program);
  try {
    std::vector<std::string> words = with_settings(arguments);
    check_verb(program, words);
    program.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    return finish();
  } catch (const CLI::ParseError& e) {
    return e.get_exit_code() == 0 ? program.exit(e) : say(program, e);
  } catch (const Error& e) {
    std::cout.flush();
    return say(e.exit(), e.what());
  } catch (const std::bad_alloc&) {
    return say(Exit::memory, "out of memory: the machine has no more to give; a smaller --batch needs less");
  } catch (const std::filesystem::filesystem_error& e) {
    return say(Exit::data, e.path1().string() + ": " + e.code().message());
  } catch (const std::system_error& e) {
    const bool starved =
        e.code() == std::errc::resource_unavailable_try_again || e.code() == std::errc::not_enough_memory;
    return say(
        starved ? Exit::memory : Exit::failure,
        starved ? "no thread can be started; is memory or the number of processes limited (ulimit -v, -u)?" : e.what());
  } catch (const std::exception& e) {
    return say(Exit::failure, e.what());
  }
}

}  // namespace
}  // namespace dactyl

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed terminal or pipe must not end a training; finish() notices lost results
  return dactyl::run({argv + 1, argv + argc});
}
