import Glibc

/// Zero-filled address space of the host process that becomes memory only where it is touched.
///
/// The engine's metadata, page tables, cache nodes and page contents lie in such regions: raw memory that never moves, so
/// that a pointer into it stays good for as long as its owner lives.
struct ReservedRegion: ~Copyable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  /// - Throws: `ENOMEM` when the host has no address space of that size.
  init(byteCount: Int, purpose: String) throws(KernelError) {
    let address = Glibc.mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw KernelError(.ENOMEM, "cannot reserve \(byteCount >> 20) MiB of address space for \(purpose)")
    }
    base = address
    self.byteCount = byteCount
  }

  deinit { Glibc.munmap(base, byteCount) }
}
