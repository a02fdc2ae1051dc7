// judge RUN TEXT: what `sluice predict RUN` says of one line, by the library.
#include <sluice/host/classifier.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const sluice::Device device = sluice::Device::open("cpu");
  sluice::Classifier classifier(device, argv[1]);
  const sluice::Prediction prediction = classifier.predict({argv[2]}).front();
  std::printf("%s\t%.6f\t%s\n", classifier.labels().name(prediction.label).c_str(),
              prediction.probability, argv[2]);
}
