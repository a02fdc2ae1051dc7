#include <cstdio>

const char* beside();

int main() { return std::puts(beside()) < 0; }
