#include "bench/peers/onednn_layer.h"

#include <array>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>
#include <unordered_map>

#include "bench/peers/onednn_weights.h"

extern "C" void omp_set_num_threads(int);

namespace sluice::bench {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

// Memory descriptors of one problem; zero ones stand for states that start at zero and are not
// kept. In training the initial states are given as zeros: without them, oneDNN 2.6's gradient of
// the recurrent weights is wrong for LSTM and vanilla.
struct Descriptors {
  memory::desc none, x, y, weights_layer, weights_iter, bias, h0, c0;
  dnnl::rnn_direction direction;

  explicit Descriptors(const LayerProblem& problem) {
    const RecurrentConfig& c = problem.config;
    const auto desc = [](const memory::dims& dims, Tag tag) {
      return memory::desc(dims, memory::data_type::f32, tag);
    };
    const memory::dim l = c.num_layers, d = c.directions(), g = gate_count(c.cell);
    const memory::dim bias_gates = c.cell == Cell::gru ? 4 : g;
    x = desc({problem.steps, problem.batch, c.input_size}, Tag::tnc);
    y = desc({problem.steps, problem.batch, c.output_size()}, Tag::tnc);
    weights_layer = desc({l, d, c.input_size, g, c.hidden_size}, Tag::any);
    weights_iter = desc({l, d, c.hidden_size, g, c.hidden_size}, Tag::any);
    bias = desc({l, d, bias_gates, c.hidden_size}, Tag::ldgo);
    if (problem.training) {
      h0 = desc({l, d, problem.batch, c.hidden_size}, Tag::ldnc);
      if (has_cell_state(c.cell)) c0 = h0;
    }
    direction = c.bidirectional ? dnnl::rnn_direction::bidirectional_concat
                                : dnnl::rnn_direction::unidirectional_left2right;
  }
};

dnnl::algorithm activation(Cell cell) {
  return cell == Cell::rnn_relu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_tanh;
}

// What the three cells' primitive descriptors are asked for alike.
struct Primitive {
  dnnl::primitive primitive;
  memory::desc weights_layer, weights_iter;            // as the primitive wants them
  memory::desc diff_weights_layer, diff_weights_iter;  // backward only
  memory::desc workspace;                              // forward in training only
};

template <class Forward>
Primitive forward_primitive(const typename Forward::desc& desc, const dnnl::engine& engine,
                            typename Forward::primitive_desc* kept) {
  *kept = typename Forward::primitive_desc(desc, engine);
  return {Forward(*kept),        kept->weights_layer_desc(), kept->weights_iter_desc(), {}, {},
          kept->workspace_desc()};
}

template <class Backward, class Forward>
Primitive backward_primitive(const typename Backward::desc& desc, const dnnl::engine& engine,
                             const typename Forward::primitive_desc& hint) {
  const typename Backward::primitive_desc made(desc, engine, hint);
  return {Backward(made),
          made.weights_layer_desc(),
          made.weights_iter_desc(),
          made.diff_weights_layer_desc(),
          made.diff_weights_iter_desc(),
          {}};
}

struct Primitives {
  Primitive forward, backward;
};

// `head`: what a description begins with after the kind of pass. `arrays`: those that it names,
// which backward names twice, they and their gradients.
template <class Forward, class Backward, class Head, class Arrays>
Primitives primitives_of(const LayerProblem& problem, const dnnl::engine& engine, const Head& head,
                         const Arrays& arrays) {
  const auto kind =
      std::tuple(problem.training ? prop_kind::forward_training : prop_kind::forward_inference);
  typename Forward::primitive_desc hint;
  Primitives made;
  made.forward = forward_primitive<Forward>(
      std::make_from_tuple<typename Forward::desc>(std::tuple_cat(kind, head, arrays)), engine,
      &hint);
  if (problem.training) {
    made.backward = backward_primitive<Backward, Forward>(
        std::make_from_tuple<typename Backward::desc>(
            std::tuple_cat(std::tuple(prop_kind::backward), head, arrays, arrays)),
        engine, hint);
  }
  return made;
}

Primitives make_primitives(const LayerProblem& problem, const dnnl::engine& engine) {
  const Descriptors d(problem);
  const memory::desc& w = d.weights_layer;
  const memory::desc& r = d.weights_iter;
  const Cell cell = problem.config.cell;
  if (cell == Cell::lstm) {
    return primitives_of<dnnl::lstm_forward, dnnl::lstm_backward>(
        problem, engine, std::tuple(d.direction),
        std::tuple(d.x, d.h0, d.c0, w, r, d.bias, d.y, d.none, d.none));
  }
  const auto arrays = std::tuple(d.x, d.h0, w, r, d.bias, d.y, d.none);
  if (cell == Cell::gru) {
    return primitives_of<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(
        problem, engine, std::tuple(d.direction), arrays);
  }
  if (cell == Cell::rnn_tanh || cell == Cell::rnn_relu) {
    return primitives_of<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(
        problem, engine, std::tuple(activation(cell), d.direction), arrays);
  }
  throw Refusal("the comparison has no mapping for this cell");
}

class OnednnLayer : public PreparedLayer {
 public:
  OnednnLayer(const LayerProblem& problem, const std::vector<float>& parameters,
              const InputRing& ring, int threads)
      : problem_(problem),
        ring_(ring),
        threads_(threads),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_) {
    omp_set_num_threads(threads_);
    primitives_ = make_primitives(problem, engine_);
    const Descriptors d(problem);
    const OnednnWeights plain = to_onednn(problem.config, parameters);
    bias_ = filled(d.bias, plain.bias);
    x_ = memory(d.x, engine_, nullptr);
    y_ = memory(d.y, engine_);
    forward_ = {{DNNL_ARG_SRC_LAYER, x_},
                {DNNL_ARG_WEIGHTS_LAYER, arranged(primitives_.forward.weights_layer, plain.layer)},
                {DNNL_ARG_WEIGHTS_ITER, arranged(primitives_.forward.weights_iter, plain.iter)},
                {DNNL_ARG_BIAS, bias_},
                {DNNL_ARG_DST_LAYER, y_}};
    if (!problem.training) return;
    workspace_ = memory(primitives_.forward.workspace, engine_);
    forward_.insert({DNNL_ARG_WORKSPACE, workspace_});
    add_initial_state(d.h0, DNNL_ARG_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER);
    if (has_cell_state(problem.config.cell)) {
      add_initial_state(d.c0, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DIFF_SRC_ITER_C);
    }
    dx_ = memory(d.x, engine_);
    dy_ = memory(d.y, engine_, nullptr);
    diff_layer_ = memory(primitives_.backward.diff_weights_layer, engine_);
    diff_iter_ = memory(primitives_.backward.diff_weights_iter, engine_);
    diff_bias_ = memory(d.bias, engine_);
    clear_gradients();
    backward_.insert(
        {{DNNL_ARG_SRC_LAYER, x_},
         {DNNL_ARG_WEIGHTS_LAYER, arranged(primitives_.backward.weights_layer, plain.layer)},
         {DNNL_ARG_WEIGHTS_ITER, arranged(primitives_.backward.weights_iter, plain.iter)},
         {DNNL_ARG_BIAS, bias_},
         {DNNL_ARG_DST_LAYER, y_},
         {DNNL_ARG_WORKSPACE, workspace_},
         {DNNL_ARG_DIFF_SRC_LAYER, dx_},
         {DNNL_ARG_DIFF_WEIGHTS_LAYER, diff_layer_},
         {DNNL_ARG_DIFF_WEIGHTS_ITER, diff_iter_},
         {DNNL_ARG_DIFF_BIAS, diff_bias_},
         {DNNL_ARG_DIFF_DST_LAYER, dy_}});
  }

