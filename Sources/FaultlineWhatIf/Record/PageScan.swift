import CLinux
import Glibc

/// A run of pages that have a page-table entry, or are swapped out.
struct PresentRun: Equatable {
  var pages: Range<UInt64>
  var isPresent: Bool
  /// Pages of the page cache; else private copies.
  var isFile: Bool
  /// One entry maps 2 MiB.
  var isHuge = false
}

/// Reads the page table of a process through its `pagemap` (PAGEMAP_SCAN, Linux 6.7 and later).
struct PageScan: ~Copyable {
  private let descriptor: Int32
  private let pageShift: UInt64

  /// Holds for one address space: after `execve` a new one is needed.
  init?(process: Int32, pageShift: UInt64) {
    descriptor = open("/proc/\(process)/pagemap", O_RDONLY | O_CLOEXEC)
    self.pageShift = pageShift
    guard descriptor >= 0 else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Runs in ascending order; false when the kernel refuses. A hole of any size costs nothing.
  func forEachRun(in pages: Range<UInt64>, _ body: (PresentRun) -> Void) -> Bool {
    withUnsafeTemporaryAllocation(of: cl_page_region.self, capacity: 1024) { regions in
      var address = pages.lowerBound << pageShift
      let end = pages.upperBound << pageShift
      while address < end {
        var walked = address
        let count = cl_page_scan(descriptor, address, end, regions.baseAddress, regions.count, &walked)
        if count < 0 { return false }
        for region in regions[..<Int(count)] {
          body(
            PresentRun(
              pages: (region.start >> pageShift)..<(region.end >> pageShift),
              isPresent: region.categories & UInt64(CL_PAGE_PRESENT) != 0,
              isFile: region.categories & UInt64(CL_PAGE_FILE) != 0,
              isHuge: region.categories & UInt64(CL_PAGE_HUGE) != 0))
        }
        if walked <= address { return true }
        address = walked
      }
      return true
    }
  }
}
