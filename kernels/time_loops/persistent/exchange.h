// How the blocks of a group, which share the units of a direction, come to each hold the whole
// operand of the next product in shared memory. A block writes its own columns; begin() sends them
// on their way, finish() returns when all columns are there. Only for .cu files.
//
// With two buffers by turns one meeting a step suffices: a block that writes into a buffer has got
// every block's columns of the step before, and a block sends those when all its threads have read
// that buffer.
#pragma once

#include <cuda_pipeline.h>

#include "kernels/time_loops/persistent/cluster.h"
#include "kernels/time_loops/persistent/flags.h"
#include "kernels/time_loops/persistent/geometry.h"

namespace sluice::cuda {

using persistent::piece_bytes;

/// The columns that a block owns, in each segment of an operand's row.
struct Columns {
  int rows, stride;  ///< of the operand; the stride in bytes
  int live_rows;     ///< those that hold rows of the batch; the others stay zero
  int segments, segment_bytes;
  int first_byte, bytes;  ///< of a segment, this block's
  int used_bytes;         ///< of a segment, all blocks'
};

/// A block among the groups of its direction.
struct GroupPlace {
  int group, rank, blocks;  ///< of the group
};

/// What the exchange of a direction lives on.
struct ExchangeMemory {
  std::uint64_t* barriers;  ///< [2] shared
  void* columns;            ///< global, as the flags: the grid's alone
  unsigned* flags;
};

/// One block has all columns.
class BlockExchange {
 public:
  __device__ BlockExchange(const Columns&, const GroupPlace&, const ExchangeMemory&) {}
  __device__ void start() { __syncthreads(); }
  __device__ void begin(unsigned char*) {}
  __device__ void finish(unsigned char*) { __syncthreads(); }
};

/// A cluster: each block stores its columns into every other block's buffer, and each waits on a
/// barrier of its own, one for each buffer, until the bytes of all others have come. Blocks without
/// columns, the last ones, neither get nor wait for any: nobody would know how far they are.
class ClusterExchange {
 public:
  __device__ ClusterExchange(const Columns& columns, const GroupPlace& place,
                             const ExchangeMemory& memory)
      : columns_(columns), rank_(place.rank), barriers_(memory.barriers) {
    pieces_ = columns.bytes / piece_bytes;
    count_ = columns.live_rows * columns.segments * pieces_;
    expected_ = static_cast<std::uint32_t>(columns.live_rows * columns.segments *
                                           (columns.used_bytes - columns.bytes));
    if (count_ == 0) {
      expected_ = 0;
      return;
    }
    const int share = rank_ == 0 ? columns.bytes : columns.first_byte / rank_;
    blocks_ = persistent::divide_up(columns.used_bytes, share);
    // As many threads as there are pieces take one each, for one peer; the next, for the next peer.
    const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
    lanes_ = count_ < threads ? count_ : threads;
    peer_stride_ = threads / lanes_;
    first_peer_ = thread < lanes_ * peer_stride_ ? thread / lanes_ : blocks_;
    offset_ = offset_of(thread % lanes_);
  }

  /// Every block has filled its buffers and none yet writes into another's.
  __device__ void start() {
    if (threadIdx.x == 0) {
      create_barrier(barriers_);
      create_barrier(barriers_ + 1);
    }
    cluster_barrier();
  }

  __device__ void begin(unsigned char* operand) {
    __syncthreads();
    std::uint64_t* const barrier = barriers_ + round_ % 2;
    if (threadIdx.x == 0) expect_bytes(barrier, expected_);
    if (count_ == 0) return;
    for (int piece = static_cast<int>(threadIdx.x) % lanes_; piece < count_; piece += lanes_) {
      unsigned char* const own = operand + (piece < lanes_ ? offset_ : offset_of(piece));
      const uint4 value = *reinterpret_cast<const uint4*>(own);
      for (int peer = first_peer_; peer < blocks_; peer += peer_stride_) {
        if (peer != rank_) store_to_block(own, peer, value, barrier);
      }
    }
  }
  __device__ void finish(unsigned char*) {
    wait_for_bytes(barriers_ + round_ % 2, round_ / 2 % 2, round_);
    ++round_;
  }

