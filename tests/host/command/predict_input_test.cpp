// What `sluice predict` refuses, with a remedy that works, what it takes, and that it waits for no
// more than it is asked.
#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

std::string utf16(const std::string& text, bool little, bool mark) {
  std::string bytes = !mark ? "" : little ? "\xFF\xFE" : "\xFE\xFF";
  for (const char c : text) bytes += little ? std::string{c, '\0'} : std::string{'\0', c};
  return bytes;
}

std::string last_column(const std::vector<std::string>& lines) {
  std::string texts;
  for (const std::string& line : lines) texts += line.substr(line.rfind('\t') + 1) + "\n";
  return texts;
}

// A program that talks to `sluice predict` through pipes.
class Conversation {
 public:
  explicit Conversation(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SLUICE_COMMAND);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe failed");
    }
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::execv(SLUICE_COMMAND, argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  ~Conversation() {
    if (process_ > 0) end();
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void say(const std::string& bytes) const {
    if (::write(to_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("write failed");
    }
  }
  // The next line of its output; "" at the end, or where none comes for a minute.
  std::string answer() {
    std::size_t end = 0;
    while ((end = heard_.find('\n')) == std::string::npos) {
      pollfd output = {from_, POLLIN, 0};
      char bytes[4096];
      if (::poll(&output, 1, 60'000) != 1) return "";
      const ssize_t got = ::read(from_, bytes, sizeof bytes);
      if (got <= 0) return "";
      heard_.append(bytes, static_cast<std::size_t>(got));
    }
    const std::string line = heard_.substr(0, end);
    heard_.erase(0, end + 1);
    return line;
  }
  int end() {
    ::close(to_);
    int status = 0;
    ::waitpid(std::exchange(process_, -1), &status, 0);
    ::close(from_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t process_ = -1;
  int to_ = -1, from_ = -1;
  std::string heard_;
};

class PredictInput : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);
    folder_ = new TemporaryFolder;
    run_ = folder_->path("the run");  // remedies have to quote it
    code_ = run_command(*folder_, toy_training(folder_->write("d.csv", toy_csv(80)), run_)).code;
  }
  static void TearDownTestSuite() { delete folder_; }
  void SetUp() override { ASSERT_EQ(code_, 0); }

  static CommandResult predict(const std::string& file, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"predict", run_, file, "--device", "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(*folder_, arguments);
  }
  static CommandResult predict_from_pipe(const std::string& file) {
    return shell("cat \"" + file + "\" | sluice predict '" + run_ + "' --device cpu");
  }
  static CommandResult shell(const std::string& command) {
    const std::string out = folder_->path("shell.out"), err = folder_->path("shell.err");
    const std::string path = fs::path(SLUICE_COMMAND).parent_path().string();
    const int status = std::system(
        ("PATH='" + path + "':\"$PATH\"; (" + command + ") > '" + out + "' 2> '" + err + "'")
            .c_str());
    CommandResult result;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.output = CommandRun::read(out);
    result.error = CommandRun::read(err);
    std::istringstream text(result.output);
    for (std::string line; std::getline(text, line);) result.lines.push_back(line);
    return result;
  }

  // The command that a refusal names, on a line of its own.
  static std::string remedy(const std::string& error) {
    const std::size_t begin = error.find("\n  ");
    if (begin == std::string::npos) return "";
    return error.substr(begin + 3, error.find('\n', begin + 1) - begin - 3);
  }

  // Refused from a file and from a pipe, shortly and without an answer; the remedies, if there are,
  // give predictions of `texts`.
  static void expect_refused(const std::string& name, const std::string& bytes,
                             const std::string& says, const std::string& texts) {
    SCOPED_TRACE(name);
    const std::string file = folder_->write(name, bytes);
    for (const bool piped : {false, true}) {
      const CommandResult refused = piped ? predict_from_pipe(file) : predict(file);
      EXPECT_EQ(refused.code, 2);
      EXPECT_EQ(refused.output, "");
      const std::string error =
          refused.error.substr(refused.error.rfind("sluice: ", refused.error.find("looks like")));
      EXPECT_NE(error.find("looks like " + says), std::string::npos) << error;
      EXPECT_NE(error.find(piped ? "standard input" : file), std::string::npos) << error;
      EXPECT_NE(error.find("--plain"), std::string::npos) << error;
      EXPECT_LT(error.size(), 500 + 2 * folder_->path(name).size()) << error;
      std::string command = remedy(error);
      EXPECT_EQ(command.empty(), texts.empty()) << error;
      if (command.empty()) continue;
      if (piped) command.replace(command.find("..."), 3, "cat \"" + file + "\"");
      const CommandResult cured = shell(command);
      EXPECT_EQ(cured.code, 0) << command << "\n" << cured.error;
      EXPECT_EQ(last_column(cured.lines), texts) << command << "\n" << cured.error;
    }
    const CommandResult plain = predict(file, {"--plain"});
    EXPECT_EQ(plain.code, 0) << plain.error;
    EXPECT_FALSE(plain.output.empty());
  }

  static void expect_predicted(const std::string& name, const std::string& bytes) {
    SCOPED_TRACE(bytes);
    const std::string file = folder_->write(name, bytes);
    const auto lines =
        std::count(bytes.begin(), bytes.end(), '\n') + (bytes.ends_with('\n') ? 0 : 1);
    for (const bool piped : {false, true}) {
      const CommandResult result = piped ? predict_from_pipe(file) : predict(file);
      EXPECT_EQ(result.code, 0) << result.error;
      EXPECT_EQ(static_cast<std::ptrdiff_t>(result.lines.size()), lines) << result.output;
    }
  }

  static TemporaryFolder* folder_;
  static std::string run_;
  static int code_;
};
TemporaryFolder* PredictInput::folder_ = nullptr;
std::string PredictInput::run_;
int PredictInput::code_ = -1;

const char* const texts = "word1 film\nword0 story, and plot\n";

TEST_F(PredictInput, CompressedAndBinaryFiles) {
  const std::string file = folder_->write_gzip("a b.txt.gz", texts);
  expect_refused("it's.gz", CommandRun::read(file), "gzip", texts);
  expect_refused("archive", "PK\x03\x04 and more\n", "a zip archive", "");
  expect_refused("program",
                 "\x7F"
                 "ELF\0\0\0\0one\0two\0\0\nthree\0"s,
                 "a binary file", "");
}

TEST_F(PredictInput, Utf16) {
  for (const bool little : {true, false}) {
    expect_refused("marked.txt", utf16(texts, little, true), "UTF-16", texts);
    expect_refused("bare.txt", utf16(texts, little, false), little ? "UTF-16LE" : "UTF-16BE",
                   texts);
  }
}

TEST_F(PredictInput, Json) {
  const std::string one = "{\"id\": 1, \"text\": \"word1\\nfilm\"}";
  const std::string two = "{\"id\": 2, \"text\": \"word0 story, and plot\"}";
  expect_refused("a.jsonl", one + "\n" + two + "\n", "JSON lines", texts);
  expect_refused("one.txt", one, "JSON lines", "word1 film\n");
  expect_refused("a.json", "[" + one + ",\n " + two + "]\n", "a JSON array", texts);
  expect_refused("texts.json", "[\"word1 film\", \"word0 story, and plot\"]", "a JSON array",
                 texts);
  expect_refused("long.jsonl", "{\"text\": \"" + std::string(70'000, 'x') + "\"}\n", "JSON lines",
                 std::string(70'000, 'x') + "\n");
}

TEST_F(PredictInput, Tables) {
  expect_refused("a.csv", "id,text\n1,\"word1\nfilm\"\n2,\"word0 story, and plot\"\n",
                 "CSV with the header 'id,text'", texts);
  expect_refused("marked.csv", "\xEF\xBB\xBFtext,label\r\nword1 film,1\r\n", "CSV with the header",
                 "word1 film\n");
  expect_refused("bare.txt", "1,word1 film\n0,\"word0 story, and plot\"\n", "CSV of 2 columns",
                 texts);
  expect_refused("semicolons.csv", "text;label\nword1 film;1\n\"word0 story, and plot\";0\n",
                 "CSV with semicolons", texts);
  expect_refused("a.tsv", "label\ttext\r\n1\tword1 film\r\n0\tword0 story, and plot\r\n",
                 "TSV with the header 'label text'", texts);
  expect_refused("bare.tsv", "word1 film\t1\nword0 story, and plot\t0\n", "TSV of 2 columns",
                 texts);
  expect_refused("old.csv", "text,label\rword1 film,1\r\"word0 story, and plot\",0\r",
                 "CSV with the header", texts);
  expect_refused("latin1.csv", "text,label\ncaf\xE9 film,1\n", "CSV with the header",
                 "caf\xEF\xBF\xBD film\n");
  std::string table = "text,label\n", all;  // longer than what is looked at
  for (int i = 0; i < 700; ++i) {
    const std::string text = "word1 film, and plot" + std::string(100, '!');
    table += "\"" + text + "\",1\n";
    all += text + "\n";
  }
  expect_refused("long.csv", table, "CSV with the header", all);
}

TEST_F(PredictInput, ProseIsPredicted) {
  expect_predicted("a.csv", "word1 film\nword0, the plot\n");  // a name proves nothing
  expect_predicted("a.json", "word1 film\nword0 plot\n");
  expect_predicted("b.txt", "One, two\nThree, four\nFive, six\n");
  expect_predicted("b.txt", "A tab\tin one text\nnone here\n");
  expect_predicted("b.txt",
                   "{word1} film\n{\"word0\"} plot\n[word1] scene\n[1] plot\n[\"a\", b]\n");
  expect_predicted("b.txt", "\"I liked it,\" she said\n\"I did not,\" he said\n");
  expect_predicted("b.txt", "caf\xE9 in Latin-1\n");
  expect_predicted("b.txt", "\xEF\xBB\xBFword1 film");
}

TEST_F(PredictInput, NamedPipesAreRead) {
  const std::string pipe = folder_->path("pipe");
  const CommandResult good =
      shell("mkfifo '" + pipe + "'; (printf 'word1 '; sleep 0.2; echo film) > '" + pipe +
            "' & sluice predict '" + run_ + "' '" + pipe + "'");
  EXPECT_EQ(last_column(good.lines), "word1 film\n") << good.error;
  const CommandResult bad = shell("gzip -c '" + folder_->path("d.csv") + "' > '" + pipe +
                                  "' & sluice predict '" + run_ + "' '" + pipe + "'");
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.error.find("gzip"), std::string::npos) << bad.error;
}

TEST_F(PredictInput, EachLineIsAnsweredBeforeTheNextIsSent) {
  Conversation conversation({"predict", run_, "--batch", "1", "--device", "cpu"});
  // The last of them would be refused among the first.
  for (const std::string& text :
       {"word1 film"s, "word0 plot"s, "1,word0 plot"s, "{\"text\": \"x\"}"s}) {
    conversation.say(text.substr(0, 3));
    conversation.say(text.substr(3) + "\n");
    EXPECT_TRUE(conversation.answer().ends_with("\t" + text)) << text;
  }
  conversation.say("no line feed");
  EXPECT_EQ(conversation.end(), 0);
}

TEST_F(PredictInput, ABatchIsAnsweredWhenItIsThere) {
  Conversation conversation({"predict", run_, "-", "--batch", "3", "--device", "cpu"});
  for (int batch = 0; batch < 2; ++batch) {
    conversation.say("word1 film\nword0 plot\nword1 scene\n");
    for (int i = 0; i < 3; ++i) EXPECT_NE(conversation.answer(), "") << batch;
  }
  EXPECT_EQ(conversation.end(), 0);
}

TEST_F(PredictInput, APipeThatStaysOpenIsRefusedByWhatIsThere) {
  for (const std::string& begin : {"\x1F\x8B\x08\0\0"s,
                                   "\xFF\xFE"
                                   "a\0"s,
                                   "{\"text\": \"x\"}\n"s, "id,text\n"s, "label\ttext\n1"s}) {
    Conversation conversation({"predict", run_, "--batch", "1", "--device", "cpu"});
    conversation.say(begin);
    EXPECT_EQ(conversation.answer(), "") << "the end of its output, with the pipe still open";
    EXPECT_EQ(conversation.end(), 2) << begin;
  }
}

}  // namespace
}  // namespace sluice
