extension AddressSpace {
  /// Takes out what is mapped in a range. munmap(2).
  ///
  /// - Parameters:
  ///   - address: a multiple of the page size.
  ///   - length: bytes, rounded up to pages.
  /// - Throws: `EINVAL` for no bytes, an unaligned address, a range past the end of the address space, or a border
  ///   inside what one entry of a device maps.
  public func munmap(_ address: VirtualAddress, length: UInt64) throws(KernelError) {
    let pages = try Self.pageRange(address, length, call: "munmap")
    guard !pages.isEmpty else { throw KernelError(.EINVAL, "munmap of no bytes") }
    lockForChange()
    defer { unlockAfterChange() }
    try evict(pages)
  }

  /// The pages of a range that a program passed.
  static func pageRange(
    _ address: VirtualAddress, _ length: UInt64, call: String, beyondEnd: Errno = .EINVAL
  ) throws(KernelError) -> Range<UInt64> {
    guard address.isPageAligned else {
      throw KernelError(.EINVAL, "\(call) at an address that is not a multiple of \(PageSize.bytes)")
    }
    let limit = VirtualAddress.end.page
    guard address.page <= limit, length <= VirtualAddress.end.rawValue,
      PageSize.pages(covering: length) <= limit - address.page
    else {
      throw KernelError(beyondEnd, "\(call) past the end of the address space")
    }
    return address.page..<address.page + PageSize.pages(covering: length)
  }
}