 private:
  __device__ int offset_of(int piece) const {
    const int part = piece / pieces_;
    return part / columns_.segments * columns_.stride +
           part % columns_.segments * columns_.segment_bytes + columns_.first_byte +
           piece % pieces_ * piece_bytes;
  }

  Columns columns_;
  int rank_, blocks_ = 0, pieces_, count_;
  std::uint64_t* barriers_;
  std::uint32_t expected_;
  int lanes_ = 1, first_peer_ = 0, peer_stride_ = 1, offset_ = 0;
  unsigned round_ = 0;
};

/// Flags in global memory, [groups][blocks], zero at first, that say how many rounds each block has
/// finished. All blocks are resident (cooperative launch).
class GroupFlags {
 public:
  __device__ GroupFlags(unsigned* flags, const GroupPlace& place)
      : flags_(flags + place.group * place.blocks), rank_(place.rank), blocks_(place.blocks) {}

  /// What this block's threads have written is there for those who wait.
  __device__ void announce() {
    __syncthreads();
    if (threadIdx.x == 0) raise_flag(flags_ + rank_, round_ + 1);
  }
  /// Until all blocks have announced this round.
  __device__ void wait() {
    ++round_;
    for (int block = static_cast<int>(threadIdx.x); block < blocks_;
         block += static_cast<int>(blockDim.x)) {
      wait_for_flag(flags_ + block, round_, block);
    }
    __syncthreads();
  }
  __device__ unsigned round() const { return round_; }

 private:
  unsigned* flags_;
  int rank_, blocks_;
  unsigned round_ = 0;
};

/// The whole GPU: columns go through global memory, [groups][2][rows, stride] of `memory`, and
/// flags say when they are there. One buffer in shared memory suffices, since it is filled only
/// after the product has read it.
class GridExchange {
 public:
  __device__ GridExchange(const Columns& columns, const GroupPlace& place,
                          const ExchangeMemory& memory)
      : columns_(columns),
        flags_(memory.flags, place),
        memory_(static_cast<unsigned char*>(memory.columns) + place.group * 2 * turn_bytes()) {}

  __device__ void start() {
    flags_.announce();
    flags_.wait();
  }

  __device__ void begin(unsigned char* operand) {
    __syncthreads();
    unsigned char* const sent = memory_ + flags_.round() % 2 * turn_bytes();
    copy_columns(columns_.first_byte, columns_.bytes, [&](int offset) {
      store_global(sent + offset, *reinterpret_cast<const uint4*>(operand + offset));
    });
    flags_.announce();
  }

  __device__ void finish(unsigned char* operand) {
    const unsigned char* const received = memory_ + flags_.round() % 2 * turn_bytes();
    flags_.wait();
    // Past the first-level cache, and without registers between.
    copy_columns(0, columns_.used_bytes, [&](int offset) {
      __pipeline_memcpy_async(operand + offset, received + offset, piece_bytes);
    });
    __pipeline_commit();
    __pipeline_wait_prior(0);
    __syncthreads();
  }

 private:
  __device__ std::int64_t turn_bytes() const {
    return std::int64_t{columns_.rows} * columns_.stride;
  }

  /// A warp a row's segment, a lane a piece of it.
  template <class Copy>
  __device__ void copy_columns(int first_byte, int bytes, Copy copy) const {
    const int warps = static_cast<int>(blockDim.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    for (int part = static_cast<int>(threadIdx.x) / 32;
         part < columns_.live_rows * columns_.segments; part += warps) {
      const int row = part / columns_.segments, segment = part - row * columns_.segments;
      const int start = row * columns_.stride + segment * columns_.segment_bytes + first_byte;
#pragma unroll 1  // more would cost registers that hold weights
      for (int byte = lane * piece_bytes; byte < bytes; byte += 32 * piece_bytes)
        copy(start + byte);
    }
  }

  Columns columns_;
  GroupFlags flags_;
  unsigned char* memory_;
};

}  // namespace sluice::cuda