  void run(std::uint64_t pass) override {
    omp_set_num_threads(threads_);  // belongs to the calling thread, and others may have changed it
    x_.set_data_handle(
        const_cast<void*>(ring_.piece(problem_.rows() * problem_.config.input_size, pass)));
    primitives_.forward.primitive.execute(stream_, forward_);
    if (problem_.training) {
      dy_.set_data_handle(const_cast<void*>(
          ring_.second_piece(problem_.rows() * problem_.config.output_size(), pass)));
      primitives_.backward.primitive.execute(stream_, backward_);
    }
    stream_.wait();
  }

  std::vector<NamedOutput> outputs() override {
    if (problem_.training) clear_gradients();
    run(0);
    std::vector<NamedOutput> found;
    found.push_back({"y", values(y_)});
    if (!problem_.training) return found;
    found.push_back({"dx", values(dx_)});
    OnednnWeights gradients{plain_order(diff_layer_), plain_order(diff_iter_), values(diff_bias_)};
    const std::vector<float> flat = from_onednn(problem_.config, gradients);
    for (const ParameterView& view : recurrent_parameters(problem_.config)) {
      const auto first = flat.begin() + view.offset;
      found.push_back({"d " + view.name, std::vector<float>(first, first + view.size())});
    }
    return found;
  }

