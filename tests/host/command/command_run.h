// Runs the command `sluice` as a person would, and keeps what it said.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/json/json.h"
#include "tests/host/data/temporary_folder.h"

namespace sluice {

/// How a test that fails shows a value.
inline void PrintTo(const Json& value, std::ostream* out) { *out << value.dump(); }

/// One run of the command. Files for its output lie in the folder given.
class CommandRun {
 public:
  /// Starts it; `input` becomes its standard input. `device`, if not empty, takes its standard
  /// output, which is then not read back: /dev/full reads as zeros without end.
  CommandRun(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
             const std::string& input = "", const std::string& device = "") {
    const std::string name = "command-" + std::to_string(++count());
    input_ = folder.write(name + ".in", input);
    output_ = device.empty() ? folder.path(name + ".out") : device;
    readable_ = device.empty();
    error_ = folder.path(name + ".err");
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error("fork failed");
    if (process_ == 0) execute(arguments);
  }

  /// The exit code; -signal if a signal ended it.
  int wait() {
    int status = 0;
    if (::waitpid(process_, &status, 0) != process_) throw std::runtime_error("waitpid failed");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Whether it has ended, without waiting for it; wait() is still to be called.
  bool ended() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid != 0;
  }

  void send(int signal) const { ::kill(process_, signal); }

  std::string output() const { return readable_ ? read(output_) : ""; }
  std::string error() const { return read(error_); }

  std::vector<std::string> output_lines() const {
    std::vector<std::string> lines;
    std::istringstream text(output());
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  static int& count() {
    static int runs = 0;
    return runs;
  }

  [[noreturn]] void execute(const std::vector<std::string>& arguments) const {
    std::vector<char*> argv = {const_cast<char*>(SLUICE_COMMAND)};
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    redirect(input_, O_RDONLY, STDIN_FILENO);
    redirect(output_, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(error_, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    ::execv(SLUICE_COMMAND, argv.data());
    ::_exit(127);
  }

  static void redirect(const std::string& path, int flags, int to) {
    const int file = ::open(path.c_str(), flags, 0644);
    if (file < 0 || ::dup2(file, to) < 0) ::_exit(126);
  }

  std::string input_, output_, error_;
  bool readable_ = true;
  pid_t process_ = -1;
};

struct CommandResult {
  int code = 0;
  std::string output, error;
  std::vector<std::string> lines;
};

inline CommandResult run_command(const TemporaryFolder& folder,
                                 const std::vector<std::string>& arguments,
                                 const std::string& input = "", const std::string& device = "") {
  CommandRun run(folder, arguments, input, device);
  CommandResult result;
  result.code = run.wait();
  result.output = run.output();
  result.error = run.error();
  result.lines = run.output_lines();
  return result;
}

/// Texts of `classes` classes that the first word tells apart, as CSV.
inline std::string toy_csv(int rows, const std::vector<std::string>& classes = {"bad", "good"}) {
  const char* filler[] = {"film", "story", "actor", "scene", "music", "plot", "camera"};
  std::string text = "label,text\n";
  for (int i = 0; i < rows; ++i) {
    const std::size_t c = static_cast<std::size_t>(i) % classes.size();
    text += classes[c] + ",\"word" + std::to_string(c);
    for (int w = 0; w <= i % 9; ++w) text.append(" ").append(filler[(i * 5 + w * 3) % 7]);
    text += "\"\n";
  }
  return text;
}

/// A quick network for toy_csv().
inline std::vector<std::string> toy_training(const std::string& data, const std::string& out) {
  return {"train",   "--data",    data,       "--out",   out,    "--hidden", "8",
          "--embed", "8",         "--epochs", "3",       "--lr", "0.02",     "--device",
          "cpu",     "--threads", "1",        "--batch", "8"};
}

}  // namespace sluice
