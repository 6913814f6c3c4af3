import CLinux
import Glibc
import Synchronization

/// A page fault as perf reports it.
struct FaultSample {
  /// CLOCK_MONOTONIC, nanoseconds.
  var time: UInt64
  var address: UInt64
  var instruction: UInt64
  var thread: Int32
  /// Which of the events that the sampler was opened with.
  var event: Int
}

/// What came out of the rings since the last look.
struct SampleBatch {
  var samples: [FaultSample] = []
  var names: [(thread: Int32, name: String)] = []
  var lost = 0
}

/// Perf software events of a program and everything that it starts: one ring for each processor, because the kernel refuses a ring
/// on an inherited event that follows its task over all processors.
///
/// `drain` may be called from any thread. `@unchecked Sendable`: the rings are read under `lock` only.
final class FaultSampler: @unchecked Sendable {
  enum Event: UInt64 {
    case faults = 2
    case minor = 5
    case major = 6
  }

  private struct Ring {
    var descriptors: [Int32]
    var page: UnsafeMutableRawPointer
    var bytes: Int
  }

  private let pageSize = Int(getpagesize())
  private let ids: [UInt64: Int]
  private let rings: [Ring]
  private let lock = Mutex(SampleBatch())
  /// Faults that the kernel takes for a system call are seen.
  let seesKernelFaults: Bool
  /// Bytes of one ring.
  let ringBytes: Int

  /// Counting begins when `process` next calls `execve`. `kernelFaults` asks for the faults of system calls too; whether they are
  /// permitted says ``seesKernelFaults``.
  init(process: Int32, events: [Event], kernelFaults: Bool) throws(RecordError) {
    var seesKernel = kernelFaults
    var opened: (descriptors: [[Int32]], ids: [UInt64: Int])
    do throws(RecordError) {
      opened = try Self.open(process, events, excludeKernel: !kernelFaults)
    } catch {
      guard kernelFaults else { throw error }
      seesKernel = false
      opened = try Self.open(process, events, excludeKernel: true)
    }
    var bytes = 4 << 20
    var mapped = Self.map(opened.descriptors, bytes: bytes + pageSize)
    while mapped == nil, bytes > 1 << 16 {
      bytes /= 2
      mapped = Self.map(opened.descriptors, bytes: bytes + pageSize)
    }
    guard let pages = mapped else {
      for descriptor in opened.descriptors.joined() { close(descriptor) }
      throw .unavailable(
        what: "perf event rings (no locked memory left)",
        remedy: "raise `ulimit -l`, or `sysctl kernel.perf_event_mlock_kb`")
    }
    seesKernelFaults = seesKernel
    ringBytes = bytes
    ids = opened.ids
    let size = bytes
    rings = zip(opened.descriptors, pages).map { Ring(descriptors: $0, page: $1, bytes: size) }
  }

  deinit {
    for ring in rings {
      munmap(ring.page, ring.bytes + pageSize)
      for descriptor in ring.descriptors { close(descriptor) }
    }
  }

  /// Waits until a ring holds the watermark, or for `milliseconds`.
  func wait(milliseconds: Int32) {
    var waits = rings.map { pollfd(fd: $0.descriptors[0], events: Int16(POLLIN), revents: 0) }
    poll(&waits, nfds_t(waits.count), milliseconds)
    // A ring whose program has ended reports POLLHUP at once and for ever.
    if waits.allSatisfy({ $0.revents & Int16(POLLHUP) != 0 }) { usleep(1000) }
  }

  /// Empties the rings into the sampler, so that they do not overflow while nobody takes.
  func collect() {
    lock.withLock { collect(into: &$0) }
  }

  /// Empties the rings and hands over everything collected, in order of time.
  func drain() -> SampleBatch {
    var batch = lock.withLock { batch in
      collect(into: &batch)
      var taken = SampleBatch()
      swap(&taken, &batch)
      return taken
    }
    if rings.count > 1 { batch.samples.sort { $0.time < $1.time } }
    return batch
  }

  private func collect(into batch: inout SampleBatch) {
    for ring in rings {
      let data = UnsafeRawPointer(ring.page + pageSize)
      let mask = UInt64(ring.bytes - 1)
      func word(_ offset: UInt64) -> UInt64 { data.load(fromByteOffset: Int(offset & mask), as: UInt64.self) }
      let head = cl_ring_head(ring.page)
      var tail = ring.page.load(fromByteOffset: 1032, as: UInt64.self)
      while tail < head {
        let header = word(tail)
        let size = header >> 48
        guard size >= 8 else { break }
        switch UInt32(truncatingIfNeeded: header) {
        case UInt32(CL_PERF_RECORD_SAMPLE):
          batch.samples.append(
            FaultSample(
              time: word(tail + 32), address: word(tail + 40), instruction: word(tail + 16),
              thread: Int32(truncatingIfNeeded: word(tail + 24) >> 32), event: ids[word(tail + 8)] ?? 0))
        case UInt32(CL_PERF_RECORD_LOST): batch.lost &+= Int(truncatingIfNeeded: word(tail + 16))
        case UInt32(CL_PERF_RECORD_COMM):
          let bytes = stride(from: tail + 16, to: tail + size, by: 8).flatMap { offset in
            (0..<8).map { UInt8(truncatingIfNeeded: word(offset) >> ($0 * 8)) }
          }
          batch.names.append(
            (Int32(truncatingIfNeeded: word(tail + 8) >> 32), String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
          )
        default: break
        }
        tail += size
      }
      cl_ring_release(ring.page, head)
    }
  }

  /// Bytes in a ring that wake the reader: an eighth of the smallest ring that a user without privilege gets.
  private static let watermark = 64 << 10

  private static func open(
    _ process: Int32, _ events: [Event], excludeKernel: Bool
  ) throws(RecordError) -> (descriptors: [[Int32]], ids: [UInt64: Int]) {
    var descriptors: [[Int32]] = []
    var ids: [UInt64: Int] = [:]
    for processor in 0..<Int32(sysconf(Int32(_SC_NPROCESSORS_CONF))) {
      var group: [Int32] = []
      for (index, event) in events.enumerated() {
        let descriptor = cl_perf_open(process, processor, event.rawValue, excludeKernel ? 1 : 0, watermark)
        if descriptor == -ENODEV { break }  // the processor is off line
        guard descriptor >= 0 else {
          for descriptor in descriptors.joined() + group { close(descriptor) }
          throw .perfRefused(errno: -descriptor)
        }
        group.append(descriptor)
        ids[UInt64(bitPattern: cl_perf_id(descriptor))] = index
      }
      if !group.isEmpty { descriptors.append(group) }
    }
    return (descriptors, ids)
  }

  private static func map(_ descriptors: [[Int32]], bytes: Int) -> [UnsafeMutableRawPointer]? {
    var pages: [UnsafeMutableRawPointer] = []
    for group in descriptors {
      guard let page = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, group[0], 0), page != MAP_FAILED else {
        for page in pages { munmap(page, bytes) }
        return nil
      }
      pages.append(page)
      for descriptor in group.dropFirst() { _ = cl_perf_share_ring(descriptor, group[0]) }
    }
    return pages
  }
}
