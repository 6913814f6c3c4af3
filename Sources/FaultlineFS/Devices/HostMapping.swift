import Faultline
import Glibc

/// Zeroed memory of the host, page-aligned, that goes with its owner.
final class HostMapping {
  let base: UnsafeMutableRawPointer
  private let byteCount: Int

  /// - Throws: `EINVAL` for no pages, `ENOMEM` when the host has no address space of that size.
  init(pageCount: UInt64) throws(KernelError) {
    guard pageCount > 0 else { throw KernelError(.EINVAL, "a device has at least one page") }
    guard pageCount <= 1 << 35 else {
      throw KernelError(.ENOMEM, "a device of \(pageCount) pages is more than an address space")
    }
    byteCount = Int(pageCount << PageSize.shift)
    let address = Glibc.mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw KernelError(.ENOMEM, "cannot reserve \(byteCount >> 20) MiB of address space for a device")
    }
    base = address
  }

  deinit { munmap(base, byteCount) }
}
