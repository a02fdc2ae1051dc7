const char* beside() { return "from the library beside"; }
