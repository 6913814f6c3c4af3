import CLinux
import Faultline
import Glibc

/// The loops in C that pinning is held against, over metadata and an array of their own.
final class PageLoops {
  private let pages: UnsafeMutablePointer<cl_page>
  private let numbers: UnsafeMutablePointer<UInt64>
  private let count: Int
  private let step: Int
  private let bytes: Int

  /// - Parameters:
  ///   - pageCount: a multiple of 512.
  ///   - step: pages a call, as in what they are compared with.
  init(pageCount: UInt64, step: UInt64) throws(PinBenchError) {
    count = Int(pageCount)
    self.step = Int(step)
    bytes = count * MemoryLayout<cl_page>.stride
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
      throw .memory
    }
    pages = memory.bindMemory(to: cl_page.self, capacity: count)
    numbers = .allocate(capacity: count)
    numbers.initialize(repeating: 0, count: count)
    let folio = Int(PageSize.entriesPerTable)
    for head in stride(from: 0, to: count, by: folio) {
      pages[head].references = 1
      pages[head].flags = FolioSize.huge.rawValue << 56
      for tail in head + 1..<head + folio { pages[tail].head = UInt64(UInt(bitPattern: pages + head)) }
    }
  }

  deinit {
    munmap(pages, bytes)
    numbers.deallocate()
  }

  /// Nanoseconds to count and record every page by itself; the references are given back without being timed.
  func getEach() throws(PinBenchError) -> UInt64 {
    let start = monotonicNanoseconds()
    for first in stride(from: 0, to: count, by: step) {
      let wanted = UInt64(min(step, count - first))
      guard cl_get_each_page(pages + first, wanted, UInt64(first), numbers + first) == wanted else { throw .loops }
    }
    let time = monotonicNanoseconds() - start
    for head in stride(from: 0, to: count, by: Int(PageSize.entriesPerTable)) { pages[head].references = 1 }
    return time
  }

  /// Nanoseconds to write the array of pages.
  func write() -> UInt64 {
    let start = monotonicNanoseconds()
    for first in stride(from: 0, to: count, by: step) {
      cl_write_numbers(numbers + first, UInt64(first), UInt64(min(step, count - first)))
    }
    return monotonicNanoseconds() - start
  }

  /// Nanoseconds to read it.
  func read() throws(PinBenchError) -> UInt64 {
    let start = monotonicNanoseconds()
    var sum: UInt64 = 0
    for first in stride(from: 0, to: count, by: step) {
      sum &+= cl_read_numbers(numbers + first, UInt64(min(step, count - first)))
    }
    let time = monotonicNanoseconds() - start
    // What the numbers add up to is known; a compiler that left the loop out could not tell.
    guard sum == UInt64(count) * UInt64(count - 1) / 2 else { throw .loops }
    return time
  }
}
