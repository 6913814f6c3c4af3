/// How long the calling thread was ready to run and had no processor. Kernel: `/proc/thread-self/schedstat`.
struct WaitClock {
  private let start = monotonicNanoseconds()
  private let waited = Self.waitedNanoseconds

  /// Of the time since this was made; 0 where the kernel does not tell.
  var share: Double {
    Double(Self.waitedNanoseconds &- waited) / Double(max(1, monotonicNanoseconds() - start))
  }

  private static var waitedNanoseconds: UInt64 {
    let fields = HostText.read("/proc/thread-self/schedstat")?.split(separator: " ") ?? []
    return fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0
  }
}
