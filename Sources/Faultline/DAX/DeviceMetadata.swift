/// What a kernel spends on the metadata of a device's pages, computed from the size of its folios.
///
/// A kernel keeps 64 bytes for each page of 4096 (`struct page`), in an array that pages of its own back. The tails of
/// one folio say all the same: so of the backing pages of a folio, V = its pages * 64 / 4096, only the first two need
/// memory, the head's and one with tails only, and the second stands for the other V - 2. What is shared so is mapped
/// by single pages, which costs a page table for each 2 MiB of the array. Source: the patches to which seed 002
/// belongs; kernel: `vmemmap_populate_compound_pages`.
///
/// This is arithmetic about kernels. The engine shares nothing: see ``DevicePageMap/metadataBytes``.
public struct DeviceMetadata: Sendable, Hashable {
  /// Bytes of one page's metadata. Kernel: `sizeof(struct page)`.
  public static let bytesPerPage: UInt64 = 64
  /// The most pages that a device can have: 2^52 bytes, as many as a processor can address.
  public static let largestPageCount: UInt64 = 1 << 40

  /// Pages of the device.
  public let pageCount: UInt64
  /// log2 of the pages of each of its folios.
  public let order: UInt64

  /// - Parameters:
  ///   - pageCount: pages of 4096 bytes, a multiple of 2^`order`, at most ``largestPageCount``.
  ///   - order: 0, 9 or 18.
  /// - Throws: `EINVAL` for other numbers.
  public init(pageCount: UInt64, order: UInt64) throws(KernelError) {
    guard [0, PhysicalMemory.pmdOrder, DevicePageMap.giganticOrder].contains(order),
      pageCount <= Self.largestPageCount, pageCount & (1 << order - 1) == 0
    else {
      throw KernelError(
        .EINVAL,
        "the metadata of \(pageCount) pages in folios of order \(order): use order 0, 9 or 18 and whole folios, at most"
          + " \(Self.largestPageCount) pages")
    }
    self.pageCount = pageCount
    self.order = order
  }

  /// Bytes with metadata of its own for each page.
  public var plainBytes: UInt64 { pageCount * Self.bytesPerPage }

  /// Backing pages of one folio; 0 where several folios have one in common. The V of the rule.
  public var backingPagesPerFolio: UInt64 { Self.bytesPerPage << order / PageSize.bytes }

  /// Bytes where tails are shared, without the page tables that this takes.
  public var sharedBytes: UInt64 {
    let backing = backingPagesPerFolio
    return backing > 2 ? (pageCount >> order) * 2 * PageSize.bytes : plainBytes
  }

  /// Bytes of the page tables that map what is shared: one for each 2 MiB of the array, in which no large entry can
  /// stand any more.
  public var tableBytes: UInt64 {
    guard sharedBytes < plainBytes else { return 0 }
    let reach = PageSize.entriesPerTable * PageSize.bytes
    return (plainBytes + reach - 1) / reach * PageSize.bytes
  }

  /// Bytes that sharing saves, its page tables taken off.
  public var savedBytes: UInt64 { plainBytes - min(plainBytes, sharedBytes + tableBytes) }
}

extension DevicePageMap {
  /// What a kernel would spend on these pages; `nil` where files claim folios, whose sizes come and go.
  public var kernelMetadata: DeviceMetadata? {
    guard let order else { return nil }
    return try? DeviceMetadata(pageCount: device.pageCount, order: order)
  }

  /// Bytes of the engine's own metadata of these pages: the same for each, whatever the folios. They become memory as
  /// they are touched, which is at once where folios are permanent.
  public var metadataBytes: UInt64 { device.pageCount &* UInt64(MemoryLayout<Frame>.stride) }
}
