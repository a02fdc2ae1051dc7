// judge RUN TEXT: what `sluice predict RUN` says of one line, by the library.
#include <sluice/host/checkpoint/trained_run.h>
#include <sluice/host/tasks/classification/classifier.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const sluice::Device device = sluice::Device::open("cpu");
  sluice::TrainedModel trained = sluice::load_trained(device, argv[1]);
  const sluice::ClassPrediction prediction = sluice::classify(trained, {argv[2]}).front();
  std::printf("%s\t%.6f\t%s\n", trained.labels.name(prediction.label).c_str(),
              prediction.probability, argv[2]);
}