  std::string algorithm() const override { return "primitive"; }

  std::size_t bytes() const override {
    std::size_t sum = 0;
    for (const Arguments* arguments : {&forward_, &backward_}) {
      for (const auto& [role, each] : *arguments) {
        const bool counted_already = arguments == &backward_ && forward_.count(role) != 0 &&
                                     role != DNNL_ARG_WEIGHTS_LAYER &&
                                     role != DNNL_ARG_WEIGHTS_ITER;
        if (role != DNNL_ARG_SRC_LAYER && role != DNNL_ARG_DIFF_DST_LAYER && !counted_already) {
          sum += each.get_desc().get_size();
        }
      }
    }
    return sum;
  }

 private:
  memory filled(const memory::desc& desc, const std::vector<float>& numbers) const {
    memory made(desc, engine_);
    std::memcpy(made.get_data_handle(), numbers.data(), numbers.size() * sizeof(float));
    return made;
  }

  static memory::desc gate_major(const memory::desc& like) {
    return memory::desc(like.dims(), memory::data_type::f32, Tag::ldgoi);
  }

  // Weights as Sluice has them, [gates][H][inputs], in the arrangement that a primitive wants.
  memory arranged(const memory::desc& wanted, const std::vector<float>& numbers) {
    memory from = filled(gate_major(wanted), numbers), to(wanted, engine_);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  std::vector<float> plain_order(memory from) {
    memory to(gate_major(from.get_desc()), engine_);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return values(to);
  }

  static std::vector<float> values(const memory& of) {
    const auto* first = static_cast<const float*>(of.get_data_handle());
    return {first, first + of.get_desc().get_size() / sizeof(float)};
  }

  void add_initial_state(const memory::desc& desc, int role, int gradient_role) {
    memory zeros(desc, engine_);
    std::memset(zeros.get_data_handle(), 0, desc.get_size());
    forward_.insert({role, zeros});
    backward_.insert({role, zeros});
    backward_.insert({gradient_role, memory(desc, engine_)});
  }

  void clear_gradients() {
    for (const memory& each : {diff_layer_, diff_iter_, diff_bias_}) {
      std::memset(each.get_data_handle(), 0, each.get_desc().get_size());
    }
  }

  LayerProblem problem_;
  const InputRing& ring_;
  int threads_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  Primitives primitives_;
  Arguments forward_, backward_;
  memory x_, y_, bias_, workspace_, dx_, dy_, diff_layer_, diff_iter_, diff_bias_;
};

struct OnednnPeer : LayerPeer {
  int threads = 1;

  std::unique_ptr<PreparedLayer> prepare(const LayerProblem& problem,
                                         const std::vector<float>& parameters,
                                         const InputRing& ring) const override {
    const RecurrentConfig& c = problem.config;
    if (!problem.lengths.empty()) throw Refusal("the primitive knows no lengths of rows");
    if (c.data_type != DataType::float32) throw Refusal("compared in float32 alone");
    if (c.input_dropout + c.layer_dropout + c.recurrent_dropout > 0.0) {
      throw Refusal("the primitive has no dropout");
    }
    if (c.num_layers > 1 && c.input_size != c.output_size()) {
      throw Refusal("one primitive needs the same input size in every layer");
    }
    try {
      return std::make_unique<OnednnLayer>(problem, parameters, ring, threads);
    } catch (const dnnl::error& error) {
      throw Refusal(std::string("status ") + std::to_string(error.status) + ": " + error.what());
    }
  }
};

}  // namespace

std::unique_ptr<LayerPeer> onednn_peer(const Queue& queue) {
  auto peer = std::make_unique<OnednnPeer>();
  peer->name = "onednn";
  const dnnl_version_t* const found = dnnl_version();
  peer->version = std::to_string(found->major) + "." + std::to_string(found->minor) + "." +
                  std::to_string(found->patch);
  if (queue.device != DeviceKind::cpu) peer->absent = "measured on the CPU alone";
  peer->threads = queue.threads == nullptr ? 1 : queue.threads->size();
  return peer;
}

}  // namespace sluice::bench
