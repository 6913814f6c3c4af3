import CLinux
import Glibc

/// What the recorder knows about the pages of one traced address space.
final class RecordedSpace {
  let traced: TracedSpace
  let number: Int
  /// Pages with a timed touch, with an untimed one, and those that `fork` copied: disjoint.
  var timed = TouchedPages()
  var untimed = TouchedPages()
  var inherited = TouchedPages()
  /// Pages with a recorded write.
  var written = TouchedPages()
  private var stores: [UInt64: Bool] = [:]
  private let pageShift: UInt64
  private var userfault: Int32 = -1
  private var scan: PageScan?

  init(_ traced: TracedSpace, number: Int, pageShift: UInt64) {
    self.traced = traced
    self.number = number
    self.pageShift = pageShift
  }

  deinit { if userfault >= 0 { close(userfault) } }

  /// Takes a userfaultfd of the program over: made in its name, because it belongs to the address space that makes it.
  /// Returns 0 or -errno.
  func openUserfault(_ tracer: Tracer, _ task: TracedTask) -> Int32 {
    var result = Int32(-ESRCH)
    tracer.inject(into: task) { injection in
      let descriptor = injection.call(CL_CALL_USERFAULTFD, UInt64(cl_userfaultfd_flags()))
      guard descriptor >= 0 else {
        result = Int32(truncatingIfNeeded: descriptor)
        return
      }
      userfault = traced.copyDescriptor(descriptor)
      _ = injection.call(CL_CALL_CLOSE, UInt64(descriptor))
      result = userfault < 0 ? userfault : cl_userfaultfd_enable(userfault)
    }
    return result
  }

  /// Has every first touch in the range become a fault of its own. Returns 0 or -errno.
  func watch(_ pages: Range<UInt64>) -> Int32 {
    guard userfault >= 0 else { return -EBADF }
    let result = cl_userfaultfd_watch(
      userfault, pages.lowerBound << pageShift, UInt64(pages.count) << pageShift)
    if result == 0 { traced.mappings.setWatched(pages) }
    return result
  }

  /// Runs of the page table; false when it cannot be read.
  func forEachRun(in pages: Range<UInt64>, _ body: (PresentRun) -> Void) -> Bool {
    if scan == nil { scan = PageScan(process: traced.process, pageShift: pageShift) }
    guard scan != nil else { return false }
    return scan!.forEachRun(in: pages, body)
  }

  func forget(_ range: Range<UInt64>) {
    timed.remove(range)
    untimed.remove(range)
    inherited.remove(range)
    written.remove(range)
  }

  func move(_ old: Range<UInt64>, to page: UInt64) {
    timed.move(old, to: page)
    untimed.move(old, to: page)
    inherited.move(old, to: page)
    written.move(old, to: page)
  }

  /// Whether the instruction at an address stores to memory; nil when it cannot be told.
  func stores(at address: UInt64) -> Bool? {
    if let known = stores[address] { return known }
    let result = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes -> Bool? in
      let count = cl_process_read(traced.process, address, bytes.baseAddress, bytes.count)
      return count > 0 ? storesToMemory(UnsafeRawBufferPointer(rebasing: bytes[..<Int(count)])) : nil
    }
    if let result { stores[address] = result }
    return result
  }
}
