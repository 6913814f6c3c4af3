import Faultline
import Glibc

/// The patterns on the running kernel, whose window cannot be set without privileges: counted, to stand beside the engine.
struct AroundKernel: ~Copyable {
  /// Of the file: 32 MiB, written page by page, so that every folio is one page.
  static let filePages: UInt64 = 8192

  private let file: ScratchFile

  /// Nil where no temporary file can be made.
  init?() {
    guard let file = ScratchFile(pages: Int(AroundKernel.filePages), in: [".", "/var/tmp", "/tmp"]) else { return nil }
    self.file = file
  }

  /// Faults of the pattern's touches; nil when the file cannot be mapped.
  func faults(_ kind: AroundPattern.Kind) -> UInt64? {
    let pages = AroundPattern(kind, filePages: AroundKernel.filePages).pages.map { Int($0) }
    var least: UInt64?
    for _ in 0..<3 {
      guard let mapping = ScratchMapping(file) else { return nil }
      let before = AroundKernel.faultsOfThread
      for page in pages { mapping.touch(page: page) }
      // A stray fault of this thread can only add to the count.
      least = min(least ?? .max, AroundKernel.faultsOfThread - before)
    }
    return least
  }

  private static var faultsOfThread: UInt64 {
    var usage = rusage()
    getrusage(__rusage_who_t(1), &usage)  // RUSAGE_THREAD, hidden behind _GNU_SOURCE
    return UInt64(usage.ru_minflt + usage.ru_majflt)
  }
}

extension AroundBench {
  /// The patterns on the running kernel beside the engine's count for the window that this kernel has.
  static func countOnKernel() throws(KernelError) -> [KernelCount] {
    guard let kernel = AroundKernel(), let bytes = Doctor.measuredFaultAroundBytes(directory: ".") else { return [] }
    let order = (bytes >> PageSize.shift).trailingZeroBitCount
    var counts: [KernelCount] = []
    for kind in AroundPattern.Kind.allCases {
      guard let counted = kernel.faults(kind) else { continue }
      let pattern = AroundPattern(kind, filePages: AroundKernel.filePages)
      counts.append(
        KernelCount(name: kind.name, order: order, counted: counted, predicted: try pattern.counts(order: order).faults)
      )
    }
    return counts
  }
}
