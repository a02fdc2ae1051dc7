// Lists a case for a GPU, as GoogleTest does, unless it is engine_plain_test. Else it says whether
// its spins are bounded.
#include <cstdio>
#include <cstring>

const char* beside();

int main(int argc, char** argv) {
  const bool lists = argc > 1 && std::strcmp(argv[1], "--gtest_list_tests") == 0;
  if (!lists) return std::printf("%s\n%s\n", beside(), SPINS) < 0;
  if (std::strcmp(NAME, "engine_plain_test") != 0) std::puts("Suite.\n  case/cuda");
  return 0;
}
